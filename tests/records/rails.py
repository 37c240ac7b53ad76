"""A small desk for the tests of the rails: two accounts, three names, prices of two sessions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from reefpoint.platform.basics.actors import system_actor
from reefpoint.records.accounts.models import MarginAccount
from reefpoint.records.execution.services import deliver_securities, place_order
from reefpoint.records.execution.types import OrderPurpose, SecuritiesDelivery, Side
from reefpoint.records.ledger.services import open_ledger_accounts
from reefpoint.records.ledger.types import client_accounts, desk_accounts
from reefpoint.records.market.models import Instrument, Price, PriceBatch
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.types import ClientStatus
from reefpoint.records.products.models import RulePack, Scheme, SchemeVersion

DESK = system_actor("tests")
DAY = date(2020, 3, 12)
NEXT_DAY = date(2020, 3, 13)
OPEN_AT = datetime(2020, 3, 12, 13, 30, tzinfo=UTC)
AT = datetime(2020, 3, 12, 20, 0, tzinfo=UTC)


@dataclass(frozen=True)
class RailsDesk:
    """Ids of what `make_rails_desk` made. The broker holds 10,000 shares of each name."""

    calm: int
    hurt: int
    aapl: int
    jpm: int
    xom: int


def make_rails_desk() -> RailsDesk:
    """AAPL at 100.00 with a capacity of 10,000 shares a session, JPM at 41.20 (1,000), XOM priced a day late."""
    pack = RulePack.objects.create(
        jurisdiction="us", version="1", effective_from=date(2020, 1, 1), rules={}, loaded_at=OPEN_AT
    )
    scheme = Scheme.objects.create(code="core", name="Core", name_zh="")
    version = SchemeVersion.objects.create(
        scheme=scheme, version=1, rule_pack=pack, terms={}, effective_from=date(2020, 1, 1), maker="user:1"
    )
    accounts = []
    for number, email in (("M-000001", "calm@example.com"), ("M-000002", "hurt@example.com")):
        client = Client.objects.create(
            name=email, email=email, kind="individual", opened_on=DAY, status=ClientStatus.ACTIVE, accepted_on=DAY
        )
        account = MarginAccount.objects.create(
            number=number, client=client, scheme_version=version, currency="USD", opened_on=DAY
        )
        open_ledger_accounts(client_accounts(number, "USD"))
        accounts.append(account.id)
    open_ledger_accounts(desk_accounts("USD"))
    ids = [
        Instrument.objects.create(symbol=symbol, name=symbol, currency="USD", assumed_daily_volume=volume).id
        for symbol, volume in (("AAPL", 100_000), ("JPM", 10_000), ("XOM", 10_000))
    ]
    set_price(ids[0], 1_000_000, DAY)
    set_price(ids[1], 412_000, DAY)
    set_price(ids[2], 500_000, date(2020, 3, 11))
    deliver_securities(
        deliveries=[SecuritiesDelivery(f"IN-{symbol}", symbol, 10_000) for symbol in ("AAPL", "JPM", "XOM")], on=DAY
    )
    return RailsDesk(accounts[0], accounts[1], *ids)


def set_price(instrument_id: int, price_units: int, on: date) -> None:
    """An accepted price of the session's open."""
    at = datetime(on.year, on.month, on.day, 13, 30, tzinfo=UTC)
    batch = PriceBatch.objects.create(
        source="tests",
        key=f"{instrument_id}:{on}:{price_units}",
        content_hash="",
        on=on,
        received_at=at,
        received_by=DESK.ref,
        accepted=1,
        held=0,
        rejected=0,
    )
    Price.objects.create(
        batch=batch, instrument_id=instrument_id, price_units=price_units, at=at, on=on, recorded_at=at
    )


def place(desk: RailsDesk, quantity: int, **changes: object) -> int:
    """Place a forced sale of the hurt account's AAPL, unless told otherwise. Returns the order's id."""
    order = {
        "account_id": desk.hurt,
        "instrument_id": desk.aapl,
        "side": Side.SELL,
        "purpose": OrderPurpose.LIQUIDATION,
        "source": "liquidation:1",
        "key": f"L-1:{quantity}",
        "session_on": DAY,
    }
    return place_order(actor=DESK, quantity=quantity, at=AT, **{**order, **changes})  # type: ignore[arg-type] # test cast
