"""Monitoring: all rules over a year of activities, beside rule-engine event by event and SQL windows in DuckDB.

The work is what a backtest or a sweep does once rows are in memory: partitions, every fact that a rule asks for, the
rules themselves. rule-engine is given each event's facts ready made, so its time is that of asking the questions
alone; it runs on a part of the events. DuckDB answers three of the rules whose windows SQL can say exactly. Alerts are
equal before the clock runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reefpoint.benchmarks.books import choose, uniforms
from reefpoint.benchmarks.peers import OURS, absent, is_installed, open_duckdb
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Answer, Candidate, check_answers, measure
from reefpoint.decisions.monitoring.adapters.typologies import load_typologies
from reefpoint.decisions.monitoring.rules.columns import DAY_SECONDS, Activities, Market, place
from reefpoint.decisions.monitoring.rules.facts.sheet import FactSheet
from reefpoint.decisions.monitoring.rules.judging import ReadRule, inputs_of, judge, read_rule
from reefpoint.decisions.monitoring.types import KIND_CODES, ActivityKind
from reefpoint.engine.columns import Int64s

SEED = 23
EVENTS_A_CLIENT = 50
FIRST_DAY = 19_000
DAYS = 365
NAMES = 500
PEER_EVENTS = 2_000
IN_SQL = ("structuring", "limit_hugging", "early_payoff")
WEIGHTS: dict[int, float] = {
    KIND_CODES[kind]: weight
    for kind, weight in {
        ActivityKind.DEPOSIT: 0.2,
        ActivityKind.WITHDRAWAL: 0.15,
        ActivityKind.DRAWDOWN: 0.05,
        ActivityKind.REPAYMENT: 0.05,
        ActivityKind.SECURITIES_IN: 0.05,
        ActivityKind.ORDER: 0.16,
        ActivityKind.BUY: 0.14,
        ActivityKind.SELL: 0.1,
        ActivityKind.SIGN_IN: 0.06,
        ActivityKind.PROFILE_CHANGE: 0.02,
        ActivityKind.BANK_CHANGE: 0.01,
        ActivityKind.SESSION_CLOSE: 0.005,
        ActivityKind.PRICE_FALL: 0.005,
    }.items()
}
SQL = """
WITH facts AS (
    SELECT id, kind,
           sum(is_near_threshold) OVER week AS near_deposits,
           sum(is_near_threshold * amount) OVER week AS near_minor,
           sum(is_near_limit) OVER month AS near_withdrawals,
           sum(drawn) OVER month AS drawn, sum(repaid) OVER month AS repaid, sum(unverified) OVER month AS unverified
      FROM (SELECT id, client, second, kind, amount,
                   (kind = {deposit} AND amount >= 800000 AND amount < 1000000)::BIGINT AS is_near_threshold,
                   (kind = {withdrawal} AND amount >= 4500000 AND amount < 5000000)::BIGINT AS is_near_limit,
                   CASE WHEN kind = {drawdown} THEN amount ELSE 0 END AS drawn,
                   CASE WHEN kind = {repayment} THEN amount ELSE 0 END AS repaid,
                   CASE WHEN kind = {deposit} AND verified <> 1 THEN amount ELSE 0 END AS unverified
              FROM events)
    WINDOW week AS (PARTITION BY client ORDER BY second RANGE BETWEEN 604799 PRECEDING AND CURRENT ROW),
           month AS (PARTITION BY client ORDER BY second RANGE BETWEEN 2591999 PRECEDING AND CURRENT ROW)
)
SELECT id, rule FROM (
    SELECT id, 0 AS rule FROM facts WHERE kind = {deposit} AND near_deposits >= 3 AND near_minor >= 1000000
    UNION ALL
    SELECT id, 1 FROM facts WHERE kind = {withdrawal} AND near_withdrawals >= 3
    UNION ALL
    SELECT id, 2 FROM facts
     WHERE kind = {repayment} AND drawn >= 2000000 AND repaid * 100 >= 50 * drawn AND unverified * 100 >= 50 * drawn)
 ORDER BY rule, id
"""


@dataclass(frozen=True, eq=False)
class Work:
    """A year of activities and the rules that look at it."""

    rows: Activities
    rules: tuple[ReadRule, ...]

    def fired(self, codes: tuple[str, ...] = ()) -> list[tuple[int, Int64s]]:
        """The rows on which each rule fires, facts and all from scratch."""
        sheet = FactSheet(self.rows)
        asked = [rule for rule in self.rules if not codes or rule.code in codes]
        asked.sort(key=lambda rule: codes.index(rule.code) if codes else 0)
        return [(number, judge(rule, sheet).fired) for number, rule in enumerate(asked)]


def draw_work(events: int) -> Work:
    """`events` activities of a year, 50 a client on average, each at a second of its own."""

    def whole(word: str, low: int, high: int) -> Int64s:
        return (low + uniforms(SEED, word, events) * (high - low)).astype(np.int64)

    clients = max(events // EVENTS_A_CLIENT, 1)
    kind = choose(SEED, "kind", events, WEIGHTS).astype(np.int64)
    span = DAYS * DAY_SECONDS
    at = FIRST_DAY * DAY_SECONDS + (np.arange(events) * span) // events
    is_cash = kind <= KIND_CODES[ActivityKind.REPAYMENT]
    is_trade = (kind == KIND_CODES[ActivityKind.BUY]) | (kind == KIND_CODES[ActivityKind.SELL])
    has_name = ~is_cash & (kind <= KIND_CODES[ActivityKind.PRICE_FALL])
    quantity = np.where(has_name, whole("quantity", 1, 5_000), 0)
    is_near, near = uniforms(SEED, "is near", events) < 0.2, whole("near", 790_000, 1_010_000)
    is_profile = kind == KIND_CODES[ActivityKind.PROFILE_CHANGE]
    has_other = kind <= KIND_CODES[ActivityKind.WITHDRAWAL]
    stored = {
        "id": np.arange(1, events + 1),
        "kind": kind,
        "client": whole("client", 1, clients + 1),
        "account": whole("client", 1, clients + 1),
        "at": at,
        "amount": np.where(is_cash | is_trade, np.where(is_near, near, whole("amount", 10_000, 6_000_000)), 0),
        "counterparty": np.where(has_other, whole("other", 1, 3 * clients + 2), 0),
        "score": np.where(has_other, whole("score", 0, 10_001), -1),
        "verified": whole("verified", 0, 2),
        "third": np.where(has_other, whole("third", 0, 2), -1),
        "country": np.where(has_other, ord("U") * 256 + ord("S"), 0),
        "instrument": np.where(has_name, whole("name", 1, NAMES + 1), 0),
        "quantity": quantity,
        "price": np.where(is_trade, 1_000_000, 0),
        "held": quantity * 2,
        "move": np.where(kind >= KIND_CODES[ActivityKind.SESSION_CLOSE], whole("move", -4_000, 600), 0),
        "device": np.where(kind == KIND_CODES[ActivityKind.SIGN_IN], whole("device", 1, clients + 1), 0),
        "reference": np.where(kind == KIND_CODES[ActivityKind.SECURITIES_IN], np.arange(1, events + 1), 0),
        "liquid": np.where(is_profile, whole("liquid", 1_000_000, 90_000_000), -1),
        "income": np.where(is_profile, whole("income", 1_000_000, 50_000_000), -1),
        "worth": np.where(is_profile, whole("worth", 1_000_000, 200_000_000), -1),
    }
    days = np.arange(FIRST_DAY - 500, FIRST_DAY + DAYS + 1)
    sessions = days[(days + 3) % 7 < 5]
    market = Market(
        session_days=sessions,
        session_ends=sessions * DAY_SECONDS + 21 * 3_600,
        close_instrument=np.repeat(np.arange(1, NAMES + 1), len(sessions)),
        close_day=np.tile(sessions, NAMES),
        close_units=np.full(NAMES * len(sessions), 1_000_000),
        volumes={name: 1_000 * name for name in range(1, NAMES + 1)},
    )
    groups = {client: client // 3 for client in range(1, clients + 1) if client % 10 < 3}
    rows = place({name: column.astype(np.int64) for name, column in stored.items()}, market=market, groups=groups)
    return Work(rows, tuple(read_rule(one.code, one.draft) for one in load_typologies()))


def measure_monitoring(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Judge as many activities as the book has accounts."""
    del machine  # no limit of the machine bounds this work
    work = draw_work(accounts)
    cases = _cases(work)
    fired = {number: set(rows.tolist()) for number, rows in work.fired()}
    for number, row, facts in cases:
        assert work.rules[number].expression.rule.matches(facts) == (row in fired[number]), "another alert"
    part = PEER_EVENTS / len(work.rows)
    lines = measure(
        [
            Candidate("columns, 1 thread", OURS, work.fired, lambda _: {}),
            Candidate("rule-engine, an event at a time", "rule-engine", lambda: _ask(work, cases), dict, 0, part),
        ],
        rounds=rounds,
    )
    sheet = FactSheet(work.rows)
    asked = sum(int(sheet.is_kind(*rule.draft.triggers).sum()) for rule in work.rules)
    whole = Table(
        "monitoring",
        f"Monitoring, {len(work.rules)} rules",
        accounts,
        len(work.rows),
        "one pass over all activities",
        lines,
        facts={
            "Activities and clients": f"{len(work.rows):,}; {len(np.unique(work.rows.client)):,}",
            "Questions asked (rules by the activities that trigger them)": f"{asked:,}",
            "Rows that fire": f"{sum(len(rows) for rows in fired.values()):,}",
            "rule-engine": f"asked of {PEER_EVENTS:,} activities with their facts ready made, extrapolated linearly",
        },
        absent=absent("DuckDB"),
    )
    tables = [
        whole.with_figures(
            {
                "monitoring.events_s": len(work.rows) / lines[0].cpu_s,
                "monitoring.rule_engine": whole.least_ratio("rule-engine"),
            }
        )
    ]
    if is_installed("DuckDB"):
        tables.append(_in_sql(work, accounts, rounds))
    return tables


def _cases(work: Work) -> list[tuple[int, int, dict[str, object]]]:
    """The questions that some activities trigger: rule, row, and facts with parameters; those with all facts known."""
    sheet = FactSheet(work.rows)
    rows = np.linspace(0, len(work.rows) - 1, min(PEER_EVENTS, len(work.rows))).astype(np.int64)
    cases = []
    for number, rule in enumerate(work.rules):
        for row in rows[sheet.is_kind(*rule.draft.triggers)[rows]].tolist():
            facts = inputs_of(rule, sheet, row)
            if None not in facts.values():
                cases.append((number, row, {**facts, **rule.values}))
    return cases


def _ask(work: Work, cases: list[tuple[int, int, dict[str, object]]]) -> Answer:
    for number, _, facts in cases:
        work.rules[number].expression.rule.matches(facts)
    return {}


def _in_sql(work: Work, accounts: int, rounds: int) -> Table:
    """Three rules, in columns and as SQL windows, with equal alerts."""
    connection = open_duckdb()
    rows = work.rows
    columns = {name: getattr(rows, name) for name in ("id", "client", "kind", "amount", "verified")}
    columns["second"] = rows.at
    connection.register("drawn", columns)
    connection.execute("CREATE TABLE events AS SELECT * FROM drawn ORDER BY client, second")
    codes = {kind.value: KIND_CODES[kind] for kind in ActivityKind}
    sql = SQL.format(**codes)
    candidates = [
        Candidate("columns, three rules, 1 thread", OURS, lambda: work.fired(IN_SQL), lambda found: _ids(rows, found)),
        Candidate("DuckDB windows, three rules", "DuckDB", lambda: connection.execute(sql).fetchnumpy(), _of_sql),
    ]
    check_answers(candidates)
    lines = measure(candidates, rounds=rounds)
    table = Table(
        "monitoring",
        "Monitoring, three rules beside SQL",
        accounts,
        len(rows),
        "one pass over all activities",
        lines,
        facts={"Rules": ", ".join(IN_SQL), "Alerts": "equal, row by row"},
    )
    return table.with_figures({"monitoring.duckdb": table.least_ratio("DuckDB")})


def _ids(rows: Activities, found: list[tuple[int, Int64s]]) -> Answer:
    ids = [np.sort(rows.id[fired]) for _, fired in found]
    return {"id": np.concatenate(ids), "rule": np.repeat(np.arange(len(ids)), [len(one) for one in ids])}


def _of_sql(found: Mapping[str, Int64s]) -> Answer:
    return {"id": np.asarray(found["id"]), "rule": np.asarray(found["rule"], dtype=np.int64)}
