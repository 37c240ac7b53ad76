"""The lender's gap loss."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.engine.cases import account_of
from tests.engine.gap_cases import (
    CALM,
    EIGHT_DAYS,
    MARKET,
    Told,
    fractions,
    marks_at,
    model_of,
    random_book,
    random_model,
)

from reefpoint.engine import gap as module
from reefpoint.engine.book import Book, build_book, one_account
from reefpoint.engine.columns import BookError
from reefpoint.engine.gap import GapLoss, gap_loss
from reefpoint.engine.kernel import Kernel
from reefpoint.engine.sale_prices import Horizon, fill_sale_prices, path_block, shock_keys

HALF = Told((-0.5, 0.0))
TWO_DAYS = Horizon(days=2, grace_days=0, seed=1)
CNY = 10_000


def figures(result: GapLoss) -> list[bytes]:
    """Every column of a result, to the bit."""
    tails = [result.total, result.by_account, *result.by_group.values()]
    columns = [result.path_loss_units, result.loss_sum_units, result.expected_units, result.expected_error_units]
    columns += [np.asarray(getattr(tail, field.name)) for tail in tails for field in fields(tail)]
    return [column.tobytes() for column in columns]


def half_lost(book: Book, *prices: int, **options: object) -> GapLoss:
    """The book after every name has lost half, on 200 paths that are all alike."""
    options = {"paths": 200, "levels": (0.95,), **options}
    model = model_of(len(prices))
    return gap_loss(book, marks_at(np.array(prices)), model, HALF, TWO_DAYS, **options)  # type: ignore[arg-type]


def test_the_loss_is_debt_less_cash_less_proceeds() -> None:
    """100 shares of 10.00 fetch 5.00 each: 900 owed, 100 in cash, 500 from the sale; 300 are lost."""
    result = half_lost(account_of([100], cash=100 * CNY, debt=900 * CNY), 10 * CNY)
    assert result.expected_units.tolist() == [300 * CNY]
    assert result.expected_error_units.tolist() == [0]
    assert result.total.value_at_risk.tolist() == result.total.expected_shortfall.tolist() == [[300 * CNY]]
    assert (result.path_loss_units == 300 * CNY).all()
    assert result.loss_sum_units.tolist() == [200 * 300 * CNY]


@pytest.mark.parametrize(("debt", "lost"), [(599, 0), (600, 0), (601, 1), (0, 0)])
def test_what_covers_the_debt_exactly_loses_nothing(debt: int, lost: int) -> None:
    result = half_lost(account_of([100], cash=100 * CNY, debt=debt * CNY), 10 * CNY)
    assert result.expected_units.tolist() == [lost * CNY]


def test_one_account_with_more_than_enough_pays_for_no_other() -> None:
    book = build_book(
        cash_units=[0, 0],
        debt_units=[900 * CNY, 10 * CNY],
        terms=[0, 0],
        account=[0, 1],
        instrument=[0, 0],
        quantity=[100, 100],
    )
    assert half_lost(book, 10 * CNY).path_loss_units[0] == 400 * CNY


def test_the_parts_by_group_add_up_to_the_whole_in_each_grouping() -> None:
    book, marks = random_book(60, 20)
    schemes, pools = (np.arange(60) % count for count in (3, 2))
    groups = {"scheme": schemes.astype(np.int32), "pool": pools.astype(np.int32) + 1}
    result = gap_loss(
        book, marks, random_model(20), MARKET, EIGHT_DAYS, paths=1_000, groups=groups, accounts=np.arange(60)
    )
    assert result.by_group["pool"].expected[0] == 0, "no account is of pool 0"
    assert len(result.by_group["scheme"].expected) == len(result.by_group["pool"].expected) == 3
    for grouping, numbers in (("scheme", schemes), ("pool", pools + 1)):
        expected = np.bincount(numbers, result.expected_units, minlength=3)
        assert result.by_group[grouping].expected == pytest.approx(expected)
    assert result.total.expected == pytest.approx([result.expected_units.sum()])
    # tails do not add up, but none is more than the sum of its parts' (ES is subadditive)
    assert result.total.expected_shortfall[0, 1] <= result.by_group["scheme"].expected_shortfall[:, 1].sum()
    # asked accounts give the same mean and error as the running sums do
    assert result.by_account.expected == pytest.approx(result.expected_units)
    assert result.by_account.expected_error == pytest.approx(
        result.expected_error_units, abs=1e-6 * book.debt_units.max()
    )


def test_one_normal_name_without_limits_loses_what_the_closed_form_says() -> None:
    """Sold after one day at p * (1 + s z): the loss is a put struck at the debt (Bachelier), its tails are normal."""
    price, deviation, debt = 10.0, 0.1, 950.0
    model = model_of(volatility=deviation)
    book = account_of([100], debt=int(debt * CNY))
    result = gap_loss(
        book,
        marks_at(np.array([int(price * CNY)])),
        model,
        CALM,
        Horizon(1, 0, 11),
        paths=40_000,
        accounts=np.array([0]),
    )
    value, spread = 100 * price, 100 * price * deviation
    d = (debt - value) / spread
    put = (debt - value) * stats.norm.cdf(d) + spread * stats.norm.pdf(d)
    quantile = stats.norm.ppf(0.99)
    tails = result.total
    for figure, error, exact in (
        (tails.expected[0], tails.expected_error[0], put),
        (tails.value_at_risk[0, 1], tails.value_at_risk_error[0, 1], debt - value + spread * quantile),
        (
            tails.expected_shortfall[0, 1],
            tails.expected_shortfall_error[0, 1],
            debt - value + spread * stats.norm.pdf(quantile) / 0.01,
        ),
    ):
        assert abs(figure / CNY - exact) < 4 * error / CNY
        assert error / CNY < 0.05 * exact
    assert result.by_account.expected_shortfall.tolist() == tails.expected_shortfall.tolist()


def test_it_is_what_a_direct_valuation_of_every_account_on_every_path_gives() -> None:
    book, marks = random_book(80, 25)
    model, paths = random_model(25), 300
    result = gap_loss(book, marks, model, MARKET, EIGHT_DAYS, paths=paths, levels=(0.9,))
    total = np.zeros(paths)
    price = fractions(model, MARKET, EIGHT_DAYS, paths).astype(float) * marks.price_units[:, None]
    for row in range(80):
        held = book.positions(row)
        proceeds = book.quantity[held].astype(float) @ price[book.instrument[held]]
        owed = float(book.debt_units[row] - book.cash_units[row])
        loss = np.maximum(owed - proceeds, 0.0)
        assert result.expected_units[row] == pytest.approx(loss.mean(), rel=1e-4, abs=1e-6 * owed)
        total += loss
    assert result.path_loss_units == pytest.approx(total, abs=1e-6 * float(book.debt_units.sum()))


def test_skipping_accounts_that_cannot_lose_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    book, marks = random_book(400, 30)
    run = {"paths": 512, "levels": (0.9,), "accounts": np.arange(0, 400, 7)}
    skipped = gap_loss(book, marks, random_model(30), MARKET, EIGHT_DAYS, **run)  # type: ignore[arg-type]
    lose = module._lose_rows.run

    def never_skip(steps: int, *columns: object) -> int:
        lowest = 9
        return lose(steps, *columns[:lowest], np.zeros(30), *columns[lowest + 1 :])  # type: ignore[arg-type]

    monkeypatch.setattr(module._lose_rows, "run", never_skip)
    everyone = gap_loss(book, marks, random_model(30), MARKET, EIGHT_DAYS, **run)  # type: ignore[arg-type]
    assert everyone.evaluated == 4 * everyone.candidates
    assert skipped.evaluated < 0.8 * everyone.evaluated
    assert figures(skipped) == figures(everyone)


def test_threads_change_no_bit() -> None:
    book, marks = random_book(20_000, 1_100)
    model = random_model(1_100)
    one, three = (
        figures(
            gap_loss(
                book,
                marks,
                model,
                MARKET,
                EIGHT_DAYS,
                paths=300,
                levels=(0.9,),
                threads=threads,
                accounts=np.arange(50),
                groups={"scheme": (np.arange(20_000) % 4).astype(np.int32)},
            )
        )
        for threads in (1, 3)
    )
    assert one == three


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(20, 380), first=st.integers(0, 10_000))
def test_blocks_of_paths_add_up_to_the_bit(cut: int, first: int) -> None:
    book, marks = random_book(40, 12)

    def run(first_path: int, paths: int) -> GapLoss:
        return gap_loss(
            book, marks, random_model(12), MARKET, EIGHT_DAYS, paths=paths, first_path=first_path, levels=(0.5,)
        )

    whole, early, late = run(first, 400), run(first, cut), run(first + cut, 400 - cut)
    assert (early.loss_sum_units + late.loss_sum_units).tolist() == whole.loss_sum_units.tolist()
    assert np.concatenate([early.path_loss_units, late.path_loss_units]).tolist() == whole.path_loss_units.tolist()


def test_compiled_and_interpreted_losses_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    book, marks = random_book(12, 6)
    answers = []
    for steps_left in (2**62, -1):
        monkeypatch.setattr(Kernel, "_steps_left", steps_left)
        run = gap_loss(
            book, marks, random_model(6), MARKET, EIGHT_DAYS, paths=140, levels=(0.9,), accounts=np.array([3, 1])
        )
        answers.append(figures(run))
    assert answers[0] == answers[1]


@settings(max_examples=20, deadline=None)
@given(more=st.lists(st.integers(0, 10**9), min_size=30, max_size=30))
def test_more_debt_is_never_less_loss(more: list[int]) -> None:
    book, marks = random_book(30, 10)
    deeper = replace(book, debt_units=book.debt_units + np.array(more))
    before, after = (
        gap_loss(each, marks, random_model(10), MARKET, EIGHT_DAYS, paths=200, levels=(0.9,)) for each in (book, deeper)
    )
    assert (after.loss_sum_units >= before.loss_sum_units).all()
    assert (after.path_loss_units >= before.path_loss_units).all()


@settings(max_examples=20, deadline=None)
@given(fall=st.lists(st.floats(0.2, 1.0), min_size=10, max_size=10))
def test_i06_lower_prices_are_never_less_loss(fall: list[float]) -> None:
    book, marks = random_book(30, 10)
    lower = marks_at(np.maximum((marks.price_units * np.array(fall)).astype(np.int64), 1))
    before, after = (
        gap_loss(book, each, random_model(10), MARKET, EIGHT_DAYS, paths=200, levels=(0.9,)) for each in (marks, lower)
    )
    assert (after.loss_sum_units >= before.loss_sum_units).all()


def test_more_collateral_is_never_more_loss() -> None:
    book, marks = random_book(30, 10)
    richer = replace(book, quantity=book.quantity + 100)
    before, after = (
        gap_loss(each, marks, random_model(10), MARKET, EIGHT_DAYS, paths=200, levels=(0.9,)) for each in (book, richer)
    )
    assert (after.loss_sum_units <= before.loss_sum_units).all()


def test_a_name_that_joins_moves_no_loss_of_those_who_do_not_hold_it() -> None:
    book, marks = random_book(30, 10)
    wide, last = random_model(11), np.arange(11)
    turned = wide.take(last[::-1].copy())  # and in the other order
    wider_marks = marks_at(np.append(marks.price_units, 77_700)[::-1].copy())
    moved = replace(book, instrument=(10 - book.instrument).astype(np.uint16))
    narrow = wide.take(last[:10].copy())
    before = gap_loss(book, marks, narrow, MARKET, EIGHT_DAYS, paths=200, levels=(0.9,))
    after = gap_loss(moved, wider_marks, turned, MARKET, EIGHT_DAYS, paths=200, levels=(0.9,))
    assert figures(before) == figures(after)


def test_the_order_of_accounts_changes_nothing() -> None:
    book, marks = random_book(30, 10)
    order = np.random.default_rng(1).permutation(30)
    accounts = [book.account(int(row)) for row in order]
    shuffled = Book(
        np.concatenate([[0], np.cumsum([one.position_count for one in accounts])]).astype(np.int32),
        *(
            np.concatenate([getattr(one, name) for one in accounts])
            for name in ("instrument", "quantity", "cash_units", "debt_units", "terms")
        ),
    )
    before, after = (
        gap_loss(each, marks, random_model(10), MARKET, EIGHT_DAYS, paths=200, levels=(0.9,))
        for each in (book, shuffled)
    )
    assert after.loss_sum_units.tolist() == before.loss_sum_units[order].tolist()
    assert after.path_loss_units.tolist() == before.path_loss_units.tolist()


def test_an_account_with_an_unpriced_name_is_unknown_and_in_no_figure() -> None:
    book = build_book(
        cash_units=[0, 0],
        debt_units=[900 * CNY, 900 * CNY],
        terms=[0, 0],
        account=[0, 1, 1],
        instrument=[0, 0, 1],
        quantity=[100, 100, 1],
    )
    result = half_lost(book, 10 * CNY, 0)
    assert result.is_unknown.tolist() == [False, True]
    assert result.expected_units.tolist() == [400 * CNY, 0]
    assert result.path_loss_units[0] == 400 * CNY


def test_an_account_without_positions_loses_all_that_cash_does_not_cover() -> None:
    assert half_lost(account_of([], cash=10 * CNY, debt=30 * CNY), 10 * CNY).expected_units.tolist() == [20 * CNY]


def test_an_empty_book_loses_nothing() -> None:
    empty = build_book(cash_units=[], debt_units=[], terms=[], account=[], instrument=[], quantity=[])
    result = half_lost(empty, 10 * CNY, groups={"scheme": np.empty(0, dtype=np.int32)})
    assert result.total.expected.tolist() == [0]
    assert result.expected_units.tolist() == []


@pytest.mark.parametrize(
    ("options", "column"),
    [
        ({"paths": 0}, "paths"),
        ({"paths": 2**22 + 1}, "paths"),
        ({"levels": (0.99,)}, "levels"),
        ({"accounts": np.array([1])}, "accounts"),
        ({"accounts": np.array([-1])}, "accounts"),
        ({"accounts": np.array([0.0])}, "accounts"),
        ({"groups": {"scheme": np.array([-1], dtype=np.int32)}}, "scheme"),
        ({"groups": {"scheme": np.array([0, 0], dtype=np.int32)}}, "scheme"),
        ({"threads": 0}, "threads"),
        ({"first_path": -1}, "first_path"),
    ],
)
def test_a_run_that_cannot_be_is_refused_and_names_the_column(options: dict[str, object], column: str) -> None:
    with pytest.raises(BookError) as refused:
        half_lost(account_of([100], debt=900 * CNY), 10 * CNY, **options)
    assert refused.value.column == column


def test_a_model_of_other_names_than_the_marks_is_refused() -> None:
    with pytest.raises(BookError, match="key has 2 names, the marks have 1"):
        gap_loss(account_of([1], debt=1), marks_at(np.array([CNY])), model_of(2), HALF, TWO_DAYS, paths=1_000)


def test_a_short_is_bought_back_at_the_price_of_the_path() -> None:
    """Cash of 1,500 from a short sale of 100 at 10: when the price doubles, 500 are missing."""
    short = one_account(instrument=[0], quantity=[-100], cash_units=1_500 * CNY, debt_units=0)
    double = gap_loss(short, marks_at(np.array([10 * CNY])), model_of(), Told((1.0, 0.0)), TWO_DAYS, paths=1_000)
    assert double.path_loss_units.tolist() == [500 * CNY] * 1_000
    assert (double.evaluated, double.candidates) == (8, 1)


def test_a_short_whose_name_is_locked_at_its_limit_up_is_bought_when_it_trades_again() -> None:
    """Half up, then a fifth down: at once it costs 15, with a limit of a tenth nobody sells before it is at 12."""
    short = one_account(instrument=[0], quantity=[-100], cash_units=0, debt_units=0)
    marks, days = marks_at(np.array([10 * CNY])), Told((0.5, -0.2, 0.0))
    for limit, horizon, loss in ((np.inf, 3, 1_500), (0.1, 3, 1_200), (0.1, 1, 1_500)):
        result = gap_loss(short, marks, model_of(limit=limit), days, Horizon(horizon, 0, 1), paths=1_000)
        assert result.path_loss_units[0] == pytest.approx(loss * CNY, rel=1e-6)


def test_shorts_are_valued_on_every_path_as_directly_whatever_the_threads() -> None:
    book, marks = random_book(120, 25)
    rng = np.random.default_rng(6)
    book = replace(book, quantity=(book.quantity * rng.choice([1, 1, -1], book.position_count)).astype(np.int32))
    model, paths = random_model(25), 300
    one, three = (
        gap_loss(book, marks, model, MARKET, EIGHT_DAYS, paths=paths, levels=(0.9,), threads=threads)
        for threads in (1, 3)
    )
    assert figures(one) == figures(three)
    keys, block = shock_keys(model, EIGHT_DAYS), path_block(model, MARKET, EIGHT_DAYS, 0, paths)
    bought, ones, unsold = np.empty((25, paths), np.float32), np.ones(25, np.float32), np.zeros(25, np.int64)
    fill_sale_prices(model, EIGHT_DAYS, keys, block, slice(0, 25), ones, bought, unsold, buys=True)
    sold = fractions(model, MARKET, EIGHT_DAYS, paths).astype(float)
    assert (bought >= sold - 1e-6).mean() > 0.5
    total = np.zeros(paths)
    for row in range(120):
        held = book.positions(row)
        quantity, names = book.quantity[held].astype(float), book.instrument[held]
        price = np.where(quantity[:, None] < 0, bought[names].astype(float), sold[names])
        worth = quantity @ (price * marks.price_units[names, None])
        total += np.maximum(float(book.debt_units[row] - book.cash_units[row]) - worth, 0.0)
    assert one.path_loss_units == pytest.approx(total, rel=1e-4)


def test_a_debt_whose_losses_could_pass_an_int64_is_refused() -> None:
    with pytest.raises(BookError, match="too many for debts so large"):
        half_lost(account_of([], debt=2**49), CNY, paths=2**13)
