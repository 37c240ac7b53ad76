"""Books of several home currencies: each account in its own money, sums in one, against plain fractions."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.cases import LINES, UNIT, column, marks_of, reference, reference_band
from tests.engine.gap_cases import EIGHT_DAYS, MARKET, random_model

from reefpoint.engine.book import Book, Marks, build_book, take_names
from reefpoint.engine.columns import BookError
from reefpoint.engine.currencies import E8, FxVersion, HomeColumns, convert_down, convert_up
from reefpoint.engine.gap import gap_loss
from reefpoint.engine.reporting import (
    FxScenarios,
    Parts,
    gap_parts,
    groups_of_parts,
    moves_of_parts,
    reverse_parts,
    shock_rates,
    stress_parts,
    sum_parts,
)
from reefpoint.engine.scenarios import Scenarios, along, fall_scenarios, shock_prices
from reefpoint.engine.stress import stress_book

CNY, HKD, USD = range(3)
FX = FxVersion(
    "fx-1",
    ("CNY", "HKD", "USD"),
    np.array([[E8, 91_800_000, 718_500_001], [108_932_461, E8, 782_650_000], [13_917_884, 12_777_104, E8]]),
)
QUOTED = column(CNY, HKD, USD, USD)
NATIVE = marks_of([10 * UNIT, 333_333, 1_234_567, 777_777])
HOMES = column(CNY, HKD, USD, HKD)
"""Home currencies of parts 0..3."""


def way_along(direction_e8: np.ndarray) -> Callable[[np.ndarray], Scenarios]:
    return lambda steps: along(NATIVE.price_units, direction_e8, steps.tolist())


def a_book(accounts: int, seed: int, *, shorts: bool = False) -> tuple[Book, Marks, Parts]:
    """Accounts of four parts that each hold names of any currency, in their home columns."""
    rng = np.random.default_rng(seed)
    part = rng.integers(0, 4, accounts).astype(np.int32)
    owner, name = np.nonzero(rng.random((accounts, 4)) < 0.7)
    homes = HOMES[part[owner]]
    columns = HomeColumns.of_positions(QUOTED, np.tile(np.arange(4), 3), np.repeat(np.arange(3), 4))
    marks = columns.marks(NATIVE, FX)
    quantity = rng.integers(1, 5_000, len(owner)) * np.where(shorts & (rng.random(len(owner)) < 0.2), -1, 1)
    at = columns.columns(name.copy(), homes)
    worth = np.bincount(owner, np.maximum(quantity, 0) * marks.price_units[at], accounts)
    book = build_book(
        cash_units=rng.integers(0, 10**7, accounts),
        debt_units=(worth / rng.uniform(1.0, 2.5, accounts)).astype(np.int64),
        terms=np.zeros(accounts, dtype=np.int64),
        account=owner,
        instrument=at,
        quantity=quantity,
    )
    return book, marks, Parts(part, HOMES, USD, columns)


def scenarios_of(count: int, seed: int) -> FxScenarios:
    rng = np.random.default_rng(seed)
    native = shock_prices(
        NATIVE.price_units, rng.integers(-60, 30, (count, 4)) * E8 // 100, [str(k) for k in range(count)]
    )
    return FxScenarios(native, shock_rates(FX, rng.integers(-30, 30, (count, 3)) * E8 // 100))


@given(seed=st.integers(0, 10**6), shorts=st.booleans())
@settings(max_examples=25, deadline=None)
def test_every_total_is_the_sum_of_accounts_valued_one_by_one_in_fractions(seed: int, shorts: bool) -> None:
    book, marks, parts = a_book(7, seed, shorts=shorts)
    scenarios = scenarios_of(3, seed + 1)
    found = stress_parts(book, marks, LINES, scenarios, parts)
    assert sorted(np.concatenate([one.rows for one in found]).tolist()) == list(range(7))
    for k in range(3):
        fx = FxVersion("k", FX.currencies, scenarios.rate_e8[k])
        moved = parts.columns.marks(marks_of(scenarios.native.price_units[k].tolist()), fx)
        for part, one in enumerate(found):
            own, debts = 0, [0, 0, 0, 0]
            for row in one.rows.tolist():
                exact = reference(book, moved, row)
                debt = int(book.debt_units[row])
                own += max(0, debt + exact.short - exact.assets)
                debts[reference_band(exact.assets, debt + exact.short, LINES, 0)] += debt
            rate = Fraction(int(fx.rate_e8[USD, HOMES[part]]), E8)
            assert one.result.shortfall_units[k] == own
            assert one.shortfall_units[k] == ceil(own * rate)
            assert one.band_debt_units[k].tolist() == [ceil(debt * rate) for debt in debts]


def test_threads_and_the_order_of_accounts_change_no_bit() -> None:
    book, marks, parts = a_book(3_000, 5)
    scenarios = scenarios_of(20, 6)
    one, three = (stress_parts(book, marks, LINES, scenarios, parts, threads=threads) for threads in (1, 3))
    for a, b in zip(one, three, strict=True):
        assert (a.shortfall_units == b.shortfall_units).all()
        assert (a.result.worst_assets_units == b.result.worst_assets_units).all()
        assert (a.result.expected_shortfall_units == b.result.expected_shortfall_units).all()


def test_a_desk_of_one_currency_is_told_what_one_book_says() -> None:
    book, marks, parts = a_book(50, 9)
    alone = Parts(np.zeros(50, dtype=np.int32), column(HKD), HKD, parts.columns)
    scenarios = FxScenarios.at_rates(fall_scenarios(NATIVE.price_units, [0, 2_000, 9_999]), FX)
    (found,) = stress_parts(book, marks, LINES, scenarios, alone)
    plain = stress_book(book, marks, LINES, scenarios.of_columns(parts.columns))
    assert found.shortfall_units.tolist() == plain.shortfall_units.tolist()
    assert found.band_debt_units.tolist() == plain.band_debt_units.tolist()


def test_a_common_move_of_all_currencies_changes_nothing_and_one_alone_changes_all_its_pairs() -> None:
    rates = shock_rates(FX, np.array([[0, 0, 0], [-E8 // 2] * 3, [0, -E8 // 10, 0]]))
    assert (rates[0] == FX.rate_e8).all()
    assert (rates[1] == FX.rate_e8).all()
    assert rates[2, CNY, HKD] == 91_800_000 * 9 // 10
    assert rates[2, HKD, USD] == 782_650_000 * 10 // 9
    assert rates[2, CNY, USD] == FX.rate_e8[CNY, USD]


def test_a_currency_that_falls_takes_those_down_who_hold_it_and_not_those_who_live_in_it() -> None:
    columns = HomeColumns.of_positions(QUOTED, column(1, 1), column(HKD, USD))
    marks = columns.marks(NATIVE, FX)
    book = build_book(
        cash_units=[0, 0],
        debt_units=[200 * 333_333 // 2, int(marks.price_units[4]) * 100],
        terms=[0, 0],
        account=[0, 1],
        instrument=[1, 4],
        quantity=[200, 200],
    )
    parts = Parts(np.array([0, 1], dtype=np.int32), column(HKD, USD), USD, columns)
    native = Scenarios(("today", "HKD halves"), np.stack([NATIVE.price_units] * 2))
    scenarios = FxScenarios(native, shock_rates(FX, np.array([[0, 0, 0], [0, -E8 * 6 // 10, 0]])))
    at_home, abroad = stress_parts(book, marks, LINES, scenarios, parts)
    assert at_home.result.band_accounts.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert abroad.result.band_accounts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]
    assert abroad.shortfall_units[1] > 0
    change = moves_of_parts(book, marks, LINES, scenarios, parts)
    assert change.names == ("HKD halves",)
    assert change.shortfall_units.tolist() == [int(abroad.shortfall_units[1])]
    assert change.band_accounts.tolist() == [[-1, 0, 0, 1]]


def test_sensitivities_by_name_are_differences_of_full_runs_converted_once_by_currency() -> None:
    book, marks, parts = a_book(60, 3)
    found = groups_of_parts(
        book, marks, LINES, NATIVE.price_units, FX, parts, np.arange(4, dtype=np.int32), list("abcd"), move_bp=-3_000
    )
    for name in range(4):
        shock = np.zeros((2, 4), dtype=np.int64)
        shock[1, name] = -3_000 * (E8 // UNIT)
        scenarios = FxScenarios.at_rates(shock_prices(NATIVE.price_units, shock, ["today", "moved"]), FX)
        runs = stress_parts(book, marks, LINES, scenarios, parts)
        shortfall = 0
        for home in (CNY, HKD, USD):
            own = sum(
                int(one.result.shortfall_units[1] - one.result.shortfall_units[0])
                for part, one in enumerate(runs)
                if HOMES[part] == home
            )
            shortfall += ceil(own * Fraction(int(FX.rate_e8[USD, home]), E8))
        assert found.shortfall_units[name] == shortfall
        bands = sum_parts([one.result.band_accounts[1] - one.result.band_accounts[0] for one in runs], 4)
        assert found.band_accounts[name].tolist() == bands.tolist()


def test_the_fall_that_breaks_a_limit_is_found_in_the_reporting_currency() -> None:
    book, marks, parts = a_book(40, 12)
    limit = 10**9
    found = reverse_parts(book, marks, LINES, way_along(np.full(4, -E8)), FX, parts, limit_units=limit)
    assert found.step_bp is not None
    assert found.is_smallest

    def loss(fall_bp: int) -> int:
        scenarios = FxScenarios.at_rates(fall_scenarios(NATIVE.price_units, [fall_bp]), FX)
        return sum(int(one.shortfall_units[0]) for one in stress_parts(book, marks, LINES, scenarios, parts))

    assert loss(found.step_bp) == found.loss_units > limit >= found.loss_before_units == loss(found.step_bp - 1)
    assert 0 <= found.shortfall_units.sum() - found.loss_units <= len(found.accounts)  # each rounded up by itself
    hkd = np.array([0, -E8 * 9 // 10, 0])
    fx_way = reverse_parts(
        book,
        marks,
        LINES,
        way_along(np.zeros(4, dtype=np.int64)),
        FX,
        parts,
        limit_units=10**8,
        fx_direction_e8=hkd,
    )
    assert fx_way.step_bp is not None
    assert not fx_way.is_smallest


def test_gap_losses_of_all_currencies_meet_on_the_same_paths() -> None:
    book, marks, parts = a_book(80, 4)
    model, paths = random_model(4), 400
    groups = {"scheme": np.array([0, 1, 0, 1], dtype=np.int32)}
    found = gap_parts(
        book, marks, model, MARKET, EIGHT_DAYS, parts, FX, paths=paths, levels=(0.9,), groups=groups, worst=3
    )
    total = np.zeros(paths, dtype=np.int64)
    for part, home in enumerate(HOMES.tolist()):
        rows = parts.rows(part)
        names = np.flatnonzero(parts.columns.home == home)
        own = build_book(
            cash_units=book.cash_units[rows],
            debt_units=book.debt_units[rows],
            terms=book.terms[rows],
            account=[i for i, row in enumerate(rows.tolist()) for _ in range(*book.positions(row).indices(10**9))],
            instrument=[
                int(np.flatnonzero(names == book.instrument[j])[0])
                for row in rows.tolist()
                for j in range(*book.positions(row).indices(10**9))
            ],
            quantity=[
                int(book.quantity[j]) for row in rows.tolist() for j in range(*book.positions(row).indices(10**9))
            ],
        )
        alone = gap_loss(
            own,
            take_names(marks, names),
            model.take(parts.columns.instrument[names]),
            MARKET,
            EIGHT_DAYS,
            paths=paths,
            levels=(0.9,),
        )
        total += convert_up(alone.path_loss_units, int(FX.rate_e8[USD, home]))
    assert found.total.expected[0] == total.mean()
    assert found.total.value_at_risk[0, 0] == np.sort(total)[int(0.9 * paths) - 1]
    assert found.by_group["scheme"].expected.sum() == pytest.approx(total.mean(), rel=1e-12)
    assert found.account.tolist() == np.argsort(-found.expected_units, kind="stable")[:3].tolist()
    first = int(found.account[0])
    rate = FX.rate_e8[USD, HOMES[parts.part[first]]] / E8
    assert found.by_account[0].expected[0] * rate == pytest.approx(found.expected_units[first])


@given(units=st.integers(-(2**55), 2**55), rate=st.integers(0, 10**10))
def test_conversion_in_64_bits_is_that_of_whole_numbers(units: int, rate: int) -> None:
    exact = Fraction(units * rate, E8)
    if abs(exact) < 2**62:
        assert convert_down(column(units), column(rate)).tolist() == [floor(exact)]
        assert convert_up(column(units), rate).tolist() == [ceil(exact)]


def test_what_cannot_be_told_is_refused_and_named() -> None:
    book, marks, parts = a_book(5, 1)
    no_rate = FX.rate_e8.copy()
    no_rate[USD, HKD] = 0
    today = fall_scenarios(NATIVE.price_units, [0])
    with pytest.raises(BookError, match="no rate to the reporting currency"):
        stress_parts(book, marks, LINES, FxScenarios(today, no_rate[None]), parts)
    with pytest.raises(BookError, match="-100%"):
        shock_rates(FX, np.array([[0, -E8, 0]]))
    with pytest.raises(BookError, match="larger than a rate"):
        shock_rates(FX, np.array([[0, 1 - E8, 0]]))
    with pytest.raises(BookError, match="sums pass"):
        sum_parts([column(2**61), column(2**61)], 1)
