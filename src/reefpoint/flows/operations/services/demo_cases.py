"""People who come to the desk of the demo once its market is replayed: enquiries, applications, asks for credit.

One waits at every stage, so that each member of the staff finds work of theirs, and clients can sign in to go on. As
with the desk itself, everything is done by the services of the product, each by a person who may do it.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from PIL import Image, ImageDraw

from reefpoint.decisions.kyc.services import review_client
from reefpoint.decisions.kyc.types import Rating
from reefpoint.decisions.screening.services import load_list
from reefpoint.decisions.screening.types import ListShape
from reefpoint.decisions.suitability.services import record_answers
from reefpoint.flows.lending.selectors.requests import get_request
from reefpoint.flows.lending.services.deciding import decide_request
from reefpoint.flows.lending.services.offering import accept_offer, make_offer
from reefpoint.flows.lending.services.requests import begin_request, submit_request
from reefpoint.flows.operations.selectors.clock import get_clock
from reefpoint.flows.operations.services.demo_desk import ANSWERS, PASSWORD, SETUP, cast_actor
from reefpoint.flows.origination.selectors.applications import find_own_application
from reefpoint.flows.origination.selectors.review import load_review
from reefpoint.flows.origination.services.beginning import begin_application
from reefpoint.flows.origination.services.decisions import accept_application, take_up
from reefpoint.flows.origination.services.leads import record_lead
from reefpoint.flows.origination.services.submitting import submit_application
from reefpoint.flows.origination.services.writing import attach_document, save_section
from reefpoint.flows.origination.types.leads import LeadChannel, LeadDraft
from reefpoint.flows.origination.types.questions import Section, SectionData
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import approve, create_user, find_actor
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.money import PRICE_SCALE
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.market.selectors.prices import latest_prices
from reefpoint.records.parties.selectors.clients import find_clients
from reefpoint.records.parties.services import accept_invitation, invite_to_portal
from reefpoint.records.parties.types import ClientKind, DocumentKind

SCHEME = "STANDARD"
SHARES = ("AAPL", "JPM", "KO")
SHARES_WORTH_BP = 22_000
PASSPORT_LASTS = timedelta(days=4 * 365)
LIST = """id,schema,name,aliases,birth_date,countries
DEMO-1,Person,Viktor Orlenko,Виктор Орленко,1971-03-09,ru
DEMO-2,Person,Nobody Inparticular,,1960-01-01,us
DEMO-3,Organization,Northern Reef Shipping,,,kp
DEMO-4,Person,陈大文,Chan Tai Man,1958-11-02,hk
"""
"""A list of made-up names: without a list in force nobody is accepted."""

LEADS = (
    LeadDraft("Oliver Brandt", LeadChannel.WEB, email="oliver@mail.example", country="US", note="Asks for 250,000."),
    LeadDraft("Oliver Brandt", LeadChannel.PHONE, email="o.brandt@mail.example", phone="+1 212 555 0148", country="US"),
    LeadDraft(
        "Liu Yan", LeadChannel.REFERRAL, name_zh="刘燕", email="liuyan@mail.example", language="zh-hans", country="US",
        source="Wang Fang", may_contact=True,
    ),
    LeadDraft("Priya Raman", LeadChannel.EVENT, email="priya@mail.example", source="Investors' evening", country="US"),
    LeadDraft(
        "Alder Partners", LeadChannel.PARTNER, kind=ClientKind.INSTITUTION, email="desk@alder.example", country="US",
        loan_wanted_minor=2_000_000_00, may_contact=True,
    ),
)  # fmt: skip


class Reach(IntEnum):
    """How far somebody has come."""

    BEGUN = 1
    HANDED_IN = 2
    ASKED = 3
    DECIDED = 4
    APPROVED = 5
    OFFERED = 6
    CONTRACT = 7


@dataclass(frozen=True)
class Case:
    """Somebody who applies on the portal, and for whom the desk does what it does, as far as `reach`.

    Amounts in US dollars. The shares that come in as collateral are worth some twice the loan.
    """

    name: str
    first: str
    born: str
    occupation: str
    employer: str
    income: int
    liquid: int
    loan: int
    reach: Reach
    name_zh: str = ""

    @property
    def email(self) -> str:
        return f"{self.first}@clients.example"


CASES = (
    Case("Maya Lindqvist", "maya", "1988-04-12", "Architect", "Reef Studio", 140_000, 400_000, 80_000, Reach.BEGUN),
    Case(
        "Viktor Orlenko", "viktor", "1971-03-09", "Broker", "Orlenko Freight", 260_000, 900_000, 200_000,
        Reach.HANDED_IN,
    ),
    Case("Daniel Osei", "daniel", "1979-09-30", "Dentist", "Osei Dental", 310_000, 750_000, 150_000, Reach.HANDED_IN),
    Case(
        "Chen Yulan", "yulan", "1982-01-22", "Engineer", "Reef Works", 190_000, 820_000, 120_000, Reach.ASKED,
        name_zh="陈玉兰",
    ),
    Case("Helen Marsh", "helen", "1969-06-03", "Surgeon", "City Hospital", 420_000, 1_600_000, 240_000, Reach.DECIDED),
    Case("Samuel Ortiz", "samuel", "1974-12-11", "Lawyer", "Ortiz & Hale", 350_000, 1_100_000, 180_000, Reach.APPROVED),
    Case(
        "Zhou Jian", "jian", "1976-05-17", "Manager", "Harbour Logistics", 280_000, 1_300_000, 160_000, Reach.OFFERED,
        name_zh="周健",
    ),
    Case(
        "Wang Fang", "fang", "1980-02-03", "Engineer", "Reef Works", 250_000, 1_000_000, 100_000, Reach.CONTRACT,
        name_zh="王芳",
    ),
)  # fmt: skip

BORROWER = "client00001@clients.example"
ON_THE_PORTAL = f"{BORROWER} (a loan), maya@ (an application begun), jian@ (an offer), fang@ (a contract to sign)"
"""Who can sign in on the portal, as it is told beside the address."""


def open_cases(*, settle: Callable[[], None]) -> None:
    """Let them all come, on the desk's present day. `settle` returns when all that waits in the outbox is handled."""
    clock = get_clock()
    at = clock.at
    on = clock.business_date or at.date()
    _list_names(at)
    _invite_borrower(at)
    for draft in LEADS:
        record_lead(actor=cast_actor("manager"), draft=draft, at=at)
    for number, case in enumerate(CASES):
        _apply(case, number, on, at)
    settle()
    for case in _those(Reach.ASKED):
        _accept(case, on, at)
    settle()
    requests = {case: _ask(case, on, at) for case in _those(Reach.ASKED)}
    for case in _those(Reach.APPROVED):
        decide_request(actor=cast_actor("credit"), request_id=requests[case], on=on, at=at)
    _agree(at)
    for case in CASES:
        if case.reach is Reach.DECIDED:
            decide_request(actor=cast_actor("credit"), request_id=requests[case], on=on, at=at)
    settle()
    for case in _those(Reach.OFFERED):
        make_offer(actor=cast_actor("credit"), request_id=requests[case], on=on, at=at)
    for case in _those(Reach.CONTRACT):
        _take_the_offer(case, requests[case], on, at)
    settle()


def _those(reach: Reach) -> list[Case]:
    return [case for case in CASES if case.reach >= reach]


def _list_names(at: datetime) -> None:
    load_list(
        actor=cast_actor("compliance"),
        source="demo.names",
        content=LIST.encode(),
        shape=ListShape.OPENSANCTIONS_CSV,
        file_name="demo-names.csv",
        at=at,
    )


def _invite_borrower(at: datetime) -> None:
    """The first client of the book, whom the desk put on record, comes to the portal by invitation."""
    [client] = find_clients(SETUP, text=BORROWER, offset=0, limit=1).rows
    invite_to_portal(actor=cast_actor("operations"), client_id=client.id, at=at)
    create_user(
        actor=SETUP, email=BORROWER, name=client.name, password=PASSWORD, roles=[RoleName.CLIENT], at=at,
    )  # fmt: skip
    accept_invitation(actor=find_actor(BORROWER), at=at)


def _apply(case: Case, number: int, on: date, at: datetime) -> None:
    create_user(
        actor=SETUP, email=case.email, name=case.name, password=PASSWORD, roles=[RoleName.CLIENT], at=at,
    )  # fmt: skip
    client = find_actor(case.email)
    application_id = begin_application(
        actor=client, kind=ClientKind.INDIVIDUAL, on=on, at=at, language="zh-hans" if case.name_zh else "en"
    )
    sections = answers_of(case, number, on)
    if case.reach is Reach.BEGUN:
        sections = {name: sections[name] for name in (Section.IDENTITY, Section.TAX)}
    for section, data in sections.items():
        save_section(actor=client, application_id=application_id, section=section, data=data, at=at)
    if case.reach is Reach.BEGUN:
        return
    for kind in (DocumentKind.IDENTITY, DocumentKind.ADDRESS_PROOF, DocumentKind.FUNDS_PROOF):
        attach_document(
            actor=client,
            application_id=application_id,
            kind=kind,
            file_name=f"{kind.value}.png",
            content=specimen(case.name, kind),
            at=at,
        )
    own = find_own_application(client)
    assert own is not None, "it was begun above"
    record_answers(actor=client, client_id=own.client_id, answers=ANSWERS["PRIME"], at=at)
    submit_application(actor=client, application_id=application_id, on=on, at=at)


def answers_of(case: Case, number: int, on: date) -> dict[Section, SectionData]:
    """What somebody answers, section by section: honest, whole, and of nobody."""
    return {
        Section.IDENTITY: {
            "name": case.name,
            "name_zh": case.name_zh,
            "birth_or_incorporated_on": case.born,
            "nationality": "US",
            "residence": "US",
            "address": f"{10 + number} Reef Road, Springfield",
            "phone": f"+1 212 555 01{60 + number}",
            "identifiers": [
                {
                    "kind": "passport",
                    "number": f"P5550{100 + number}",
                    "country": "US",
                    "expires_on": (on + PASSPORT_LASTS).isoformat(),
                }
            ],
        },
        Section.TAX: {"tax_residences": [{"country": "US", "tax_number": f"078-05-{1120 + number}"}]},
        Section.WEALTH: {
            "currency": "USD",
            "annual_income_minor": case.income * 100,
            "liquid_assets_minor": case.liquid * 100,
            "net_worth_minor": case.liquid * 200,
            "occupation": case.occupation,
            "employer_or_industry": case.employer,
            "sources_of_funds": ["salary", "savings"],
            "sources_of_wealth": ["employment"],
            "source_note": f"Years of salary at {case.employer}, saved and invested.",
        },
        Section.EXPERIENCE: {
            "trading_years": 12,
            "trades_per_year": 40,
            "products_traded": ["stocks", "funds"],
            "scheme_code": SCHEME,
            "loan_wanted_minor": case.loan * 100,
            "expected_turnover_minor": case.loan * 400,
            "purpose": "leverage",
        },
        Section.BANK: {
            "bank_accounts": [
                {
                    "country": "US",
                    "bank_name": "First Demonstration Bank",
                    "holder_name": case.name,
                    "number": f"0001234567{80 + number}",
                    "currency": "USD",
                }
            ]
        },
        Section.DECLARATIONS: {
            "is_pep_declared": False,
            "has_defaulted": False,
            "is_major_shareholder": False,
            "acts_for_self": True,
            "is_truthful": True,
            "read_margin_risks": True,
            "agrees_to_processing": True,
            "agrees_to_marketing": False,
        },
    }


def specimen(name: str, kind: DocumentKind) -> bytes:
    """A picture that says whose document it stands for, as PNG."""
    page = Image.new("RGB", (640, 400), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((12, 12, 628, 388), outline=(20, 90, 110), width=3)
    draw.text((40, 40), f"SPECIMEN\n\n{kind.value.replace('_', ' ')}\n\n{name}", fill=(20, 40, 60), font_size=28)
    content = io.BytesIO()
    page.save(content, "PNG")
    return content.getvalue()


def _accept(case: Case, on: date, at: datetime) -> None:
    compliance = cast_actor("compliance")
    own = find_own_application(find_actor(case.email))
    assert own is not None, "it was handed in before"
    take_up(actor=compliance, application_id=own.id, on=on, at=at)
    review_client(
        actor=compliance,
        client_id=own.client_id,
        rating=Rating.STANDARD,
        note="Documents and statements agree with the answers.",
        on=on,
        at=at,
    )
    shown = load_review(compliance, own.id, on=on, at=at).fingerprint
    accept_application(
        actor=compliance, application_id=own.id, shown=shown, note="Identity, funds and experience are shown.",
        on=on, at=at,
    )  # fmt: skip


def _ask(case: Case, on: date, at: datetime) -> int:
    client = find_actor(case.email)
    own = find_own_application(client)
    assert own is not None, "it was accepted before"
    prices = latest_prices(at)
    ids = {one.symbol: one.id for one in list_instruments()}
    a_name = case.loan * SHARES_WORTH_BP // 10_000 // len(SHARES)
    lots = [(ids[symbol], a_name * PRICE_SCALE // prices[ids[symbol]].price_units) for symbol in SHARES]
    request_id = begin_request(
        actor=client,
        client_id=own.client_id,
        scheme_code=SCHEME,
        amount_minor=case.loan * 100,
        tenor_days=90,
        lots=lots,
        on=on,
        at=at,
    )
    submit_request(actor=client, request_id=request_id, on=on, at=at)
    return request_id


def _agree(at: datetime) -> None:
    """The risk officer says yes to what the credit officer would lend."""
    risk = cast_actor("risk")
    for approval in list_pending(risk, is_decidable=True):
        if approval.kind.startswith("credit.approve"):
            approve(
                actor=risk,
                approval_id=approval.id,
                payload_hash=approval.payload_hash,
                at=at,
                reason="Income, shares and score bear it.",
            )


def _take_the_offer(case: Case, request_id: int, on: date, at: datetime) -> None:
    client = find_actor(case.email)
    offered = get_request(client, request_id, at=at)
    assert offered.quote_id is not None, "it was offered"
    assert offered.rate_bp is not None, "an offer has a rate"
    accept_offer(actor=client, request_id=request_id, quote_id=offered.quote_id, rate_bp=offered.rate_bp, on=on, at=at)
