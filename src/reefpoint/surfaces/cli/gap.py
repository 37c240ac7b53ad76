"""`reefpoint gap`: what the desk would lose if all collateral had to be sold."""

import json
import os
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reefpoint.platform.basics.money import minor_digits
from reefpoint.surfaces.cli.desk import open_desk, use_demo_database

if TYPE_CHECKING:
    from reefpoint.insight.collateral.types import GapReport, TailFigures


def gap(
    paths: Annotated[int, typer.Option(min=1_000, max=1_000_000, help="Simulated courses of all prices.")] = 10_000,
    days: Annotated[int, typer.Option(min=1, max=250, help="Trading days within which all is sold.")] = 8,
    grace: Annotated[
        int, typer.Option(min=0, max=249, help="Days of these before the first sale: the deadline of the call.")
    ] = 2,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same figures.")] = 1,
    currency: Annotated[
        str | None,
        typer.Option(help="What sums are told in: USD. Without it the currency of all, or that of the rates."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print data; money in minor units.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="The book that the last demo left, not the desk's.")] = False,
) -> None:
    """Simulate the forced sale of all collateral: expected loss, VaR and expected shortfall of the lender.

    Volatilities come from two years of closes; what is assumed beside them is printed with the figures. Each figure
    has its Monte Carlo standard error, which says nothing about the error of the model. Nothing is changed by it.

    Examples: reefpoint gap · reefpoint gap --paths 100000 --days 20 · reefpoint gap --grace 0 --json
    """
    if grace >= days:
        raise typer.BadParameter(f"{grace} days of grace leave no day of the {days} to sell on.", param_hint="--grace")

    from reefpoint.platform.database.home import data_home

    if demo:
        use_demo_database(data_home())
    open_desk()

    from reefpoint.flows.operations.selectors.clock import desk_now
    from reefpoint.insight.collateral.selectors import find_gap_loss

    report = find_gap_loss(
        at=desk_now(),
        currency=currency,
        paths=paths,
        days=days,
        grace_days=grace,
        seed=seed,
        threads=os.cpu_count() or 1,
    )
    if as_json:
        typer.echo(json.dumps(asdict(report), default=str, indent=1, ensure_ascii=False))
    else:
        print_report(Console(), report)


def print_report(console: Console, report: "GapReport") -> None:
    """The whole book, its schemes and pools, the worst accounts; then what was assumed."""
    console.print(
        f"{report.accounts:,} accounts owe {money_in(report.currency, report.total.debt_minor)} {report.currency}"
        f" · prices of {report.at:%Y-%m-%d %H:%M} UTC"
        f"{f' · rates {report.fx_name}' if report.fx_name else ''} · all sold within {report.days} days, none before"
        f" {report.grace_days} have passed · {report.paths:,} paths, seed {report.seed}",
        highlight=False,
    )
    if report.unknown_accounts:
        console.print(
            f"[yellow]{report.unknown_accounts:,} accounts hold a name without a price and are in no figure.[/yellow]"
        )
    table = Table("loss", "debt", "expected", "±", box=None, pad_edge=False, header_style="bold")
    for level in report.levels:
        for name in (f"VaR {level:.0%}", "±", f"ES {level:.0%}", "±"):
            table.add_column(name)
    for column in table.columns[1:]:
        column.justify = "right"
    _add(table, "all", report.total)
    for label, parts in (("scheme", report.by_scheme), ("pool", report.by_pool), ("account", report.worst_accounts)):
        for part in parts:
            money = "" if part.currency == report.currency else f" ({part.currency})"
            _add(table, f"{label} {escape(part.code)}{money}", part)
    console.print(table)
    if report.proxies:
        console.print(f"Too little history, moved like the wildest name: {', '.join(report.proxies)}.", highlight=False)
    print_assumptions(console, report.assumptions)


def print_assumptions(console: Console, assumptions: tuple[str, ...]) -> None:
    """What the figures rest on beside data."""
    console.print("Assumed:", style="bold")
    for assumption in assumptions:
        console.print(f"- {assumption}", highlight=False, markup=False)


def _add(table: Table, label: str, figures: "TailFigures") -> None:
    cells = [figures.debt_minor, figures.expected_minor, figures.expected_error_minor]
    columns = (
        figures.value_at_risk_minor,
        figures.value_at_risk_error_minor,
        figures.expected_shortfall_minor,
        figures.expected_shortfall_error_minor,
    )
    for of_level in zip(*columns, strict=True):
        cells += of_level
    table.add_row(label, *(money_in(figures.currency, one) for one in cells))


def money_in(currency: str, minor: int) -> str:
    """Minor units with the decimals of their currency."""
    digits = minor_digits(currency)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f}"
