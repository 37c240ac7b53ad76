"""`reefpoint bench`: what the engine costs, beside general engines that give the same answer."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Subject(StrEnum):
    """What can be measured: `benchmarks.suite.SUBJECTS`, or all of them."""

    MARGIN = "margin"
    TICKS = "ticks"
    STRESS = "stress"
    LIQUIDATION = "liquidation"
    GAP = "gap"
    MONITORING = "monitoring"
    START = "start"
    LOAD = "load"
    SCREENING = "screening"
    CONTRACTS = "contracts"
    CREDIT = "credit"
    SCORECARDS = "scorecards"
    PAGES = "pages"
    ALL = "all"


def bench(
    subjects: Annotated[list[Subject], typer.Argument(help="What to measure; several may be named.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print data instead of a report.")] = False,
    accounts: Annotated[
        int, typer.Option(min=100, help="The largest book. Powers of ten from 10,000 run before it.")
    ] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=7, help="Rounds of which the medians are taken.")] = 7,
    write: Annotated[Path | None, typer.Option(help="Write to this file instead of the screen.")] = None,
) -> None:
    """Measure the engine against DuckDB, Polars, chDB, SciPy, NumPy and HiGHS on one book, with equal answers.

    Peers that are not installed are named in the report. Exit code 1 when a subject failed: a wrong answer fails it.

    Example: reefpoint bench margin --accounts 100000
    """
    from reefpoint.benchmarks.report import render_report, report_data
    from reefpoint.benchmarks.suite import SUBJECTS, run_benchmarks

    run = run_benchmarks(
        list(SUBJECTS) if Subject.ALL in subjects else list(dict.fromkeys(subjects)),
        accounts=accounts,
        rounds=rounds,
        on_begin=lambda subject, size: typer.secho(f"{subject}: {size:,} accounts", err=True, dim=True),
    )
    text = json.dumps(report_data(run), indent=2) if as_json else render_report(run).rstrip("\n")
    if write is None:
        typer.echo(text)
    else:
        write.write_text(text + "\n")
    if run.failures:
        raise typer.Exit(1)
