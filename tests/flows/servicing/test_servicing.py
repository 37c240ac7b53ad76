"""Money and orders of clients: what is done, and what is refused and leaves nothing."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.apps import apps
from tests.desk import MONDAY, POOL, POOL_MINOR, SYSTEM, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.decisions.margin.selectors.standing import NoUsablePrice
from reefpoint.flows.servicing.rules import AmountRefused, CreditRefused, allocate_payment
from reefpoint.flows.servicing.services.cash import NotEnoughCash, receive_deposit, withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down, repay
from reefpoint.flows.servicing.services.opening import book_securities_receipt, open_margin_account
from reefpoint.flows.servicing.services.trading import NotEnoughShares, place_client_order
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.execution.models import Order
from reefpoint.records.execution.services.orders import ConflictingOrder
from reefpoint.records.execution.types import Side
from reefpoint.records.ledger.selectors import available_minor, balance_minor
from reefpoint.records.ledger.services.refusals import IdempotencyConflict
from reefpoint.records.ledger.types import client_cash, fees_due, interest_due
from reefpoint.records.parties.models import Licence
from reefpoint.records.parties.selectors.clients import ClientNotFound
from reefpoint.records.parties.services import LicenceRefused, end_licence
from reefpoint.records.products.types import Due
from reefpoint.records.treasury.models import FundingPool
from reefpoint.records.treasury.services.pools import PoolExhausted


def rows_of_all_tables() -> dict[str, int]:
    """How many rows each table has: a refusal leaves this as it was."""
    return {model._meta.db_table: model._default_manager.count() for model in apps.get_models()}


@pytest.fixture
def refused(desk: Desk) -> Callable[..., Refusal]:
    """Does something, and checks that it was refused and that nothing at all was written."""

    def check(kind: type[Refusal], do: Callable[..., object], day: date = TUESDAY, **arguments: object) -> Refusal:
        before, books = rows_of_all_tables(), desk.books()
        with pytest.raises(kind) as raised:
            do(on=day, at=noon(day), **arguments)
        assert rows_of_all_tables() == before
        assert desk.books() == books
        return raised.value

    return check


Refused = Callable[..., Refusal]


def order(desk: Desk, **changes: object) -> Callable[..., object]:
    """A client's order as a call that takes `on` and `at`."""
    fields = {
        "actor": desk.operations,
        "account_id": desk.healthy,
        "instrument_id": desk.instruments["AAPL"],
        "side": Side.BUY,
        "quantity": 100,
        "key": "order",
        **changes,
    }
    return lambda *, on, at: place_client_order(session_on=on, at=at, **fields)


def with_cash(desk: Desk, account_id: int, amount_minor: int) -> None:
    desk.begin(TUESDAY)
    desk.deposit(account_id, amount_minor, TUESDAY)
    desk.drain()


def test_i08_a_withdrawal_under_the_line_is_refused_and_writes_nothing(desk: Desk, refused: Refused) -> None:
    with_cash(desk, desk.near, 1_000_00)
    desk.prices(TUESDAY, AAPL="99")
    taken = {"actor": desk.operations, "account_id": desk.near, "key": "out"}
    error = refused(CreditRefused, withdraw_cash, amount_minor=1, **taken)
    assert "it needs 200.00%" in str(error)


def test_i08_a_withdrawal_down_to_the_line_is_paid(desk: Desk) -> None:
    with_cash(desk, desk.near, 1_000_00)
    fields = {"actor": desk.operations, "account_id": desk.near, "on": TUESDAY, "at": noon(TUESDAY)}
    withdraw_cash(amount_minor=1_000_00, key="all", **fields)
    desk.drain()
    assert desk.account(desk.near).cash_minor == 0
    assert verify_desk(noon(TUESDAY)) == []


def test_i08_a_drawdown_under_the_line_is_refused_and_writes_nothing(desk: Desk, refused: Refused) -> None:
    """Each dollar drawn stays in the account: at 100,000 of shares, the lendable value is what stops it first."""
    desk.begin(TUESDAY)
    drawn = {"actor": desk.operations, "account_id": desk.near, "key": "more"}
    refused(CreditRefused, draw_down, amount_minor=49_000_00, **drawn)


def test_i08_a_purchase_under_the_line_is_refused_and_writes_nothing(desk: Desk, refused: Refused) -> None:
    with_cash(desk, desk.near, 8_000_00)
    desk.prices(TUESDAY, AAPL="92", KO="50")
    buy = order(desk, account_id=desk.near, instrument_id=desk.instruments["KO"], quantity=150)
    refused(CreditRefused, buy)


def test_a_purchase_needs_its_cash_and_room_under_the_concentration_cap(desk: Desk, refused: Refused) -> None:
    with_cash(desk, desk.near, 40_000_00)
    refused(CreditRefused, order(desk, account_id=desk.near, quantity=500))
    refused(CreditRefused, order(desk, account_id=desk.near, quantity=100))


def test_what_is_ordered_and_not_booked_counts_in_the_scheme_s_cap_of_one_name(desk: Desk, refused: Refused) -> None:
    """40% of some 1,050,000.00 is 8,400 Coca-Cola at 50.00: once 4,500 are ordered, 4,500 more are too many."""
    with_cash(desk, desk.healthy, 500_000_00)
    desk.prices(TUESDAY, AAPL="45", JPM="100", KO="50")
    desk.trade(desk.healthy, "KO", Side.BUY, 4_500, TUESDAY)
    again = order(desk, instrument_id=desk.instruments["KO"], quantity=4_500)
    error = refused(CreditRefused, again)
    assert "KO would be more than 40% of the account" in str(error)


def test_a_purchase_holds_its_cash_until_it_is_booked(desk: Desk) -> None:
    with_cash(desk, desk.healthy, 20_000_00)
    desk.prices(TUESDAY, AAPL="100", JPM="100", KO="50")
    desk.trade(desk.healthy, "KO", Side.BUY, 200, TUESDAY)
    cash = client_cash(desk.account(desk.healthy).number)
    assert balance_minor(cash) - available_minor(cash) == 10_500_00
    desk.drain()
    assert balance_minor(cash) == available_minor(cash)
    assert {held.instrument_id: held.quantity for held in desk.account(desk.healthy).holdings}[
        desk.instruments["KO"]
    ] == 200
    assert verify_desk(noon(TUESDAY)) == []


def test_the_same_order_again_is_the_same_order_even_when_its_shares_are_gone(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="100")
    sell = order(desk, side=Side.SELL, quantity=1_000)
    first = sell(on=TUESDAY, at=noon(TUESDAY))
    desk.drain()
    assert sell(on=TUESDAY, at=noon(TUESDAY)) == first
    assert Order.objects.count() == 1
    with pytest.raises(ConflictingOrder):
        order(desk, side=Side.SELL, quantity=999)(on=TUESDAY, at=noon(TUESDAY))


def test_i11_an_account_never_gives_out_more_shares_than_it_holds(desk: Desk, refused: Refused) -> None:
    desk.prices(TUESDAY, AAPL="100")
    order(desk, side=Side.SELL, quantity=6_000)(on=TUESDAY, at=noon(TUESDAY))
    refused(NotEnoughShares, order(desk, side=Side.SELL, quantity=4_001, key="second"))
    order(desk, side=Side.SELL, quantity=4_000, key="third")(on=TUESDAY, at=noon(TUESDAY))


@pytest.mark.parametrize("amount_minor", [0, -1, -1_000_00])
def test_amounts_of_nothing_or_less_are_refused_everywhere(desk: Desk, refused: Refused, amount_minor: int) -> None:
    with_cash(desk, desk.healthy, 1_000_00)
    fields = {"actor": desk.operations, "account_id": desk.healthy, "amount_minor": amount_minor}
    refused(AmountRefused, receive_deposit, bank_reference="IN", **fields)
    for do in (withdraw_cash, draw_down, repay):
        refused(AmountRefused, do, key="key", **fields)
    refused(Refusal, order(desk, quantity=amount_minor))
    refused(Refusal, order(desk, quantity=amount_minor, side=Side.SELL))


def test_i12_a_stale_price_gives_no_credit_and_no_purchase(desk: Desk) -> None:
    """Nothing but Apple was priced on Tuesday, so on Wednesday noon JPMorgan lends nothing."""
    banker = desk.open_account({"AAPL": 100, "JPM": 1_000}, 20_000_00)
    desk.drain()
    desk.prices(TUESDAY, AAPL="100")
    desk.prices(WEDNESDAY, AAPL="100")
    later = noon(WEDNESDAY)
    buy = order(desk, instrument_id=desk.instruments["JPM"])
    with pytest.raises(NoUsablePrice):
        buy(on=WEDNESDAY, at=later)
    drawn = {"actor": desk.operations, "account_id": banker, "amount_minor": 1_000_00, "key": "more"}
    books = desk.books()
    with pytest.raises(CreditRefused, match="lendable"):
        draw_down(on=WEDNESDAY, at=later, **drawn)
    assert desk.books() == books
    desk.prices(WEDNESDAY, later + timedelta(minutes=1), JPM="100")
    draw_down(on=WEDNESDAY, at=later + timedelta(minutes=1), **drawn)


def test_i25_after_an_outage_nothing_is_lent_until_current_prices_cover_the_book(desk: Desk, refused: Refused) -> None:
    """Tuesday brings no prices. JPMorgan alone is back on Wednesday: its holder is sound, and has to wait for Apple."""
    banker = desk.open_account({"JPM": 1_000}, 20_000_00)
    desk.drain()
    desk.prices(WEDNESDAY, JPM="100")
    desk.deposit(banker, 1_000_00, WEDNESDAY)
    drawn = {"actor": desk.operations, "account_id": banker, "amount_minor": 1_000_00}
    error = refused(CreditRefused, draw_down, key="more", day=WEDNESDAY, **drawn)
    assert "has a current price, and this drawdown needs 80.00%" in str(error)
    refused(CreditRefused, withdraw_cash, key="out", day=WEDNESDAY, **drawn)
    debt_free = desk.open_account({"JPM": 10}, 0)
    desk.deposit(debt_free, 500_00, WEDNESDAY)
    fields = {"actor": desk.operations, "account_id": debt_free, "amount_minor": 500_00, "key": "own"}
    withdraw_cash(on=WEDNESDAY, at=noon(WEDNESDAY), **fields)
    back = noon(WEDNESDAY) + timedelta(minutes=1)
    desk.prices(WEDNESDAY, back, AAPL="100")
    draw_down(on=WEDNESDAY, at=back, key="more", **drawn)


def test_i17_an_account_that_cannot_be_valued_gets_no_credit_and_pays_nothing_out(desk: Desk, refused: Refused) -> None:
    with_cash(desk, desk.healthy, 5_000_00)
    desk.receive(desk.healthy, desk.list_name("NEW"), 1, TUESDAY)
    fields = {"actor": desk.operations, "account_id": desk.healthy, "amount_minor": 1_00, "key": "key"}
    for do in (withdraw_cash, draw_down):
        assert "cannot be valued" in str(refused(CreditRefused, do, **fields))


def test_an_account_that_is_being_sold_gets_no_credit_and_pays_nothing_out(desk: Desk, refused: Refused) -> None:
    desk.prices(TUESDAY, AAPL="72")
    with_cash(desk, desk.near, 80_000_00)
    fields = {"actor": desk.operations, "account_id": desk.near, "amount_minor": 1_00, "key": "key"}
    refused(CreditRefused, withdraw_cash, **fields)
    refused(CreditRefused, draw_down, **fields)
    refused(CreditRefused, order(desk, account_id=desk.near, instrument_id=desk.instruments["KO"], quantity=10))


def test_i41_the_same_key_is_one_effect_and_with_other_content_it_is_refused(desk: Desk, refused: Refused) -> None:
    with_cash(desk, desk.healthy, 5_000_00)
    fields = {"actor": desk.operations, "account_id": desk.healthy}
    when = {"on": TUESDAY, "at": noon(TUESDAY)}
    for do, key in (
        (receive_deposit, {"bank_reference": "A"}),
        (withdraw_cash, {"key": "A"}),
        (draw_down, {"key": "A"}),
    ):
        first = do(amount_minor=700_00, **key, **fields, **when)
        books, rows = desk.books(), rows_of_all_tables()
        assert do(amount_minor=700_00, **key, **fields, **when) == first
        assert (desk.books(), rows_of_all_tables()) == (books, rows)
        refused(IdempotencyConflict, do, amount_minor=700_01, **key, **fields)
    repay(amount_minor=300_00, key="A", **fields, **when)
    books = desk.books()
    repay(amount_minor=300_00, key="A", **fields, **when)
    assert desk.books() == books


def test_i09_what_happens_to_one_account_changes_no_figure_of_another(desk: Desk) -> None:
    before = desk.account(desk.healthy)
    desk.prices(TUESDAY, AAPL="72")
    desk.prices(WEDNESDAY, AAPL="72")
    desk.deposit(desk.near, 1_000_00, WEDNESDAY)
    desk.sell_out(WEDNESDAY)
    assert desk.account(desk.healthy) == before


DUES = {Due.FEES: 3, Due.INTEREST: 700, Due.PRINCIPAL: 10_000}
ORDER = (Due.FEES, Due.PENALTY, Due.INTEREST, Due.PRINCIPAL)


@pytest.mark.parametrize("amount_minor", [0, 1, 3, 4, 703, 704, 10_703, 10_704, 99_999])
def test_i45_a_payment_is_split_in_the_contracts_order_to_the_last_unit(amount_minor: int) -> None:
    split = allocate_payment(amount_minor, DUES, ORDER)
    assert sum(split.paid.values()) + split.left_minor == amount_minor
    assert split.paid.get(Due.FEES, 0) == min(3, amount_minor)
    assert split.paid.get(Due.INTEREST, 0) == max(0, min(700, amount_minor - 3))
    assert split.paid.get(Due.PRINCIPAL, 0) == max(0, min(10_000, amount_minor - 703))


def test_i45_a_due_that_the_contract_does_not_name_is_paid_last() -> None:
    assert allocate_payment(704, DUES, (Due.INTEREST,)).paid == {Due.INTEREST: 700, Due.FEES: 3, Due.PRINCIPAL: 1}


def test_i45_what_is_paid_over_the_debt_stays_the_clients_cash(desk: Desk) -> None:
    with_cash(desk, desk.near, 60_000_00)
    desk.repay(desk.near, 60_000_00, TUESDAY)
    desk.drain()
    account = desk.account(desk.near)
    assert (account.debt_minor, account.cash_minor) == (0, 10_000_00)
    assert FundingPool.objects.get(code=POOL).lent_minor == 20_000_00
    assert verify_desk(noon(TUESDAY)) == []


def test_i45_interest_is_paid_before_principal_from_the_ledger(desk: Desk) -> None:
    desk.accrue(MONDAY, TUESDAY)
    number = desk.account(desk.near).number
    interest = balance_minor(interest_due(number))
    assert (interest, balance_minor(fees_due(number))) == (9_03, 0)
    with_cash(desk, desk.near, 10_00)
    desk.repay(desk.near, 10_00, TUESDAY)
    account = desk.account(desk.near)
    assert (account.interest_minor, account.principal_minor) == (0, 50_000_00 - 97)


def test_i48_a_pool_is_never_lent_beyond_its_commitment(desk: Desk, refused: Refused) -> None:
    """930,000.00 are left of the pool; what the desk owes its funders stays what it was."""
    rich = desk.open_account({"AAPL": 30_000, "JPM": 30_000}, 0, commitment_minor=POOL_MINOR, on=MONDAY)
    desk.begin(TUESDAY)
    desk.drain()
    fields = {"actor": desk.operations, "account_id": rich}
    refused(PoolExhausted, draw_down, amount_minor=930_000_01, key="all", **fields)
    draw_down(amount_minor=930_000_00, key="all", on=TUESDAY, at=noon(TUESDAY), **fields)
    desk.drain()
    assert FundingPool.objects.get(code=POOL).lent_minor == POOL_MINOR
    assert balance_minor(f"pool_capital:{POOL}") == POOL_MINOR
    assert verify_desk(noon(TUESDAY)) == []


def test_i66_a_manager_of_another_client_finds_no_such_account(desk: Desk, refused: Refused) -> None:
    with_cash(desk, desk.near, 5_000_00)
    fields = {"actor": desk.manager, "account_id": desk.near, "amount_minor": 1_00}
    refused(ClientNotFound, receive_deposit, bank_reference="X", **fields)
    for do in (withdraw_cash, draw_down, repay):
        refused(ClientNotFound, do, key="X", **fields)
    for side in Side:
        refused(ClientNotFound, order(desk, actor=desk.manager, account_id=desk.near, side=side, quantity=1))
    own = {"actor": desk.manager, "account_id": desk.healthy, "on": TUESDAY, "at": noon(TUESDAY)}
    receive_deposit(amount_minor=1_00, bank_reference="X", **own)


def test_i66_a_right_that_an_actor_lacks_is_refused(desk: Desk, refused: Refused) -> None:
    desk.begin(TUESDAY)
    fields = {"actor": desk.risk, "account_id": desk.near, "amount_minor": 1_00}
    for do in (withdraw_cash, draw_down, repay):
        refused(Refusal, do, key="X", **fields)
    lots = [(desk.instruments["AAPL"], 1)]
    refused(Refusal, book_securities_receipt, actor=desk.manager, account_id=desk.healthy, lots=lots, reference="X")


@pytest.mark.parametrize("last_day", [MONDAY - timedelta(days=1), None])
def test_i68_without_a_licence_nothing_is_opened_or_lent(desk: Desk, refused: Refused, last_day: date | None) -> None:
    licence = Licence.objects.get()
    if last_day is None:
        licence.delete()
    else:
        end_licence(actor=SYSTEM, licence_id=licence.pk, valid_to=last_day, reason="revoked", at=noon(MONDAY))
    desk.begin(TUESDAY)
    refused(
        LicenceRefused, draw_down, actor=desk.operations, account_id=desk.healthy, amount_minor=1_000_00, key="more"
    )
    refused(
        LicenceRefused,
        open_margin_account,
        actor=desk.operations,
        client_id=desk.near_client,
        scheme_code="STANDARD",
        pool_code=POOL,
        commitment_minor=1_00,
    )


def test_i68_money_may_still_be_repaid_and_paid_out_without_a_licence(desk: Desk) -> None:
    with_cash(desk, desk.healthy, 2_000_00)
    Licence.objects.all().delete()
    desk.repay(desk.healthy, 1_000_00, TUESDAY)
    fields = {"actor": desk.operations, "account_id": desk.healthy, "on": TUESDAY, "at": noon(TUESDAY)}
    withdraw_cash(amount_minor=1_000_00, key="out", **fields)
    with pytest.raises(NotEnoughCash):
        withdraw_cash(amount_minor=1, key="more", **fields)
