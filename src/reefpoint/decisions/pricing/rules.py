"""Reading a price grid, what inputs come to under it, alone or a whole book in columns, and when a rate may move."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.decisions.pricing.types import (
    LegalCap,
    Price,
    PriceGrid,
    PriceInputs,
    RatePart,
    Unknown,
)
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.tables.cells import Cell, Kind, Span
from reefpoint.platform.basics.tables.proving import prove_monotone
from reefpoint.platform.basics.tables.reading import read_table
from reefpoint.platform.basics.tables.table import DecisionTable, HitPolicy, MalformedTable, Row

Int64s = npt.NDArray[np.int64]

GRADES = ("A", "B", "C", "D", "E")
SEGMENTS = ("institution", "professional", "retail")
SESSIONS_MIN = 60
"""Returns that a volatility is taken from at least; with fewer it is not known."""
WINDOW_DAYS = 365
SESSIONS_A_YEAR = 252

_INPUTS = ("grade", "volatility_bp", "tenor_days", "concentration_bp", "segment")
_KEYS = ("grid", "unknown", "legal_caps", "valid_hours", "exception_down_bp", "least_margin_bp", "step_bp")


class NoPrice(Refusal):
    """The desk has no price for this: no legal cap on record, or a floor above it."""

    code = "no_price"


# The grid


def read_grid(content: Mapping[str, Any]) -> PriceGrid:
    """The grid from its JSON form, proved: each input has one answer, and more risk is never cheaper.

    A worse grade, wider swings, more in one name, and a fact that is not known never lower a price. Raises
    `MalformedTable`.
    """
    if odd := sorted(set(_KEYS) ^ set(content)):
        raise MalformedTable(odd[0], "the part is missing, or there is no such part")
    table = _read_table(content["grid"])
    unknown = _read_unknown(table, content["unknown"])
    for name in ("valid_hours", "exception_down_bp", "least_margin_bp", "step_bp"):
        value = content[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < (1 if name == "valid_hours" else 0):
            raise MalformedTable(name, "it must be a whole number")
    return PriceGrid(
        grid=table,
        unknown=unknown,
        legal_caps=_read_caps(content["legal_caps"]),
        valid_hours=content["valid_hours"],
        exception_down_bp=content["exception_down_bp"],
        least_margin_bp=content["least_margin_bp"],
        step_bp=content["step_bp"],
    )


def _read_table(data: Any) -> DecisionTable:
    try:
        table = read_table(data)
    except MalformedTable as error:
        raise MalformedTable(
            f"grid, {error.cell}",
            error.problem,
            row=error.row,
            column=error.column,
            other=error.other,
            span=error.span,
        ) from None
    if table.policy is not HitPolicy.COLLECT_SUM:
        raise MalformedTable("grid, policy", "what each group adds is summed up: collect_sum")
    if {column.name for column in table.outputs} != {"bp", "en", "zh"} or table.outputs[0].kind is not Kind.WHOLE:
        raise MalformedTable("grid, outputs", "they are bp, a whole number, then en and zh")
    if odd := sorted({column.name for column in table.inputs} - set(_INPUTS)):
        raise MalformedTable(f"grid, inputs, {odd[0]}", "a price rests on {names} alone", names=", ".join(_INPUTS))
    if any(len(row.cells) > 1 for row in table.rows):
        raise MalformedTable("grid, rows", "each group rests on one input, so that each part of a price has one cause")
    for column in table.inputs:
        if column.name in {"volatility_bp", "concentration_bp"}:
            prove_monotone(table, column.name, "bp", is_rising=True)
        if column.name == "grade":
            if column.choices != GRADES:
                raise MalformedTable("grid, inputs, grade", "its choices are {names}", names=", ".join(GRADES))
            prove_monotone(table, "grade", "bp", order=GRADES, is_rising=True)
    return table


def _read_unknown(table: DecisionTable, data: object) -> dict[str, Unknown]:
    names = {column.name for column in table.inputs}
    if not isinstance(data, Mapping) or set(data) != names:
        raise MalformedTable("unknown", "each input of the grid stands here once")
    found = {}
    for name, entry in data.items():
        if not isinstance(entry, Mapping) or set(entry) != {"bp", "en", "zh"} or not isinstance(entry["bp"], int):
            raise MalformedTable(f"unknown, {name}", "it has `bp`, `en` and `zh`")
        dearest = max(_bp(row) for row in table.rows if name in row.cells)
        if entry["bp"] < dearest:
            raise MalformedTable(
                f"unknown, {name}, bp", "what is not known is never cheaper than {dearest}", dearest=dearest
            )
        found[name] = Unknown(entry["bp"], str(entry["en"]), str(entry["zh"]))
    return {column.name: found[column.name] for column in table.inputs}


def _read_caps(data: object) -> dict[str, LegalCap]:
    if not isinstance(data, Mapping) or not data:
        raise MalformedTable("legal_caps", "they say the highest rate of each jurisdiction")
    caps = {}
    for place, entry in data.items():
        if not isinstance(entry, Mapping) or set(entry) != {"cap_bp", "source", "evidence"}:
            raise MalformedTable(f"legal_caps, {place}", "it has `cap_bp`, `source` and `evidence`")
        cap = entry["cap_bp"]
        if isinstance(cap, bool) or not isinstance(cap, int) or not 0 < cap <= 10_000:
            raise MalformedTable(f"legal_caps, {place}, cap_bp", "it is from 1 to 10000")
        caps[str(place)] = LegalCap(cap, str(entry["source"]), str(entry["evidence"]))
    return caps


def _bp(row: Row) -> int:
    value = row.then["bp"]
    assert isinstance(value, int)
    return value


# One price


def price(grid: PriceGrid, inputs: PriceInputs) -> Price:
    """The rate of these inputs with its build-up: the cost of the money, what each group adds, then floor and cap.

    The parts add up to the rate. A fact that is not known adds what the grid says for it. Raises `NoPrice` where no
    legal cap is on record, or the scheme's floor is above what may be asked.
    """
    cap = cap_of(grid, inputs)
    rows, missing = grid.grid.decide_known(inputs.facts)
    parts = [RatePart("base", inputs.base_bp, "Cost of the money", "资金成本", inputs.base_source)]
    by_input = {next(iter(row.cells)): row for row in rows.rows}
    for column in grid.grid.inputs:
        if column.name in missing:
            known = grid.unknown[column.name]
            parts.append(RatePart(column.name, known.bp, known.en, known.zh, f"unknown:{column.name}"))
        else:
            row = by_input[column.name]
            parts.append(RatePart(column.name, _bp(row), str(row.then["en"]), str(row.then["zh"]), f"grid:{row.id}"))
    total = sum(part.bp for part in parts)
    rate = within(total, inputs.floor_bp, cap)
    if rate > total:
        parts.append(RatePart("floor", rate - total, "Up to the scheme's lowest rate", "调至方案最低利率", "scheme"))
    if rate < total:
        is_law = cap < inputs.scheme_cap_bp
        words = (
            ("Down to the highest rate that the law allows", "调至法定最高利率")
            if is_law
            else (
                "Down to the scheme's highest rate",
                "调至方案最高利率",
            )
        )
        source = f"law:{inputs.jurisdiction}" if is_law else "scheme"
        parts.append(RatePart("cap", rate - total, *words, source))
    return Price(rate, tuple(parts), inputs.floor_bp, cap)


def within(rate_bp: int, floor_bp: int, cap_bp: int) -> int:
    """A rate between the scheme's floor and the lower cap."""
    return max(floor_bp, min(rate_bp, cap_bp))


def cap_of(grid: PriceGrid, inputs: PriceInputs) -> int:
    """The lower of the scheme's cap and the law's. Raises `NoPrice`."""
    legal = grid.legal_caps.get(inputs.jurisdiction)
    if legal is None:
        raise NoPrice(
            "No highest rate is on record for {jurisdiction}, so there is no price there.",
            jurisdiction=inputs.jurisdiction,
        )
    cap = min(inputs.scheme_cap_bp, legal.cap_bp)
    if inputs.floor_bp > cap:
        raise NoPrice(
            "The scheme's lowest rate is above the {most_bp} bp that may be asked in {jurisdiction}.",
            cap_bp=cap,
            most_bp=legal.cap_bp,
            jurisdiction=inputs.jurisdiction,
        )
    return cap


def check_exception(grid: PriceGrid, priced: Price, base_bp: int, rate_bp: int) -> None:
    """Raise `ExceptionOutOfBounds` unless an approval may grant this rate in place of the price."""
    low = max(priced.floor_bp, priced.rate_bp - grid.exception_down_bp, base_bp + grid.least_margin_bp)
    if rate_bp == priced.rate_bp or not low <= rate_bp <= priced.cap_bp:
        raise ExceptionOutOfBounds(
            "Another price must be from {low_bp} to {high_bp} bp and not {rate_bp} bp.",
            low_bp=low,
            high_bp=priced.cap_bp,
            rate_bp=priced.rate_bp,
        )


class ExceptionOutOfBounds(Refusal):
    """A price that no approval may grant."""

    code = "exception_out_of_bounds"


# A whole book


def price_columns(grid: PriceGrid, columns: Mapping[str, Int64s], base_bp: Int64s) -> Int64s:
    """The uncapped rate of each row, int64[N], by the grid: what `price` adds up, a whole book at once.

    `columns` are int64[N] by input; a choice is its place among the choices, and -1 is a fact that is not known.
    """
    total = base_bp.copy()
    for column in grid.grid.inputs:
        values = columns[column.name]
        added = np.full(len(values), grid.unknown[column.name].bp, dtype=np.int64)
        known = values >= 0
        for row in grid.grid.rows:
            if column.name in row.cells:
                added[known & _mask(row.cells[column.name], values, column.choices)] = _bp(row)
        total += added
    return total


def _mask(cell: Cell, values: Int64s, choices: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    if isinstance(cell, Span):
        is_in = np.ones(len(values), dtype=np.bool_)
        if cell.start[0] == 0:
            is_in &= values >= int(cell.start[1])
        if cell.end[0] == 0:
            is_in &= values < int(cell.end[1])
        return is_in
    return np.isin(values, [choices.index(str(value)) for value in cell])


def portfolio_volatility_bp(closes: Int64s, values: Int64s) -> int | None:
    """How a portfolio would have swung a year, in basis points rounded up; None with too few closes.

    `closes` int64[S, D], oldest first; `values` int64[S] is what is held of each name now. Daily log returns of a
    portfolio that keeps today's weights, root of 252. A day on which a name has no close counts for none.
    """
    whole = closes[:, (closes > 0).all(axis=0)]
    if whole.shape[1] <= SESSIONS_MIN or not values.any():
        return None
    returns = np.diff(np.log(whole), axis=1)
    daily = (values / values.sum()) @ returns
    return int(np.ceil(daily.std(ddof=1) * np.sqrt(SESSIONS_A_YEAR) * 10_000))


# When the rate of a loan may move


def next_reset(drawn_on: date, reset_days: int, after: date) -> date:
    """The first date after a day on which a rate is set anew: each `reset_days` from the drawdown."""
    passed = (after - drawn_on).days // reset_days + 1
    return drawn_on + timedelta(days=max(1, passed) * reset_days)


def effective_day(kind: str, drawn_on: date, reset_days: int, notice_days: int, on: date) -> date | None:
    """From which day a new rate may hold if the client is told on `on`; None for a rate that is fixed.

    A rate that is reset moves on its own dates alone, and only if the notice still reaches the client in time; a
    floating one moves when the notice is over.
    """
    told = on + timedelta(days=max(1, notice_days))
    if kind == "floating":
        return told
    if kind != "reset":
        return None
    return next_reset(drawn_on, reset_days, told - timedelta(days=1))


def moves(old_bp: int, new_bp: int, step_bp: int) -> bool:
    """Whether a new rate is far enough from the old one to be told."""
    return abs(new_bp - old_bp) >= max(1, step_bp)


# Storing


def inputs_to_json(inputs: PriceInputs) -> dict[str, Any]:
    return asdict(inputs)


def inputs_from_json(data: Mapping[str, Any]) -> PriceInputs:
    return PriceInputs(**data)


def answer_text(priced: Price) -> str:
    """A price as text: the same price is the same bytes (I60)."""
    return json.dumps(asdict(priced), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def price_from_text(text: str) -> Price:
    """The price that was written down."""
    data = json.loads(text)
    return Price(data["rate_bp"], tuple(RatePart(**part) for part in data["parts"]), data["floor_bp"], data["cap_bp"])
