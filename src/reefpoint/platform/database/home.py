"""The data folder: where the desk keeps what is its own on this machine, private to whoever runs it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from reefpoint.platform.database.binaries import server_account

PRIVATE_FILE = 0o600


def data_home() -> Path:
    """The data folder: `REEFPOINT_HOME`, or `.reefpoint` in the current folder. Not created yet."""
    return Path(os.environ.get("REEFPOINT_HOME") or ".reefpoint").absolute()


def make_home(home: Path) -> None:
    """Create the data folder for its owner alone. Made by root, it lets the account of the database server through.

    A folder that is there is left as it is.
    """
    if home.exists():
        return
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f"{home.name}-", dir=home.parent))
    if os.geteuid() == 0:
        os.chown(draft, 0, server_account().gid)
        draft.chmod(0o710)
    try:
        draft.rename(home)
    except OSError:  # another program was quicker, and has begun to use it
        draft.rmdir()


def secret_key(home: Path) -> str:
    """The key that signs sessions: made once, kept in `home/secret-key`, readable by its owner only."""
    path = home / "secret-key"
    if not path.exists():
        make_home(home)
        draft = write_private(home / f"secret-key.{os.getpid()}", secrets.token_urlsafe(50))
        with suppress(FileExistsError):  # of two programs that start at once, both take the key of the first
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner may read, whatever the umask."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
        file.write(text)
    return path
