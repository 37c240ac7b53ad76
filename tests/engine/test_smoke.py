import numpy as np

from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Marks, build_book, one_account
from reefpoint.engine.explain import explain_account
from reefpoint.engine.liquidation import PlanOutcome, plan_sale
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Watch

LINES = Lines.of(warning_bp=16000, call_bp=15000, close_out_bp=13000, cure_bp=15000, hysteresis_bp=100)


def marks(prices: list[int]) -> Marks:
    n = len(prices)
    return Marks(
        np.array(prices),
        np.full((1, n), 3000),
        np.full((1, n), 2500),
        np.zeros(n, dtype=bool),
        np.zeros(n, dtype=bool),
        np.ones(n, dtype=np.int64),
    )


def test_thin_path() -> None:
    book = build_book(
        cash_units=[0, 500],
        debt_units=[1_000_000, 0],
        terms=[0, 0],
        account=[0, 0, 1],
        instrument=[1, 0, 0],
        quantity=[100, 50, 3],
    )
    m = marks([10_000, 8_000])
    value = value_book(book, m, LINES)
    assert value.market_units.tolist() == [1_300_000, 30_000]
    assert value.band.tolist() == [Band.CALL, Band.SAFE]
    watch = Watch(book, m, LINES)
    crossings = watch.apply_prices([1], [7_900])
    assert crossings.row.tolist() == [0]
    assert crossings.new_band.tolist() == [Band.CLOSE_OUT]
    explained = explain_account(watch.book.account(0), watch.marks, LINES, limit_bp=1000)
    assert explained.assets_units == 1_290_000
    assert explained.distances[2].limit_days == 0
    plan = plan_sale(
        watch.book.account(0),
        watch.marks,
        sellable=np.array([50, 100]),
        cost_bp=np.array([10, 20]),
        target_bp=15000,
        grain_units=1,
    )
    assert plan.outcome is PlanOutcome.CURES
    assert plan.ratio_after_bp >= 15000
    one = one_account(instrument=[0], quantity=[10], cash_units=0, debt_units=0)
    assert value_book(one, m, LINES).band.tolist() == [Band.SAFE]
