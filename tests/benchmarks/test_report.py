"""The report says what was measured, what was not, and hides no goal that was missed."""

import json

import pytest

from reefpoint.benchmarks.goals import ACCOUNTS, GOALS
from reefpoint.benchmarks.report import render_report, report_data
from reefpoint.benchmarks.results import Line, Machine, Run, Table, Timing
from reefpoint.benchmarks.suite import sizes

MACHINE = Machine("A processor", 2, 24, "Linux", read_gb_s=29, multiply_adds_g_s=42, load=0.1)


def table(accounts: int, **figures: float) -> Table:
    lines = (
        Line("value_book, 1 thread", "Reefpoint", Timing(0.01, 0.011, 7)),
        Line("DuckDB", "DuckDB", Timing(0.4, 0.25, 7)),
        Line("Polars", "Polars", Timing(0.05, 0.05, 7), measured_part=0.1),
    )
    renamed = {key.replace("__", "."): figure for key, figure in figures.items()}
    return Table("margin", "Full exact valuation", accounts, 10 * accounts, "one valuation", lines, renamed)


def run(*tables: Table, load: float = 0.1, **failures: str) -> Run:
    machine = Machine(**{**vars(MACHINE), "load": load})
    return Run("2026-01-01T00:00+00:00", machine, 0.2, {"DuckDB": "2.0.0"}, 7, tables, failures)


def test_ratios_stand_before_times_for_every_size() -> None:
    report = render_report(run(table(10_000), table(ACCOUNTS)))
    assert "| candidate | 10,000 accounts | 1,000,000 accounts |" in report
    assert "| DuckDB | 40 | 40 |" in report
    assert "| DuckDB | 400 ms / 250 ms | 400 ms / 250 ms |" in report
    assert report.index("| DuckDB | 40 |") < report.index("| DuckDB | 400 ms")


def test_an_extrapolated_figure_says_so() -> None:
    report = render_report(run(table(ACCOUNTS)))
    assert "| Polars (extrapolated: 1/10 was run) | 50 |" in report


def test_a_goal_that_is_missed_is_shown_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        GOALS,  # type: ignore[arg-type]
        "margin.cpu_ms",
        type(GOALS["margin.cpu_ms"])("margin", "full exact valuation", 10, "ms", True, "the moon was full"),
    )
    missed = render_report(run(table(ACCOUNTS, margin__cpu_ms=10.4, margin__databases=36)))
    assert "| margin | full exact valuation | at most 10 ms | 10.4 ms | **missed** |" in missed
    assert "- full exact valuation: the moon was full" in missed
    assert "| at least 35 times | 36 times | met |" in missed
    assert "the moon was full" not in render_report(run(table(ACCOUNTS, margin__cpu_ms=9.9)))


def test_goals_are_judged_on_the_full_book_only() -> None:
    report = render_report(run(table(20_000, margin__cpu_ms=0.2)))
    assert "| 0.2 ms | not judged |" in report
    assert "its largest book has 20,000 accounts" in report


def test_the_figure_of_the_largest_book_counts() -> None:
    data = report_data(run(table(ACCOUNTS, margin__cpu_ms=12), table(10_000, margin__cpu_ms=0.1)))
    assert data["goals"]["margin.cpu_ms"]["verdict"] == "missed"
    assert data["goals"]["margin.cpu_ms"]["figure"] == 12


def test_a_busy_machine_and_a_failed_subject_are_named() -> None:
    report = render_report(run(table(ACCOUNTS), load=3.2, ticks="WrongAnswer: row 7"))
    assert "**The machine was not idle**: load average 3.2" in report
    assert "**Failed**: ticks: WrongAnswer: row 7" in report
    assert "not idle" not in render_report(run(table(ACCOUNTS)))


def test_a_peer_that_is_not_installed_is_named() -> None:
    without = Table(**{**vars(table(ACCOUNTS)), "absent": {"chDB": "not installed"}})
    assert "## Who is missing\n\n- chDB: not installed" in render_report(run(without))


def test_data_is_plain_json() -> None:
    data = json.loads(json.dumps(report_data(run(table(ACCOUNTS, margin__cpu_ms=9)))))
    assert data["tables"][0]["lines"][1]["timing"]["cpu_s"] == 0.4
    assert data["goals"]["margin.cpu_ms"]["verdict"] == "met"


def test_every_goal_belongs_to_a_subject_by_its_key() -> None:
    assert all(key.split(".")[0] == goal.subject for key, goal in GOALS.items())


def test_sizes_are_the_powers_of_ten_up_to_the_largest() -> None:
    assert sizes(1_000_000) == [10_000, 100_000, 1_000_000]
    assert sizes(25_000) == [10_000, 25_000]
    assert sizes(2_000) == [2_000]
