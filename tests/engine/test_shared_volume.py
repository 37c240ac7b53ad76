"""A day's volume shared by all who are to be sold: never passed, well used, and certified."""

import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack
from tests.engine.cases import UNIT, column, marks_of
from tests.engine.sale_books import breached_accounts
from tests.engine.test_plans import NAMES, TARGET, desks

from reefpoint.engine import shared_volume as module
from reefpoint.engine.book import Book, Marks, build_book
from reefpoint.engine.columns import AMOUNT_UNITS_MAX, BookError
from reefpoint.engine.kernel import Kernel
from reefpoint.engine.liquidation import plan_of
from reefpoint.engine.plans import OUTCOMES, PlanOutcome, plan_sales
from reefpoint.engine.sale_steps import CURES
from reefpoint.engine.shared_volume import COVER_WEIGHT, SharedPlans, ShareMethod, share_volume

Desk = tuple[Book, Marks, dict[str, np.ndarray]]


def two_accounts() -> tuple[Book, Marks]:
    """The worse account holds both names, the milder one only the first, which is the cheaper to sell."""
    book = build_book(
        cash_units=[0, 0],
        debt_units=[1_640 * UNIT, 800 * UNIT],
        terms=[0, 0],
        account=[0, 0, 1],
        instrument=[0, 1, 0],
        quantity=[1_000, 1_000, 1_000],
    )
    return book, marks_of([UNIT, UNIT])


def share(cap: list[int], **options: object) -> SharedPlans:
    book, marks = two_accounts()
    return share_volume(
        book,
        marks,
        sellable=column(1_000, 1_000, 1_000),
        cost_bp=column(5, 20, 5),
        target_bp=TARGET,
        volume_cap=column(*cap),
        **options,  # type: ignore[arg-type]
    )


def sold_by_name(shared: SharedPlans, book: Book) -> np.ndarray:
    return np.bincount(book.instrument, shared.plans.quantity, NAMES).astype(np.int64)


def test_i20_the_worst_account_is_served_first_where_the_greedy_stands() -> None:
    shared = share([1_000, 0], preference=column(0, 0, 0))
    assert shared.method is ShareMethod.ORDERED
    assert shared.plans.quantity.tolist() == [922, 0, 78]
    assert shared.plans.deposit_still_needed_units[0] == 0 < shared.plans.deposit_still_needed_units[1]
    assert shared.left.tolist() == [0, 0]


def test_the_programme_moves_an_account_off_the_name_that_another_needs() -> None:
    shared = share([1_000, 1_000])
    greedy = share([1_000, 1_000], preference=column(0, 0, 0))
    assert shared.method is ShareMethod.PROGRAMME
    assert [OUTCOMES[code] for code in shared.plans.outcome] == [PlanOutcome.CURES, PlanOutcome.CURES]
    assert OUTCOMES[greedy.plans.outcome[1]] is PlanOutcome.FALLS_SHORT
    assert shared.plans.quantity[1] > greedy.plans.quantity[1] == 0
    assert shared.greedy_cost_units == greedy.cost_units > shared.cost_units >= shared.bound_units
    assert shared.cost_units <= 1.002 * shared.bound_units


def test_an_account_whose_gap_passes_an_int64_shares_like_any_other() -> None:
    million = 1_000_000 * UNIT
    book = build_book(
        cash_units=[0, 0],
        debt_units=[AMOUNT_UNITS_MAX * 3 // 4, 80 * million],
        terms=[0, 0],
        account=[0, 1, 1],
        instrument=[0, 0, 1],
        quantity=[AMOUNT_UNITS_MAX // million, 50, 54],
    )
    options = {"cost_bp": column(10, 10, 20), "target_bp": column(900_000, TARGET)}
    marks, held = marks_of([million, million]), book.quantity.astype(np.int64)
    needed = plan_sales(book, marks, sellable=held, **options).quantity
    cap = column(int(needed[0]), 100)
    shared = share_volume(book, marks, sellable=held, volume_cap=cap, **options)
    assert shared.method is ShareMethod.PROGRAMME
    assert shared.plans.outcome.tolist() == [CURES, CURES]
    assert shared.plans.quantity[:2].tolist() == [needed[0], 0]
    assert 0 < shared.bound_units <= shared.cost_units


def test_when_no_volume_binds_each_account_has_the_plan_it_would_have_alone() -> None:
    shared = share([10_000, 10_000])
    book, marks = two_accounts()
    alone = plan_sales(book, marks, sellable=column(1_000, 1_000, 1_000), cost_bp=column(5, 20, 5), target_bp=TARGET)
    assert shared.method is ShareMethod.NOTHING_BINDS
    assert [plan_of(shared.plans, book, row) for row in (0, 1)] == [plan_of(alone, book, row) for row in (0, 1)]
    assert shared.left.tolist() == [10_000 - sold for sold in sold_by_name(shared, book)[:2]]


@settings(max_examples=150, deadline=None)
@given(desk=desks(), cap=st.lists(st.integers(0, 60), min_size=NAMES, max_size=NAMES))
def test_i20_no_volume_and_no_holding_is_ever_passed(desk: Desk, cap: list[int]) -> None:
    book, marks, columns = desk
    shared = share_volume(book, marks, volume_cap=column(*cap), **columns)
    assert (shared.left == column(*cap) - sold_by_name(shared, book)).all()
    assert (shared.left >= 0).all()
    assert (shared.plans.quantity <= np.minimum(book.quantity, columns["sellable"])).all()
    assert not shared.plans.quantity[marks.is_stale[book.instrument]].any()
    assert shared.bound_units <= shared.cost_units <= shared.greedy_cost_units
    alone = plan_sales(book, marks, **columns)
    assert (shared.plans.bound_units[shared.plans.outcome == CURES] > 0).all()
    assert ((alone.outcome == CURES) | (shared.plans.outcome != CURES)).all()


def test_the_bound_and_the_answer_stand_against_every_possible_sharing() -> None:
    """Two accounts, two names, some steps each: every way to share is tried, and none is under the bound."""
    rng = np.random.default_rng(5)
    binding = 0
    for _ in range(60):
        prices, held, cost = rng.integers(5, 40, 2) * UNIT, rng.integers(2, 7, (2, 2)), rng.integers(5, 400, (2, 2))
        debt = ((held * prices).sum(axis=1) / rng.uniform(1.15, 1.3, 2)).astype(np.int64)
        book = build_book(
            cash_units=[0, 0],
            debt_units=debt,
            terms=[0, 0],
            account=[0, 0, 1, 1],
            instrument=[0, 1, 0, 1],
            quantity=held.ravel(),
        )
        cap = rng.integers(1, 7, 2)
        shared = share_volume(
            book,
            marks_of(prices.tolist()),
            sellable=held.ravel(),
            cost_bp=cost.ravel(),
            target_bp=TARGET,
            volume_cap=cap,
        )
        binding += shared.method is not ShareMethod.NOTHING_BINDS
        best = None
        for first in product(*(range(most + 1) for most in held[0])):
            for second in product(*(range(most + 1) for most in held[1])):
                if (np.add(first, second) > cap).any():
                    continue
                total = 0
                for row, quantities in enumerate((first, second)):
                    value = np.array(quantities) * prices
                    proceeds = ((value - -(-value * cost[row] // UNIT)) // 100 * 100).sum()
                    gap = TARGET * (debt[row] - proceeds) - UNIT * ((held[row] * prices).sum() - value.sum())
                    total += value.sum() + COVER_WEIGHT * max(0, -(-gap // UNIT))
                best = total if best is None else min(best, total)
        assert best is not None
        assert shared.bound_units <= best <= shared.cost_units
    assert binding > 20


def test_the_programme_comes_within_two_hundredths_of_the_bound_and_the_bound_is_its_optimum() -> None:
    desk = breached_accounts(400, seed=3, names=300, platform=100)
    book, marks = desk.book, desk.marks
    cap = desk.daily_volume // 20
    sellable = book.quantity.astype(np.int64)
    shared = share_volume(book, marks, sellable=sellable, cost_bp=desk.cost_bp, target_bp=TARGET, volume_cap=cap)
    assert shared.method is ShareMethod.PROGRAMME
    assert (np.bincount(book.instrument, shared.plans.quantity, 300) <= cap).all()
    assert shared.cost_units < 1.02 * shared.bound_units < shared.greedy_cost_units
    plans, owner = shared.plans, np.repeat(np.arange(400), np.diff(book.start))
    price = marks.price_units[book.instrument] / 1e7
    most = np.where(marks.is_suspended[book.instrument], 0, sellable) * price
    gap = (1.5 * plans.debt_before_units - plans.assets_before_units - 0.5 * plans.cash_applied_units) / 1e7
    cover = csr_matrix((-(1.5 * (1 - desk.cost_bp / UNIT) - 1), (owner, np.arange(len(owner)))))
    volume = csr_matrix((np.ones(len(owner)), (book.instrument, np.arange(len(owner)))), shape=(300, len(owner)))
    wide = vstack([cover, volume]).tocsc()
    slack = csr_matrix((-np.ones(400), (np.arange(400), np.arange(400))), shape=(700, 400))
    solved = linprog(
        np.concatenate([np.ones(len(owner)), np.full(400, COVER_WEIGHT)]),
        A_ub=csr_matrix(np.hstack([wide.toarray(), slack.toarray()])),
        b_ub=np.concatenate([-np.maximum(gap, 0), cap * marks.price_units / 1e7]),
        bounds=np.stack([np.zeros(len(owner) + 400), np.concatenate([most, np.full(400, np.inf)])], axis=1),
    )
    assert shared.bound_units == pytest.approx(solved.fun * 1e7, rel=1e-6)


@pytest.mark.parametrize(
    ("answer", "method"),
    [
        ((ShareMethod.SOLVER_LATE, np.empty(0), np.empty(0)), ShareMethod.SOLVER_LATE),
        ((ShareMethod.SOLVER_LATE, np.empty(0), np.full(3, -0.01)), ShareMethod.SOLVER_LATE),
        ((ShareMethod.SOLVER_FAILED, np.empty(0), np.empty(0)), ShareMethod.SOLVER_FAILED),
        ((ShareMethod.PROGRAMME, np.full(5, np.nan), np.zeros(3)), ShareMethod.SOLVER_FAILED),
        ((ShareMethod.PROGRAMME, np.zeros(5), np.full(3, np.inf)), ShareMethod.GREEDY_IS_BETTER),
        ((ShareMethod.PROGRAMME, np.zeros(5), np.full(3, -np.inf)), ShareMethod.SOLVER_FAILED),
        ((ShareMethod.PROGRAMME, np.full(5, 1e12), np.zeros(3)), ShareMethod.SOLVER_FAILED),
        ((ShareMethod.PROGRAMME, np.full(5, -1.0), np.full(3, -3.0)), ShareMethod.PROGRAMME),
    ],
)
def test_a_solver_that_fails_or_lies_leaves_lawful_plans_and_a_true_bound(
    answer: object, method: ShareMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_run_solver", lambda *_: answer)
    shared = share([1_000, 1_000])
    monkeypatch.undo()
    book, _ = two_accounts()
    assert shared.method in {method, ShareMethod.GREEDY_IS_BETTER}
    assert (sold_by_name(shared, book) <= 1_000).all()
    assert shared.bound_units <= share([1_000, 1_000]).cost_units <= shared.cost_units <= shared.greedy_cost_units


def test_without_the_solver_the_greedy_stands_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    shared = share([1_000, 1_000])
    assert shared.method is ShareMethod.SOLVER_MISSING
    assert shared.cost_units == shared.greedy_cost_units > shared.bound_units > 0


def test_a_solver_out_of_time_says_so() -> None:
    assert share([1_000, 1_000], seconds=1e-9).method is ShareMethod.SOLVER_LATE


def test_interpreted_and_compiled_share_the_same() -> None:
    answers = []
    for steps_left in (2**62, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Kernel, "_steps_left", steps_left)
            shared = share([1_000, 1_000])
            answers.append((shared.bound_units, [one.tobytes() for one in vars(shared.plans).values()]))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("cap", "options", "where"),
    [
        ([1], {}, "volume_cap must have shape"),
        ([1, -1], {}, r"volume_cap\[1\] is -1"),
        ([1, 1], {"seconds": float("nan")}, "seconds is nan"),
    ],
)
def test_a_bad_input_is_refused_and_named(cap: list[int], options: dict[str, object], where: str) -> None:
    with pytest.raises(BookError, match=where):
        share(cap, **options)
