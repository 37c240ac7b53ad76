"""What may be sold in a session, how its volume is shared over all accounts, and the proof that each plan carries."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Sum
from tests.desk import MONDAY, SYSTEM, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.decisions.margin.selectors.standing import load_sheet
from reefpoint.flows.liquidation.models import Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.selectors import list_plans
from reefpoint.flows.liquidation.selectors.planning import explain_account_plan, load_for_sale
from reefpoint.flows.liquidation.types import PlanView, SaleAim
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import approve
from reefpoint.records.accounts.services import move_security
from reefpoint.records.accounts.types import MovementKind
from reefpoint.records.execution.models import Fill, Order
from reefpoint.records.market.rules import day_limit_bp, limit_down_units
from reefpoint.records.market.services import add_instruments
from reefpoint.records.market.types import InstrumentDraft
from reefpoint.records.products.selectors import load_demo_schemes
from reefpoint.records.products.services import draft_scheme_version, request_publication
from reefpoint.records.products.types import LiquidationOrder


def plan_of(account_id: int) -> PlanView:
    (plan,) = list_plans(Liquidation.objects.get(account_id=account_id).id)
    return plan


def test_a_plan_keeps_the_terms_that_close_its_gap_and_the_least_that_could_be_sold(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="72")
    desk.prices(WEDNESDAY, AAPL="72")
    desk.sell_out(WEDNESDAY, drain=False)
    plan = plan_of(desk.near)
    assert plan.proof is not None
    (term,) = plan.proof.terms
    (line,) = plan.lines
    gap = 17_000 * plan.debt_before_minor - 10_000 * plan.assets_before_minor
    cash_step = 7_000 * (plan.debt_before_minor - 50_000_00 + 50_00)
    assert abs(plan.proof.gap_minor * 10_000 - gap) <= cash_step + 10_000  # own cash repaid first
    assert (term.symbol, term.held, term.free, term.most, term.reason) == ("AAPL", 1_000, 1_000, 1_000, "closes")
    assert term.quantity == line.quantity
    assert term.gain_bp == 17_000 * 9_970 // 10_000 - 10_000
    assert term.closes_minor >= plan.proof.gap_minor
    assert plan.proof.bound_minor is not None
    assert plan.sold_minor - 72_00 < plan.proof.bound_minor <= plan.sold_minor
    assert (plan.proof.served, plan.proof.sales, plan.proof.method) == (1, 1, "nothing_binds")


def test_i20_sales_of_one_name_share_its_volume_the_worst_first_and_the_plans_say_so(desk: Desk) -> None:
    milder = desk.open_account({"KO": 2_000}, 50_000_00)
    worse = desk.open_account({"KO": 2_000}, 50_000_00)
    desk.drain()
    desk.receive(milder, desk.instruments["JPM"], 5, TUESDAY)
    desk.prices(TUESDAY, KO="30")
    desk.prices(WEDNESDAY, KO="30", AAPL="100", JPM="100")
    desk.sell_out(WEDNESDAY, drain=False)
    first, second = plan_of(worse).proof, plan_of(milder).proof
    assert first is not None
    assert second is not None
    assert [(one.served, one.sales, one.method) for one in (first, second)] == [(1, 2, "ordered"), (2, 2, "ordered")]
    taken = {term.symbol: (term.free, term.most, term.quantity) for term in first.terms}
    left = {term.symbol: (term.free, term.most, term.quantity) for term in second.terms}
    assert taken == {"KO": (2_000, 1_000, 1_000)}
    assert left == {"JPM": (5, 5, 5), "KO": (2_000, 0, 0)}
    assert [term.is_held_back for term in second.terms if term.symbol == "KO"] == [True]


def list_name(desk: Desk, symbol: str, venue: str) -> int:
    """A further name, whose price may halve at once."""
    drafts = [InstrumentDraft(symbol, symbol, symbol, "Test", 1_000_000, venue=venue, price_band_bp=5_000)]
    return add_instruments(actor=SYSTEM, drafts=drafts, at=noon(MONDAY))[symbol]


def open_free_scheme(desk: Desk) -> None:
    """A scheme whose contract fixes no order of sale."""
    standard = next(draft for draft in load_demo_schemes() if draft.code == "STANDARD")
    terms = replace(standard.terms, liquidation_order=LiquidationOrder.LEAST_SALE, limit_minor=1_000_000_00)
    terms = replace(terms, accepted_symbols=(*terms.accepted_symbols, "ZZZ"))
    draft = replace(standard, code="FREE", name="Free", terms=terms)
    version_id = draft_scheme_version(actor=desk.risk, draft=draft, effective_from=MONDAY, at=noon(MONDAY))
    request_publication(actor=desk.risk, version_id=version_id, reason="a desk", at=noon(MONDAY))
    for approval in list_pending(desk.approver):
        approve(actor=desk.approver, approval_id=approval.id, payload_hash=approval.payload_hash, at=noon(MONDAY))


def test_i20_where_no_contract_fixes_an_order_the_volume_goes_to_those_who_have_nothing_else(desk: Desk) -> None:
    """The worse account could sell either name, the milder one only Coca-Cola, which trades too little for both."""
    open_free_scheme(desk)
    desk.instruments["ZZZ"] = list_name(desk, "ZZZ", "XNYS")
    desk.prices(MONDAY, ZZZ="50")
    worse = desk.open_account({"KO": 1_000, "ZZZ": 1_000}, 50_000_00, scheme="FREE")
    milder = desk.open_account({"KO": 2_000}, 50_000_00, scheme="FREE")
    desk.drain()
    desk.receive(milder, desk.instruments["JPM"], 5, TUESDAY)
    desk.prices(TUESDAY, KO="31", ZZZ="31")
    desk.prices(WEDNESDAY, KO="36", ZZZ="36", AAPL="100")
    desk.sell_out(WEDNESDAY)
    sold = Fill.objects.values_list("order__account_id", "order__instrument__symbol").annotate(Sum("quantity"))
    assert set(sold) == {(worse, "KO", 500), (worse, "ZZZ", 20), (milder, "KO", 500)}
    assert {plan.outcome for plan in LiquidationPlan.objects.all()} == {"cures"}
    assert {plan.proof["method"] for plan in LiquidationPlan.objects.all()} == {"programme"}
    assert verify_desk(noon(WEDNESDAY)) == []


@pytest.mark.parametrize(
    ("venue", "symbol", "limit_bp"),
    [("XNYS", "KO", None), ("XSHG", "600519", 1_000), ("XSHG", "688981", 2_000), ("XSHE", "300750", 2_000)],
)
def test_a_venue_limits_the_day_as_its_rules_say(venue: str, symbol: str, limit_bp: int | None) -> None:
    assert day_limit_bp(venue, symbol) == limit_bp


def test_the_limit_is_rounded_half_up_to_the_cent() -> None:
    assert limit_down_units(10_05_00, 1_000) == 9_05_00
    assert limit_down_units(10_04_00, 1_000) == 9_04_00


def shanghai_noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 3, 30, tzinfo=UTC)


def quote_moutai(desk: Desk, on: date, price: str) -> None:
    """A price of the Shanghai name in its own session, and one of Apple in the session of New York."""
    desk.prices(on, shanghai_noon(on), drain=False, **{"600519": price})
    desk.prices(on, AAPL="100")


def most_of(desk: Desk, on: date) -> dict[str, tuple[int, str]]:
    """What of each name of the near account may be sold on a day, and why so much of it is."""
    account = desk.account(desk.near)
    sheet = load_sheet([account.scheme_version_id], at=noon(on))
    explained, _ = explain_account_plan(account, sheet, load_for_sale([account.id], sheet, on), SaleAim(60_000))
    return {sheet.instruments[term.instrument].symbol: (term.most, term.reason.value) for term in explained.terms}


def test_what_was_bought_today_is_not_sold_today_where_the_venue_forbids_it(desk: Desk) -> None:
    name = list_name(desk, "600519", "XSHG")
    desk.receive(desk.near, name, 300, MONDAY)
    quote_moutai(desk, MONDAY, "100")
    for instrument_id, quantity in ((name, 50), (desk.instruments["AAPL"], 50)):
        move_security(
            account_id=desk.near,
            instrument_id=instrument_id,
            quantity=quantity,
            kind=MovementKind.PURCHASE,
            key=f"bought-{instrument_id}",
            source="a test",
            on=TUESDAY,
            at=noon(TUESDAY),
        )
    quote_moutai(desk, TUESDAY, "100")
    assert most_of(desk, TUESDAY) == {"600519": (300, "not_reached"), "AAPL": (1_050, "closes")}
    quote_moutai(desk, WEDNESDAY, "100")
    assert most_of(desk, WEDNESDAY) == {"600519": (350, "not_reached"), "AAPL": (1_050, "closes")}


def test_i19_a_name_at_its_limit_down_is_in_no_plan_and_comes_back_when_it_trades(desk: Desk) -> None:
    name = list_name(desk, "600519", "XSHG")
    desk.receive(desk.near, name, 300, MONDAY)
    quote_moutai(desk, MONDAY, "100")
    quote_moutai(desk, TUESDAY, "90")
    assert most_of(desk, TUESDAY)["600519"] == (0, "cannot_be_sold")
    quote_moutai(desk, WEDNESDAY, "89.90")
    assert most_of(desk, WEDNESDAY)["600519"] == (300, "not_reached")


def order_moutai(desk: Desk) -> Order:
    """The near account is under its close-out line and can sell only its Shanghai name: the order is not yet sent."""
    name = list_name(desk, "600519", "XSHG")
    desk.receive(desk.near, name, 300, MONDAY)
    quote_moutai(desk, MONDAY, "100")
    desk.prices(TUESDAY, shanghai_noon(TUESDAY), drain=False, **{"600519": "100"})
    desk.prices(TUESDAY, AAPL="41", JPM="100", KO="50")
    desk.suspend("AAPL", is_suspended=True, at=noon(TUESDAY))
    desk.prices(WEDNESDAY, shanghai_noon(WEDNESDAY), drain=False, **{"600519": "95"})
    desk.prices(WEDNESDAY, JPM="100", KO="50")
    desk.sell_out(WEDNESDAY, drain=False)
    (order,) = Order.objects.all()
    assert (order.state, order.quantity, order.instrument_id) == ("new", 235, name)
    return order


def test_i19_a_limit_reached_between_plan_and_send_keeps_the_order_in(desk: Desk) -> None:
    order = order_moutai(desk)
    desk.prices(WEDNESDAY, shanghai_noon(WEDNESDAY) + timedelta(hours=1), **{"600519": "90"})
    order.refresh_from_db()
    assert (order.state, order.sent_at) == ("cancelled", None)
    assert order.end_reason == "it is at its limit down, where nobody buys"
    assert desk.account(desk.near).holdings[-1].quantity == 300
    assert not Fill.objects.exists()


def test_i18_a_suspension_between_plan_and_send_keeps_the_order_in(desk: Desk) -> None:
    order = order_moutai(desk)
    desk.instruments["600519"] = order.instrument_id
    desk.suspend("600519", is_suspended=True, at=noon(WEDNESDAY))
    desk.drain()
    order.refresh_from_db()
    assert (order.state, order.sent_at, order.end_reason) == ("cancelled", None, "trading in it is suspended")


def test_shares_that_are_left_because_they_were_bought_today_are_not_sent(desk: Desk) -> None:
    """What was held when the plan was made has gone out since, and as much was bought in the session itself."""
    order = order_moutai(desk)
    for kind, quantity in ((MovementKind.PURCHASE, 300), (MovementKind.SALE, -300)):
        move_security(
            account_id=desk.near,
            instrument_id=order.instrument_id,
            quantity=quantity,
            kind=kind,
            key=f"{kind}-today",
            source="a test",
            on=WEDNESDAY,
            at=noon(WEDNESDAY),
        )
    desk.drain()
    order.refresh_from_db()
    assert (order.state, order.sent_at) == ("cancelled", None)
    assert order.end_reason == "it was bought in this session and may not be sold before the next"
