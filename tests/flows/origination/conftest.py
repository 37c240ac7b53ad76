"""A desk with two compliance officers and somebody who applies on the portal, with whole and honest answers."""

import io
from dataclasses import dataclass, replace

import pytest
from PIL import Image
from tests.desk import BOLD, MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.screening.selectors import get_hit, list_hits_of
from reefpoint.decisions.screening.services import decide_hit, load_list, propose_resolution, screen_client
from reefpoint.decisions.screening.types import ListShape
from reefpoint.decisions.screening.types import Outcome as HitOutcome
from reefpoint.decisions.suitability.services import record_answers
from reefpoint.flows.origination.models import Application
from reefpoint.flows.origination.selectors.review import load_review
from reefpoint.flows.origination.services.beginning import begin_application
from reefpoint.flows.origination.services.decisions import accept_application, take_up
from reefpoint.flows.origination.services.submitting import submit_application
from reefpoint.flows.origination.services.writing import attach_document, save_section
from reefpoint.flows.origination.types.applications import ApplicationState, PreScreen
from reefpoint.flows.origination.types.questions import Section, SectionData
from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import actor_for, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.types import ClientKind, DocumentKind

AT = noon(MONDAY)
ANSWERS: dict[Section, SectionData] = {
    Section.IDENTITY: {
        "name": "Tan Wei Ling",
        "name_zh": "陈伟玲",
        "birth_or_incorporated_on": "1985-06-01",
        "nationality": "SG",
        "residence": "SG",
        "address": "1 Raffles Place, Singapore",
        "phone": "+65 6123 4567",
        "identifiers": [{"kind": "passport", "number": "E1234567N", "country": "SG", "expires_on": "2027-01-01"}],
    },
    Section.TAX: {"tax_residences": [{"country": "SG", "tax_number": "S1234567D"}]},
    Section.WEALTH: {
        "currency": "USD",
        "annual_income_minor": 200_000_00,
        "liquid_assets_minor": 800_000_00,
        "net_worth_minor": 2_000_000_00,
        "occupation": "Engineer",
        "employer_or_industry": "Shipbuilding",
        "sources_of_funds": ["salary"],
        "sources_of_wealth": ["employment"],
        "source_note": "Twenty years of salary, saved.",
    },
    Section.EXPERIENCE: {
        "trading_years": 10,
        "trades_per_year": 60,
        "products_traded": ["stocks"],
        "scheme_code": "STANDARD",
        "loan_wanted_minor": 100_000_00,
        "expected_turnover_minor": 500_000_00,
        "purpose": "leverage",
    },
    Section.BANK: {
        "bank_accounts": [
            {
                "country": "SG",
                "bank_name": "DBS",
                "bank_code": "DBSSSGSG",
                "holder_name": "Wei Ling TAN",
                "number": "0012345678",
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
        "agrees_to_marketing": True,
    },
}
NEEDED = (DocumentKind.IDENTITY, DocumentKind.ADDRESS_PROOF, DocumentKind.FUNDS_PROOF)


def picture(shade: int) -> bytes:
    """A small PNG, another for each shade."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 20, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def person(name: str, role: RoleName) -> Actor:
    user_id = create_user(actor=SYSTEM, email=f"{name}@desk.test", name=name, password=None, roles=[role], at=AT)
    return actor_for(User.objects.get(id=user_id))


@dataclass
class Office:
    """The desk, its compliance officers, and an applicant whose application is begun."""

    desk: Desk
    officer: Actor
    second: Actor
    applicant: Actor
    application_id: int

    @property
    def row(self) -> Application:
        return Application.objects.select_related("client").get(id=self.application_id)

    @property
    def state(self) -> ApplicationState:
        return ApplicationState(self.row.state)

    def save(self, section: Section, **changes: object) -> None:
        """Save a section's honest answers with some changes."""
        data = {**ANSWERS[section], **changes}
        save_section(actor=self.applicant, application_id=self.application_id, section=section, data=data, at=AT)  # type: ignore[arg-type]

    def write(self) -> None:
        """Everything that is asked, honestly."""
        for section in ANSWERS:
            self.save(section)
        for shade, kind in enumerate(NEEDED):
            self.attach(kind, shade)
        record_answers(actor=self.applicant, client_id=self.row.client_id, answers=BOLD, at=AT)

    def attach(self, kind: DocumentKind, shade: int = 99) -> int:
        return attach_document(
            actor=self.applicant,
            application_id=self.application_id,
            kind=kind,
            file_name="scan.png",
            content=picture(shade),
            at=AT,
        )

    def submit(self) -> PreScreen:
        return submit_application(actor=self.applicant, application_id=self.application_id, on=MONDAY, at=AT)

    def review(self) -> str:
        """Hand it in whole, take it up; the fingerprint that the review page shows."""
        self.write()
        self.submit()
        take_up(actor=self.officer, application_id=self.application_id, on=MONDAY, at=AT)
        return self.shown()

    def shown(self) -> str:
        return load_review(self.officer, self.application_id, on=MONDAY, at=AT).fingerprint

    def accept(self, shown: str, actor: Actor | None = None) -> int | None:
        return accept_application(
            actor=actor or self.officer,
            application_id=self.application_id,
            shown=shown,
            note="all in order",
            on=MONDAY,
            at=AT,
        )

    def confirm_hit(self) -> None:
        """Put the applicant on a list, and have two people say that it is they."""
        self.list_name("Tan Wei Ling")
        screen_client(actor=SYSTEM, client_id=self.row.client_id, at=AT)
        [hit] = list_hits_of(SYSTEM, self.row.client_id)
        outcome, why = HitOutcome.CONFIRMED, "it is they"
        propose_resolution(actor=self.officer, hit_id=hit.id, outcome=outcome, reason=why, at=AT)
        shown = get_approval(get_hit(self.second, hit.id).approval_id or 0).payload_hash
        decide_hit(actor=self.second, hit_id=hit.id, is_agreed=True, payload_hash=shown, reason=why, at=AT)
        self.desk.drain()

    def list_name(self, name: str, source: str = "made.up") -> None:
        """Put a list with one name in force."""
        content = f"id,schema,name,aliases,birth_date,countries\nQ1,Person,{name},,1985-06-01,sg\n".encode()
        load_list(
            actor=self.officer,
            source=source,
            content=content,
            shape=ListShape.OPENSANCTIONS_CSV,
            file_name="l.csv",
            at=AT,
        )


def make_office(desk: Desk, *, has_list: bool = True) -> Office:
    applicant = person("applicant", RoleName.CLIENT)
    office = Office(
        desk=desk,
        officer=person("officer", RoleName.COMPLIANCE),
        second=person("second", RoleName.COMPLIANCE),
        applicant=replace(applicant, name="Tan Wei Ling"),
        application_id=0,
    )
    if has_list:
        office.list_name("Nobody Whoever", "base.list")
    office.application_id = begin_application(
        actor=office.applicant, kind=ClientKind.INDIVIDUAL, on=MONDAY, at=AT, language="zh-hans"
    )
    return office


@pytest.fixture
def office(desk: Desk) -> Office:
    """The office inside the test's own transaction."""
    return make_office(desk)


@pytest.fixture
def live_office(live_desk: Desk) -> Office:
    """The office with committed rows, for tests with several connections."""
    return make_office(live_desk)
