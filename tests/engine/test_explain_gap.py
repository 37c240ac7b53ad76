"""The expected loss of one account: its terms are those of the run over the whole book, and they add up."""

import numpy as np
import pytest
from tests.engine.cases import account_of, marks_of
from tests.engine.gap_cases import EIGHT_DAYS, MARKET, Told, model_of, random_book, random_model

from reefpoint.engine.book import build_book
from reefpoint.engine.columns import BookError
from reefpoint.engine.explain_gap import explain_gap
from reefpoint.engine.gap import gap_loss
from reefpoint.engine.sale_prices import Horizon

CNY = 10_000
PATHS = 300


def test_the_account_alone_is_told_as_in_the_run_over_the_book_and_adds_up() -> None:
    book, marks = random_book(12, 20)
    model = random_model(20)
    quantity = book.quantity.copy()
    quantity[::11] *= -1
    book = type(book)(book.start, book.instrument, quantity, book.cash_units, book.debt_units, book.terms)
    whole = gap_loss(book, marks, model, MARKET, EIGHT_DAYS, paths=PATHS, first_path=40, levels=())
    losing, total = 0, np.zeros(PATHS, dtype=np.int64)
    for row in range(book.account_count):
        told = explain_gap(book.account(row), marks, model, MARKET, EIGHT_DAYS, paths=PATHS, first_path=40)
        assert told.expected_units == whole.expected_units[row]
        losing += told.losing_paths
        if told.losing_paths:
            assert told.worst_path is not None
            total[told.worst_path - 40] += told.worst_loss_units
            owed = told.debt_units - told.cash_units
            parts = owed - sum(term.proceeds_units for term in told.terms) - told.rounding_units
            assert parts * told.losing_paths / PATHS == pytest.approx(told.expected_units)
            size = owed + sum(abs(term.quantity) * term.worst_units for term in told.terms)
            assert abs(told.rounding_units) < 1 + (len(told.terms) + 2) * 2.0**-23 * size
            worst = owed - sum(term.quantity * term.worst_units for term in told.terms)
            assert worst == pytest.approx(told.worst_loss_units, abs=1 + 1e-5 * size)
    assert losing > PATHS // 2
    assert (total <= whole.path_loss_units).all()


def test_half_lost_worked_by_hand() -> None:
    """100 shares of 10.00 fetch 5.00 each on every path: 900 owed less 100 in cash less 500 is 300."""
    account = account_of([100], cash=100 * CNY, debt=900 * CNY)
    marks = marks_of([10 * CNY])
    told = explain_gap(account, marks, model_of(1), Told((-0.5, 0.0)), Horizon(2, 0, 1), paths=200)
    (term,) = told.terms
    assert (term.price_units, term.mean_units, term.losing_mean_units, term.worst_units) == (100_000, *(50_000.0,) * 3)
    assert (told.losing_paths, told.worst_path, told.worst_loss_units) == (200, 0, 300 * CNY)
    assert (told.expected_units, told.losing_mean_units, told.rounding_units) == (300 * CNY, 300 * CNY, 0.0)


def test_who_never_loses_has_prices_and_no_loss_and_who_has_no_price_has_neither() -> None:
    covered = account_of([100], debt=CNY)
    told = explain_gap(covered, marks_of([10 * CNY]), model_of(1), Told((0.0,)), Horizon(1, 0, 1), paths=50)
    assert (told.losing_paths, told.worst_path, told.expected_units, told.rounding_units) == (0, None, 0.0, 0.0)
    assert told.terms[0].mean_units == 10 * CNY
    unknown = explain_gap(covered, marks_of([0]), model_of(1), Told((0.0,)), Horizon(1, 0, 1), paths=50)
    assert (unknown.is_unknown, unknown.expected_units, unknown.terms[0].mean_units) == (True, 0.0, 0.0)


def test_two_accounts_are_not_explained_at_once() -> None:
    two = build_book(cash_units=[0, 0], debt_units=[5, 5], terms=[0, 0], account=[], instrument=[], quantity=[])
    with pytest.raises(BookError, match="must be a book of one, not of 2"):
        explain_gap(two, marks_of([7]), model_of(1), Told((0.0,)), Horizon(1, 0, 1), paths=50)
