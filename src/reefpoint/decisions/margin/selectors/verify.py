"""The proof of margin decisions: the states on record equal a full revaluation, and calls are as their table allows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from reefpoint.decisions.margin.models import MarginCall
from reefpoint.decisions.margin.rules import CALL_STATES, Consequence, consequence
from reefpoint.decisions.margin.selectors.book import FIGURES, LoadedBook, load_book
from reefpoint.decisions.margin.selectors.standing import Sheet, load_sheet, ratio_or_none
from reefpoint.decisions.margin.types import Band, CallCause, CallState
from reefpoint.engine.bands import step_bands
from reefpoint.engine.book import take_accounts
from reefpoint.engine.columns import Bools, Int8s, Int64s
from reefpoint.engine.loading import read_columns
from reefpoint.engine.valuation import value_book
from reefpoint.platform.audit.selectors import load_histories
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.bulk import copy_out
from reefpoint.records.products.selectors import get_terms

PROOF_FIELDS = {"account_id": 8, "debt_minor": 8, "is_enforced": 2, "valued_at": 8}
"""What the proof reads of a state beside what the monitor holds of it; instants in microseconds since `EPOCH`."""
PROOF_ROWS = (
    "SELECT account_id, debt_minor, is_enforced::int::smallint, valued_at FROM margin_marginstate ORDER BY account_id"
)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From where PostgreSQL counts."""


def verify_margin(*, at: datetime) -> list[Finding]:
    """Value the whole book anew on the prices known at `at` and compare it with what the monitor wrote.

    Figures must be equal to the minor unit, and the band must be the one that the hysteresis leaves where it is.
    Nothing may still be due: a call to open or to cure, or a close-out to tell of. No call is out of its state table.
    Figures that are not those of `at` are held against their own instant: a large desk whose prices move refreshes
    them in turn (`margin.refresh`), and that is told apart from figures that were never right (`margin.revaluation`).

    The book, the states and the figures are columns: only an account with something to tell becomes an object.
    """
    findings = _verify_calls()
    loaded = load_book(at=at)
    record = loaded.record
    if not len(record):
        return findings
    debt, is_enforced, valued_at = _load_proof(record.account_id)
    by_id = np.argsort(record.account_id)
    findings += [
        Finding("margin.state", f"account:{account_id}", "it was never measured")
        for account_id in record.account_id[by_id[~record.is_measured[by_id]]].tolist()
    ]
    rows = by_id[record.is_measured[by_id]]
    valued = value_book(loaded.book, loaded.sheet.marks, loaded.sheet.lines)
    band = step_bands(valued.ratio_bp, loaded.book.terms, loaded.sheet.lines, loaded.band)
    for row in rows[loaded.band[rows] != band[rows]].tolist():
        findings.append(_differs(int(record.account_id[row]), "band", int(loaded.band[row]), int(band[row])))
    findings += _verify_due(loaded, rows, band, is_enforced)
    exact = _figures(loaded, loaded.sheet, rows)
    on_record = np.vstack((record.figures[:, rows], debt[rows]))
    differing = rows[(exact != on_record).any(axis=0)]
    for instant in np.unique(valued_at[differing]).tolist():
        findings += _verify_older(loaded, differing[valued_at[differing] == instant], debt, instant)
    return findings


def _load_proof(account_ids: Int64s) -> tuple[Int64s, Bools, Int64s]:
    """Debt on record, whether it is enforced, and the instant of valuation, of each account; zeros without a state."""
    states = read_columns(copy_out(PROOF_ROWS), PROOF_FIELDS)
    _, here, there = np.intersect1d(account_ids, states["account_id"], assume_unique=True, return_indices=True)
    columns = np.zeros((3, len(account_ids)), dtype=np.int64)
    columns[:, here] = [states[name][there] for name in ("debt_minor", "is_enforced", "valued_at")]
    return columns[0], columns[1].astype(np.bool_), columns[2]


def _figures(loaded: LoadedBook, sheet: Sheet, rows: Int64s) -> Int64s:
    """int64[5, N]: what should be on record of these accounts under a sheet: the `FIGURES`, then the debt."""
    book = take_accounts(loaded.book, rows)
    figures = loaded.record.figures_of(rows, value_book(book, sheet.marks, sheet.lines))
    return np.vstack((figures, loaded.record.debt_minor[rows]))


def _verify_due(loaded: LoadedBook, rows: Int64s, band: Int8s, is_enforced: Bools) -> Iterator[Finding]:
    """Nothing is left to do for an account, and none is called while it is being sold."""
    record = loaded.record
    opened = MarginCall.objects.filter(state=CallState.OPEN).values_list("account_id", "id", "cause")
    calls = {account_id: (call_id, CallCause(cause)) for account_id, call_id, cause in opened}
    may_be_due = record.is_called[rows] | (band[rows] >= Band.CALL)  # nothing follows from standing better, uncalled
    due = rows[may_be_due]
    valued = value_book(loaded.book, loaded.sheet.marks, loaded.sheet.lines, due)
    for row, standing in zip(due.tolist(), record.standings(due, replace(valued, band=band[due])), strict=True):
        call_id, cause = calls.get(standing.account_id, (0, None))
        follows = consequence(
            standing,
            cure_bp=get_terms(int(record.scheme_version_id[row])).cure_bp,
            open_call=cause,
            is_enforced=bool(is_enforced[row]),
        )
        if follows != Consequence():
            yield Finding("margin.due", f"account:{standing.account_id}", f"something is still due: {follows}")
        if call_id and is_enforced[row]:
            yield Finding("margin.call", f"call:{call_id}", "it is open while its account is being sold")


def _verify_older(loaded: LoadedBook, rows: Int64s, debt: Int64s, micros: int) -> Iterator[Finding]:
    """These accounts' figures against the instant that they say they are of."""
    instant = EPOCH + timedelta(microseconds=micros)
    exact = _figures(loaded, load_sheet(list(loaded.sheet.terms), at=instant), rows)
    recorded = np.vstack((loaded.record.figures[:, rows], debt[rows]))
    names = (*FIGURES, "debt_minor")
    for place, account_id in enumerate(loaded.record.account_id[rows].tolist()):
        differing = np.flatnonzero(exact[:, place] != recorded[:, place]).tolist()
        for one in differing:
            pair = int(recorded[one, place]), int(exact[one, place])
            yield _differs(account_id, names[one], *(map(ratio_or_none, pair) if names[one] == "ratio_bp" else pair))
        if not differing:
            yield Finding("margin.refresh", f"account:{account_id}", f"prices moved since {instant:%F %T.%f}")


def _verify_calls() -> list[Finding]:
    """Every call came to its state by the table, step by step as the audit log tells."""
    steps = {f"margin.call_{state.value}": state for state in CallState}
    histories = load_histories(steps.keys())
    return [
        Finding("margin.call_history", f"call:{call_id}", f"it is {state}; the audit log tells {' > '.join(walk)}")
        for call_id, state in MarginCall.objects.order_by("id").values_list("id", "state")
        for walk in [[CallState.OPEN, *(steps[action] for action in histories.get(f"call:{call_id}", []))]]
        if walk[-1].value != state or not CALL_STATES.is_walk(walk)
    ]


def _differs(account_id: int, name: str, recorded: object, exact: object) -> Finding:
    message = f"{name} is {recorded}, a full revaluation gives {exact}"
    return Finding("margin.revaluation", f"account:{account_id}", message)
