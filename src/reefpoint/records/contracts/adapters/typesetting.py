"""Documents to PDF/A by typst, with its own fonts and those of one package: the same words are the same bytes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast

import pylopdf_fonts_zh_cn
import typst

from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.contracts.types import Document, SignerRole

PDF_STANDARD: Literal["a-2b"] = "a-2b"
PAGE_HEIGHT = 841.89
"""Points of an A4 page."""


@dataclass(frozen=True)
class Box:
    """A place on the last page, in points from the left and from the top."""

    x: float
    top: float
    width: float
    height: float

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """Lower left and upper right, as PDF counts: from the bottom."""
        bottom = PAGE_HEIGHT - self.top - self.height
        return round(self.x), round(bottom), round(self.x + self.width), round(bottom + self.height)


BOXES: Mapping[SignerRole, Box] = {
    SignerRole.CLIENT: Box(57, 190, 230, 84),
    SignerRole.DESK: Box(308, 190, 230, 84),
}
"""Where each side signs."""


class Unprintable(Refusal):
    """A text with a character for which there is no sign in the fonts."""

    code = "contract_unprintable"


def typeset(document: Document, *, at: datetime) -> bytes:
    """The document as PDF/A-2b, dated `at`. Raises `Unprintable`."""
    boxes = {role.value: vars(box) for role, box in BOXES.items()}
    return _compile("contract.typ", {**document, "boxes": boxes}, at)


def typeset_pages(document: Document, *, at: datetime) -> list[bytes]:
    """The same as pictures, a PNG a page: for a look at it, not to be signed."""
    boxes = {role.value: vars(box) for role, box in BOXES.items()}
    pages = _compiler().compile(
        input=_source("contract.typ"),
        format="png",
        ppi=80,
        sys_inputs={"data": json.dumps({**document, "boxes": boxes}, ensure_ascii=False)},
        timestamp=at,
    )
    return cast("list[bytes]", pages if isinstance(pages, list) else [pages])


def typeset_stamp(*, name: str, lines: Sequence[str], role: SignerRole, at: datetime) -> bytes:
    """The picture of a signature, as a PDF of the size of its box. Raises `Unprintable`."""
    box = BOXES[role]
    data = {"title": name, "name": name, "lines": list(lines), "width": box.width, "height": box.height}
    return _compile("stamp.typ", data, at)


@cache
def layout_hash() -> str:
    """What the layout is known by: with the same one, the same document is the same bytes."""
    return hashlib.sha256(_source("contract.typ") + version("typst").encode()).hexdigest()


def _compile(source: str, data: Mapping[str, Any], at: datetime) -> bytes:
    try:
        made = _compiler().compile(
            input=_source(source),
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            pdf_standards=PDF_STANDARD,
            timestamp=at,
        )
    except typst.TypstError as error:
        if "could not be displayed" not in error.message:
            raise
        raise Unprintable(
            "A name or a text holds a character that cannot be printed: {character}. Nothing was made.",
            character=error.message.partition("the text ")[2].partition(" could")[0],
        ) from error
    return cast(bytes, made)


@cache
def _source(name: str) -> bytes:
    return (resources.files("reefpoint.records.contracts") / "data" / name).read_bytes()


@cache
def _compiler() -> typst.Compiler:
    folder = str(Path(pylopdf_fonts_zh_cn.__file__).parent)
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])
    return typst.Compiler(font_paths=fonts)
