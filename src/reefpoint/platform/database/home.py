"""The data folder: where the desk keeps what is its own on this machine, private to whoever runs it."""

import os
import secrets
from pathlib import Path

PRIVATE_FILE = 0o600


def data_home() -> Path:
    """The data folder: `REEFPOINT_HOME`, or `.reefpoint` in the current folder. Not created yet."""
    return Path(os.environ.get("REEFPOINT_HOME") or ".reefpoint").absolute()


def secret_key(home: Path) -> str:
    """The key that signs sessions: made once, kept in `home/secret-key`, readable by its owner only."""
    path = home / "secret-key"
    if not path.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = write_private(home / f"secret-key.{os.getpid()}", secrets.token_urlsafe(50))
        try:
            os.link(fresh, path)  # the first of two starting programs wins, and both read the same key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner may read, whatever the umask."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
        file.write(text)
    return path
