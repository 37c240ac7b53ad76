"""A small desk with schemes on offer at a fixed noon, and applicants who are signed in."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings
from tests.desk import MONDAY, SYSTEM, Desk, make_desk, noon

from reefpoint.decisions.screening.services import load_list
from reefpoint.decisions.screening.types import ListShape
from reefpoint.decisions.suitability.selectors import find_questionnaire
from reefpoint.flows.operations.models import DeskClock
from reefpoint.flows.origination.selectors.applications import find_own_application
from reefpoint.flows.origination.types.applications import ApplicationView
from reefpoint.platform.access.services import actor_for, create_user
from reefpoint.platform.access.types import RoleName

AT = noon(MONDAY)
IDENTITY = {
    "name": "Wang Fang",
    "name_zh": "王芳",
    "birth_or_incorporated_on": "1980-02-03",
    "nationality": "US",
    "residence": "US",
    "address": "1 Reef Road, Springfield",
    "phone": "+1 555 010 0199",
    "identifiers.0.kind": "passport",
    "identifiers.0.number": "P12345678",
    "identifiers.0.country": "US",
    "identifiers.0.expires_on": "2030-01-01",
}
SECTIONS: dict[str, dict[str, Any]] = {
    "identity": IDENTITY,
    "tax": {"tax_residences.0.country": "US", "tax_residences.0.tax_number": "078-05-1120"},
    "wealth": {
        "currency": "USD",
        "annual_income_minor": "25万",
        "liquid_assets_minor": "1,000,000",
        "net_worth_minor": "2m",
        "occupation": "Engineer",
        "employer_or_industry": "Reef Works",
        "sources_of_funds": ["salary", "savings"],
        "sources_of_wealth": ["employment"],
        "source_note": "Twenty years of salary, saved and invested.",
    },
    "experience": {
        "trading_years": "12",
        "trades_per_year": "40",
        "products_traded": ["stocks", "funds"],
        "scheme_code": "STANDARD",
        "loan_wanted_minor": "200k",
        "expected_turnover_minor": "500k",
        "purpose": "leverage",
    },
    "bank": {
        "bank_accounts.0.country": "US",
        "bank_accounts.0.bank_name": "First Bank",
        "bank_accounts.0.holder_name": "Wang Fang",
        "bank_accounts.0.number": "000123456789",
        "bank_accounts.0.currency": "USD",
    },
    "declarations": {
        "is_pep_declared": "no",
        "has_defaulted": "no",
        "is_major_shareholder": "no",
        "acts_for_self": "yes",
        "is_truthful": "yes",
        "read_margin_risks": "yes",
        "agrees_to_processing": "yes",
    },
}
"""What an applicant types, by section."""

DOCUMENTS = ("identity", "address_proof", "funds_proof")


def picture(shade: int = 200) -> bytes:
    """A small PNG."""
    made = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, shade, shade)).save(made, "PNG")
    return made.getvalue()


@dataclass
class Applicant:
    """A client in a browser without JavaScript."""

    browser: Client
    user_id: int

    @property
    def application(self) -> ApplicationView:
        found = find_own_application(actor_for(get_user_model().objects.get(pk=self.user_id)))
        assert found is not None
        return found

    def get(self, path: str) -> HttpResponse:
        return self.browser.get(f"/portal/{path}")  # type: ignore[return-value]

    def text(self, path: str) -> str:
        return self.get(path).content.decode()

    def post(self, path: str, form: dict[str, Any] | None = None, **extra: Any) -> HttpResponse:
        return self.browser.post(f"/portal/{path}", form or {}, **extra)  # type: ignore[return-value]

    def begin(self, kind: str = "individual") -> None:
        self.post("begin/", {"kind": kind})

    def write(self, section: str, **changes: Any) -> HttpResponse:
        return self.post(f"sections/{section}/", {**SECTIONS[section], "then": "next", **changes})

    def upload(self, kind: str, content: bytes, name: str = "scan.png", **more: str) -> HttpResponse:
        file = io.BytesIO(content)
        file.name = name
        return self.post("documents/", {"kind": kind, "file": file, **more})

    def answer(self, place: int = -1) -> HttpResponse:
        """Answer every question with the option at this place."""
        shown = find_questionnaire(MONDAY)
        answers = {f"q.{one.id}": one.options[place].id for one in shown.questionnaire.questions}
        return self.post("questionnaire/", {**answers, "version": str(shown.version), "then": "send"})

    def complete(self) -> None:
        """Begin and fill in everything."""
        self.begin()
        for section in SECTIONS:
            self.write(section)
        for shade, kind in enumerate(DOCUMENTS):
            self.upload(kind, picture(shade))
        self.answer()


NewApplicant = Callable[[str], Applicant]


@pytest.fixture
def offered(db: None, settings: Settings) -> Desk:
    """The test desk at its first noon, with schemes on offer and a list of names in force."""
    settings.REQUIRE_SECOND_FACTOR = False
    cache.clear()
    DeskClock.objects.create(at=AT)
    desk = make_desk()
    load_list(
        actor=SYSTEM,
        source="base.list",
        shape=ListShape.OPENSANCTIONS_CSV,
        file_name="list.csv",
        content=b"id,schema,name,aliases,birth_date,countries\nQ1,Person,Nobody Whoever,,,\n",
        at=AT,
    )
    return desk


@pytest.fixture
def applicant(offered: Desk) -> NewApplicant:
    """Somebody who has signed up, by a first name."""

    def make(name: str) -> Applicant:
        user_id = create_user(
            actor=SYSTEM,
            email=f"{name.lower()}@mail.test",
            name=name,
            password=None,
            roles=[RoleName.CLIENT],
            at=AT,
        )
        browser = Client()
        browser.force_login(get_user_model().objects.get(pk=user_id))
        return Applicant(browser, user_id)

    return make
