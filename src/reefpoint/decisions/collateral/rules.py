"""How house rules and lists are read, what law asks of a name, and how a cut takes force day by day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.decisions.collateral.types import (
    CUT_MAX_BP,
    HAIRCUT_MAX_BP,
    Caps,
    EligibilityList,
    HouseRules,
    ListDifference,
    Listed,
    ListMove,
    Ramp,
    Step,
)
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.tables.cells import Kind
from reefpoint.platform.basics.tables.reading import read_table
from reefpoint.platform.basics.tables.table import DecisionTable, HitPolicy, MalformedTable
from reefpoint.records.market.types import Board, InstrumentKind, InstrumentView, ListingView, SessionCalendar
from reefpoint.records.products.types import Pack, Rule

SYMBOL_CHARS_MAX = 20
NOTE_CHARS_MAX = 200
NAMES_MAX = 20_000


class NotEligible(Refusal):
    """A name that the desk, or schemes of this tier, do not accept on this day."""

    code = "not_eligible"


class CapReached(Refusal):
    """More of one name, issuer or board than an account or the whole desk may hold."""

    code = "collateral_cap"


# Reading what is published


def read_house(content: Mapping[str, Any]) -> HouseRules:
    """The house's rules from their JSON form. Raises `MalformedTable` naming the cell."""
    _check_keys("house rules", content, {"haircuts", "suspension", "ramp", "unmodelled_bp", "caps", "override_reason"})
    haircuts = _table(content["haircuts"], "haircuts", _HAIRCUT_INPUTS, "haircut_bp", HAIRCUT_MAX_BP)
    suspension = _table(content["suspension"], "suspension", {"sessions": Kind.WHOLE}, "cut_bp", CUT_MAX_BP)
    _check_keys("ramp", content["ramp"], {"notice_sessions", "step_bp"})
    caps = content["caps"]
    _check_keys("caps", caps, {"issuer_bp", "boards_bp", "house_share_bp", "house_volume_days"})
    if not isinstance(caps["boards_bp"], Mapping) or not set(caps["boards_bp"]) <= set(Board):
        raise MalformedTable("caps, boards_bp", "the boards are {names}", names=", ".join(Board))
    reason = content["override_reason"]
    if not isinstance(reason, str) or len(reason) > NOTE_CHARS_MAX:
        raise MalformedTable(
            "override_reason", "it is a text of at most {most} characters, mostly empty", most=NOTE_CHARS_MAX
        )
    return HouseRules(
        haircuts=haircuts,
        suspension=suspension,
        ramp=Ramp(
            notice_sessions=_whole("ramp, notice_sessions", content["ramp"]["notice_sessions"], 0, 60),
            step_bp=_whole("ramp, step_bp", content["ramp"]["step_bp"], 1, HAIRCUT_MAX_BP),
        ),
        unmodelled_bp=_whole("unmodelled_bp", content["unmodelled_bp"], 0, HAIRCUT_MAX_BP),
        caps=Caps(
            issuer_bp=_whole_or_none("caps, issuer_bp", caps["issuer_bp"], HAIRCUT_MAX_BP),
            boards_bp={
                board: _whole(f"caps, {board}", value, 1, HAIRCUT_MAX_BP)
                for board, value in sorted(caps["boards_bp"].items())
            },
            house_share_bp=_whole_or_none("caps, house_share_bp", caps["house_share_bp"], HAIRCUT_MAX_BP),
            house_volume_days=_whole_or_none("caps, house_volume_days", caps["house_volume_days"], 1_000),
        ),
        override_reason=reason,
    )


_HAIRCUT_INPUTS = {
    "kind": Kind.CHOICE,
    "board": Kind.CHOICE,
    "has_risk_warning": Kind.FLAG,
    "is_suspended": Kind.FLAG,
    "daily_turnover": Kind.WHOLE,
}
_CHOICES = {"kind": frozenset(InstrumentKind), "board": frozenset(Board)}


def _table(data: object, name: str, inputs: Mapping[str, Kind], output: str, most: int) -> DecisionTable:
    """A unique table with exactly these inputs, that covers all that can be put to it, and one outcome of 0..`most`."""
    if not isinstance(data, Mapping):
        raise MalformedTable(name, "it is not a table")
    table = read_table(data)
    if table.policy is not HitPolicy.UNIQUE or {one.name: one.kind for one in table.inputs} != dict(inputs):
        raise MalformedTable(name, "it is a unique table over {names}", names=", ".join(inputs))
    for column in table.inputs:
        if column.kind is Kind.CHOICE and set(column.choices) != set(_CHOICES[column.name]):
            raise MalformedTable(
                f"{name}, {column.name}", "its values are {names}", names=", ".join(sorted(_CHOICES[column.name]))
            )
        if column.kind is Kind.WHOLE and (column.low != 0 or column.high is not None):
            raise MalformedTable(f"{name}, {column.name}", "it runs from 0 without an end")
    if [(one.name, one.kind) for one in table.outputs] != [(output, Kind.WHOLE)]:
        raise MalformedTable(name, "its outcome is {output}, a whole number", output=output)
    for row in table.rows:
        value = row.then[output]
        if not isinstance(value, int) or not 0 <= value <= most:
            raise MalformedTable(f"{name}, row {row.id}", "{output} is from 0 to {most}", output=output, most=most)
    return table


def read_lists(content: Mapping[str, Any]) -> tuple[EligibilityList, ...]:
    """The lists from their JSON form, one for each tier. Raises `MalformedTable` naming the line."""
    _check_keys("lists", content, {"lists"})
    lists = tuple(_read_list(data) for data in _sequence("lists", content["lists"]))
    tiers = [one.tier for one in lists]
    if len(set(tiers)) < len(tiers):
        raise MalformedTable("lists", "a tier stands twice")
    if sum(len(one.names) for one in lists) > NAMES_MAX:
        raise MalformedTable("lists", "more than {most:,} names", most=NAMES_MAX)
    return lists


def _read_list(data: object) -> EligibilityList:
    if not isinstance(data, Mapping):
        raise MalformedTable("lists", "a list has a tier and names")
    _check_keys("list", data, {"tier", "names"})
    tier = data["tier"]
    if not isinstance(tier, str) or len(tier) > SYMBOL_CHARS_MAX:
        raise MalformedTable("list, tier", "it is a short text, empty for the whole desk")
    place = f"list {tier or 'of the desk'}"
    names = tuple(_read_listed(place, number, line) for number, line in enumerate(_sequence(place, data["names"]), 1))
    spans: dict[str, list[Listed]] = {}
    for one in names:
        for other in spans.setdefault(one.symbol, []):
            if one.since <= (other.until or date.max) and other.since <= (one.until or date.max):
                raise MalformedTable(f"{place}, {one.symbol}", "it is listed twice on the same day")
        spans[one.symbol].append(one)
    return EligibilityList(tier, names)


def _read_listed(place: str, number: int, data: object) -> Listed:
    cell = f"{place}, line {number}"
    if not isinstance(data, Mapping):
        raise MalformedTable(cell, "a line has symbol, since, until and note")
    _check_keys(cell, data, {"symbol", "since", "until", "note"})
    symbol, note = data["symbol"], data["note"]
    if not isinstance(symbol, str) or not 0 < len(symbol) <= SYMBOL_CHARS_MAX:
        raise MalformedTable(cell, "it has no symbol")
    if not isinstance(note, str) or len(note) > NOTE_CHARS_MAX:
        raise MalformedTable(cell, "its note is a text of at most {most} characters", most=NOTE_CHARS_MAX)
    since = _day(cell, data["since"])
    until = None if data["until"] is None else _day(cell, data["until"])
    if until is not None and until < since:
        raise MalformedTable(cell, "it ends before it begins")
    return Listed(symbol, since, until, note)


def _day(cell: str, value: object) -> date:
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is refused below
    except (TypeError, ValueError):
        raise MalformedTable(cell, "a day is written 2026-11-23") from None


def _sequence(place: str, data: object) -> Sequence[object]:
    if not isinstance(data, list | tuple):
        raise MalformedTable(place, "it is not a list")
    return data


def _check_keys(place: str, data: object, keys: set[str]) -> None:
    if not isinstance(data, Mapping):
        raise MalformedTable(place, "it is not a map")
    if odd := sorted(str(key) for key in keys ^ set(data)):
        raise MalformedTable(f"{place}, {odd[0]}", "it is missing, or there is no such field")


def _whole(place: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise MalformedTable(place, "it is a whole number from {low} to {high}", low=low, high=high)
    return value


def _whole_or_none(place: str, value: object, high: int) -> int | None:
    return None if value is None else _whole(place, value, 1, high)


# What law asks


@dataclass(frozen=True)
class LegalHaircut:
    """A rule that bounds how much of a listing's value may count, and for which listings it speaks."""

    rule_id: str
    speaks_for: Callable[[ListingView], bool]


@dataclass(frozen=True)
class LegalPart:
    """What law asks of a name: the rules that speak for it, the one that asks for most first; none is none."""

    haircut_bp: int
    rules: tuple[Rule, ...]
    is_missing: bool


JURISDICTIONS = {"XNYS": "US", "XNAS": "US", "XSHG": "CN", "XSHE": "CN", "XBSE": "CN", "XHKG": "HK"}
"""The rule pack that a venue's listings stand under."""

_FUNDS_AND_BONDS = {InstrumentKind.FUND, InstrumentKind.BOND}
_NEAR_CASH = {InstrumentKind.GOVERNMENT_BOND, InstrumentKind.CASH_FUND}

LEGAL_HAIRCUTS: Mapping[str, tuple[LegalHaircut, ...]] = {
    "CN": (
        LegalHaircut("cn.haircut.st_delisting", lambda one: one.has_risk_warning),
        LegalHaircut("cn.haircut.pe_rule", lambda one: one.kind is InstrumentKind.SHARE and one.is_pe_excluded),
        LegalHaircut("cn.haircut.warrant", lambda one: one.kind is InstrumentKind.WARRANT),
        LegalHaircut("cn.haircut.index_stock", lambda one: one.kind is InstrumentKind.SHARE and one.is_index_member),
        LegalHaircut(
            "cn.haircut.other_a_share", lambda one: one.kind is InstrumentKind.SHARE and not one.is_index_member
        ),
        LegalHaircut("cn.haircut.etf", lambda one: one.kind is InstrumentKind.ETF),
        LegalHaircut("cn.haircut.cash_mgmt_mmf_tbond", lambda one: one.kind in _NEAR_CASH),
        LegalHaircut("cn.haircut.other_fund_bond", lambda one: one.kind in _FUNDS_AND_BONDS),
    ),
    "HK": (),
    "US": (),
}
"""The packs' rules on single names. Those of the United States and Hong Kong set the equity of an account and ask for
prudent haircuts without naming any: there the house and the model decide."""


def legal_haircut(listing: ListingView, pack: Pack, on: date) -> LegalPart:
    """What the rules in force on a day ask of a listing. A rule that should speak and is not there is never zero."""
    in_force = {rule.id: rule for rule in pack.in_force(on)}
    wanted = [legal.rule_id for legal in LEGAL_HAIRCUTS[pack.jurisdiction] if legal.speaks_for(listing)]
    rules = sorted((in_force[name] for name in wanted if name in in_force), key=rule_bp, reverse=True)
    is_missing = len(rules) < len(wanted)
    haircut_bp = HAIRCUT_MAX_BP if is_missing else max(map(rule_bp, rules), default=0)
    return LegalPart(haircut_bp, tuple(rules), is_missing)


def rule_bp(rule: Rule) -> int:
    """The haircut of a rule whose value is the most that may count, rounded up."""
    return int(((1 - Decimal(str(rule.value))) * HAIRCUT_MAX_BP).to_integral_value(rounding=ROUND_CEILING))


# What the house asks


def house_part(
    house: HouseRules, instrument: InstrumentView, listing: ListingView, price_units: int | None
) -> dict[str, object]:
    """What the house's table asks of a name, with the row and what it was asked by; all of it where a fact lacks."""
    inputs = {
        "kind": listing.kind.value,
        "board": listing.board.value,
        "has_risk_warning": listing.has_risk_warning,
        "is_suspended": instrument.is_suspended,
        "daily_turnover": None if price_units is None else listing.daily_volume * price_units // 10_000,
    }
    outcome, missing = house.haircuts.decide_known(inputs)
    haircut_bp: object = HAIRCUT_MAX_BP if missing else outcome["haircut_bp"]
    row = "" if missing else outcome.rows[0].id
    return {"haircut_bp": haircut_bp, "row": row, "inputs": inputs, "missing": list(missing)}


# How a haircut takes force


def plan_steps(
    *, now_bp: int, pending: Sequence[Step], target_bp: int, days: Sequence[date], ramp: Ramp
) -> tuple[Step, ...]:
    """The steps from what is in force to `target_bp`; none where they would change nothing (I30).

    `pending` are later steps of what is in force; `days` the sessions from today on. What lends more counts at once.
    What lends less begins after the notice and rises by at most the ramp's step a session, from wherever the pending
    steps, of which notice was given, have led by then. A target between now and where these lead stops them today.
    """
    goes_to = pending[-1].haircut_bp if pending else now_bp
    if target_bp == goes_to:
        return ()
    if target_bp <= now_bp:
        return (Step(days[0], target_bp),)
    first = days[ramp.notice_sessions]
    steps: list[Step]
    if target_bp < goes_to:
        steps, start_bp = [Step(days[0], now_bp)], now_bp
    else:
        steps = []
        start_bp = next((one.haircut_bp for one in reversed(pending) if one.effective_on < first), now_bp)
    bp = start_bp
    for day in days[ramp.notice_sessions :]:
        bp = min(target_bp, bp + ramp.step_bp)
        steps.append(Step(day, bp))
        if bp == target_bp:
            return tuple(steps)
    raise ValueError(f"{len(days)} sessions are too few to ramp to {target_bp}")


def sessions_needed(ramp: Ramp) -> int:
    """Sessions from today on that any ramp fits in."""
    return ramp.notice_sessions + -(-HAIRCUT_MAX_BP // ramp.step_bp) + 1


def ramp_days(calendar: SessionCalendar, on: date, ramp: Ramp) -> list[date]:
    """The day itself and the sessions after it that a ramp can need."""
    wanted = sessions_needed(ramp)
    after = calendar.between(on + timedelta(days=1), on + timedelta(days=2 * wanted + 30))
    return [on, *after[:wanted]]


# What a suspended name is still worth


def suspension_cut_bp(house: HouseRules, calendar: SessionCalendar, since: date, on: date) -> int:
    """How much the last price of a name is cut on a day that has been suspended since another."""
    return cut_after(house, calendar.missed(since, on) if since < on else 0)


def cut_after(house: HouseRules, sessions: int) -> int:
    """How much the last price of a name is cut after so many sessions of suspension."""
    cut = house.suspension.decide({"sessions": sessions})["cut_bp"]
    assert isinstance(cut, int)
    return cut


def apply_cuts(
    price_units: npt.NDArray[np.int64], instrument_ids: Sequence[int], cuts_bp: Mapping[int, int]
) -> npt.NDArray[np.int64]:
    """Prices less these cuts, rounded down; a price that there is stays one, if of a single unit."""
    if not cuts_bp:
        return price_units
    kept_bp = np.fromiter((HAIRCUT_MAX_BP - cuts_bp.get(one, 0) for one in instrument_ids), dtype=np.int64)
    # in two parts: a price times 10,000 need not fit
    cut = price_units // HAIRCUT_MAX_BP * kept_bp + price_units % HAIRCUT_MAX_BP * kept_bp // HAIRCUT_MAX_BP
    return np.where(price_units > 0, np.maximum(cut, 1), price_units)


def compare_lists(
    before: Sequence[EligibilityList],
    after: Sequence[EligibilityList],
    haircuts_before: Mapping[str, int],
    haircuts_after: Mapping[str, int],
) -> list[ListDifference]:
    """Every name that two versions treat differently, by tier and symbol; haircuts (bp) are by symbol."""
    first, second = ({one.tier: one.names for one in lists} for lists in (before, after))
    found = []
    for tier in sorted({*first, *second}):
        old, new = first.get(tier, ()), second.get(tier, ())
        for symbol in sorted({one.symbol for one in (*old, *new)}):
            was, now = (tuple(one for one in names if one.symbol == symbol) for names in (old, new))
            cut_was, cut_now = haircuts_before.get(symbol), haircuts_after.get(symbol)
            if not was:
                move = ListMove.CAME
            elif not now:
                move = ListMove.WENT
            elif was != now:
                move = ListMove.CHANGED
            elif cut_was != cut_now:
                move = ListMove.HAIRCUT
            else:
                continue
            found.append(ListDifference(tier, symbol, move, was, now, cut_was, cut_now))
    return found
