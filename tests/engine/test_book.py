"""The door: what is not a clean column is refused, and the refusal names column and row."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from tests.engine.cases import LINES, account_of, books, marks_of

from reefpoint.engine.book import Book, build_book, one_account, sorted_by_size
from reefpoint.engine.columns import AMOUNT_UNITS_MAX, PRICE_UNITS_MAX, QUANTITY_MAX, BookError
from reefpoint.engine.valuation import value_book

NAN, INFINITE = float("nan"), float("inf")


def rows(**change: object) -> Book:
    plain: dict[str, object] = {
        "cash_units": [5, 6],
        "debt_units": [7, 8],
        "terms": [0, 0],
        "account": [1, 0, 1],
        "instrument": [2, 1, 0],
        "quantity": [30, 20, 10],
    }
    return build_book(**{**plain, **change})  # type: ignore[arg-type]


def test_rows_in_any_order_become_a_book_sorted_by_account_and_instrument() -> None:
    book = rows()
    assert book.start.tolist() == [0, 1, 3]
    assert book.instrument.tolist() == [1, 0, 2]
    assert book.quantity.tolist() == [20, 10, 30]
    assert book.account_of_position.tolist() == [0, 1, 1]
    assert book.account(1).quantity.tolist() == [10, 30]


def test_no_rows_are_an_empty_book() -> None:
    book = build_book(cash_units=[], debt_units=[], terms=[], account=[], instrument=[], quantity=[])
    assert (book.account_count, book.position_count) == (0, 0)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"quantity": [30, NAN, 10]}, "quantity[1] is nan"),
        ({"quantity": [30, 20, -QUANTITY_MAX - 1]}, "quantity[2]"),
        ({"quantity": [30, QUANTITY_MAX + 1, 10]}, "quantity[1]"),
        ({"quantity": [1, 2**80, 3]}, "quantity[1]"),
        ({"quantity": [1, True, 3.0]}, "quantity[1]"),
        ({"quantity": ["x", 1, 1]}, "quantity[0]"),
        ({"quantity": [1, 2]}, "quantity has 2 rows"),
        ({"quantity": [[1, 2, 3]]}, "quantity must have one dimension"),
        ({"quantity": [[1], [2, 3]]}, "quantity must be a flat list"),
        ({"cash_units": [5, INFINITE]}, "cash_units[1] is inf"),
        ({"cash_units": [5, -1]}, "cash_units[1]"),
        ({"cash_units": [5, AMOUNT_UNITS_MAX + 1]}, "cash_units[1]"),
        ({"debt_units": [-7, 8]}, "debt_units[0]"),
        ({"debt_units": [7, AMOUNT_UNITS_MAX + 1]}, "debt_units[1]"),
        ({"debt_units": [7]}, "debt_units must have shape (2,)"),
        ({"terms": [0, -1]}, "terms[1]"),
        ({"account": [1, 2, 0]}, "account[1]"),
        ({"account": [1, -1, 0]}, "account[1]"),
        ({"instrument": [2, 1, 2]}, "instrument[2] is held twice"),
        ({"instrument": [2, -1, 0]}, "instrument[1]"),
        ({"instrument": [2, 2**31, 0]}, "instrument[1]"),
    ],
)
def test_a_bad_row_is_refused_and_named(change: dict[str, object], where: str) -> None:
    with pytest.raises(BookError) as refusal:
        rows(**change)
    assert where in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"quantity": np.array([1.0, NAN, 3.0])}, "quantity must be int32 or int64, not float64"),
        ({"quantity": np.array([1, 2, 3], dtype=np.int16)}, "quantity must be int32 or int64, not int16"),
        ({"instrument": np.array([0, 1, 0], dtype=np.int32)}, "instrument must be uint16 or uint32, not int32"),
        ({"terms": np.array([0, 0])}, "terms must be uint16, not int64"),
        ({"quantity": np.array([[1, 2, 3]])}, "quantity must have shape (3,)"),
        ({"quantity": np.arange(6)[::2]}, "quantity must be contiguous"),
        ({"quantity": [1, 2, 3]}, "quantity must be a NumPy array"),
        ({"start": np.array([0, -1, 3], np.int32)}, "start (positions of an account)[0] is -1"),
        ({"start": np.array([1, 2, 3], np.int32)}, "start must run from 0 to 3"),
        ({"start": np.array([0, 3], np.int32)}, "start must have shape (3,)"),
        ({"quantity": np.array([1, 2, -QUANTITY_MAX - 1])}, "quantity[2] is -"),
    ],
)
def test_a_bad_column_is_refused_and_named(change: dict[str, object], where: str) -> None:
    with pytest.raises(BookError) as refusal:
        replace(rows(), **change)  # type: ignore[arg-type]
    assert where in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"price_units": np.array([1, -1])}, "price_units[1] is -1"),
        ({"price_units": np.array([1, PRICE_UNITS_MAX + 1])}, "price_units[1]"),
        ({"price_units": np.array([1.0, NAN])}, "price_units must be int64"),
        ({"haircut_bp": np.array([[0, 10_001]])}, "haircut_bp[1]"),
        ({"haircut_bp": np.array([0, 1])}, "haircut_bp must be a table"),
        ({"maintenance_bp": np.array([[0, -1]])}, "maintenance_bp[1]"),
        ({"maintenance_bp": np.zeros((2, 2), np.int64)}, "maintenance_bp must have shape (1, 2)"),
        ({"is_stale": np.zeros(2, np.int64)}, "is_stale must be bool"),
        ({"is_suspended": np.zeros(3, bool)}, "is_suspended must have shape (2,)"),
        ({"lot": np.array([1, 0])}, "lot[1]"),
        ({"limit_down_units": np.array([0, -1])}, "limit_down_units[1] is -1"),
        ({"limit_up_units": np.array([5])}, "limit_up_units must have shape (2,)"),
        ({"limit_down_units": np.array([0, 9]), "limit_up_units": np.array([0, 8])}, "limit_down_units[1] is 9, above"),
    ],
)
def test_bad_marks_are_refused_and_named(change: dict[str, object], where: str) -> None:
    with pytest.raises(BookError) as refusal:
        replace(marks_of([1, 2]), **change)  # type: ignore[arg-type]
    assert where in str(refusal.value)


def test_an_unknown_symbol_or_unknown_terms_are_refused_and_named() -> None:
    with pytest.raises(BookError, match=r"instrument\[1\] is 1, above 0"):
        value_book(account_of([1, 1]), marks_of([1]), LINES)
    with pytest.raises(BookError, match=r"terms\[0\] is 1, above 0"):
        value_book(account_of([1], terms=1), marks_of([1]), LINES)
    with pytest.raises(BookError, match="haircut_bp has 2 rows of terms, the lines have 1"):
        value_book(account_of([1]), marks_of([1], terms=2), LINES)


def test_whole_numbers_of_any_integer_type_enter_by_the_front_door() -> None:
    small = one_account(
        instrument=np.array([0]), quantity=np.array([7], np.uint64), cash_units=np.int32(3), debt_units=0
    )
    assert (small.quantity.dtype, small.quantity[0], small.cash_units[0]) == (np.int32, 7, 3)
    with pytest.raises(BookError, match=r"quantity\[0\]"):
        one_account(instrument=[0], quantity=np.array([2**63], np.uint64), cash_units=0, debt_units=0)


def test_a_position_takes_six_bytes_until_an_instrument_or_a_quantity_needs_more() -> None:
    def bytes_a_position(instrument: int, quantity: int) -> int:
        book = one_account(instrument=[instrument], quantity=[quantity], cash_units=0, debt_units=0)
        assert (book.instrument[0], book.quantity[0]) == (instrument, quantity)
        return book.instrument.itemsize + book.quantity.itemsize

    assert bytes_a_position(2**16 - 1, 2**31 - 1) == 6
    assert bytes_a_position(2**16, 2**31 - 1) == 8
    assert bytes_a_position(2**16 - 1, 2**31) == 10
    assert bytes_a_position(0, -(2**31)) == 6
    assert bytes_a_position(0, -(2**31) - 1) == 10


def test_without_day_limits_no_price_is_excluded() -> None:
    marks = marks_of([1, 2])
    assert (marks.limit_down_units.tolist(), marks.limit_up_units.tolist()) == ([0, 0], [PRICE_UNITS_MAX] * 2)


@given(book=books(4, shorts=True))
def test_sorting_by_size_moves_accounts_and_changes_none(book: Book) -> None:
    by_size, order = sorted_by_size(book)
    assert sorted(order) == list(range(book.account_count))
    accounts = [by_size.account(row) for row in range(by_size.account_count)]
    keys = [((a.quantity < 0).any(), a.position_count, a.terms[0]) for a in accounts]
    assert keys == sorted(keys)
    assert by_size.long_only_count == sum(not key[0] for key in keys)
    for now, old_row in zip(accounts, order, strict=True):
        then = book.account(old_row)
        for name in ("start", "instrument", "quantity", "cash_units", "debt_units", "terms"):
            assert getattr(now, name).tolist() == getattr(then, name).tolist()
