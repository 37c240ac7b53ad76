"""`reefpoint haircuts` and `reefpoint gap`: what a risk officer reads, and what a script gets."""

import json
from pathlib import Path

import pytest
from tests.desk import MONDAY, Desk, make_desk, noon
from typer.testing import CliRunner, Result

from reefpoint.decisions.collateral.selectors.assumptions import ASSUMPTIONS
from reefpoint.flows.operations.selectors import clock
from reefpoint.surfaces.cli import gap, haircuts
from reefpoint.surfaces.cli.main import app


@pytest.fixture
def desk(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    for command in (gap, haircuts):
        monkeypatch.setattr(command, "open_desk", lambda: tmp_path)
    monkeypatch.setattr(clock, "desk_now", lambda: noon(MONDAY))
    return make_desk()


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "250"})


def test_haircuts_show_their_parts_and_what_was_assumed(desk: Desk) -> None:
    said = _run("haircuts", "--paths", "1000")
    assert said.exit_code == 0, said.output
    for words in ("AAPL", "volatility", "concentration", "proposed", "in force", "nothing is changed", ASSUMPTIONS[0]):
        assert words in said.output


def test_haircuts_as_data(desk: Desk) -> None:
    report = json.loads(_run("haircuts", "--paths", "1000", "--json").output)
    apple = next(one for one in report["proposals"] if one["symbol"] == "AAPL")
    assert apple["proposed_bp"] % 500 == 0
    assert set(apple["parts"]) >= {"volatility", "liquidity", "concentration", "gap", "total"}


def test_the_gap_loss_shows_errors_groups_and_what_was_assumed(desk: Desk) -> None:
    said = _run("gap", "--paths", "1000", "--grace", "0")
    assert said.exit_code == 0, said.output
    for words in ("2 accounts owe", "VaR 99%", "ES 99%", "±", "scheme STANDARD", "pool MAIN", ASSUMPTIONS[2]):
        assert words in said.output


def test_the_gap_loss_as_data(desk: Desk) -> None:
    report = json.loads(_run("gap", "--paths", "1000", "--seed", "7", "--json").output)
    assert (report["paths"], report["seed"], report["levels"]) == (1_000, 7, [0.95, 0.99])


@pytest.mark.parametrize(
    "words",
    [
        ("gap", "--paths", "10"),
        ("gap", "--paths", "999999999999"),
        ("gap", "--days", "0"),
        ("gap", "--days", "3", "--grace", "3"),
        ("gap", "--seed", "-1"),
        ("haircuts", "--paths", "1"),
        ("haircuts", "--seed", "9" * 20),
    ],
)
def test_a_run_that_cannot_be_is_refused_with_its_option(desk: Desk, words: tuple[str, ...]) -> None:
    said = _run(*words)
    assert said.exit_code == 2
    assert words[-2] in said.output
