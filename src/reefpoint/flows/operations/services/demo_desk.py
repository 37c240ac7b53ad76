"""A lending desk to begin with: people, licence, rule pack, schemes, a pool, clients with portfolios and loans.

Everything is done by the services that a real desk uses, each by a person who may do it; only the names and the
portfolios are drawn, from a seed.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from reefpoint.decisions.suitability.services import record_answers_of_all
from reefpoint.decisions.suitability.types import Answers
from reefpoint.flows.operations.services.clock import set_desk_clock
from reefpoint.flows.operations.services.day_run import begin_day
from reefpoint.flows.servicing.services.cash import withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.flows.servicing.services.opening import LENDING, book_securities_receipt, open_margin_account
from reefpoint.platform.access.selectors import find_user_id, list_pending
from reefpoint.platform.access.services import approve, create_user, ensure_roles, find_actor
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.records.execution.services.orders import deliver_securities
from reefpoint.records.execution.types import SecuritiesDelivery
from reefpoint.records.ledger.services import open_ledger_accounts
from reefpoint.records.ledger.types import desk_accounts
from reefpoint.records.market.adapters.us20 import load_us20, load_us20_instruments
from reefpoint.records.market.selectors.calendar import session_close
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.market.services.instruments import add_instruments
from reefpoint.records.market.services.prices import record_prices
from reefpoint.records.market.types import VENUE, Tick
from reefpoint.records.parties.services import record_licence, register_clients
from reefpoint.records.parties.types import ClientDraft, ClientKind
from reefpoint.records.products.selectors import load_demo_schemes
from reefpoint.records.products.services import draft_scheme_version, load_rule_pack, request_publication
from reefpoint.records.products.types import FeeMoment, SchemeTerms
from reefpoint.records.treasury.services.pools import fund_pool, open_pool

SETUP = system_actor("setup")
POOL = "MAIN"
CURRENCY = "USD"
POOL_MINOR = 1_000_000_000_00
POOL_MINOR_PER_CLIENT = 2_000_000_00
POOL_COST_BP = 210
CLIENTS_A_COMMIT = 20
"""The first days of so many clients are one commit, and one batch for the watch, which shares the two cores."""
PASSWORD = "reefpoint-demo"  # noqa: S105 - the printed sign-in of a desk that holds no real money

CAST: Mapping[str, tuple[str, RoleName]] = {
    "risk": ("Lin Wei", RoleName.RISK_OFFICER),
    "credit": ("Amara Okafor", RoleName.CREDIT_OFFICER),
    "manager": ("Chen Jie", RoleName.RELATIONSHIP_MANAGER),
    "manager2": ("Sofia Alvarez", RoleName.RELATIONSHIP_MANAGER),
    "treasury": ("Tomás Ribeiro", RoleName.TREASURY),
    "operations": ("Grace Whitfield", RoleName.OPERATIONS),
    "compliance": ("Zhao Min", RoleName.COMPLIANCE),
    "auditor": ("Ingrid Solberg", RoleName.AUDITOR),
    "admin": ("Ravi Menon", RoleName.ADMINISTRATOR),
}

_FAMILY = (("Li", "李"), ("Wang", "王"), ("Zhang", "张"), ("Liu", "刘"), ("Chen", "陈"), ("Yang", "杨"), ("Zhao", "赵"))
_GIVEN = (("Ming", "明"), ("Fang", "芳"), ("Wei", "伟"), ("Na", "娜"), ("Lei", "磊"), ("Jing", "静"), ("Hao", "浩"))
_FIRST = ("Alice", "Benjamin", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kavya", "Liam")
_LAST = ("Abbott", "Brandt", "Costa", "Dlamini", "Eriksen", "Fontaine", "Gupta", "Haddad", "Ito", "Jansen", "Keller")
_FIRMS = ("Harbour", "Summit", "Juniper", "Meridian", "Larkspur", "Northgate", "Blue Heron", "Cobalt", "Orchard")

_ASKED = ("income", "share", "debts", "years", "products", "trades", "horizon", "objective", "loss", "fall")
_KNOWN = ("more_than_paid_in", "forced_sale", "changing_lines")
_KNOWS = "ccb"


def answered(options: str) -> Answers:
    """Answers to the questionnaire that comes with the program: an option's letter for each question in order."""
    return dict(zip((*_ASKED, *_KNOWN), options, strict=True))


ANSWERS: Mapping[str, Answers] = {
    "PRIME": answered("dddddddddd" + _KNOWS),
    "STANDARD": answered("cccccccccc" + _KNOWS),
    "CAUTIOUS": answered("cccbcbbbbb" + _KNOWS),
}
"""What those say who want a scheme: enough tolerance for its risk class, and they know what a margin loan is."""


@dataclass(frozen=True)
class DeskPlan:
    """What desk to make. `changes` alter the terms of a scheme before it is drafted, by scheme code."""

    start: date
    clients: int = 500
    seed: int = 7
    changes: Mapping[str, Callable[[SchemeTerms], SchemeTerms]] = field(default_factory=dict)


@dataclass(frozen=True)
class ClientPlan:
    """One client of the cast: what it brings, how far it borrows, and what for.

    `first_ratio` is assets / debt once the money is used: an investor buys more shares with it, anybody else takes it
    out of the account.
    """

    draft: ClientDraft
    scheme_code: str
    lots: tuple[tuple[str, int], ...]
    first_ratio: Decimal
    is_investor: bool


def email_of(role: str) -> str:
    return f"{role}@desk.example"


def cast_actor(role: str) -> Actor:
    """A member of the desk's staff as the doer of a service call."""
    return find_actor(email_of(role))


def make_desk(plan: DeskPlan, *, settle: Callable[[], None], progress: Callable[[str, int, int], None]) -> None:
    """Make the desk on the close of `plan.start`, ready for the next session.

    `settle` returns when all that waits in the outbox is handled; `progress` is told (what, done, of).
    """
    at = session_close(VENUE, plan.start)
    morning = at - timedelta(hours=6)
    set_desk_clock(morning)
    _hire(morning)
    operations, treasury, compliance = cast_actor("operations"), cast_actor("treasury"), cast_actor("compliance")
    record_licence(
        actor=compliance,
        jurisdiction="US",
        activity=LENDING,
        permit="us.broker_dealer",
        number="DEMO-0001",
        holder="Reefpoint demonstration desk (no licence of anybody)",
        valid_from=date(1990, 1, 1),
        valid_to=None,
        evidence="Made by the demo, so that the gate is passed; it permits nothing.",
        at=morning,
    )
    load_rule_pack(actor=SETUP, jurisdiction="US", at=morning)
    begin_day(actor=operations, on=plan.start, at=morning)
    add_instruments(actor=operations, drafts=load_us20_instruments(), at=morning)
    open_ledger_accounts(desk_accounts(CURRENCY))
    pool_minor = max(POOL_MINOR, plan.clients * POOL_MINOR_PER_CLIENT)
    open_pool(
        actor=treasury,
        code=POOL,
        name="Main funding pool",
        currency=CURRENCY,
        committed_minor=pool_minor,
        cost_bp=POOL_COST_BP,
        at=morning,
    )
    fund_pool(
        actor=treasury, pool_code=POOL, amount_minor=pool_minor, reference="POOL-MAIN-1", on=plan.start, at=morning
    )
    terms = _publish_schemes(plan, morning, settle)
    _record_first_prices(operations, plan.start, at)
    set_desk_clock(at)
    settle()
    closes = load_us20(plan.start, plan.start)[0][1]
    clients = draw_clients(plan, closes)
    _onboard(clients, terms, plan.start, at, progress)
    settle()


def _hire(at: datetime) -> None:
    ensure_roles()
    for role, (name, role_name) in CAST.items():
        if find_user_id(email_of(role)) is None:
            create_user(
                actor=SETUP,
                email=email_of(role),
                name=name,
                password=PASSWORD,
                roles=[role_name],
                at=at,
            )


def _publish_schemes(plan: DeskPlan, at: datetime, settle: Callable[[], None]) -> dict[str, SchemeTerms]:
    """Draft each scheme, ask, and let the second person agree. Returns the terms by scheme code."""
    maker, checker = cast_actor("credit"), cast_actor("risk")
    terms = {}
    for draft in load_demo_schemes():
        changed = plan.changes[draft.code](draft.terms) if draft.code in plan.changes else draft.terms
        version_id = draft_scheme_version(
            actor=maker, draft=replace(draft, terms=changed), effective_from=plan.start, at=at
        )
        request_publication(actor=maker, version_id=version_id, reason="The desk opens.", at=at)
        terms[draft.code] = changed
    for approval in list_pending(checker):
        approve(
            actor=checker,
            approval_id=approval.id,
            payload_hash=approval.payload_hash,
            at=at,
            reason="Terms checked against the rule pack.",
        )
    settle()
    return terms


def _record_first_prices(operations: Actor, on: date, at: datetime) -> None:
    closes = load_us20(on, on)[0][1]
    record_prices(
        actor=operations,
        source="us20",
        key=f"us20:{on}",
        ticks=[Tick(symbol, price, on, at) for symbol, price in closes.items()],
        at=at,
        on=on,
    )


def draw_clients(plan: DeskPlan, closes: Mapping[str, Decimal]) -> list[ClientPlan]:
    """The cast, the same for the same seed: names, schemes, mixed portfolios, and how far they borrow."""
    draw = random.Random(plan.seed)  # noqa: S311 - a cast, not a secret
    managers = [find_user_id(email_of("manager")), find_user_id(email_of("manager2"))]
    cast = []
    for number in range(plan.clients):
        scheme = draw.choices(("PRIME", "STANDARD", "CAUTIOUS"), (2, 5, 3))[0]
        size = Decimal({"PRIME": 2_000_000, "STANDARD": 500_000, "CAUTIOUS": 150_000}[scheme])
        worth = size * Decimal(round(draw.lognormvariate(0, 0.4), 4))
        names = draw.sample(sorted(closes), draw.randint(4, 9))
        weights = [draw.uniform(0.5, 1.5) for _ in names]
        lots = tuple(
            (name, int(worth * Decimal(weight / sum(weights)) / closes[name]))
            for name, weight in zip(names, weights, strict=True)
        )
        least = {"PRIME": 2.05, "STANDARD": 2.05, "CAUTIOUS": 2.3}[scheme]
        ratio = Decimal(round(least + draw.expovariate(2.5), 4))
        draft = _draft(draw, number, scheme, managers[number % 2])
        cast.append(ClientPlan(draft, scheme, lots, ratio, is_investor=number % 5 == 0))
    return cast


def _draft(draw: random.Random, number: int, scheme: str, manager_id: int | None) -> ClientDraft:
    email = f"client{number + 1:05d}@clients.example"
    if scheme == "PRIME" and number % 3 == 0:
        name = f"{draw.choice(_FIRMS)} {draw.choice(_LAST)} Capital"
        return ClientDraft(
            name=name, email=email, kind=ClientKind.INSTITUTION, language="en", relationship_manager_id=manager_id
        )
    if number % 2:
        family, given = draw.choice(_FAMILY), (draw.choice(_GIVEN), draw.choice(_GIVEN))
        return ClientDraft(
            name=f"{family[0]} {given[0][0]}{given[1][0].lower()}",
            name_zh=f"{family[1]}{given[0][1]}{given[1][1]}",
            email=email,
            language="zh-hans",
            relationship_manager_id=manager_id,
        )
    return ClientDraft(
        name=f"{draw.choice(_FIRST)} {draw.choice(_LAST)}", email=email, relationship_manager_id=manager_id
    )


def _onboard(
    clients: Sequence[ClientPlan],
    terms: Mapping[str, SchemeTerms],
    on: date,
    at: datetime,
    progress: Callable[[str, int, int], None],
) -> None:
    """Register and assess the clients, open their accounts, book what they bring, lend what they ask for."""
    operations = cast_actor("operations")
    instrument_ids = {instrument.symbol: instrument.id for instrument in list_instruments()}
    prices = load_us20(on, on)[0][1]
    ids = register_clients(actor=operations, drafts=[client.draft for client in clients], on=on, at=at)
    record_answers_of_all(
        actor=cast_actor("compliance"),
        rows=[(client_id, ANSWERS[client.scheme_code]) for client_id, client in zip(ids, clients, strict=True)],
        at=at,
    )
    deliver_securities(
        deliveries=[
            SecuritiesDelivery(f"IN-{client_id}-{symbol}", symbol, quantity)
            for client_id, client in zip(ids, clients, strict=True)
            for symbol, quantity in client.lots
            if quantity
        ],
        on=on,
    )
    pairs = list(zip(ids, clients, strict=True))
    for first in range(0, len(pairs), CLIENTS_A_COMMIT):
        with transaction.atomic():
            for done, (client_id, client) in enumerate(pairs[first : first + CLIENTS_A_COMMIT], start=first + 1):
                _open_for(operations, client_id, client, terms[client.scheme_code], instrument_ids, prices, on, at)
                progress("clients", done, len(clients))


def _open_for(
    actor: Actor,
    client_id: int,
    client: ClientPlan,
    scheme: SchemeTerms,
    instrument_ids: Mapping[str, int],
    prices: Mapping[str, Decimal],
    on: date,
    at: datetime,
) -> None:
    """One client's account: opened, what the client brings booked, what it asks for lent."""
    loan_minor = first_loan_minor(client, scheme, prices)
    account_id = open_margin_account(
        actor=actor,
        client_id=client_id,
        scheme_code=client.scheme_code,
        pool_code=POOL,
        commitment_minor=min(scheme.limit_minor, loan_minor * 3 // 2),
        on=on,
        at=at,
    )
    book_securities_receipt(
        actor=actor,
        account_id=account_id,
        lots=[(instrument_ids[symbol], quantity) for symbol, quantity in client.lots if quantity],
        reference=f"IN-{client_id}",
        on=on,
        at=at,
    )
    draw_down(
        actor=actor,
        account_id=account_id,
        amount_minor=loan_minor,
        key=f"first:{account_id}",
        on=on,
        at=at,
    )
    if not client.is_investor:
        withdraw_cash(
            actor=actor,
            account_id=account_id,
            amount_minor=loan_minor - scheme.charges_minor(FeeMoment.DRAWDOWN, loan_minor),
            key=f"first:{account_id}",
            on=on,
            at=at,
        )


def first_loan_minor(client: ClientPlan, scheme: SchemeTerms, prices: Mapping[str, Decimal]) -> int:
    """What a client borrows first, in cents: as far as its ratio goes, within the scheme's limit and lendable value."""
    worth = sum((prices[symbol] * quantity for symbol, quantity in client.lots), Decimal(0))
    lendable = sum(
        (prices[symbol] * quantity * (10_000 - scheme.haircut_bp(symbol)) / 10_000 for symbol, quantity in client.lots),
        Decimal(0),
    )
    wanted = worth / (client.first_ratio - 1) if client.is_investor else min(worth / client.first_ratio, lendable)
    return min(int(wanted) * 100, scheme.limit_minor)
