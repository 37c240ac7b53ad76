"""How values are sealed and opened: AES-256-GCM, a fresh nonce each time, the place of the value as associated data."""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BITS = 256


def new_key() -> bytes:
    """A random data key."""
    return AESGCM.generate_key(bit_length=KEY_BITS)


def encrypt(key: bytes, plain: bytes, context: str) -> bytes:
    """Nonce and ciphertext with its tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def decrypt(key: bytes, blob: bytes, context: str) -> bytes:
    """The plain value. Raises `cryptography.exceptions.InvalidTag` if the blob, the key or the context is another."""
    return AESGCM(key).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], context.encode())


def blind_index(key: bytes, kind: str, value: str) -> bytes:
    """HMAC-SHA-256 of a value of one kind: equal values have equal ones, and nobody without the key can guess."""
    return hmac.digest(key, f"{kind}\x00{value}".encode(), hashlib.sha256)
