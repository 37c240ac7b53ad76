"""Shared fixtures: a real PostgreSQL for every test that needs one, and a real browser.

Unless `DATABASE_URL` is set, one embedded PostgreSQL serves the whole run, all xdist workers included. It starts with
the first test that needs a database, and `tests/janitor.py` ends it with the run, even with a run that is killed.
"""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management.color import Style
from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright

from reefpoint.platform.database.address import django_database
from reefpoint.platform.database.embedded import EmbeddedPostgres
from reefpoint.platform.database.tables import rendered_once

TEST_FOLDER = "REEFPOINT_TEST_FOLDER"
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ON_MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

if not os.environ.get("REEFPOINT_SECRET_KEY"):  # pytest-django has read the settings before this file
    settings.SECRET_KEY = os.environ["REEFPOINT_SECRET_KEY"] = secrets.token_hex()

os.environ.setdefault(
    "REEFPOINT_MASTER_KEYS", base64.urlsafe_b64encode(b"the master key that all tests use"[:32]).decode()
)

JANITOR = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    """In the process that leads the run: make the folder for everything that runs, and set the janitor to it."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="reefpoint-tests-"))
    folder.chmod(0o711)  # the account that runs PostgreSQL for root passes through
    os.environ[TEST_FOLDER] = str(folder)
    janitor = Path(__file__).with_name("janitor.py")
    config.stash[JANITOR] = subprocess.Popen(
        [sys.executable, janitor, folder], stdin=subprocess.PIPE, start_new_session=True
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the janitor sweep, and wait until it has."""
    if JANITOR in config.stash:
        config.stash[JANITOR].communicate()


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The URL of the `postgres` database of the server that the tests use, started if need be."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        url = EmbeddedPostgres(Path(os.environ[TEST_FOLDER], "shared"), FAST_SETTINGS).start()
        os.environ["DATABASE_URL"] = url
    return url


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A data folder of this test alone, with a space in its path; whatever server it starts there is removed."""
    home = Path(tempfile.mkdtemp(prefix="a desk ", dir=os.environ[TEST_FOLDER])) / "home"
    home.parent.chmod(0o711)
    yield home
    EmbeddedPostgres(home).remove()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, postgres_url: str) -> None:
    """Point Django at that server, just before pytest-django creates the test database of this worker."""
    settings.DATABASES["default"].update(django_database(postgres_url))


@pytest.fixture(scope="session")
def django_db_createdb(django_db_createdb: bool) -> Iterator[bool]:
    """Make the tests' tables the way an empty desk's are made."""
    plain = BaseDatabaseCreation.create_test_db

    def create(self: BaseDatabaseCreation, *settings: Any, **more: Any) -> str:
        with rendered_once():
            return plain(self, *settings, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseCreation, "create_test_db", create)
        yield django_db_createdb


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """Let tests with real transactions empty append-only tables afterwards; it takes a superuser of the database.

    Deleting is many times faster than truncating when most tables are empty.
    """

    def flush_unguarded(self: DatabaseOperations, style: Style, tables: Sequence[str], **_: object) -> list[str]:
        deletes = "; ".join(f"DELETE FROM {self.quote_name(table)}" for table in tables)
        return ["SET session_replication_role = replica", deletes, "RESET session_replication_role"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", flush_unguarded)
        yield


@pytest.fixture(autouse=True, scope="session")
def _passwords_are_hashed_quickly() -> Iterator[None]:
    """The hash is the desk's own, at the least cost there is: at its own, each takes a fifth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        for bound, least in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, bound, least)
        yield


@pytest.fixture(autouse=True)
def _anchors_of_this_test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What day ends write outside the database is forgotten with the test, as the database's rows are."""
    monkeypatch.setattr(settings, "ANCHOR_FILE", Path(os.environ[TEST_FOLDER], f"anchors-{secrets.token_hex(4)}.jsonl"))


@pytest.fixture(autouse=True)
def _language_of_this_test_alone() -> Iterator[None]:
    """A page read in Chinese leaves its thread in Chinese; the next test begins in the desk's own language again."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A Chromium or Chrome of this machine: `CHROMIUM`, the search path, or a macOS application."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    found = found or next((path for path in CHROMIUM_ON_MACOS if Path(path).exists()), None)
    if found is None:
        advice = "no Chromium found: install one (Debian: apt install chromium), or set CHROMIUM to its path"
        if os.environ.get("REEFPOINT_REQUIRE_BROWSER"):
            pytest.fail(advice)
        pytest.skip(advice)
    return found


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A headless Playwright browser. Open pages with `browser.new_page()` and close them.

    It lives as long as one file of tests: its event loop occupies the thread, where nothing else may then run a loop
    and Django would take every query for one made inside it.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_ARGUMENTS))
        yield chromium
        chromium.close()
