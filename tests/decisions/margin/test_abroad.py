"""A name of another currency: one version of the rates in every figure, and a new version is judged at once."""

from datetime import UTC, date, datetime

from tests.desk import MONDAY, SYSTEM, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.selectors.pages import get_account_page
from reefpoint.decisions.margin.selectors.standing import measure_account
from reefpoint.decisions.margin.types import Band, PositionRow
from reefpoint.flows.liquidation.models import LiquidationPlan
from reefpoint.records.execution.models import Fill
from reefpoint.records.market.services import add_instruments
from reefpoint.records.market.services.fx import record_fx
from reefpoint.records.market.services.prices import record_prices
from reefpoint.records.market.types import InstrumentDraft, Tick


def in_hong_kong(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 4, tzinfo=UTC)


def quote_tencent(desk: Desk, on: date, price: str) -> None:
    at = in_hong_kong(on)
    desk.begin(on)
    ticks = [Tick("0700", price, on, at, currency="HKD")]
    record_prices(actor=SYSTEM, source="exchange", key=desk.key("hk"), ticks=ticks, at=at, on=on)


def hold_tencent(desk: Desk, quantity: int = 1_000, rate: str = "0.128") -> int:
    """An account that owes 50,000 dollars against Apple, and holds Tencent at 300 Hong Kong dollars besides."""
    drafts = [
        InstrumentDraft(
            "0700", "Tencent", "腾讯", "Test", 10_000_000, currency="HKD", venue="XHKG", price_band_bp=5_000
        )
    ]
    desk.instruments["0700"] = add_instruments(actor=SYSTEM, drafts=drafts, at=noon(MONDAY))["0700"]
    rates(desk, MONDAY, rate)
    quote_tencent(desk, MONDAY, "300")
    account_id = desk.open_account({"AAPL": 1_000, "0700": quantity}, 50_000_00)
    desk.drain()
    return account_id


def rates(desk: Desk, on: date, rate: str) -> None:
    record_fx(
        actor=SYSTEM, source="ECB", key=desk.key("fx"), base="USD", rates={"HKD": rate}, on=on, at=in_hong_kong(on)
    )


def tencent_of(desk: Desk, account_id: int, on: date) -> PositionRow:
    page = get_account_page(desk.risk, account_id, at=noon(on))
    return next(row for row in page.positions if row.symbol == "0700")


def test_i15_a_name_abroad_is_worth_its_price_at_the_version_that_the_page_names(desk: Desk) -> None:
    account_id = hold_tencent(desk)
    row = tencent_of(desk, account_id, MONDAY)
    assert (row.last_price_units, row.currency, row.rate_e8) == (300_0000, "HKD", 12_800_000)
    assert row.fx_name.startswith("FX-")
    assert (row.price_units, row.value_minor) == (38_4000, 38_400_00)
    assert measure_account(account_id, at=noon(MONDAY)).market_minor == 138_400_00
    assert MarginState.objects.get(account_id=account_id).market_minor == 138_400_00


def test_i16_a_new_version_of_the_rates_is_judged_without_a_tick(desk: Desk) -> None:
    account_id = hold_tencent(desk)
    desk.prices(TUESDAY, AAPL="50")
    quote_tencent(desk, TUESDAY, "300")
    desk.drain()
    assert desk.band(account_id) is Band.SAFE
    for rate in ("0.10", "0.08", "0.061"):
        rates(desk, TUESDAY, rate)
    desk.drain()
    assert MarginState.objects.get(account_id=account_id).market_minor == 68_300_00
    assert desk.band(account_id) is Band.CLOSE_OUT
    desk.restart_monitor()
    rates(desk, TUESDAY, "0.06")
    desk.drain()
    assert MarginState.objects.get(account_id=account_id).market_minor == 68_000_00


def test_i17_without_a_rate_the_account_is_unknown_and_the_others_are_not(desk: Desk) -> None:
    account_id = hold_tencent(desk)
    desk.prices(TUESDAY, AAPL="100", JPM="100")
    at = in_hong_kong(TUESDAY)
    record_fx(actor=SYSTEM, source="ECB", key="none", base="USD", rates={"CNY": "0.14"}, on=TUESDAY, at=at)
    desk.drain()
    assert desk.band(account_id) is Band.UNKNOWN
    assert desk.band(desk.near) is Band.SAFE


def test_i12_at_rates_that_are_too_old_a_name_lends_nothing(desk: Desk) -> None:
    account_id = hold_tencent(desk)
    quote_tencent(desk, date(2019, 12, 2), "300")
    row = tencent_of(desk, account_id, date(2019, 12, 2))
    assert row.is_stale
    assert row.lendable_minor == 0


def test_a_name_abroad_is_sold_for_money_of_the_account(desk: Desk) -> None:
    account_id = hold_tencent(desk, 500)
    desk.prices(TUESDAY, AAPL="42")
    quote_tencent(desk, TUESDAY, "300")
    desk.drain()
    desk.prices(WEDNESDAY, AAPL="42", drain=False)
    quote_tencent(desk, WEDNESDAY, "300")
    desk.drain()
    desk.sell_out(WEDNESDAY)
    plan = LiquidationPlan.objects.get(liquidation__account_id=account_id)
    assert [one["symbol"] for one in plan.lines] == ["0700", "AAPL"]
    line = plan.lines[0]
    fill = Fill.objects.get(order__account_id=account_id, order__instrument__symbol="0700")
    assert line["price_units"] == 38_4000
    assert fill.price_units == 38_4000 * 9_995 // 10_000
    assert fill.gross_minor == fill.quantity * fill.price_units // 100
    assert verify_desk(noon(WEDNESDAY)) == []
