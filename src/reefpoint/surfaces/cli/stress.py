"""`reefpoint stress`: the live book under prices that might be."""

import json
import os
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.surfaces.cli.desk import open_desk, use_demo_database
from reefpoint.surfaces.cli.gap import money_in

if TYPE_CHECKING:
    from reefpoint.insight.stress.types import ReverseReport, ScenarioChoice, SensitivityReport, StressReport


def stress(
    scenarios: Annotated[
        Path | None,
        typer.Option(help="CSV of your own: scenario,target,shock; the target is a symbol, a sector or * (all)."),
    ] = None,
    fall: Annotated[str | None, typer.Option(help="Everything falls by each of these percentages: 10,20,35.5.")] = None,
    market: Annotated[
        str | None, typer.Option(help="The market falls by each of these percentages; each name follows by its beta.")
    ] = None,
    fx: Annotated[
        str | None, typer.Option(help="Each currency of the book falls by each of these percentages: 10,20.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Falls that happened, from 1990 to 2022, done to today's prices.")
    ] = False,
    gaps: Annotated[bool, typer.Option("--gaps", help="Each of the largest names alone loses half overnight.")] = False,
    reverse: Annotated[
        str | None,
        typer.Option(
            metavar="LIMIT", help="How far must everything fall until accounts owe LIMIT above what they have?"
        ),
    ] = None,
    falling: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT", help="With --reverse: not all prices fall, but this symbol, sector, currency, or market."
        ),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity", help="What 1% down of everything, the market, each currency, sector and name changes."
        ),
    ] = False,
    currency: Annotated[
        str | None,
        typer.Option(help="What sums are told in: USD. Without it the currency of all, or that of the rates."),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="float32 for a large book: assets to a millionth, a shortfall to 0.01%.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data; money in minor units.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="The book that the last demo left, not the desk's.")] = False,
) -> None:
    """Value every account under prices that might be: who would be called or sold, and what the desk would lose.

    Without options: falls of 10, 20, 30 and 40 percent, falls of the market, those of history, and the largest names
    one by one, each currency of the book. The shortfall is what accounts owe above all they have. Each account is
    valued in its own currency; sums are in one. Nothing is changed by it.

    A file of your own, one shock a line; a name follows its own line, or its sector's, or that of *; fx:HKD is
    what that currency is worth in the others:

    scenario,target,shock

    oil crash,Energy,-35

    oil crash,XOM,-45.5

    oil crash,*,-5

    oil crash,fx:HKD,-2

    Examples: reefpoint stress · reefpoint stress --fall 15,25 --history · reefpoint stress --scenarios own.csv ·
    reefpoint stress --reverse 1000000 · reefpoint stress --reverse 1000000 --falling market ·
    reefpoint stress --sensitivity
    """
    from reefpoint.platform.database.home import data_home

    if demo:
        use_demo_database(data_home())
    open_desk()

    from reefpoint.flows.operations.selectors.clock import desk_now
    from reefpoint.insight.stress.selectors.runs import find_breaking_fall, measure_sensitivities, stress_desk

    console = Console()
    at, threads = desk_now(), os.cpu_count() or 1
    if reverse is not None or sensitivity:
        _refuse_beside(sensitivity and reverse is not None, scenarios, fall, market, fx, history, gaps, fast)
    if falling is not None and reverse is None:
        raise typer.BadParameter("--falling is for --reverse: until where may it fall?")
    if reverse is not None:
        answer = find_breaking_fall(
            limit_minor=_limit_minor(reverse, currency), at=at, currency=currency, falling=falling, threads=threads
        )
        _print_json(answer) if as_json else print_reverse(console, answer)
        return
    if sensitivity:
        effects = measure_sensitivities(at=at, currency=currency, threads=threads)
        _print_json(effects) if as_json else print_sensitivities(console, effects)
        return
    choice = _choice(scenarios, fall, market, fx, history=history, gaps=gaps)
    report = stress_desk(choice, at=at, currency=currency, precision="fast" if fast else "exact", threads=threads)
    _print_json(report) if as_json else print_report(console, report)


def _refuse_beside(*others: object) -> None:
    if any(others):
        raise typer.BadParameter(
            "--reverse and --sensitivity each stand alone, with --currency, --falling, --json and --demo at most."
        )


def _choice(
    scenarios: Path | None, fall: str | None, market: str | None, fx: str | None, *, history: bool, gaps: bool
) -> "ScenarioChoice":
    from reefpoint.insight.stress.rules import ScenarioRefused, read_scenarios, usual_scenarios
    from reefpoint.insight.stress.types import ScenarioChoice

    if not any((scenarios, fall, market, fx, history, gaps)):
        return usual_scenarios()
    try:
        rows = read_scenarios(scenarios.read_text("utf-8").splitlines()) if scenarios is not None else ()
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioRefused("{scenarios} cannot be read: {error}.", scenarios=scenarios, error=error) from error
    return ScenarioChoice(
        _falls_bp(fall, "--fall"),
        _falls_bp(market, "--market"),
        _falls_bp(fx, "--fx"),
        with_history=history,
        with_gaps=gaps,
        rows=rows,
    )


def _falls_bp(text: str | None, option: str) -> tuple[int, ...]:
    from reefpoint.insight.stress.rules import ScenarioRefused, read_falls

    try:
        return read_falls(text or "")
    except ScenarioRefused as refusal:
        raise typer.BadParameter(refusal.message, param_hint=option) from refusal


def _limit_minor(text: str, currency: str | None) -> int:
    limit = _number(text.replace(",", ""), "--reverse") * 10 ** MINOR_DIGITS.get(currency or "", 2)
    if limit != int(limit) or not 0 <= limit < 10**18:
        raise typer.BadParameter(f"{text!r} is not an amount of money.", param_hint="--reverse")
    return int(limit)


def _number(text: str, option: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise typer.BadParameter(f"{text!r} is not a number.", param_hint=option)
    return number


def _print_json(report: "StressReport | ReverseReport | SensitivityReport") -> None:
    from reefpoint.engine.bands import Band

    def plain(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return {name: value.name.lower() if isinstance(value, Band) else value for name, value in pairs}

    typer.echo(json.dumps(asdict(report, dict_factory=plain), default=str, indent=1, ensure_ascii=False))


def print_report(console: Console, report: "StressReport") -> None:
    """The scenarios one under the other, then the worst of them by scheme and pool, then the worst accounts."""
    console.print(
        f"{report.accounts:,} accounts owe {money_in(report.currency, report.debt_minor)} {report.currency}"
        f" · prices of {report.at:%Y-%m-%d %H:%M} UTC{_rates(report)}"
        f" · {'exact' if report.is_exact else 'fast (float32)'}",
        highlight=False,
    )
    table = _table(
        "scenario", "safe", "warning", "call", "close-out", "unknown", "debt in close-out", "shortfall", "of debt"
    )
    for outcome in report.outcomes:
        share = f"{100 * outcome.shortfall_minor / report.debt_minor:.2f}%" if report.debt_minor else ""
        table.add_row(
            escape(outcome.name) + (f" [dim]({len(outcome.proxies)} by proxy)[/dim]" if outcome.proxies else ""),
            *(f"{total.accounts:,}" for total in outcome.bands),
            f"{outcome.unknown_accounts:,}",
            money_in(report.currency, outcome.bands[-1].debt_minor),
            money_in(report.currency, outcome.shortfall_minor),
            share,
        )
    console.print(table)
    worst = max(report.outcomes, key=lambda outcome: outcome.shortfall_minor)
    if worst.shortfall_minor:
        groups = _table(f"in {escape(worst.name)}", "debt", "shortfall")
        for label, losses in (("scheme", worst.by_scheme), ("pool", worst.by_pool)):
            for loss in losses:
                groups.add_row(
                    f"{label} {escape(loss.code)}",
                    money_in(report.currency, loss.debt_minor),
                    money_in(report.currency, loss.shortfall_minor),
                )
        console.print(groups)
    if report.worst_accounts:
        accounts = _table("account", "worst scenario", "debt", "assets in it", "shortfall", "mean shortfall")
        for one in report.worst_accounts:
            amounts = (one.debt_minor, one.assets_minor, one.shortfall_minor, one.expected_shortfall_minor)
            money = "" if one.currency == report.currency else f" {one.currency}"
            accounts.add_row(
                one.number, escape(one.scenario), *(f"{money_in(one.currency, amount)}{money}" for amount in amounts)
            )
        console.print(accounts)
    if report.not_covered:
        console.print(f"[dim]No history for: {', '.join(report.not_covered)}.[/dim]", highlight=False)


def print_reverse(console: Console, report: "ReverseReport") -> None:
    """One sentence, then who makes up the loss."""
    limit = f"{money_in(report.currency, report.limit_minor)} {report.currency}"
    from reefpoint.insight.stress.rules import MARKET

    by_beta = report.falling == MARKET
    everything = "the market" if by_beta else report.falling or "everything"
    what = "the market" if by_beta else report.falling or "every price"
    if report.fall_bp is None:
        console.print(
            f"No fall loses more than {limit}: if {what} went to the least there is, accounts would owe"
            f" {money_in(report.currency, report.loss_minor)} above all they have{_rates(report)}.",
            highlight=False,
        )
        return
    console.print(
        f"When {everything} falls by {report.fall_bp / 100:.2f}%{', each name by its beta' if by_beta else ''},"
        f" accounts owe {money_in(report.currency, report.loss_minor)} above all they have, more than {limit};"
        f" one basis point less and it is {money_in(report.currency, report.loss_before_minor)}{_rates(report)}.",
        highlight=False,
    )
    if not report.is_smallest:
        console.print("Some gain on this way: a smaller fall may do it too, between two steps that were looked at.")
    if report.proxies:
        console.print(f"Without a beta, moved like the wildest name: {', '.join(report.proxies)}.", highlight=False)
    table = _table("account", "shortfall")
    for number, shortfall in report.accounts[:20]:
        table.add_row(number, money_in(report.currency, shortfall))
    console.print(table)
    if len(report.accounts) > 20:
        console.print(f"and {len(report.accounts) - 20:,} more; --json lists them all.", highlight=False)


def print_sensitivities(console: Console, report: "SensitivityReport") -> None:
    """One line a move; a change of nothing is left blank."""
    table = _table(f"{report.move_bp / 100:g}% of", "market value", "shortfall", "safe", "warning", "call", "close-out")
    for effect in report.effects:
        changes = (f"{one.accounts:+,}" if one.accounts else "" for one in effect.bands)
        shortfall = money_in(report.currency, effect.shortfall_minor) if effect.shortfall_minor else ""
        table.add_row(
            f"{effect.kind} {escape(effect.code)}", money_in(report.currency, effect.market_minor), shortfall, *changes
        )
    console.print(table)


def _rates(report: "StressReport | ReverseReport") -> str:
    return f" · rates {report.fx_name}" if report.fx_name else ""


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False, header_style="bold")
    for name in others:
        table.add_column(name, justify="left" if name == "worst scenario" else "right")
    return table
