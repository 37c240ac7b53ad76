"""Certificates of this desk, and PAdES signatures in PDF files: put there, and looked at again."""

import binascii
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import cms  # type: ignore[import-untyped]
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID
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

from reefpoint.records.contracts.types import SignatureCheck, SignerRole

ROOT_DAYS = 30 * 365
SIGNER_DAYS = 20 * 365
"""A signer's key lives for one signature; its certificate is dated to be accepted for as long as papers are kept."""

_CLOCK_SLACK = timedelta(minutes=5)
_NAME_CHARS_MAX = 64


@dataclass(frozen=True)
class Issued:
    """A certificate (DER) and its private key (PKCS#8 DER)."""

    certificate: bytes
    key: bytes
    serial: str


def make_root(*, organisation: str, at: datetime) -> Issued:
    """A new root certificate with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{organisation} contract signatures", organisation)
    builder = _builder(name, key, at, ROOT_DAYS).issuer_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(is_authority=True), critical=True)
    return _issued(builder.sign(key, hashes.SHA256()), key)


def issue(*, root: Issued, name: str, organisation: str, reference: str, at: datetime) -> Issued:
    """A certificate with a key for one signature by one person. `reference` names the person in the register."""
    key = ec.generate_private_key(ec.SECP256R1())
    parent = x509.load_der_x509_certificate(root.certificate)
    parent_key = load_der_private_key(root.key, None)
    assert isinstance(parent_key, ec.EllipticCurvePrivateKey)
    builder = _builder(_name(name, organisation, reference), key, at, SIGNER_DAYS).issuer_name(parent.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(is_authority=False), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(parent_key.public_key()), critical=False
    )
    return _issued(builder.sign(parent_key, hashes.SHA256()), key)


def _builder(name: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCK_SLACK)
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(name: str, organisation: str, reference: str = "") -> x509.Name:
    parts = [
        x509.NameAttribute(NameOID.COMMON_NAME, name[:_NAME_CHARS_MAX]),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:_NAME_CHARS_MAX]),
    ]
    if reference:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, reference[:_NAME_CHARS_MAX]))
    return x509.Name(parts)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=not is_authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _issued(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    return Issued(
        certificate=certificate.public_bytes(Encoding.DER),
        key=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        serial=f"{certificate.serial_number:x}",
    )


def to_pem(certificate: bytes) -> bytes:
    """A certificate as readers of PDF import it."""
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


# Signing


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
