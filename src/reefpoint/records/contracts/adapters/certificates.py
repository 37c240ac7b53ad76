"""Certificates of this desk: its root, and one for each signature."""

from dataclasses import dataclass
from datetime import datetime, timedelta

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
