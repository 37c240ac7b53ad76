"""`reefpoint bench` on a small book, with the peers that are installed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reefpoint.benchmarks.peers import PACKAGES, absent, is_installed
from reefpoint.benchmarks.suite import SUBJECTS
from reefpoint.surfaces.cli.bench import Subject
from reefpoint.surfaces.cli.main import app

ACCOUNTS = "2000"


def test_margin_gives_data_with_every_installed_peer() -> None:
    result = CliRunner().invoke(app, ["bench", "margin", "--json", "--accounts", ACCOUNTS])
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["failures"] == {}
    (table,) = data["tables"]
    assert table["accounts"] == 2_000
    assert table["lines"][0]["engine"] == "Reefpoint"
    expected = {engine for engine in ("NumPy", "SciPy", "Polars", "DuckDB", "chDB") if is_installed(engine)}
    assert {line["engine"] for line in table["lines"]} == expected | {"Reefpoint"}
    assert table["absent"].keys() == {"NumPy", "SciPy", "Polars", "DuckDB", "chDB"} - expected


def test_the_report_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    result = CliRunner().invoke(app, ["bench", "margin", "--accounts", "500", "--write", str(document)])
    assert result.exit_code == 0, result.output
    assert document.read_text().startswith("# Benchmarks\n")
    assert "## Full exact valuation" in document.read_text()


def test_a_peer_that_is_not_installed_is_told_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "chDB", "a-package-that-does-not-exist")
    assert absent("chDB", "NumPy") == {"chDB": "not installed"}


def test_an_unknown_subject_is_refused() -> None:
    assert CliRunner().invoke(app, ["bench", "weather"]).exit_code == 2


def test_every_subject_can_be_named() -> None:
    assert {subject.value for subject in Subject} == {*SUBJECTS, "all"}


@pytest.mark.slow
def test_the_other_subjects_run_on_a_small_book() -> None:
    result = CliRunner().invoke(
        app, ["bench", "ticks", "stress", "liquidation", "start", "--json", "--accounts", "500"]
    )
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert [table["subject"] for table in data["tables"]] == ["ticks", "ticks", "stress", "liquidation", "start"]
    assert data["goals"]["liquidation.certified_pct"]["figure"] == 100
