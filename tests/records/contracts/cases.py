"""A contract of Wang Fang over 50,000 dollars against 1,000 Apple, and the people who make, sign and publish."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import actor_for, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.records.contracts.selectors import find_disclosures
from reefpoint.records.contracts.services import acknowledge, offer_contract, prepare_contract, sign_as_client
from reefpoint.records.contracts.types import (
    Authentication,
    CollateralTerm,
    ContractTerms,
    FeeTerm,
    KeyFacts,
    Language,
    LineTerms,
    Outcome,
    RatePart,
    RateTerms,
)
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.services import record_licence, register_clients
from reefpoint.records.parties.types import ClientDraft

SYSTEM = system_actor("tests")
ON = date(2019, 11, 25)
AT = datetime(2019, 11, 25, 17, tzinfo=UTC)

FACTS = KeyFacts(
    at=AT,
    value_minor=100_000_00,
    cash_minor=0,
    loan_minor=50_000_00,
    own_minor=50_000_00,
    ratio_bp=20_000,
    fall_to_call_bp=2_000,
    fall_to_close_out_bp=2_750,
    call_minor=2_941_18,
    sold_minor=22_500_00,
    interest_day_minor=10_28,
    interest_first_year_minor=3_750_00,
    fees_first_year_minor=250_00,
    cost_first_year_minor=4_000_00,
    cost_whole_term_minor=2_100_00,
    outcomes=(
        Outcome(-5_000, -4_000_00, -54_000_00),
        Outcome(0, 46_000_00, -4_000_00),
        Outcome(5_000, 96_000_00, 46_000_00),
    ),
    worst_change_bp=-6_000,
    worst_owed_minor=10_000_00,
    worst_loss_minor=60_000_00,
)

TERMS = ContractTerms(
    jurisdiction="US",
    currency="USD",
    scheme_code="STANDARD",
    scheme_name="Standard",
    scheme_name_zh="标准方案",
    scheme_version=1,
    limit_minor=50_000_00,
    starts_on=date(2019, 11, 26),
    ends_on=date(2020, 5, 24),
    sign_by=date(2019, 12, 2),
    rate=RateTerms(
        kind="fixed",
        rate_bp=750,
        penalty_rate_bp=1_100,
        day_count="ACT/365",
        parts=(
            RatePart("base", "Cost of money", "资金成本", 500),
            RatePart("grade", "Grade B", "B级", 150),
            RatePart("margin", "Margin", "利润", 100),
        ),
        cap_bp=1_600,
    ),
    fees=(
        FeeTerm("drawdown", "Drawdown fee", "提款费", "drawdown", "share", rate_bp=50, first_year_minor=250_00),
        FeeTerm("late", "Late notice", "逾期通知费", "late", "flat", amount_minor=25_00),
    ),
    lines=LineTerms(
        initial_bp=18_000,
        withdrawal_bp=20_000,
        warning_bp=17_500,
        cure_bp=17_000,
        call_bp=16_000,
        close_out_bp=14_500,
        target_bp=17_000,
    ),
    call_deadline_sessions=2,
    liquidation_rule="approval",
    liquidation_order="most_liquid",
    payment_order=("fees", "penalty", "interest", "principal"),
    concentration_cap_bp=10_000,
    haircut_notice_sessions=5,
    is_early_repayment_allowed=True,
    early_repayment_fee_bp=0,
    renewals_max=2,
    renewal_min_ratio_bp=18_000,
    grace_days=3,
    collateral=(
        CollateralTerm(
            symbol="AAPL",
            name="Apple",
            name_zh="苹果",
            quantity=1_000,
            price_units=100_0000,
            value_minor=100_000_00,
            haircut_bp=3_000,
            lendable_minor=70_000_00,
            call_price_units=80_0000,
            close_out_price_units=72_5000,
            call_alone_units=80_0000,
            close_out_alone_units=72_5000,
            sold_quantity=310,
            sold_minor=22_500_00,
        ),
    ),
    key_facts=FACTS,
)


def proof(at: datetime = AT) -> Authentication:
    """A password and an authenticator code, a minute before."""
    return Authentication(("password", "totp"), at - timedelta(minutes=1), "203.0.113.7", "5e55")


@dataclass(frozen=True)
class Cast:
    """Who prepares, who countersigns, the client Wang Fang and another one, as actors and ids."""

    maker: Actor
    officer: Actor
    compliance: Actor
    fang: Actor
    fang_id: int
    outsider: Actor
    outsider_id: int

    def prepare(self, terms: ContractTerms = TERMS, language: Language = Language.EN, key: str = "") -> int:
        return prepare_contract(
            actor=self.maker, client_id=self.fang_id, terms=terms, language=language, on=ON, at=AT, key=key
        )

    def offer(self, terms: ContractTerms = TERMS, language: Language = Language.EN) -> int:
        contract_id = self.prepare(terms, language)
        offer_contract(actor=self.maker, contract_id=contract_id, at=AT)
        return contract_id

    def acknowledge(self, contract_id: int, at: datetime = AT, leave_out: int = 0) -> None:
        said = find_disclosures("US", at.date())
        for one in said[: len(said) - leave_out]:
            acknowledge(
                actor=self.fang, contract_id=contract_id, disclosure=one.id, text_hash=one.text_hash, at=at,
                address="203.0.113.7", session_hash="5e55",
            )  # fmt: skip

    def sign(self, contract_id: int, at: datetime = AT) -> None:
        sign_as_client(actor=self.fang, contract_id=contract_id, authentication=proof(at), at=at)

    def signed(self, terms: ContractTerms = TERMS, language: Language = Language.EN) -> int:
        contract_id = self.offer(terms, language)
        self.acknowledge(contract_id)
        self.sign(contract_id)
        return contract_id


def make_cast() -> Cast:
    """A licence in New York, two clients with a portal, an officer who prepares and one who signs for the desk."""
    record_licence(
        actor=SYSTEM,
        jurisdiction="US",
        activity="margin_lending",
        permit="us.nonbank_lender",
        number="NY-1",
        holder="Reefpoint Lending LLC",
        valid_from=date(2019, 1, 1),
        valid_to=None,
        evidence="certificate",
        at=AT,
    )
    ids = register_clients(
        actor=SYSTEM,
        drafts=[ClientDraft("Wang Fang", "fang@clients.test", "王芳"), ClientDraft("Outsider", "out@clients.test")],
        on=ON,
        at=AT,
    )
    users = [person("fang", RoleName.CLIENT, "Wang Fang"), person("out", RoleName.CLIENT)]
    for client_id, user in zip(ids, users, strict=True):
        Client.objects.filter(id=client_id).update(portal_user_id=user.user_id)
    return Cast(
        maker=person("maker", RoleName.OPERATIONS),
        officer=person("officer", RoleName.CREDIT_OFFICER, "Olga Officer"),
        compliance=person("compliance", RoleName.COMPLIANCE),
        fang=users[0],
        fang_id=ids[0],
        outsider=users[1],
        outsider_id=ids[1],
    )


def person(name: str, role: RoleName, full_name: str = "") -> Actor:
    """Somebody of this role, as an actor."""
    user_id = create_user(
        actor=SYSTEM, email=f"{name}@people.test", name=full_name or name, password=None, roles=[role], at=AT
    )
    return actor_for(User.objects.get(pk=user_id))


def changed(**values: object) -> ContractTerms:
    """The terms with some others in them."""
    return replace(TERMS, **values)  # type: ignore[arg-type]
