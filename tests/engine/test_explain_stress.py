"""One account under scenarios: its terms are those of the run over the whole book, and they add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.cases import LINES, UNIT, account_of, books, column, lines_tables, marks_of, marks_tables, prices

from reefpoint.engine.bands import Band
from reefpoint.engine.book import build_book
from reefpoint.engine.columns import BookError
from reefpoint.engine.explain_stress import explain_stress
from reefpoint.engine.scenarios import Scenarios, fall_scenarios
from reefpoint.engine.stress import stress_book

NAMES, COUNT = 4, 3


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_account_alone_is_told_as_in_the_run_over_the_book(data: st.DataObject) -> None:
    book = data.draw(books(NAMES, shorts=True))
    marks, lines = data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    table = data.draw(st.lists(prices, min_size=COUNT * NAMES, max_size=COUNT * NAMES))
    scenarios = Scenarios(("a", "b", "c"), np.array(table, dtype=np.int64).reshape(COUNT, NAMES))
    whole = stress_book(book, marks, lines, scenarios)
    shortfall, accounts = np.zeros(COUNT, dtype=np.int64), np.zeros((COUNT, 4), dtype=np.int64)
    for row in range(book.account_count):
        told = explain_stress(book.account(row), marks, lines, scenarios)
        worst = -1 if told.worst is None else told.worst
        assert worst == whole.worst_scenario[row]
        assert (0 if told.worst is None else told.scenarios[worst].assets_units) == whole.worst_assets_units[row]
        mean = np.nan if told.expected_shortfall_units is None else told.expected_shortfall_units
        assert np.array_equal(mean, whole.expected_shortfall_units[row], equal_nan=True)
        for place, one in enumerate(told.scenarios):
            shortfall[place] += one.shortfall_units
            if one.band is not Band.UNKNOWN:
                accounts[place, one.band] += 1
        if told.worst is not None:
            values = [term.moved_value_units for term in told.terms]
            in_worst = told.scenarios[told.worst]
            assert in_worst.assets_units == told.cash_units + sum(value for value in values if value > 0)
            assert in_worst.owed_units == told.debt_units - sum(value for value in values if value < 0)
            assert in_worst.shortfall_units == max(0, in_worst.owed_units - in_worst.assets_units)
    assert shortfall.tolist() == whole.shortfall_units.tolist()
    assert accounts.tolist() == whole.band_accounts.tolist()


def test_a_fall_worked_by_hand() -> None:
    """100 at 10 and 10 at 50, 50 in cash, 900 owed: worth 1,550, and 650 after a fall of 60%."""
    marks = marks_of([10 * UNIT, 50 * UNIT])
    told = explain_stress(
        account_of([100, 10], cash=50 * UNIT, debt=900 * UNIT),
        marks,
        LINES,
        fall_scenarios(marks.price_units, [0, 2_000, 6_000]),
    )
    assert [(one.band, one.assets_units // UNIT, one.shortfall_units // UNIT) for one in told.scenarios] == [
        (Band.SAFE, 1_550, 0),
        (Band.CALL, 1_250, 0),
        (Band.CLOSE_OUT, 650, 250),
    ]
    assert (told.worst, told.expected_shortfall_units) == (2, 250 * UNIT / 3)
    assert [(term.value_units // UNIT, term.moved_value_units // UNIT) for term in told.terms] == [
        (1_000, 400),
        (500, 200),
    ]


def test_without_a_price_in_any_scenario_there_is_no_worst() -> None:
    told = explain_stress(account_of([1], debt=5), marks_of([7]), LINES, Scenarios(("gone",), column(0)[None, :]))
    assert (told.worst, told.terms, told.expected_shortfall_units) == (None, (), None)
    assert told.scenarios[0].band is Band.UNKNOWN


def test_two_accounts_are_not_explained_at_once() -> None:
    two = build_book(cash_units=[0, 0], debt_units=[5, 5], terms=[0, 0], account=[], instrument=[], quantity=[])
    with pytest.raises(BookError, match="must be a book of one, not of 2"):
        explain_stress(two, marks_of([7]), LINES, fall_scenarios(column(7), [0]))
