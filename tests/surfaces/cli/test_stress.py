"""`reefpoint stress`: what a risk officer reads, and what a script gets."""

import json
from pathlib import Path

import pytest
from tests.desk import MONDAY, Desk, make_desk, noon
from typer.testing import CliRunner, Result

from reefpoint.flows.operations.selectors import clock
from reefpoint.insight.stress.rules import ScenarioRefused
from reefpoint.surfaces.cli import stress
from reefpoint.surfaces.cli.main import app


@pytest.fixture
def desk(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    monkeypatch.setattr(stress, "open_desk", lambda: tmp_path)
    monkeypatch.setattr(clock, "desk_now", lambda: noon(MONDAY))
    return make_desk()


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, ["stress", *words], env={"COLUMNS": "200"})


def test_without_options_all_shipped_scenarios_are_run(desk: Desk) -> None:
    said = _run()
    assert said.exit_code == 0, said.output
    for words in (
        "2 accounts owe",
        "all -40.00%",
        "2020 pandemic",
        "AAPL alone -50%",
        "market -20.00% by beta",
        "scheme STANDARD",
        "pool MAIN",
    ):
        assert words in said.output
    assert desk.account(desk.near).number in said.output


def test_falls_are_given_in_percent_and_data_in_json(desk: Desk) -> None:
    said = _run("--fall", "10,35.5%", "--json")
    report = json.loads(said.output)
    assert [one["name"] for one in report["outcomes"]] == ["today", "all -10.00%", "all -35.50%"]
    assert report["debt_minor"] == sum(band["debt_minor"] for band in report["outcomes"][0]["bands"])


def test_a_file_of_ones_own(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("scenario,target,shock\napple halves,AAPL,-50\n")
    assert "apple halves" in _run("--scenarios", str(file)).output
    file.write_text("scenario,target,shock\napple halves,AAPL,-50\napple halves,APPL,-50\n")
    refused = _run("--scenarios", str(file))
    assert isinstance(refused.exception, ScenarioRefused)
    assert str(refused.exception) == "Line 3 is for 'APPL', which is no symbol and no sector."
    assert isinstance(_run("--scenarios", str(tmp_path / "none.csv")).exception, ScenarioRefused)


def test_the_fall_that_passes_a_limit(desk: Desk) -> None:
    said = _run("--reverse", "5,000")
    assert "When everything falls by" in said.output
    assert "more than 5,000.00 USD" in said.output
    assert "No fall loses more than" in _run("--reverse", "999999999").output
    assert json.loads(_run("--reverse", "5000", "--json").output)["limit_minor"] == 5_000_00
    assert "When AAPL falls by" in _run("--reverse", "5,000", "--falling", "AAPL").output
    by_beta = _run("--reverse", "5,000", "--falling", "market").output
    assert "When the market falls by" in by_beta
    assert "each name by its beta" in by_beta


def test_what_a_percent_changes(desk: Desk) -> None:
    said = _run("--sensitivity")
    assert [line.split()[:2] for line in said.output.splitlines()[1:]] == [
        ["everything", "all"],
        ["market", "all"],
        ["sector", "Test"],
        ["name", "AAPL"],
        ["name", "JPM"],
    ]
    assert json.loads(_run("--sensitivity", "--json").output)["effects"][0]["bands"][0]["band"] == "safe"


@pytest.mark.parametrize("words", [("--reverse", "5", "--history"), ("--sensitivity", "--fall", "10")])
def test_questions_that_stand_alone_are_not_mixed_with_scenarios(desk: Desk, words: tuple[str, ...]) -> None:
    said = _run(*words)
    assert (said.exit_code, "stand alone" in said.output) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("--fall", "x"),
        ("--fall", "100"),
        ("--fall", "10,,20"),
        ("--fall", "nan"),
        ("--fall", "0.001"),
        ("--reverse", "-1"),
        ("--reverse", "inf"),
        ("--market", "100"),
    ],
)
def test_what_is_no_number_is_refused_with_the_option(desk: Desk, words: tuple[str, str]) -> None:
    said = _run(*words)
    assert said.exit_code == 2
    assert words[0] in said.output


def test_help_teaches() -> None:
    said = CliRunner().invoke(app, ["stress", "--help"], env={"COLUMNS": "120"})
    for words in ("--reverse", "scenario,target,shock", "Examples", "shortfall"):
        assert words in said.output
