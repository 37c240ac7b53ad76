"""A contract of Wang Fang over 50,000 dollars against 1,000 Apple, and the people who make, sign and publish."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import actor_for, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.records.contracts.rules.sample import SAMPLE_TERMS
from reefpoint.records.contracts.selectors import find_disclosures
from reefpoint.records.contracts.services import acknowledge, offer_contract, prepare_contract, sign_as_client
from reefpoint.records.contracts.types import Authentication, ContractTerms, Language
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.services import record_licence, register_clients
from reefpoint.records.parties.types import ClientDraft

SYSTEM = system_actor("tests")
ON = date(2019, 11, 25)
AT = datetime(2019, 11, 25, 17, tzinfo=UTC)
TERMS = SAMPLE_TERMS


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


PASSWORD = "copper kettle on a reef"
SECRETS = ("JBSWY3DPEHPK3PXP", "KRSXG5CTMVRXEZLU")
"""Of the authenticator apps of the client and of the officer, where a test gives them one."""


def make_cast(password: str | None = None) -> Cast:
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
    users = [person("fang", RoleName.CLIENT, "Wang Fang", password), person("out", RoleName.CLIENT)]
    for client_id, user in zip(ids, users, strict=True):
        Client.objects.filter(id=client_id).update(portal_user_id=user.user_id)
    return Cast(
        maker=person("maker", RoleName.OPERATIONS),
        officer=person("officer", RoleName.CREDIT_OFFICER, "Olga Officer", password),
        compliance=person("compliance", RoleName.COMPLIANCE),
        fang=users[0],
        fang_id=ids[0],
        outsider=users[1],
        outsider_id=ids[1],
    )


def person(name: str, role: RoleName, full_name: str = "", password: str | None = None) -> Actor:
    """Somebody of this role, as an actor."""
    user_id = create_user(
        actor=SYSTEM, email=f"{name}@people.test", name=full_name or name, password=password, roles=[role], at=AT
    )
    return actor_for(User.objects.get(pk=user_id))


def changed(**values: object) -> ContractTerms:
    """The terms with some others in them."""
    return replace(TERMS, **values)  # type: ignore[arg-type]
