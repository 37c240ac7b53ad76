"""The explain twin: terms add up to the valuation, bit for bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.cases import LINES, UNIT, account_of, books, lines_tables, marks_of, marks_tables

from reefpoint.engine.bands import Band
from reefpoint.engine.book import build_book
from reefpoint.engine.columns import BookError
from reefpoint.engine.explain import explain_account
from reefpoint.engine.valuation import value_book

NAMES = 4


@given(data=st.data())
def test_terms_add_up_to_the_valuation(data: st.DataObject) -> None:
    book, marks, lines = data.draw(books(NAMES)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    whole = value_book(book, marks, lines)
    for row in range(book.account_count):
        explained = explain_account(book.account(row), marks, lines, limit_bp=1_000)
        for name in ("market_units", "assets_units", "lendable_units", "requirement_units", "ratio_bp", "band"):
            assert getattr(explained, name) == getattr(whole, name)[row]
        assert explained.is_unknown == whole.is_unknown[row]
        if not explained.is_unknown:
            terms = explained.terms
            assert sum(t.value_units for t in terms) == explained.market_units
            assert sum(t.lendable_units for t in terms) + explained.cash_units == explained.lendable_units
            assert sum(t.requirement_units for t in terms) == explained.requirement_units
            assert all(t.value_units == t.quantity * t.price_units for t in terms)
            assert sum(t.share_bp for t in terms) <= UNIT


def test_a_term_reads_quantity_times_price_less_the_haircut() -> None:
    marks = marks_of([412_000, 10 * UNIT], haircut_bp=3_500, stale=(1,))
    explained = explain_account(account_of([500, 50], debt=15_000 * UNIT), marks, LINES, limit_bp=1_000)
    first, second = explained.terms
    assert (first.quantity, first.price_units, first.haircut_bp) == (500, 412_000, 3_500)
    assert first.lendable_units == 500 * 412_000 * 65 // 100
    assert (first.share_bp, second.share_bp) == (9_763, 236)
    assert (second.is_stale, second.lendable_units, second.value_units) == (True, 0, 500 * UNIT)


def test_distances_go_from_the_nearest_line_to_the_furthest() -> None:
    explained = explain_account(account_of([170], debt=100 * UNIT), marks_of([UNIT]), LINES, limit_bp=1_000)
    assert [(d.band, d.line_bp, d.fall_bp, d.limit_days) for d in explained.distances] == [
        (Band.WARNING, 16_000, 588, 1),
        (Band.CALL, 15_000, 1_176, 2),
        (Band.CLOSE_OUT, 13_000, 2_352, 3),
    ]


def test_an_unknown_account_says_which_price_is_missing() -> None:
    explained = explain_account(account_of([5, 5], cash=7, debt=3), marks_of([UNIT, 0]), LINES, limit_bp=1_000)
    assert (explained.is_unknown, explained.band, explained.assets_units) == (True, Band.UNKNOWN, 0)
    assert [t.is_price_missing for t in explained.terms] == [False, True]
    assert explained.distances == ()


def test_only_one_account_is_explained_at_a_time() -> None:
    two = build_book(cash_units=[0, 0], debt_units=[0, 0], terms=[0, 0], account=[], instrument=[], quantity=[])
    with pytest.raises(BookError, match="must be a book of one"):
        explain_account(two, marks_of([]), LINES, limit_bp=1_000)
