"""What the benchmarks are measured against, and the only place where it is said why a goal is missed.

The goals are for `ACCOUNTS` accounts with some 10 positions each, on two shared cores of a server of 2024. A run fills
in the figures and the verdicts; a reason here is printed only while its goal is missed, and holds no figure: those
come from the run.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ACCOUNTS = 1_000_000


@dataclass(frozen=True)
class Goal:
    """A bound on one figure: at most `bound`, or at least it. `why_missed` is a sentence for the reader."""

    subject: str
    work: str
    bound: float
    unit: str
    is_at_most: bool
    why_missed: str = ""

    def is_met(self, figure: float) -> bool:
        return figure <= self.bound if self.is_at_most else figure >= self.bound


def at_most(subject: str, work: str, bound: float, unit: str, why_missed: str = "") -> Goal:
    return Goal(subject, work, bound, unit, True, why_missed)


def at_least(subject: str, work: str, bound: float, unit: str, why_missed: str = "") -> Goal:
    return Goal(subject, work, bound, unit, False, why_missed)


POLARS_BY_NAME = (
    "Polars stands here in its quickest form, holders laid out by name and gathers and scatters in place of joins: "
    "that is the plain delta with copies, and the more holders a name has, the less its overhead shows."
)
GOALS: Mapping[str, Goal] = {
    "margin.cpu_ms": at_most(
        "margin",
        "full exact valuation, CPU on one thread",
        10,
        "ms",
        "the goal was set for assets, requirement and band; the pass also gives the lending value, shorts and an exact "
        "ratio, and writes six columns of eight bytes an account.",
    ),
    "margin.databases": at_least(
        "margin",
        "against the best of DuckDB, Polars and chDB",
        35,
        "times",
        "the goal was set for two figures of an account; with the lending value there are three, which costs "
        "the engine arithmetic and the databases, busy with their joins, little.",
    ),
    "margin.numpy": at_least(
        "margin",
        "against NumPy",
        10,
        "times",
        "the goal was set for two figures of an account; NumPy takes three here in the same way, the engine also an "
        "exact ratio and the shorts.",
    ),
    "margin.scipy": at_least("margin", "against SciPy", 3, "times"),
    "margin.limit": at_most(
        "margin",
        "against bytes moved / memory bandwidth of one thread",
        3,
        "times",
        "the loop is bound by its instructions, not by memory: four sums a position and an exact quotient an account.",
    ),
    "ticks.cpu_us": at_most("ticks", "a tick on the Zipf 1.0 book, CPU", 20, "us"),
    "ticks.cpu_us_moderate": at_most("ticks", "a tick on the moderate book (Zipf 0.6), CPU", 2.5, "us"),
    "ticks.delta": at_least("ticks", "against the plain delta, Zipf 1.0 book", 15, "times"),
    "ticks.delta_moderate": at_least("ticks", "against the plain delta, moderate book", 15, "times"),
    "ticks.duckdb": at_least("ticks", "against DuckDB, Zipf 1.0 book", 1_000, "times"),
    "ticks.polars": at_least("ticks", "against Polars, Zipf 1.0 book", 1_000, "times", POLARS_BY_NAME),
    "ticks.duckdb_moderate": at_least("ticks", "against DuckDB, moderate book", 1_000, "times"),
    "ticks.polars_moderate": at_least("ticks", "against Polars, moderate book", 1_000, "times", POLARS_BY_NAME),
    "ticks.batch_ms": at_most(
        "ticks",
        "the dearest 10 ms batch at 20,000 to 500,000 ticks a second, CPU",
        10,
        "ms",
        "a batch of 5,000 ticks moves a third of the names, those with the most holders; what costs is the accounts "
        "that cross or wait for another class.",
    ),
    "ticks.fall_ms": at_most(
        "ticks",
        "a batch in which every name falls by 3%, CPU",
        10,
        "ms",
        "each account whose envelopes move is read with its positions, which lie between those of others, and each "
        "that crosses is valued and told.",
    ),
    "stress.fast_s": at_most(
        "stress",
        "1,000 scenarios in float32, CPU on one thread",
        0.8,
        "s",
        "besides the figures that the goal was set for, debts are added up by band.",
    ),
    "stress.exact_s": at_most("stress", "1,000 scenarios in float64, CPU on one thread", 1.4, "s"),
    "stress.scipy": at_least(
        "stress",
        "float32 against SciPy in float32",
        10,
        "times",
        "SciPy runs on a part that stays in the caches and is spared the debts by band, which the engine adds up.",
    ),
    "stress.polars": at_least("stress", "float32 against Polars", 100, "times"),
    "stress.duckdb": at_least("stress", "float32 against DuckDB", 400, "times"),
    "stress.limit": at_most(
        "stress",
        "float32 against multiply-adds / their ceiling",
        3,
        "times",
        "the ceiling reads rows from the second-level cache; a tile's table (2.5 MB) is larger than that cache, and "
        "the bands, debts and shortfalls are decided on top of the sums.",
    ),
    "liquidation.account_us": at_most("liquidation", "a plan, CPU an account", 5, "us"),
    "liquidation.milp": at_least(
        "liquidation", "against HiGHS solving the integer program of an account", 5_000, "times"
    ),
    "liquidation.gap_pct": at_most("liquidation", "sold above the integer optimum, over all accounts", 0.05, "%"),
    "liquidation.certified_pct": at_least("liquidation", "plans that cure and carry their bound", 100, "%"),
    "gap.cpu_s": at_most("gap", "gap loss, 10,000 paths of 5,000 names and 8 days, 100,000 accounts, CPU", 2.5, "s"),
    "gap.numpy": at_least("gap", "against NumPy", 10, "times"),
    "monitoring.events_s": at_least(
        "monitoring", "activities judged by all rules, a second of CPU on one thread", 250_000, "a second"
    ),
    "monitoring.rule_engine": at_least(
        "monitoring", "against rule-engine an event at a time, its facts given to it", 10, "times"
    ),
    "monitoring.duckdb": at_least("monitoring", "against DuckDB on three rules", 2, "times"),
    "start.wall_s": at_most(
        "start",
        "start of a process to its first valuation, warm cache, wall",
        1,
        "s",
        "importing Numba and loading its compiled kernels takes most of it.",
    ),
    "start.position_bytes": at_most("start", "memory of a watch with its book, a position", 25, "bytes"),
    "load.rows_s": at_most("load", "loading 10 million positions, wall", 1, "s"),
    "screening.p95_ms": at_most(
        "screening",
        "one name against 100,000, 95 of 100 names, wall",
        10,
        "ms",
        "a wall time with PostgreSQL's part in it; the CPU time beside it is what a name costs.",
    ),
    "screening.cpu_ms": at_most("screening", "one name against 100,000, CPU with the database's", 10, "ms"),
    "screening.recall_latin_pct": at_least("screening", "recall@10, Latin names with slips", 98, "%"),
    "scorecards.case_us": at_most("scorecards", "points of one case, CPU", 50, "us"),
    "scorecards.optbinning": at_least("scorecards", "against optbinning, all cases in one table", 1, "times"),
    "screening.recall_chinese_pct": at_least("screening", "recall@10, Chinese names written otherwise", 98, "%"),
    "pages.cpu_ms": at_most("pages", "the dearest page of 10,000 clients, CPU with the database's", 200, "ms"),
    "pages.p95_ms": at_most(
        "pages",
        "the slowest page of 10,000 clients, 95 of 100 times, wall",
        200,
        "ms",
        "a wall time, with whatever else the machine was doing in it.",
    ),
    "contracts.a_second": at_least(
        "contracts", "contracts from data to both signatures, a second of CPU on one thread", 5, "a second"
    ),
}
