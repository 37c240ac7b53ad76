"""`make setup` on machines of every kind, with a stand-in for uv: nothing is fetched here."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAIN_TOOLS = ("cat", "cksum", "sh", "rm", "mkdir", "ln", "awk", "dirname")

# Does what the script asks of uv: `venv` makes a folder with this Python, `pip` is written down and may fail.
FAKE_UV = f"""#!/bin/sh
echo "$@" >> "$CALLS"
[ "$1" != venv ] || {{ mkdir -p .venv/bin && ln -s "{sys.executable}" .venv/bin/python; }}
[ "$1" != pip ] || [ -z "$FAIL" ]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that the script reads, in a folder with a space in its path, and a search path of its own beside it."""
    folder = tmp_path / "a b" / "reefpoint"
    (folder / "tools").mkdir(parents=True)
    for name in ("tools/setup.sh", "pyproject.toml", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder / name)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in PLAIN_TOOLS:
        found = shutil.which(name)
        assert found is not None
        (commands / name).symlink_to(found)
    return folder


def add_command(checkout: Path, name: str, script: str) -> None:
    program = checkout.parents[1] / "bin" / name
    program.write_text(script)
    program.chmod(0o755)


def setup(checkout: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept: Mapping[str, str] = {
        "PATH": str(checkout.parents[1] / "bin"),
        "CALLS": str(checkout / "calls"),
        "FAIL": "",
        **environment,
    }
    return subprocess.run(
        ["/bin/sh", checkout / "tools" / "setup.sh"], env=kept, capture_output=True, text=True, check=False
    )


@pytest.fixture
def complete(checkout: Path) -> Path:
    """A checkout whose setup went through once, and whose calls of uv are forgotten."""
    add_command(checkout, "uv", FAKE_UV)
    add_command(checkout, "python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    said = setup(checkout)
    assert said.returncode == 0, said.stderr
    (checkout / "calls").unlink()
    return checkout


def test_a_second_setup_does_nothing(complete: Path) -> None:
    assert setup(complete).returncode == 0
    assert not (complete / "calls").exists()


def test_a_changed_lock_is_installed_into_the_same_environment(complete: Path) -> None:
    (complete / ".venv" / "mine").touch()
    with (complete / "requirements-dev.lock").open("a") as lock:
        lock.write("# changed\n")

    assert setup(complete).returncode == 0

    assert "--require-hashes -r requirements-dev.lock" in (complete / "calls").read_text()
    assert (complete / ".venv" / "mine").exists()


def test_an_interrupted_setup_is_begun_anew(complete: Path) -> None:
    with (complete / "requirements-dev.lock").open("a") as lock:
        lock.write("# changed\n")
    assert setup(complete, FAIL="yes").returncode != 0
    (complete / ".venv" / "half-made").touch()

    assert setup(complete).returncode == 0

    assert not (complete / ".venv" / "half-made").exists()
    assert setup(complete).returncode == 0


def test_an_environment_that_was_moved_is_made_anew(complete: Path) -> None:
    moved = complete.rename(complete.with_name("moved"))
    (moved / ".venv" / "old").touch()

    assert setup(moved).returncode == 0

    assert not (moved / ".venv" / "old").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(complete: Path) -> None:
    (complete / ".venv" / "bin" / "python").unlink()
    (complete / ".venv" / "old").touch()

    assert setup(complete).returncode == 0

    assert not (complete / ".venv" / "old").exists()


def test_a_python_below_3_11_is_passed_over_with_a_clear_word(checkout: Path) -> None:
    add_command(checkout, "uv", FAKE_UV)
    add_command(checkout, "python3", "#!/bin/sh\nexit 1  # as `sys.exit(sys.version_info < (3, 11))` ends there\n")

    said = setup(checkout)

    assert said.returncode == 1
    assert "needs Python 3.11 or later" in said.stderr
    assert not (checkout / ".venv").exists()


def test_a_named_python_goes_first(checkout: Path) -> None:
    add_command(checkout, "uv", FAKE_UV)

    said = setup(checkout, PYTHON=sys.executable)

    assert said.returncode == 0, said.stderr
    assert f"venv --quiet --python {sys.executable} .venv" in (checkout / "calls").read_text()
