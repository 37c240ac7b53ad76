"""Master keys: from the environment, or from a private file in the data folder. The database never holds one."""

import base64
import binascii
import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.database.home import data_home, make_home, write_private

VARIABLE = "REEFPOINT_MASTER_KEYS"
FILE = "master-keys"
KEY_BYTES = 32


class MasterKeyMissing(Refusal):
    """The master key that wraps a data key is not at hand: what is sealed under it cannot be read."""

    code = "master_key_missing"


class MasterKeyMalformed(Refusal):
    """A master key that is not 32 bytes in URL-safe base64."""

    code = "master_key_malformed"


@dataclass(frozen=True)
class MasterKey:
    """A master key; `id` is the start of its SHA-256, by which data keys say who wraps them."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"reefpoint master key" + self.secret).hexdigest()[:12]


def load_master_keys() -> tuple[MasterKey, ...]:
    """All master keys at hand, the current one first; none if there is neither variable nor file."""
    text = os.environ.get(VARIABLE, "")
    if not text.strip():
        path = _path()
        text = path.read_text() if path.exists() else ""
    return tuple(_read(part) for part in text.replace(",", " ").split())


def make_first_master_key() -> tuple[MasterKey, ...]:
    """Make the key file of a new desk; of two programs that start at once, both take the key of the first."""
    path = _path()
    make_home(path.parent)
    draft = write_private(path.with_name(f"{FILE}.{os.getpid()}"), _new_text() + "\n")
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return load_master_keys()


def add_master_key() -> tuple[MasterKey, ...]:
    """Put a new master key before those in the file: data keys are wrapped anew under it. The old one stays readable.

    Raises `MasterKeyMissing` where the keys come from the environment: whoever sets them adds the new one in front.
    """
    if os.environ.get(VARIABLE, "").strip():
        raise MasterKeyMissing(
            "The master keys come from {variable}: put a new one in front of it there.", variable=VARIABLE
        )
    path = _path()
    old = path.read_text() if path.exists() else ""
    write_private(path.with_name(f"{FILE}.{os.getpid()}"), f"{_new_text()}\n{old}").replace(path)
    return load_master_keys()


def _path() -> Path:
    return data_home() / FILE


def _new_text() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _read(text: str) -> MasterKey:
    try:
        secret = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise MasterKeyMalformed(
            "A master key is {key_bytes} random bytes in URL-safe base64; one of those given is not.",
            key_bytes=KEY_BYTES,
        )
    return MasterKey(secret)
