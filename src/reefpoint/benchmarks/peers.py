"""The general engines of the comparison: which are installed, in which version, and their connections."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from reefpoint.benchmarks.machine import THREADS

PACKAGES = {
    "NumPy": "numpy",
    "SciPy": "scipy",
    "Polars": "polars",
    "DuckDB": "duckdb",
    "chDB": "chdb",
    "HiGHS": "highspy",
}
"""Engines by their names in the report, with their packages."""
OURS = "Reefpoint"
NOT_INSTALLED = "not installed"


def versions() -> dict[str, str]:
    """The version of every engine, of the compiler and of NumPy; `NOT_INSTALLED` for what is not there."""
    return {name: _version(package) for name, package in {**PACKAGES, "Numba": "numba"}.items()}


def absent(*engines: str) -> dict[str, str]:
    """Those of `engines` that cannot take part, with the reason."""
    return {engine: NOT_INSTALLED for engine in engines if _version(PACKAGES[engine]) == NOT_INSTALLED}


def is_installed(engine: str) -> bool:
    return not absent(engine)


def open_duckdb() -> Any:
    """A DuckDB in memory on `THREADS` threads."""
    connection = import_module("duckdb").connect()
    connection.execute(f"set threads={THREADS}")
    connection.execute("set enable_progress_bar=false")
    return connection


def open_chdb() -> Any:
    """A ClickHouse in this process, on `THREADS` threads, in a folder that goes with it."""
    session = import_module("chdb.session").Session()
    session.query(f"set max_threads={THREADS}")
    session.query("create database if not exists bench engine=Atomic")
    session.query("use bench")
    return session


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED
