"""The run as a document for people (`docs/benchmarks.md`) and as data for machines (`--json`)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from reefpoint.benchmarks.goals import ACCOUNTS, GOALS
from reefpoint.benchmarks.machine import IDLE_LOAD_MAX, THREADS
from reefpoint.benchmarks.results import Run, Table

INTRODUCTION = """\
# Benchmarks

What the engine and its loading cost, measured in one run against general engines that gave the same answer. This file
is written by `make bench`; `reefpoint bench margin` and its like measure one subject, on smaller books too.
"""
METHOD = f"""\
- The book is drawn from counters, so it is the same everywhere: 5,000 names whose popularity follows Zipf's law, ten
  positions an account on average, ratios from 120% to 500% (`benchmarks/books.py`). Accounts are stored by size.
- Before anything is timed, every candidate's answer is held against the engine's: equal bits, unless a table names
  its tolerance. A wrong answer stops the subject.
- Candidates are interleaved: each round runs every candidate once, and the figure is the median of the rounds. What is
  quicker than 20 ms is repeated within its turn, and a turn begins 50 ms after the one before it.
- Ratios compare CPU time of the whole process, so that threads count and other load on the machine does not. Peers may
  use {THREADS} threads; the engine's first line uses one.
- A peer's data is laid out for it before the clock runs: sorted, in its own types, held in memory.
"""


def render_report(run: Run) -> str:
    """The run as Markdown: goals, then each subject with ratios first, then the machine and the method."""
    parts = [INTRODUCTION, *_warnings(run), *_goals(run)]
    sections: dict[tuple[str, str], list[Table]] = {}
    for table in run.tables:
        sections.setdefault((table.subject, table.title), []).append(table)
    parts += [_subject(tables) for tables in sections.values()]
    parts += [*_absences(run), _machine(run), f"## Method\n\n{METHOD}"]
    return "\n".join(parts)


def report_data(run: Run) -> dict[str, Any]:
    """The run as plain data, with each goal's figure and verdict."""
    verdicts = {
        key: {
            **asdict(GOALS[key]),
            "figure": figure,
            "accounts": table.accounts,
            "verdict": _verdict(key, figure, table),
        }
        for key, (figure, table) in _judged(run).items()
    }
    return {**asdict(run), "goals": verdicts}


def _judged(run: Run) -> dict[str, tuple[float, Table]]:
    """The figure of every goal that the run reached, from the largest book."""
    found: dict[str, tuple[float, Table]] = {}
    for table in sorted(run.tables, key=lambda table: table.accounts):
        found.update({key: (figure, table) for key, figure in table.figures.items()})
    return {key: found[key] for key in GOALS if key in found}


def _verdict(key: str, figure: float, table: Table) -> str:
    if table.accounts != ACCOUNTS:
        return "not judged"
    return "met" if GOALS[key].is_met(figure) else "missed"


def _warnings(run: Run) -> Iterator[str]:
    if run.machine.load > IDLE_LOAD_MAX:
        yield (
            f"> **The machine was not idle**: load average {run.machine.load:.1f} before the run. CPU times and ratios "
            "hold up under load better than wall times, yet not fully.\n"
        )
    largest = max((table.accounts for table in run.tables), default=ACCOUNTS)
    if largest != ACCOUNTS:
        yield (
            f"> **A smaller run**: its largest book has {largest:,} accounts. The goals are for {ACCOUNTS:,}, so none "
            "is judged.\n"
        )
    for what, why in run.failures.items():
        yield f"> **Failed**: {what}: {why}\n"


def _goals(run: Run) -> Iterator[str]:
    judged = _judged(run)
    if not judged:
        return
    rows, reasons = [], []
    for key, (figure, table) in judged.items():
        goal, verdict = GOALS[key], _verdict(key, figure, table)
        bound = f"at {'most' if goal.is_at_most else 'least'} {_number(goal.bound)} {goal.unit}"
        shown = f"**{verdict}**" if verdict == "missed" else verdict
        rows.append((goal.subject, goal.work, bound, f"{_number(figure)} {goal.unit}", shown))
        if verdict == "missed":
            reasons.append(f"- {goal.work}: {goal.why_missed or 'no reason is known yet.'}{_spread(table)}")
    yield "## Goals\n\n" + _table(("subject", "work", "goal", "measured", "verdict"), rows)
    if reasons:
        yield "Why goals are missed:\n\n" + "\n".join(reasons) + "\n"


def _spread(table: Table) -> str:
    """How far the rounds of the engine's own line lie apart: what a figure near its bound is worth."""
    if not table.lines or table.lines[0].timing.cpu_range_s is None:
        return ""
    own = table.lines[0].timing
    least, most = (_time(seconds / table.lines[0].measured_part) for seconds in own.cpu_range_s or ())
    return f" {own.rounds} rounds of {table.lines[0].candidate} took {least} to {most} of CPU."


def _subject(tables: Sequence[Table]) -> str:
    """One subject at all its sizes: ratios, then times, then the facts of the largest book."""
    largest = tables[-1]
    if largest.listing:
        facts = "".join(f"- {what}: {fact}\n" for what, fact in largest.facts.items())
        return f"## {largest.title}\n\n{_table(largest.listing[0], largest.listing[1:])}\n{facts}"
    heads = tuple(f"{table.accounts:,} accounts" for table in tables)
    names = list(dict.fromkeys(line.candidate for table in tables for line in table.lines))
    ratios, times = [], []
    for name in names:
        found = [next((line for line in table.lines if line.candidate == name), None) for table in tables]
        ratios.append(
            (
                _name(name, largest),
                *(
                    "-" if line is None else _number(table.ratio(line))
                    for table, line in zip(tables, found, strict=True)
                ),
            )
        )
        cells = ("-" if line is None else f"{_time(line.cpu_s)} / {_time(line.wall_s)}" for line in found)
        times.append((_name(name, largest), *cells))
    facts = "".join(f"- {what}: {fact}\n" for what, fact in largest.facts.items())
    return (
        f"## {largest.title}\n\n"
        f"CPU time, as a multiple of the first line's:\n\n{_table(('candidate', *heads), ratios)}\n"
        f"CPU / wall time of {largest.per}:\n\n{_table(('candidate', *heads), times)}\n"
        f"At {largest.accounts:,} accounts and {largest.positions:,} positions:\n\n{facts}"
    )


def _name(candidate: str, table: Table) -> str:
    """The candidate's name, and which part of the work was run if the figures are for more than that."""
    line = next((line for line in table.lines if line.candidate == candidate), None)
    if line is None or line.measured_part >= 1:
        return candidate
    return f"{candidate} (extrapolated: 1/{_number(1 / line.measured_part)} was run)"


def _absences(run: Run) -> Iterator[str]:
    absent = {engine: reason for table in run.tables for engine, reason in table.absent.items()}
    if absent:
        yield "## Who is missing\n\n" + "".join(f"- {engine}: {reason}\n" for engine, reason in absent.items())


def _machine(run: Run) -> str:
    machine = run.machine
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return (
        "## Machine\n\n"
        f"- {machine.processor}, {machine.cores} cores, {machine.memory_gb:.0f} GB; {machine.system}\n"
        f"- one thread reads memory at {machine.read_gb_s:.1f} GB/s, and does {machine.multiply_adds_g_s:.0f} billion "
        "float32 multiply-adds a second, each with one load from the second-level cache\n"
        f"- load average {machine.load:.2f} before the run, {run.load_after:.2f} after it\n"
        f"- measured {run.measured_at} (UTC), medians of {run.rounds} rounds\n"
        f"- {versions}\n"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float) -> str:
    """Two significant digits at least, whole numbers from 100 on."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{_number(seconds / size)} {unit}"
    return f"{seconds / 1e-9:.0f} ns"
