"""Signatures in the file: both hold, a standard reader finds them, and one flipped byte anywhere breaks it."""

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from tests.records.contracts.archival import archival_problems
from tests.records.contracts.cases import AT
from tests.records.contracts.test_paper import sample

from reefpoint.records.contracts.adapters.certificates import Issued, issue, make_root
from reefpoint.records.contracts.adapters.signing import NotReadable, check_signatures, sign, signature_places
from reefpoint.records.contracts.adapters.typesetting import BOXES, typeset, typeset_stamp
from reefpoint.records.contracts.rules.document import build_document
from reefpoint.records.contracts.types import SignerRole


@cache
def root_of_lender() -> Issued:
    """One root for all of these tests."""
    return make_root(organisation="The Lender LLC", at=AT)


def signed_by(paper: bytes, root: Issued, role: SignerRole, name: str) -> bytes:
    """The paper with one more signature."""
    signer = issue(root=root, name=name, organisation="The Lender LLC", reference="user:1", at=AT)
    stamp = typeset_stamp(name=name, lines=["client C-000001"], role=role, at=AT)
    return sign(
        paper, signer=signer, name=name, role=role, reason="CT-000001", box=BOXES[role].corners, stamp=stamp, at=AT
    )


@cache
def signed_once() -> bytes:
    """The sample with its client's signature."""
    return signed_by(typeset(build_document(sample()), at=AT), root_of_lender(), SignerRole.CLIENT, "王芳")


@cache
def signed_twice() -> bytes:
    """The sample with both signatures."""
    return signed_by(signed_once(), root_of_lender(), SignerRole.DESK, "Olga Officer")


def is_good(content: bytes) -> bool:
    """Whether two signatures are there and both hold."""
    try:
        found = check_signatures(content, [root_of_lender().certificate])
    except NotReadable:
        return False
    return len(found) == 2 and all(one.is_good for one in found)


def test_both_signatures_hold_and_tell_who_and_when() -> None:
    found = check_signatures(signed_twice(), [root_of_lender().certificate])
    assert [(one.field, one.signer_name, one.signed_at, one.is_good) for one in found] == [
        ("client", "王芳", AT, True),
        ("desk", "Olga Officer", AT, True),
    ]


def test_signed_by_both_it_is_still_built_as_pdf_a_2b_asks() -> None:
    assert archival_problems(signed_twice()) == []


def test_the_second_signature_leaves_every_byte_of_the_first_as_it_was() -> None:
    assert signed_twice().startswith(signed_once())
    assert [one.is_good for one in check_signatures(signed_once(), [root_of_lender().certificate])] == [True]


def test_another_reader_finds_both_signature_fields_on_the_last_page() -> None:
    reader = PdfReader(io.BytesIO(signed_twice()))
    fields = reader.get_fields() or {}
    assert {name: field["/FT"] for name, field in fields.items()} == {"client": "/Sig", "desk": "/Sig"}
    assert [fields[name]["/V"]["/SubFilter"] for name in ("client", "desk")] == ["/ETSI.CAdES.detached"] * 2
    annotations = [one.get_object()["/T"] for one in reader.pages[-1]["/Annots"]]  # type: ignore[attr-defined]
    assert annotations == ["client", "desk"]


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="pdfsig of poppler-utils is not installed")
def test_a_validator_of_another_maker_finds_both_signatures_valid_and_a_changed_page_broken(tmp_path: Path) -> None:
    """Poppler reads the file and NSS checks it: none of the code that signed takes part."""

    def verdicts(content: bytes) -> list[str]:
        file = tmp_path / "contract.pdf"
        file.write_bytes(content)
        told = subprocess.run(["pdfsig", "-nocert", file], capture_output=True, text=True, check=False).stdout
        return re.findall("Signature Validation: (.+)", told)

    assert verdicts(signed_twice()) == ["Signature is Valid."] * 2
    assert verdicts(flipped(signed_twice(), len(signed_once()) // 2, 0)) == ["Digest Mismatch."] * 2


def test_a_signature_under_another_root_is_not_trusted() -> None:
    other = make_root(organisation="The Lender LLC", at=AT)
    assert [one.is_trusted for one in check_signatures(signed_twice(), [other.certificate])] == [False, False]
    assert [one.is_intact for one in check_signatures(signed_twice(), [other.certificate])] == [True, True]


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_i67_one_flipped_bit_anywhere_breaks_it(share: float, bit: int) -> None:
    content = signed_twice()
    assert not is_good(flipped(content, int(share * len(content)), bit))


def flipped(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def edges(content: bytes) -> Iterator[int]:
    """The places that no signature covers, those just beside them, and both ends."""
    yield from (0, len(content) - 1)
    for start, end in signature_places(content):
        yield from (start - 1, start, start + 1, start + 9, (start + end) // 2, end - 2, end - 1, end)


def test_i67_also_where_the_signatures_themselves_stand() -> None:
    content = signed_twice()
    passed = [(place, bit) for place in edges(content) for bit in (0, 5) if is_good(flipped(content, place, bit))]
    assert passed == []


def test_i69_what_was_cut_or_added_to_is_not_good() -> None:
    whole = signed_twice()
    for content in (whole + b"\n", whole[:-1], signed_once(), b"", b"%PDF-1.7\n", whole[1000:]):
        assert not is_good(content)
    assert is_good(whole)
