"""A small lending desk for the tests of decisions and flows, made by the services that a real desk uses.

Apple stands at 100.00 when it opens, on the Monday before Thanksgiving 2019, so that deadlines meet a holiday and a
half day. The near account holds 1,000 Apple and owes 50,000.00: each dollar of price is two points of ratio, so it is
in warning under 87.50, in call under 80.00, cured from 85.00, and is sold under 72.50.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from reefpoint.decisions.margin.models import MarginCall, MarginState
from reefpoint.decisions.margin.selectors.verify import verify_margin
from reefpoint.decisions.margin.services.monitor import Monitor
from reefpoint.decisions.margin.types import Band
from reefpoint.decisions.suitability.services import record_answers_of_all
from reefpoint.flows.liquidation.models import Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.selectors import verify_liquidations
from reefpoint.flows.liquidation.services.selling import SessionResult, run_liquidation_session
from reefpoint.flows.servicing.services.cash import receive_deposit, withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down, repay
from reefpoint.flows.servicing.services.interest import accrue_funding_cost, accrue_interest
from reefpoint.flows.servicing.services.opening import LENDING, book_securities_receipt, open_margin_account
from reefpoint.flows.servicing.services.trading import place_client_order
from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import get_approval, list_pending
from reefpoint.platform.access.services import actor_for, approve, create_user, ensure_roles
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.events.selectors import pending_count
from reefpoint.platform.events.services import dispatch_once
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.accounts.models import Position
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.proof import verify_accounts
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.execution.models import Fill, Order
from reefpoint.records.execution.services import deliver_securities
from reefpoint.records.execution.types import SecuritiesDelivery, Side
from reefpoint.records.ledger.models import Balance, Journal
from reefpoint.records.ledger.selectors import current_book_day, verify_ledger
from reefpoint.records.ledger.services import close_book_day, open_book_day, open_ledger_accounts
from reefpoint.records.ledger.types import desk_accounts
from reefpoint.records.market.services.instruments import add_instruments, resume_instrument, suspend_instrument
from reefpoint.records.market.services.prices import record_prices
from reefpoint.records.market.types import BatchResult, InstrumentDraft, Tick
from reefpoint.records.parties.services import record_licence, register_clients
from reefpoint.records.parties.types import ClientDraft
from reefpoint.records.products.selectors import load_demo_schemes
from reefpoint.records.products.services import (
    draft_scheme_version,
    load_rule_pack,
    request_publication,
    request_withdrawal,
    withdraw_scheme_version,
)
from reefpoint.records.products.types import SchemeDraft, SchemeTerms
from reefpoint.records.treasury.services.pools import fund_pool, open_pool

SYSTEM = system_actor("tests")
BALANCE = ("debit_minor", "credit_minor", "held_minor")
MEASURES = ("band", "assets_minor", "lendable_minor", "requirement_minor", "debt_minor", "ratio_bp")
MONDAY, TUESDAY, WEDNESDAY = date(2019, 11, 25), date(2019, 11, 26), date(2019, 11, 27)
HALF_DAY, NEXT_MONDAY = date(2019, 11, 29), date(2019, 12, 2)
POOL = "MAIN"
POOL_MINOR = 1_000_000_00
TEN_QUESTIONS = ("income", "share", "debts", "years", "products", "trades", "horizon", "objective", "loss", "fall")
BOLD = dict.fromkeys(TEN_QUESTIONS, "d") | {"more_than_paid_in": "c", "forced_sale": "c", "changing_lines": "b"}
"""Answers to the questionnaire by somebody who can bear much, and knows what a margin loan is: C5, 97 points."""


def noon(on: date) -> datetime:
    """Noon in New York, while all sessions are open."""
    return datetime(on.year, on.month, on.day, 17, tzinfo=UTC)


def close(on: date) -> datetime:
    """An instant after the close of any of these sessions."""
    return datetime(on.year, on.month, on.day, 21, tzinfo=UTC)


def withdraw_scheme(*, maker: Actor, checker: Actor, version_id: int, at: datetime) -> None:
    """Two people offer a scheme version no longer."""
    approval_id = request_withdrawal(actor=maker, version_id=version_id, effect={}, reason="too dear", at=at)
    approve(actor=checker, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=at)
    withdraw_scheme_version(actor=SYSTEM, approval_id=approval_id, at=at)


class BrokenMail(BaseEmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise OSError("the mail server is away")


@dataclass
class Desk:
    """What stands on the desk, by id, and the outside world's part in its day."""

    risk: Actor
    approver: Actor
    operations: Actor
    manager: Actor
    instruments: dict[str, int]
    healthy_client: int
    near_client: int
    healthy: int = 0
    near: int = 0
    monitor: Monitor = field(default_factory=Monitor)
    _number: int = 0

    def key(self, word: str = "key") -> str:
        """A key that was not used before."""
        self._number += 1
        return f"{word}-{self._number}"

    def begin(self, on: date) -> None:
        """Close the books of the day before, if any are open, and open those of `on`."""
        before = current_book_day()
        if before == on:
            return
        if before is not None:
            close_book_day(actor=SYSTEM, on=before, at=noon(on))
        open_book_day(actor=SYSTEM, on=on, at=noon(on))

    def prices(
        self, on: date, at: datetime | None = None, *, drain: bool = True, source: str = "exchange", **prices: str
    ) -> BatchResult:
        """Prices of some names on a session, by default at its noon, and all that follows from them."""
        at = at or noon(on)
        self.begin(on)
        ticks = [Tick(symbol, price, on, at) for symbol, price in prices.items()]
        result = record_prices(actor=SYSTEM, source=source, key=self.key("prices"), ticks=ticks, at=at, on=on)
        if drain:
            self.drain()
        return result

    def drain(self) -> None:
        """Carry the outbox until nothing waits. A handler that failed shows as a delivery that still waits."""
        while dispatch_once("worker") + self.monitor.run_once():
            pass
        assert pending_count() == 0, "a handler failed"

    def publish_scheme(self, code: str, terms: SchemeTerms, at: datetime | None = None) -> str:
        """A further scheme with these terms, published by a second person. Returns its code."""
        at = at or noon(MONDAY)
        credit = actor_for(User.objects.get(email="credit@desk.test"))
        draft = SchemeDraft(code, code.title(), "", replace(terms, limit_minor=POOL_MINOR))
        version_id = draft_scheme_version(actor=credit, draft=draft, effective_from=MONDAY, at=at)
        approval_id = request_publication(actor=credit, version_id=version_id, reason="a test", at=at)
        payload_hash = get_approval(approval_id).payload_hash
        approve(actor=self.approver, approval_id=approval_id, payload_hash=payload_hash, at=at)
        self.drain()
        return code

    def open_account(
        self,
        holdings: Mapping[str, int],
        debt_minor: int,
        *,
        scheme: str = "STANDARD",
        client_id: int | None = None,
        commitment_minor: int | None = None,
        on: date = MONDAY,
    ) -> int:
        """An account with these shares that has borrowed and taken the money out."""
        at = noon(on)
        account_id = open_margin_account(
            actor=self.operations,
            client_id=client_id or self.near_client,
            scheme_code=scheme,
            pool_code=POOL,
            commitment_minor=commitment_minor or 2 * debt_minor or 1_00,
            on=on,
            at=at,
        )
        deliver_securities(
            deliveries=[SecuritiesDelivery(f"IN-{account_id}-{s}", s, quantity) for s, quantity in holdings.items()],
            on=on,
        )
        book_securities_receipt(
            actor=self.operations,
            account_id=account_id,
            lots=[(self.instruments[symbol], quantity) for symbol, quantity in holdings.items()],
            reference=f"IN-{account_id}",
            on=on,
            at=at,
        )
        if debt_minor:
            self.deposit(account_id, debt_minor // 1000, on)
            draw_down(
                actor=self.operations,
                account_id=account_id,
                amount_minor=debt_minor,
                key=self.key("loan"),
                on=on,
                at=at,
            )
            withdraw_cash(
                actor=self.operations, account_id=account_id, amount_minor=debt_minor, key=self.key("out"), on=on, at=at
            )
        return account_id

    def deposit(
        self,
        account_id: int,
        amount_minor: int,
        on: date,
        at: datetime | None = None,
        *,
        confirmed_at: datetime | None = None,
    ) -> None:
        """The client's money arrives."""
        receive_deposit(
            actor=self.operations,
            account_id=account_id,
            amount_minor=amount_minor,
            bank_reference=self.key("IN"),
            on=on,
            at=at or noon(on),
            confirmed_at=confirmed_at,
        )

    def repay(self, account_id: int, amount_minor: int, on: date, at: datetime | None = None) -> None:
        """The account's cash repays debt."""
        repay(
            actor=self.operations,
            account_id=account_id,
            amount_minor=amount_minor,
            key=self.key("repay"),
            on=on,
            at=at or noon(on),
        )

    def accrue(self, on: date, until: date) -> None:
        """The day run's interest and funding cost."""
        accrue_interest(actor=self.operations, on=on, until=until, at=noon(on))
        accrue_funding_cost(actor=self.operations, on=on, until=until, at=noon(on))

    def sell_out(self, on: date, at: datetime | None = None, *, drain: bool = True) -> SessionResult:
        """The session's forced sales, and all that follows."""
        result = run_liquidation_session(actor=self.risk, on=on, at=at or noon(on))
        if drain:
            self.drain()
        return result

    def list_name(self, symbol: str) -> int:
        """A further name, without any price. Returns its id."""
        draft = InstrumentDraft(symbol, symbol, symbol, "Test", 1_000_000)
        return add_instruments(actor=SYSTEM, drafts=[draft], at=noon(MONDAY))[symbol]

    def suspend(self, symbol: str, *, is_suspended: bool, at: datetime) -> None:
        """Trading in a name stops or goes on."""
        change = suspend_instrument if is_suspended else resume_instrument
        change(actor=SYSTEM, instrument_id=self.instruments[symbol], reason="the exchange said so", at=at)

    def receive(self, account_id: int, instrument_id: int, quantity: int, on: date, at: datetime | None = None) -> None:
        """Shares arrive free of payment."""
        book_securities_receipt(
            actor=self.operations,
            account_id=account_id,
            lots=[(instrument_id, quantity)],
            reference=self.key("shares"),
            on=on,
            at=at or noon(on),
        )

    def try_to_borrow(self, account_id: int, amount_minor: int, on: date, at: datetime) -> None:
        """Draw down, unless the desk refuses."""
        with suppress(Refusal):
            draw_down(
                actor=self.operations,
                account_id=account_id,
                amount_minor=amount_minor,
                key=self.key("loan"),
                on=on,
                at=at,
            )

    def restart_monitor(self) -> None:
        """A monitor without memory takes over."""
        self.monitor = Monitor()

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """What is done inside leaves nothing."""
        with transaction.atomic():
            self.restart_monitor()
            yield
            transaction.set_rollback(True)
        self.restart_monitor()

    def sell(self, account_id: int, symbol: str, quantity: int, on: date, at: datetime | None = None) -> int:
        """The client gives shares out to sell. Returns the order's id."""
        return self.trade(account_id, symbol, Side.SELL, quantity, on, at)

    def trade(
        self, account_id: int, symbol: str, side: Side, quantity: int, on: date, at: datetime | None = None
    ) -> int:
        """A client's order. Returns its id."""
        return place_client_order(
            actor=self.operations,
            account_id=account_id,
            instrument_id=self.instruments[symbol],
            side=side,
            quantity=quantity,
            key=self.key("order"),
            session_on=on,
            at=at or noon(on),
        )

    def books(self) -> dict[str, list[tuple[object, ...]]]:
        """All that the desk's books say, without ids of events and audit."""
        return {
            model.__name__: list(model.objects.order_by("pk").values_list())
            for model in (Journal, Balance, Position, MarginCall, Liquidation, LiquidationPlan, Order, Fill)
        } | {
            "MarginState": list(MarginState.objects.order_by("pk").values_list("account_id", *MEASURES, "is_enforced"))
        }

    def outcome(self) -> dict[str, list[tuple[object, ...]]]:
        """What the books say, without the ids of what was done in between."""
        return {
            "balances": list(Balance.objects.order_by("account__code").values_list("account__code", *BALANCE)),
            "positions": list(Position.objects.order_by("pk").values_list("account_id", "instrument_id", "quantity")),
            "states": list(MarginState.objects.order_by("pk").values_list("pk", *MEASURES, "is_enforced")),
            "calls": list(MarginCall.objects.order_by("number").values_list("number", "state", "amount_minor")),
            "liquidations": list(Liquidation.objects.order_by("number").values_list("number", "state")),
            "orders": list(
                Order.objects.order_by("client_order_id").values_list("client_order_id", "state", "filled_quantity")
            ),
            "fills": list(Fill.objects.order_by("broker_fill_id").values_list("broker_fill_id", "net_minor")),
            "notices": list(Notice.objects.order_by("subject").values_list("client_id", "subject", "state")),
        }

    def account(self, account_id: int) -> AccountFacts:
        return get_account(account_id)

    def band(self, account_id: int) -> Band:
        return Band(MarginState.objects.get(account_id=account_id).band)

    def is_enforced(self, account_id: int) -> bool:
        return MarginState.objects.get(account_id=account_id).is_enforced

    def calls(self, account_id: int) -> list[MarginCall]:
        return list(MarginCall.objects.filter(account_id=account_id).order_by("id"))

    def liquidations(self, account_id: int) -> list[Liquidation]:
        return list(Liquidation.objects.filter(account_id=account_id).order_by("id"))


def verify_desk(at: datetime) -> list[Finding]:
    """Everything of the desk that must hold at any quiet moment."""
    return [*verify_ledger(), *verify_accounts(), *verify_margin(at=at), *verify_liquidations()]


def make_desk() -> Desk:
    """The desk on its first noon: prices are in, two accounts have borrowed, all is quiet."""
    at = noon(MONDAY)
    ensure_roles()
    people = {
        name: _person(name, role)
        for name, role in (
            ("risk", RoleName.RISK_OFFICER),
            ("approver", RoleName.RISK_OFFICER),
            ("operations", RoleName.OPERATIONS),
            ("manager", RoleName.RELATIONSHIP_MANAGER),
            ("credit", RoleName.CREDIT_OFFICER),
        )
    }
    record_licence(
        actor=SYSTEM,
        jurisdiction="US",
        activity=LENDING,
        permit="us.broker_dealer",
        number="TEST-1",
        holder="Test desk",
        valid_from=date(2019, 1, 1),
        valid_to=None,
        evidence="none",
        at=at,
    )
    load_rule_pack(actor=SYSTEM, jurisdiction="US", at=at)
    open_book_day(actor=SYSTEM, on=MONDAY, at=at)
    open_ledger_accounts(desk_accounts("USD"))
    open_pool(actor=SYSTEM, code=POOL, name="Main", currency="USD", committed_minor=POOL_MINOR, cost_bp=200, at=at)
    fund_pool(actor=SYSTEM, pool_code=POOL, amount_minor=POOL_MINOR, reference="FUND-1", on=MONDAY, at=at)
    instruments = add_instruments(
        actor=SYSTEM,
        drafts=[
            InstrumentDraft("AAPL", "Apple", "苹果", "Test", 1_000_000, price_band_bp=6_000),
            InstrumentDraft("JPM", "JPMorgan Chase", "摩根大通", "Test", 1_000_000),
            InstrumentDraft("KO", "Coca-Cola", "可口可乐", "Test", 10_000, price_band_bp=5_000),
        ],
        at=at,
    )
    for draft in load_demo_schemes():
        if draft.code != "PRIME":
            drafted = replace(draft, terms=replace(draft.terms, limit_minor=POOL_MINOR))
            version_id = draft_scheme_version(actor=people["credit"], draft=drafted, effective_from=MONDAY, at=at)
            request_publication(actor=people["credit"], version_id=version_id, reason="a desk", at=at)
    for approval in list_pending(people["risk"]):
        approve(actor=people["risk"], approval_id=approval.id, payload_hash=approval.payload_hash, at=at)
    healthy, near = register_clients(
        actor=SYSTEM,
        drafts=[
            ClientDraft("Hale", "hale@clients.test", relationship_manager_id=people["manager"].user_id),
            ClientDraft("Near", "near@clients.test", language="zh-hans"),
        ],
        on=MONDAY,
        at=at,
    )
    record_answers_of_all(actor=SYSTEM, rows=[(client_id, BOLD) for client_id in (healthy, near)], at=at)
    desk = Desk(
        risk=people["risk"],
        approver=people["approver"],
        operations=people["operations"],
        manager=people["manager"],
        instruments=instruments,
        healthy_client=healthy,
        near_client=near,
    )
    desk.prices(MONDAY, AAPL="100", JPM="100", KO="50")
    desk.healthy = desk.open_account({"AAPL": 10_000, "JPM": 1_000}, 20_000_00, client_id=healthy)
    desk.near = desk.open_account({"AAPL": 1_000}, 50_000_00)
    desk.drain()
    return desk


def _person(name: str, role: RoleName) -> Actor:
    user_id = create_user(
        actor=SYSTEM, email=f"{name}@desk.test", name=name, password=None, roles=[role], at=noon(MONDAY)
    )
    return actor_for(User.objects.get(id=user_id))
