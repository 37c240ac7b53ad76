"""Files of listing facts: a cell that is empty leaves what is on record."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.imports.types import BatchFacts, ImportColumn, ImportKind, NumberedRow, Row, RowProblem
from reefpoint.records.market import rules
from reefpoint.records.market.selectors.instruments import list_instruments, list_listings
from reefpoint.records.market.services.listings import change_listings
from reefpoint.records.market.types import Board, InstrumentKind, ListingDraft

_YES, _NO = frozenset({"yes", "true", "1", "是"}), frozenset({"no", "false", "0", "否"})
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_COUNT = re.compile(r"[0-9]{1,15}")
_FLAGS = ("has_risk_warning", "is_index_member", "is_pe_excluded")
_COUNTS = ("daily_volume", "shares_issued")


def check_listing_row(row: Row) -> list[RowProblem]:
    """What is wrong with a row of a file of listing facts."""
    problems = []
    if not _day(row["effective_on"]):
        problems.append(RowProblem("not_a_date", "effective_on"))
    for name, options in (("kind", set(InstrumentKind)), ("board", set(Board))):
        if row.get(name) and row[name] not in options:
            problems.append(RowProblem("not_an_option", name))
    problems += [
        RowProblem("not_yes_or_no", name) for name in _FLAGS if row.get(name) and row[name].casefold() not in _YES | _NO
    ]
    if (limit := row.get("limit_percent")) and (not _PERCENT.fullmatch(limit) or not 0 < Decimal(limit) <= 100):
        problems.append(RowProblem("not_a_percentage", "limit_percent"))
    problems += [
        RowProblem("not_a_count", name)
        for name in _COUNTS
        if row.get(name) and (not _COUNT.fullmatch(row[name]) or (name == "shares_issued" and not int(row[name])))
    ]
    return problems


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2020-01-01") else None
    except ValueError:
        return None


def take_listings(actor: Actor, facts: BatchFacts, rows: Sequence[NumberedRow]) -> Mapping[int, RowProblem]:
    """Put a batch on record; what moves haircuts waits as one request for a second person.

    An import carries one right alone; whoever may record listings may also ask for the second person.
    """
    ids = {one.symbol: one.id for one in list_instruments()}
    refused = {one.line: RowProblem("unknown_symbol", "symbol") for one in rows if one.row["symbol"] not in ids}
    days = {day for one in rows if (day := _day(one.row["effective_on"]))}
    known = {on: list_listings(on) for on in days}
    changes: dict[tuple[int, date], ListingDraft] = {}
    for one in rows:
        on = _day(one.row["effective_on"])
        if one.line in refused or on is None:
            continue
        instrument_id = ids[one.row["symbol"]]
        if (instrument_id, on) in changes:
            refused[one.line] = RowProblem("symbol_twice", "symbol")
            continue
        before = rules.facts_of(known[on][instrument_id])
        changes[instrument_id, on] = replace(before, effective_on=on, source=one.row["source"], **listing_of(one.row))
    asker = replace(actor, permissions=actor.permissions | {"approvals.request"})
    change_listings(
        actor=asker,
        changes=[(instrument_id, draft) for (instrument_id, _on), draft in changes.items()],
        reason=str(Sentence("import {import_id}, batch {batch}", {"import_id": facts.import_id, "batch": facts.batch})),
        at=facts.at,
    )
    return refused


def listing_of(row: Row) -> dict[str, Any]:
    """The facts of a row whose cells are filled."""
    changed: dict[str, Any] = {}
    if row.get("kind"):
        changed["kind"] = InstrumentKind(row["kind"])
    if row.get("board"):
        changed["board"] = Board(row["board"])
    changed |= {name: row[name].casefold() in _YES for name in _FLAGS if row.get(name)}
    changed |= {name: int(row[name]) for name in _COUNTS if row.get(name)}
    if row.get("limit_percent"):
        changed["limit_bp"] = int(Decimal(row["limit_percent"]) * 100)
    if row.get("issuer"):
        changed["issuer"] = row["issuer"]
    return changed


LISTING_COLUMNS = (
    ImportColumn("effective_on", chars_max=10),
    ImportColumn("source", chars_max=200),
    ImportColumn("kind", chars_max=20),
    ImportColumn("board", chars_max=8),
    *(ImportColumn(name, chars_max=5) for name in _FLAGS),
    ImportColumn("limit_percent", chars_max=6),
    *(ImportColumn(name, chars_max=15) for name in _COUNTS),
    ImportColumn("issuer", chars_max=80),
)

LISTINGS = ImportKind(
    name="listings",
    right="instruments.add",
    columns=(
        ImportColumn("symbol", is_required=True, chars_max=20),
        *(replace(one, is_required=one.name in {"effective_on", "source"}) for one in LISTING_COLUMNS),
    ),
    check=check_listing_row,
    take=take_listings,
)
