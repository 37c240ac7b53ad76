"""Files of instruments: a symbol that is not on record is a new name, one that is has its cells changed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from reefpoint.platform.access.services.approvals import AlreadyAwaitingApproval
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.imports.types import BatchFacts, ImportColumn, ImportKind, NumberedRow, Row, RowProblem
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.market.services.instruments import LOT_MAX, terms_of
from reefpoint.records.market.services.listing_files import (
    LISTING_COLUMNS,
    check_listing_row,
    listing_of,
)
from reefpoint.records.market.services.register import ask_new_instruments, change_instruments, check_new
from reefpoint.records.market.types import InstrumentDraft, InstrumentTerms, InstrumentView, ListingDraft, NewInstrument

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,19}")
_COUNT = re.compile(r"[0-9]{1,15}")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_FIXED = ("currency", "venue")
_NEEDED = ("name", "currency", "venue", "source", "effective_on")


def check_instrument_row(row: Row) -> list[RowProblem]:
    """What is wrong with a row of a file of instruments, whether its symbol is known or not."""
    problems = [] if _SYMBOL.fullmatch(row["symbol"]) else [RowProblem("not_a_symbol", "symbol")]
    if row.get("currency") and row["currency"] not in MINOR_DIGITS:
        problems.append(RowProblem("unknown_currency", "currency"))
    if (lot := row.get("lot_size")) and (not _COUNT.fullmatch(lot) or not 0 < int(lot) <= LOT_MAX):
        problems.append(RowProblem("not_a_lot", "lot_size"))
    if (band := row.get("price_band_percent")) and (not _PERCENT.fullmatch(band) or not 0 < Decimal(band) <= 100):
        problems.append(RowProblem("not_a_percentage", "price_band_percent"))
    if (volume := row.get("assumed_daily_volume")) and not _COUNT.fullmatch(volume):
        problems.append(RowProblem("not_a_count", "assumed_daily_volume"))
    listed = check_listing_row({"effective_on": "2000-01-01", **{name: text for name, text in row.items() if text}})
    return problems + listed


def take_instruments(actor: Actor, facts: BatchFacts, rows: Sequence[NumberedRow]) -> Mapping[int, RowProblem]:
    """Ask for the new names of a batch as one request, and for its changes of known ones as another.

    What takes no second person counts at once. An import carries one right alone; whoever may put instruments on
    record may also ask for the second person.
    """
    known = {one.symbol: one for one in list_instruments()}
    refused: dict[int, RowProblem] = {}
    new: list[NewInstrument] = []
    changes: list[tuple[int, InstrumentTerms]] = []
    seen: set[str] = set()
    for one in rows:
        symbol = one.row["symbol"]
        found = known.get(symbol)
        if symbol in seen:
            refused[one.line] = RowProblem("symbol_twice", "symbol")
            continue
        problem = _read_new(one.row, new) if found is None else _read_change(one.row, found, changes)
        if problem is not None:
            refused[one.line] = problem
            continue
        seen.add(symbol)
    asker = replace(actor, permissions=actor.permissions | {"approvals.request"})
    reason = str(Sentence("import {import_id}, batch {batch}", {"import_id": facts.import_id, "batch": facts.batch}))
    if new:
        ask_new_instruments(actor=asker, new=new, reason=reason, at=facts.at)
    if changes:
        try:
            change_instruments(actor=asker, changes=changes, reason=reason, at=facts.at)
        except AlreadyAwaitingApproval:
            refused |= {
                one.line: RowProblem("waits_already", "symbol")
                for one in rows
                if one.line not in refused and one.row["symbol"] in known
            }
    return refused


def _read_new(row: Row, new: list[NewInstrument]) -> RowProblem | None:
    """Add the new name of a row, or say what is wrong with it."""
    for name in _NEEDED:
        if not row.get(name):
            return RowProblem("missing", name)
    draft = InstrumentDraft(
        **{"assumed_daily_volume": 0, "name_zh": "", "sector": "", **_terms(row)},
        symbol=row["symbol"],
        currency=row["currency"],
        venue=row["venue"],
    )
    plain = ListingDraft(date.fromisoformat(row["effective_on"]), row["source"])
    one = NewInstrument(draft, replace(plain, **listing_of(row)))
    try:
        check_new(one)
    except Refusal as refusal:
        return RowProblem("not_possible", str(refusal.facts.get("field", "symbol")))
    new.append(one)
    return None


def _read_change(row: Row, found: InstrumentView, changes: list[tuple[int, InstrumentTerms]]) -> RowProblem | None:
    """Add the change of a row, or say what is wrong with it. Facts of listings have a file of their own."""
    for name in _FIXED:
        if row.get(name) and row[name] != getattr(found, name):
            return RowProblem("never_changes", name)
    for column in LISTING_COLUMNS:
        if row.get(column.name):
            return RowProblem("belongs_in_listings", column.name)
    changes.append((found.id, replace(terms_of(found), **_terms(row))))
    return None


def _terms(row: Row) -> dict[str, Any]:
    """The cells of a row that are filled, as an instrument has them."""
    given: dict[str, Any] = {name: row[name] for name in ("name", "name_zh", "sector") if row.get(name)}
    given |= {name: int(row[name]) for name in ("lot_size", "assumed_daily_volume") if row.get(name)}
    if row.get("price_band_percent"):
        given["price_band_bp"] = int(Decimal(row["price_band_percent"]) * 100)
    return given


INSTRUMENTS = ImportKind(
    name="instruments",
    right="instruments.add",
    columns=(
        ImportColumn("symbol", is_required=True, chars_max=20),
        ImportColumn("name", chars_max=120),
        ImportColumn("name_zh", chars_max=120),
        ImportColumn("currency", chars_max=3),
        ImportColumn("venue", chars_max=8),
        ImportColumn("sector", chars_max=60),
        ImportColumn("lot_size", chars_max=7),
        ImportColumn("price_band_percent", chars_max=6),
        ImportColumn("assumed_daily_volume", chars_max=15),
        *LISTING_COLUMNS,
    ),
    check=check_instrument_row,
    take=take_instruments,
)
