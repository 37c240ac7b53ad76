"""Every door of the engine: whatever column or number is wrong is refused as a `BookError`, a value with its row."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from tests.engine.cases import LINES, account_of, column, marks_of
from tests.engine.gap_cases import CALM, EIGHT_DAYS, model_of

from reefpoint.engine.bands import step_bands
from reefpoint.engine.book import Marks, build_book
from reefpoint.engine.calibration import fit_factor
from reefpoint.engine.columns import BookError
from reefpoint.engine.currencies import E8, Balances, FxVersion, HomeColumns
from reefpoint.engine.explain import explain_account
from reefpoint.engine.gap import gap_loss
from reefpoint.engine.haircuts import HaircutInputs, HaircutPolicy
from reefpoint.engine.interest import accrue, posted_minor
from reefpoint.engine.loading import HEADER_BYTES, SIGNATURE, TRAILER, read_positions
from reefpoint.engine.plans import plan_sales, sellable_today
from reefpoint.engine.reporting import (
    FxScenarios,
    Parts,
    gap_parts,
    groups_of_parts,
    reverse_parts,
    shock_rates,
    stress_parts,
)
from reefpoint.engine.reverse_stress import reverse_stress
from reefpoint.engine.sale_prices import HistoricalFactor, Horizon, StudentFactor, sale_prices
from reefpoint.engine.scenarios import Scenarios, factor_scenarios, fall_scenarios, shock_prices
from reefpoint.engine.sensitivity import sensitivity_by_group
from reefpoint.engine.shared_volume import share_volume
from reefpoint.engine.stress import stress_book
from reefpoint.engine.tails import measure_tails
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Watch

BOOK = build_book(
    cash_units=[0, 5, 7],
    debt_units=[90, 0, 60],
    terms=[0, 0, 0],
    account=[0, 0, 2],
    instrument=[0, 1, 1],
    quantity=[10, 5, 6],
)
MARKS = marks_of([11, 12])
SCENARIOS = fall_scenarios(MARKS.price_units, [0, 5_000])
MODEL = model_of(2, volatility=0.02)
FX = FxVersion("one", ("USD",), np.array([[E8]]))
COLUMNS = HomeColumns(column(0, 0), column(0, 1), column(0, 0))
PARTS = Parts(np.zeros(3, dtype=np.int32), column(0), 0, COLUMNS)
BALANCES = Balances(column(0, 0), column(0, 0), column(5, 6), column(7, 8))
NO_ROWS = SIGNATURE + bytes(HEADER_BYTES - len(SIGNATURE)) + TRAILER
CLOSES = np.random.default_rng(1).integers(900, 1_100, (2, 260))
PLAN = {"sellable": column(9, 9, 9), "cost_bp": column(5, 5, 5), "target_bp": column(15_000, 15_000, 15_000)}

Arguments = Mapping[str, Any]
Door = tuple[Callable[..., object], Arguments, Mapping[str, tuple[Any, ...]]]


def record(good: Any, **wrong: tuple[Any, ...]) -> Door:
    """The door of a record: its fields, and for some of them values that none of its rows may have."""
    given = {field.name: getattr(good, field.name) for field in dataclasses.fields(good)}
    return type(good), given, wrong


def watched(do: Callable[[Watch], Callable[..., object]]) -> Callable[..., object]:
    def call(**given: Any) -> object:
        watch = Watch(BOOK, MARKS, LINES)
        watch.decide()
        return do(watch)(**given)

    return call


def fallen(steps: np.ndarray) -> Scenarios:
    return fall_scenarios(MARKS.price_units, np.minimum(steps, 9_999).tolist())


OVER, UNDER = 2**63 - 1, -(2**63)
DOORS: dict[str, Door] = {
    "a book": record(
        BOOK, start=(-1,), quantity=(), instrument=(), cash_units=(-1, OVER, UNDER), debt_units=(-1, OVER, UNDER)
    ),
    "marks": record(
        MARKS,
        price_units=(-1, OVER, UNDER),
        haircut_bp=(-1, 10_001),
        maintenance_bp=(-1, 10_001),
        lot=(0, -1, OVER),
        limit_down_units=(-1, OVER),
        limit_up_units=(-1, OVER),
    ),
    "lines": record(LINES, close_out_bp=(10_000, OVER), hysteresis_bp=(-1,)),
    "a gap model": record(
        MODEL,
        beta=(np.nan, np.inf, -11.0),
        volatility=(np.nan, -0.1, 1.1),
        jump_chance=(np.nan, -0.1, 1.1),
        jump_size=(np.nan, -0.95, np.inf),
        limit=(np.nan, -0.1, 1.1),
        suspended_days=(-1, 251),
        resume_chance=(np.nan, -0.1, 1.1),
    ),
    "a horizon": record(EIGHT_DAYS, days=(0, 251, 1.5), grace_days=(-1, 8, 1.5), seed=(-1, 2**64, 0.5)),
    "a Student factor": record(StudentFactor(0.02, 4), volatility=(-0.1,), degrees=(2, 3.5), drift=(-0.95,)),
    "a factor of the past": record(HistoricalFactor(np.array([0.1, -0.1])), returns=(np.nan, np.inf, -0.95)),
    "haircuts": record(
        HaircutInputs(CLOSES, *np.full((2, 2), 10), *np.full((4, 2), 0.1), np.zeros(2, np.int64)),
        close_units=(0, -1),
        size=(-1,),
        daily_volume=(-1,),
        spread=(np.nan, -0.1, 1.1),
        issue_share=(np.nan, -0.1, 1.1),
        pool_share=(np.nan, -0.1, 1.1),
        gap_shortfall=(np.nan, -0.1, 1.1),
        legal_bp=(-1, 10_001),
    ),
    "a policy of haircuts": record(HaircutPolicy(), confidence=(0.4,), step_bp=(0, 1.5), cap_bp=(10_001,)),
    "a valuation": (
        lambda **given: value_book(BOOK, MARKS, LINES, **given),
        {"rows": column(0, 2), "threads": 1},
        {"rows": (-1, 3, OVER), "threads": (0, -1, 1.5)},
    ),
    "bands": (
        lambda **given: step_bands(lines=LINES, **given),
        {
            "ratio_bp": column(15_000, 1),
            "terms": np.zeros(2, dtype=np.uint16),
            "previous": np.zeros(2, dtype=np.int8),
        },
        {"terms": (1,), "previous": (-2, 4)},
    ),
    "an explanation": (
        lambda **given: explain_account(BOOK.account(0), MARKS, LINES, **given),
        {"limit_bp": 1_000},
        {"limit_bp": (0, -1, 10_001, 0.5)},
    ),
    "scenarios": record(SCENARIOS, price_units=(-1, OVER)),
    "falls": (
        lambda **given: fall_scenarios(MARKS.price_units, **given),
        {"falls_bp": column(0, 500)},
        {"falls_bp": (10_000, -990_001, OVER, UNDER)},
    ),
    "shocks": (
        lambda **given: shock_prices(names=["a", "b"], **given),
        {"price_units": column(5, 6), "shock_e8": np.zeros((2, 2), dtype=np.int64)},
        {"price_units": (-1, OVER), "shock_e8": (-100_000_000, OVER)},
    ),
    "factors": (
        lambda **given: factor_scenarios(MARKS.price_units, names=["a"], **given),
        {"loadings": np.ones((2, 1)), "moves": np.full((1, 1), -0.1), "own": np.zeros((1, 2))},
        dict.fromkeys(("loadings", "moves", "own"), (np.nan, np.inf, -np.inf)),
    ),
    "stress": (
        lambda **given: stress_book(BOOK, MARKS, LINES, SCENARIOS, **given),
        {"threads": 1},
        {"threads": (0, -1, np.nan)},
    ),
    "reverse stress": (
        lambda **given: reverse_stress(BOOK, MARKS, LINES, **given),
        {"direction_e8": column(-(10**8), -(10**8)), "limit_units": 50},
        {"direction_e8": (-(10**8) - 1, OVER), "limit_units": (-1, np.nan, 0.5)},
    ),
    "sensitivity": (
        lambda **given: sensitivity_by_group(BOOK, MARKS, LINES, names=["a", "b"], **given),
        {"group": np.array([0, 1], dtype=np.int32), "move_bp": -100},
        {"group": (-2, 2), "move_bp": (-10_000, 0.5)},
    ),
    "gap loss": (
        lambda **given: gap_loss(BOOK, MARKS, MODEL, CALM, EIGHT_DAYS, levels=(0.95,), **given),
        {"paths": 1_000, "accounts": column(0, 2)},
        {"paths": (0, -1, 2**23, 1.5), "accounts": (-1, 3, OVER)},
    ),
    "rates": record(FX, rate_e8=(-1, 0, OVER)),
    "names held abroad": (
        HomeColumns.of_positions,
        {"currency": column(0, 0), "instrument": column(0, 1), "home": column(0, 1)},
        {"currency": (-1, OVER), "instrument": (-1, 2), "home": (-1, OVER)},
    ),
    "columns of names abroad": (
        COLUMNS.columns,
        {"instrument": column(0, 1), "home": column(0, 0)},
        {"instrument": (-1, 2), "home": (1,)},
    ),
    "prices in scenarios with rates": (
        COLUMNS.prices,
        {"native_price_units": MARKS.price_units[np.newaxis], "rate_e8": FX.rate_e8[np.newaxis]},
        {},
    ),
    "prices at home": (
        lambda **given: COLUMNS.moved_prices(**given, fx=FX),
        {"instrument": column(0, 1), "price_units": column(5, 6)},
        {"instrument": (-1, 2), "price_units": (-1, OVER)},
    ),
    "balances": record(BALANCES, cash_units=(-1, OVER), debt_units=(-1, OVER)),
    "balances at home": (lambda **given: BALANCES.at_home(**given, fx=FX), {"home": column(0)}, {"home": (-1, 1)}),
    "parts of a book": record(PARTS, part=(-1, 1)),
    "scenarios with rates": record(FxScenarios.at_rates(SCENARIOS, FX), rate_e8=(-1, OVER)),
    "shocks of rates": (
        lambda **given: shock_rates(FX, **given),
        {"shock_e8": np.zeros((2, 1), dtype=np.int64)},
        {"shock_e8": (-E8, OVER, UNDER)},
    ),
    "reverse stress by parts": (
        lambda **given: reverse_parts(BOOK, MARKS, LINES, fallen, FX, PARTS, **given),
        {"limit_units": 50, "fx_direction_e8": column(0)},
        {"limit_units": (-1, np.nan, 0.5), "fx_direction_e8": (-E8 - 1, OVER)},
    ),
    "gap loss by parts": (
        lambda **given: gap_parts(BOOK, MARKS, MODEL, CALM, EIGHT_DAYS, PARTS, FX, levels=(0.95,), **given),
        {"paths": 1_000},
        {"paths": (0, -1, 2**23, 10**18, 1.5)},
    ),
    "sale prices": (
        lambda **given: sale_prices(MODEL, CALM, Horizon(8, 2, 7), **given),
        {"paths": 500},
        {"paths": (0, -1, 1.5)},
    ),
    "tails": (lambda **given: measure_tails(levels=(0.9,), **given), {"losses": np.ones((1, 200), np.int64)}, {}),
    "a fit": (fit_factor, {"close_units": CLOSES, "decay": 0.94}, {"close_units": (-1,), "decay": (-1.0, np.nan)}),
    "plans": (
        lambda **given: plan_sales(BOOK, MARKS, **given),
        {**PLAN, "grain_units": 100},
        {"sellable": (-1,), "cost_bp": (-1, 10_001), "target_bp": (10_000, OVER), "grain_units": (0, 0.5)},
    ),
    "volume shared": (
        lambda **given: share_volume(BOOK, MARKS, **PLAN, **given),
        {"volume_cap": column(9, 9), "seconds": 1.0},
        {"volume_cap": (-1,), "seconds": (0.0, -1.0, np.nan)},
    ),
    "what may be sold today": (
        lambda **given: sellable_today(BOOK, **given),
        {"volume_cap": column(9, 9), "bought_today": column(0, 0, 0), "given_out": column(0, 0, 0)},
        dict.fromkeys(("volume_cap", "bought_today", "given_out"), (-1,)),
    ),
    "interest": (
        accrue,
        {
            "principal_minor": column(5, 5),
            "rate_bp": column(5, 5),
            "days": column(3, 3),
            "year_days": column(360, 365),
            "carry": column(0, 0),
        },
        {
            "principal_minor": (-1, OVER),
            "rate_bp": (-1, 10_001),
            "days": (-1, 367),
            "year_days": (0,),
            "carry": (-1, 365),
        },
    ),
    "interest posted": (
        posted_minor,
        {"before_micro": column(1, 2), "after_micro": column(3, 4)},
        dict.fromkeys(("before_micro", "after_micro"), (-1, OVER, UNDER)),
    ),
    "rows of the database": (
        lambda **given: read_positions(NO_ROWS, **given),
        {"account_id": column(1, 2), "instrument_id": column(1, 2)},
        {"account_id": (1, 0), "instrument_id": (1, 0, OVER)},
    ),
    "bands on record": (
        lambda **given: Watch(BOOK, MARKS, LINES, **given),
        {"bands": np.zeros(3, dtype=np.int8)},
        {"bands": (-2, 4)},
    ),
    "prices of the watch": (
        watched(lambda watch: watch.apply_prices),
        {"instrument": column(0, 1), "price_units": column(5, 6)},
        {"instrument": (-1, 2, OVER), "price_units": (-1, OVER, UNDER)},
    ),
    "balances of the watch": (
        watched(lambda watch: watch.set_balances),
        {"rows": column(0, 1), "cash_units": column(5, 6), "debt_units": column(5, 6)},
        {"rows": (-1, 3), "cash_units": (-1, OVER), "debt_units": (-1, OVER)},
    ),
    "accounts of the watch": (watched(lambda watch: watch.accounts), {"rows": column(0, 2)}, {"rows": (-1, 3, OVER)}),
    "values of the watch": (watched(lambda watch: watch.value), {"rows": column(0, 2)}, {"rows": (-1, 3, OVER)}),
}
LISTS_TOO = {"falls", "prices of the watch", "balances of the watch"}
"""Doors that take plain lists of whole numbers as well as arrays, of any integer type."""


def refusal(door: str, name: str, bad: object) -> BookError | None:
    """What is said of a door's good arguments with one of them made bad; nothing if they are taken."""
    call, given, _ = DOORS[door]
    try:
        call(**{**given, name: bad})
    except BookError as error:
        return error
    return None


def misshapen(door: str, good: np.ndarray) -> Iterator[tuple[str, Any]]:
    """What is no such column at all: other types, other shapes."""
    if good.dtype.kind in "iu":
        holed = good.astype(np.float64)
        for name, value in (("NaN", np.nan), ("infinite", np.inf)):
            holed.flat[-1] = value
            yield f"with a {name} value", holed.copy()
    yield "of Python objects that are no numbers", np.full(good.shape, "x", dtype=object)
    yield "of one dimension more", good[..., None].copy()
    yield "that is one number", good.dtype.type(1)
    if door not in LISTS_TOO:
        yield "that is a list", good.tolist()
        yield "of a narrower type", good.astype(np.float32 if good.dtype.kind == "f" else np.int16)


@pytest.mark.parametrize("door", DOORS)
def test_a_column_that_is_none_is_refused(door: str) -> None:
    call, given, _ = DOORS[door]
    call(**given)
    for name, good in given.items():
        if isinstance(good, np.ndarray):
            for problem, bad in misshapen(door, good):
                assert refusal(door, name, bad), f"{name} {problem} was taken"


@pytest.mark.parametrize("door", DOORS)
def test_a_value_that_cannot_be_is_refused_with_its_row(door: str) -> None:
    _, given, wrong = DOORS[door]
    for name, values in wrong.items():
        for value in values:
            is_column, bad = isinstance(given[name], np.ndarray), value
            if is_column:
                bad = given[name].copy()
                bad.flat[-1] = value
            error = refusal(door, name, bad)
            assert error, f"{name} = {value} was taken"
            assert not is_column or name == "start" or error.row is not None, f"{name} = {value}: {error} names no row"


def test_columns_of_two_lengths_are_refused() -> None:
    apart = {"rows of the database", "parts of a book"}  # whose two columns have nothing to do with each other
    for door in DOORS.keys() - apart:
        columns = {name: good for name, good in DOORS[door][1].items() if isinstance(good, np.ndarray)}
        for name, good in columns.items() if len(columns) > 1 else ():
            assert refusal(door, name, good[:-1]), f"{door}: {name} was taken a row short"


def test_a_boolean_among_whole_numbers_is_refused_with_its_row() -> None:
    with pytest.raises(BookError, match=r"quantity\[1\] is True, not a whole number"):
        build_book(cash_units=[0], debt_units=[0], terms=[0], account=[0, 0], instrument=[0, 1], quantity=[5, True])


def test_records_of_other_sizes_than_each_other_are_refused() -> None:
    wide, narrow = account_of([1, 2, 3], debt=5), marks_of([5])
    for call in (
        lambda marks: value_book(wide, marks, LINES),
        lambda marks: stress_book(wide, marks, LINES, SCENARIOS),
        lambda marks: gap_loss(wide, marks, model_of(marks.instrument_count), CALM, EIGHT_DAYS, paths=1_000, levels=()),
        lambda marks: Watch(wide, marks, LINES),
        lambda marks: plan_sales(wide, marks, **PLAN),
        lambda marks: stress_parts(BOOK, marks, LINES, FxScenarios.at_rates(SCENARIOS, FX), PARTS),
    ):
        with pytest.raises(BookError, match="instrument"):
            call(narrow)


def test_an_account_without_a_part_is_refused_and_not_left_out_of_the_sums() -> None:
    parts = dataclasses.replace(PARTS, part=PARTS.part[:-1])
    for call in (
        lambda: stress_parts(BOOK, MARKS, LINES, FxScenarios.at_rates(SCENARIOS, FX), parts),
        lambda: gap_parts(BOOK, MARKS, MODEL, CALM, EIGHT_DAYS, parts, FX, paths=1_000),
        lambda: groups_of_parts(BOOK, MARKS, LINES, MARKS.price_units, FX, parts, np.zeros(2, np.int32), ["all"]),
    ):
        with pytest.raises(BookError, match=r"part must have shape \(3,\)"):
            call()


def test_none_for_a_table_of_marks_is_refused() -> None:
    for name in ("price_units", "haircut_bp", "lot"):
        given = {field.name: getattr(MARKS, field.name) for field in dataclasses.fields(Marks)}
        with pytest.raises(BookError, match=name):
            Marks(**{**given, name: None})
