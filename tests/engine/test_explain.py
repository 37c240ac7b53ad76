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
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    whole = value_book(book, marks, lines)
    for row in range(book.account_count):
        explained = explain_account(book.account(row), marks, lines, limit_bp=1_000)
        for name in (
            "market_units",
            "short_units",
            "assets_units",
            "lendable_units",
            "requirement_units",
            "ratio_bp",
            "band",
        ):
            assert getattr(explained, name) == getattr(whole, name)[row]
        assert explained.is_unknown == whole.is_unknown[row]
        if not explained.is_unknown:
            terms = explained.terms
            assert sum(t.value_units for t in terms) == explained.market_units - explained.short_units
            assert sum(t.lendable_e8 for t in terms) // UNIT + explained.cash_units == explained.lendable_units
            assert -(-sum(t.requirement_e8 for t in terms) // UNIT) == explained.requirement_units
            assert all(t.value_units == t.quantity * t.price_units for t in terms)
            assert all(t.requirement_e8 == abs(t.value_units) * t.maintenance_bp for t in terms)
            assert sum(t.share_bp for t in terms) <= UNIT


def test_a_short_line_is_owed_and_held_back_in_full() -> None:
    account = account_of([100, -50], cash=3_000 * UNIT, debt=1_000 * UNIT)
    explained = explain_account(account, marks_of([20 * UNIT, 10 * UNIT]), LINES, limit_bp=1_000)
    long, short = explained.terms
    assert (long.value_units, long.lendable_units, long.share_bp) == (2_000 * UNIT, 1_400 * UNIT, UNIT)
    assert (short.value_units, short.lendable_units, short.share_bp) == (-500 * UNIT, -500 * UNIT, 0)
    assert short.requirement_units == 125 * UNIT
    assert (explained.owed_units, explained.lendable_units) == (1_500 * UNIT, 3_900 * UNIT)


def test_lines_carry_what_rounding_would_lose() -> None:
    explained = explain_account(account_of([1, 1, 1]), marks_of([1, 1, 1], haircut_bp=5_000), LINES, limit_bp=1_000)
    assert [t.lendable_e8 for t in explained.terms] == [5_000] * 3
    assert [t.lendable_units for t in explained.terms] == [0] * 3
    assert explained.lendable_units == 1


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
