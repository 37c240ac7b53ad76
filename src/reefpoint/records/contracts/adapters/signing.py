"""PAdES signatures in PDF files: put there, and looked at again.

Importing this takes half a second, so whoever needs it now and then imports it there and then.
"""

import binascii
import io
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime

from asn1crypto import cms  # type: ignore[import-untyped]
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import SimpleSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner, PdfSigningSession
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from reefpoint.records.contracts.adapters.certificates import Issued
from reefpoint.records.contracts.types import SignatureCheck, SignerRole


class _TimedSigner(PdfSigner):
    """A signer whose time is the desk's, also in a replay."""

    at: datetime

    def init_signing_session(self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only=existing_fields_only)
        session.system_time = self.at
        return session


def sign(
    paper: bytes,
    *,
    signer: Issued,
    name: str,
    role: SignerRole,
    reason: str,
    box: tuple[int, int, int, int],
    stamp: bytes,
    at: datetime,
) -> bytes:
    """The paper with one more PAdES signature, as an update that leaves every byte before it as it is."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as picture:
        picture.write(stamp)
        picture.flush()
        page = ImportedPdfPage(picture.name)  # type: ignore[no-untyped-call]
        signing = _TimedSigner(
            PdfSignatureMetadata(
                field_name=role.value,
                name=name,
                reason=reason,
                md_algorithm="sha256",
                subfilter=SigSeedSubFilter.PADES,
            ),
            signer=SimpleSigner(
                signing_cert=asn1_x509.Certificate.load(signer.certificate),
                signing_key=asn1_keys.PrivateKeyInfo.load(signer.key),
                cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
            ),
            stamp_style=StaticStampStyle(border_width=0, background=page, background_opacity=1.0),
            new_field_spec=SigFieldSpec(role.value, on_page=-1, box=box),
        )
        signing.at = at
        signed = io.BytesIO()
        signing.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(paper)), output=signed)
        return signed.getvalue()


# Looking at signatures


class NotReadable(ValueError):
    """Bytes that cannot be read as a PDF at all."""


def check_signatures(content: bytes, roots: Sequence[bytes]) -> list[SignatureCheck]:
    """What the file says of each of its signatures, in order. Raises `NotReadable`."""
    trusted = [asn1_x509.Certificate.load(root) for root in roots]
    try:
        found = list(PdfFileReader(io.BytesIO(content)).embedded_signatures)
        return [_check(content, one, trusted, is_last=one is found[-1]) for one in found]
    except Exception as problem:  # a broken file breaks readers in any way there is
        raise NotReadable(str(problem) or type(problem).__name__) from problem


def _check(
    content: bytes, found: EmbeddedPdfSignature, roots: Sequence[asn1_x509.Certificate], *, is_last: bool
) -> SignatureCheck:
    certificate = found.signer_cert
    name = str(certificate.subject.native.get("common_name", ""))
    at = found.self_reported_timestamp
    trouble = ""
    is_intact = covers = is_trusted = False
    try:
        context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=at)
        status = validate_pdf_signature(found, context)
        is_intact = bool(status.intact and status.valid) and _is_plain(content, found)
        wanted = SignatureCoverageLevel.ENTIRE_FILE if is_last else SignatureCoverageLevel.ENTIRE_REVISION
        covers = status.coverage >= wanted and bool(status.docmdp_ok)
        is_trusted = bool(status.trusted)
    except (SignatureValidationError, SigningError, PdfError, ValueError) as problem:
        trouble = str(problem) or type(problem).__name__
    return SignatureCheck(
        field=str(found.field_name),
        signer_name=name,
        signed_at=at,
        certificate_serial=f"{certificate.serial_number:x}",
        is_intact=is_intact,
        covers_file=covers,
        is_trusted=is_trusted,
        trouble=trouble,
    )


def _is_plain(content: bytes, found: EmbeddedPdfSignature) -> bool:
    """Whether the place of the signature holds its bytes in capital hex, then zeros: nothing else fits in.

    This place is what no signature covers; without the check, a changed letter case or filler would pass.
    """
    ranges = [int(number) for number in found.byte_range]
    held = content[ranges[0] + ranges[1] : ranges[2]]
    plain = binascii.hexlify(cms.ContentInfo.load(bytes(found.pkcs7_content)).dump()).upper()
    return held == b"<" + plain.ljust(len(held) - 2, b"0") + b">"


def signature_places(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the signatures themselves stand in a file: (from, to) of the bytes that they do not cover."""
    for found in PdfFileReader(io.BytesIO(content)).embedded_signatures:
        ranges = [int(number) for number in found.byte_range]
        yield ranges[0] + ranges[1], ranges[2]
