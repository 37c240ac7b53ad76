"""`reefpoint haircuts`: what prices and holdings would propose, beside what the schemes say."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reefpoint.surfaces.cli.desk import open_desk, use_demo_database
from reefpoint.surfaces.cli.gap import print_assumptions

if TYPE_CHECKING:
    from reefpoint.decisions.collateral.types import HaircutReport


def haircuts(
    paths: Annotated[
        int, typer.Option(min=1_000, max=1_000_000, help="Simulated courses of all prices, for the gap part.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same figures.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print data; parts as fractions of the price.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="The book that the last demo left, not the desk's.")] = False,
) -> None:
    """Propose a haircut for every name from its closes and what the desk holds of it, each part shown.

    Proposals only: schemes are published in versions, by two people, and nothing is changed by this. A name with less
    than a year of closes gets no proposal.

    Examples: reefpoint haircuts · reefpoint haircuts --json
    """
    from reefpoint.platform.database.home import data_home

    if demo:
        use_demo_database(data_home())
    open_desk()

    from reefpoint.decisions.collateral.selectors.model import propose_haircuts
    from reefpoint.flows.operations.selectors.clock import desk_now

    report = propose_haircuts(at=desk_now(), paths=paths, seed=seed)
    if as_json:
        typer.echo(json.dumps(asdict(report), default=str, indent=1, ensure_ascii=False))
    else:
        print_report(Console(), report)


def print_report(console: Console, report: "HaircutReport") -> None:
    """One line a name: the parts, their sum, what is proposed and what is in force."""
    console.print(
        f"Haircuts proposed from closes up to {report.at:%Y-%m-%d %H:%M} UTC at {report.confidence:.0%}"
        f" · gap part from {report.paths:,} paths, seed {report.seed} · nothing is changed",
        highlight=False,
    )
    table = Table("name", box=None, pad_edge=False, header_style="bold")
    for name in ("held", "days to sell", "historical", "EWMA", "volatility", "liquidity", "concentration", "gap"):
        table.add_column(name, justify="right")
    for name in ("sum", "proposed", "in force"):
        table.add_column(name, justify="right")
    for one in report.proposals:
        current = "" if one.current_bp is None else _range(*one.current_bp)
        if one.parts is None or one.proposed_bp is None:
            table.add_row(escape(one.symbol), f"{one.shares:,}", *[""] * 8, f"none: {one.why_not}", current)
            continue
        parts = one.parts
        shown = (parts.volatility, parts.liquidity, parts.concentration, parts.gap, parts.total)
        table.add_row(
            escape(one.symbol),
            f"{one.shares:,}",
            str(parts.days),
            f"{parts.historical:.2%}",
            f"{parts.ewma:.2%}",
            *(f"{part:.2%}" for part in shown),
            f"{one.proposed_bp / 100:.0f}%",
            current,
        )
    console.print(table)
    print_assumptions(console, report.assumptions)


def _range(low_bp: int, high_bp: int) -> str:
    low, high = f"{low_bp / 100:g}%", f"{high_bp / 100:g}%"
    return low if low == high else f"{low}-{high}"
