"""A small cast of people, signed in, before a small desk."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from pytest_django.fixtures import Settings

from reefpoint.decisions.margin.services.monitor import Monitor
from reefpoint.platform.access.services import create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.records.accounts import services as accounts
from reefpoint.records.ledger.services import open_book_day, open_ledger_accounts, post_journal
from reefpoint.records.ledger.types import Line, desk_accounts, loan_principal
from reefpoint.records.market.services.instruments import add_instruments
from reefpoint.records.market.services.prices import record_prices
from reefpoint.records.market.types import InstrumentDraft, Tick
from reefpoint.records.parties.services import register_clients
from reefpoint.records.parties.types import ClientDraft, ClientKind
from reefpoint.records.products.selectors import list_schemes, load_demo_schemes
from reefpoint.records.products.services import draft_scheme_version, load_rule_pack

CLOSE = datetime(2020, 3, 16, 20, 0, tzinfo=UTC)
NOON = datetime(2020, 3, 16, 16, 0, tzinfo=UTC)
DAYS = (date(2020, 3, 12), date(2020, 3, 13), date(2020, 3, 16))
SYSTEM = system_actor("tests")
SignIn = Callable[..., Client]


@pytest.fixture
def signed_in(db: None, settings: Settings) -> SignIn:
    """A browser without JavaScript in which a person of these roles has signed in, with a password alone."""
    settings.REQUIRE_SECOND_FACTOR = False

    def sign_in(*roles: RoleName) -> Client:
        client = Client()
        client.force_login(get_user_model().objects.get(pk=person(*roles)))
        return client

    return sign_in


def signed_in_as(actor: Actor) -> Client:
    """A browser without JavaScript in which this person has signed in."""
    client = Client()
    client.force_login(get_user_model().objects.get(pk=actor.user_id))
    return client


def person(*roles: RoleName) -> int:
    """The id of the person with exactly these roles, made when first asked for."""
    email = f"{'.'.join(roles) or 'nobody'}@reefpoint.test"
    user = get_user_model().objects.filter(email=email).first()
    if user is not None:
        return int(user.pk)
    return create_user(actor=SYSTEM, email=email, name=email, password=None, roles=roles, at=NOON)


@dataclass(frozen=True)
class Desk:
    """What stands on the test desk: ids."""

    instruments: dict[str, int]
    manager_id: int
    own_client_id: int
    other_client_id: int


@pytest.fixture
def desk(db: None) -> Desk:
    """Two names with three sessions of prices (one of them held), two clients (one with a manager), three schemes."""
    names = [("AAPL", "Apple", "苹果"), ("JPM", "JPMorgan Chase", "摩根大通")]
    instruments = add_instruments(
        actor=SYSTEM,
        drafts=[InstrumentDraft(symbol, name, chinese, "Test", 1_000_000) for symbol, name, chinese in names],
        at=NOON,
    )
    for on, apple, bank in zip(DAYS, ("62.06", "69.49", "60.55"), ("82.69", "97.61", "8.48"), strict=True):
        close = datetime(on.year, on.month, on.day, 20, 0, tzinfo=UTC)
        ticks = [Tick("AAPL", apple, on, close), Tick("JPM", bank, on, close)]
        record_prices(actor=SYSTEM, source="exchange", key=f"close:{on}", ticks=ticks, at=close, on=on)
    manager_id = person(RoleName.RELATIONSHIP_MANAGER)
    own, other = register_clients(
        actor=SYSTEM,
        drafts=[
            ClientDraft("Wang Fang", "fang@clients.test", "王芳", relationship_manager_id=manager_id),
            ClientDraft("Reef & Sons <Holdings>", "reef@clients.test", kind=ClientKind.INSTITUTION),
        ],
        on=DAYS[0],
        at=NOON,
    )
    load_rule_pack(actor=SYSTEM, jurisdiction="US", at=NOON)
    for draft in load_demo_schemes():
        draft_scheme_version(actor=SYSTEM, draft=draft, effective_from=DAYS[0], at=NOON)
    return Desk(instruments, manager_id, own, other)


@dataclass(frozen=True)
class Book:
    """Accounts on the test desk: the manager's own client is in call, the other one is safe."""

    desk: Desk
    own_account_id: int
    other_account_id: int


@pytest.fixture
def book(desk: Desk) -> Book:
    """Two accounts with 1,000 Apple at 60.55 each, measured by the monitor: debts of 40,000 and of 20,000."""
    open_ledger_accounts(desk_accounts("USD"))
    open_book_day(actor=SYSTEM, on=DAYS[-1], at=NOON)
    return Book(
        desk,
        open_borrower(desk, desk.own_client_id, shares=1_000, debt_minor=40_000_00),
        open_borrower(desk, desk.other_client_id, shares=1_000, debt_minor=20_000_00),
    )


def open_borrower(desk: Desk, client_id: int, *, shares: int, debt_minor: int) -> int:
    """An account that holds Apple and has spent what it borrowed; the monitor has measured it."""
    with transaction.atomic():
        account_id = _borrow(desk, client_id, shares, debt_minor)
    Monitor().run_once()
    return account_id


def _borrow(desk: Desk, client_id: int, shares: int, debt_minor: int) -> int:
    version = next(scheme.versions[0] for scheme in list_schemes() if scheme.code == "STANDARD")
    account_id = accounts.open_account(
        actor=SYSTEM,
        client_id=client_id,
        scheme_version_id=version.id,
        currency="USD",
        pool_code="POOL",
        commitment_minor=50_000_00,
        on=DAYS[-1],
        at=CLOSE,
    )
    accounts.receive_securities(
        account_id=account_id,
        lots=[(desk.instruments["AAPL"], shares)],
        reference=f"IN-{account_id}",
        on=DAYS[-1],
        at=CLOSE,
    )
    accounts.add_loan(
        account_id=account_id,
        pool_code="POOL",
        amount_minor=debt_minor,
        rate_bp=650,
        day_count="ACT/360",
        tenor_days=180,
        key=f"loan:{account_id}",
        on=DAYS[-1],
    )
    post_journal(
        actor=SYSTEM,
        kind="drawdown",
        lines=[Line(loan_principal(f"M-{account_id:06d}"), "broker:clearing", debt_minor)],
        effective_on=DAYS[-1],
        at=CLOSE,
        key=f"loan:{account_id}",
    )
    return account_id
