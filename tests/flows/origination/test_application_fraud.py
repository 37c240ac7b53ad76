"""Applications as monitoring sees them (typology 26): what is already another's, and one device for many."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.desk import BOLD, MONDAY, SYSTEM
from tests.flows.origination.conftest import ANSWERS, AT, NEEDED, Office, person, picture

from reefpoint.decisions.monitoring.models import Activity, Alert
from reefpoint.decisions.monitoring.services.rules import install_typologies
from reefpoint.decisions.monitoring.services.sweeping import judge_clients
from reefpoint.decisions.suitability.services import record_answers
from reefpoint.flows.origination.models import Application
from reefpoint.flows.origination.services.beginning import begin_application
from reefpoint.flows.origination.services.submitting import submit_application
from reefpoint.flows.origination.services.writing import attach_document, save_section
from reefpoint.flows.origination.types.applications import PreScreenOutcome
from reefpoint.flows.origination.types.questions import Section, SectionData
from reefpoint.platform.access.types import RoleName
from reefpoint.records.parties.models import TraitRow
from reefpoint.records.parties.types import ClientKind

DEVICE = "5" * 64


def answers(number: int, **changes: object) -> dict[Section, SectionData]:
    """The honest answers of another person, who shares nothing with anybody, with some changes."""
    own: dict[str, object] = {
        "phone": f"+65 6000 000{number}",
        "address": f"{number} Orchard Road, Singapore",
        "identifiers": [
            {"kind": "passport", "number": f"K000000{number}N", "country": "SG", "expires_on": "2027-01-01"}
        ],
        "bank_accounts": [{**ANSWERS[Section.BANK]["bank_accounts"][0], "number": f"990000000{number}"}],  # type: ignore[index, dict-item]
        **changes,
    }
    return {
        section: {name: own.get(name, value) for name, value in said.items()}  # type: ignore[misc]
        for section, said in ANSWERS.items()
    }


def apply(number: int, *, device: str = "", shade: int | None = None, days: int = 0, **changes: object) -> int:
    """Somebody else applies, so many days later. Returns the client's id."""
    at = AT + timedelta(days=days)
    actor = replace(person(f"other{number}", RoleName.CLIENT), name="Tan Wei Ling")
    application_id = begin_application(actor=actor, kind=ClientKind.INDIVIDUAL, on=MONDAY, at=at)
    for section, data in answers(number, **changes).items():
        save_section(actor=actor, application_id=application_id, section=section, data=data, at=at)
    for place, kind in enumerate(NEEDED):
        attach_document(
            actor=actor, application_id=application_id, kind=kind, file_name="scan.png", at=at,
            content=picture(shade + place if shade is not None else 20 * number + place),
        )  # fmt: skip
    client_id = client_of(application_id)
    record_answers(actor=actor, client_id=client_id, answers=BOLD, at=at)
    found = submit_application(actor=actor, application_id=application_id, on=MONDAY, at=at, device=device)
    assert found.outcome is not PreScreenOutcome.STOPPED, found.reasons
    return client_id


def client_of(application_id: int) -> int:
    return Application.objects.values_list("client_id", flat=True).get(id=application_id)


def noted(client_id: int) -> Activity:
    return Activity.objects.get(kind="application", client_id=client_id)


@pytest.fixture
def handed_in(office: Office) -> Office:
    """A first application that was handed in, with all typologies live."""
    install_typologies(actor=SYSTEM, at=AT)
    office.write()
    office.submit()
    return office


def fired(client_id: int) -> list[dict[str, object]]:
    judge_clients(since={client_id: AT}, at=AT)
    return [alert.inputs for alert in Alert.objects.filter(rule__code="application_fraud", client_id=client_id)]


def test_an_application_that_shares_nothing_is_noted_and_harmless(handed_in: Office) -> None:
    client_id = apply(2)
    row = noted(client_id)
    assert (row.quantity, row.country, row.device) == (0, "SG", 0)
    assert fired(client_id) == []
    assert noted(handed_in.row.client_id).quantity == 0


@pytest.mark.parametrize(
    "same",
    [
        {"phone": "0065 6123-4567"},
        {"identifiers": ANSWERS[Section.IDENTITY]["identifiers"]},
        {"bank_accounts": ANSWERS[Section.BANK]["bank_accounts"]},
        {"shade": 0},
    ],
    ids=["phone", "identifier", "bank account", "document"],
)
def test_what_is_already_another_applicants_raises_an_alert(handed_in: Office, same: dict[str, object]) -> None:
    client_id = apply(2, **same)  # type: ignore[arg-type]
    assert fired(client_id) == [{"shared_details": 1, "device_applicants_30d": 0}]
    assert fired(handed_in.row.client_id) == []


def test_a_fourth_applicant_on_one_device_raises_an_alert_and_the_third_none(handed_in: Office) -> None:
    *earlier, last = (apply(number, device=DEVICE, days=number) for number in (2, 3, 4, 5))
    assert [fired(client_id) for client_id in earlier] == [[], [], []]
    assert fired(last) == [{"shared_details": 0, "device_applicants_30d": 4}]


def test_no_value_is_kept_with_the_activity_in_the_open(handed_in: Office) -> None:
    client_id = apply(2, device=DEVICE)
    kept = " ".join(str(value) for value in Activity.objects.filter(client_id=client_id).values().get().values())
    for raw in (DEVICE, "6000", "K0000002N", "9900000002"):
        assert raw not in kept
    assert not any("9900000002" in row.masked for row in TraitRow.objects.filter(client_id=client_id))


def test_asked_again_and_handed_in_again_it_is_two_activities(handed_in: Office) -> None:
    Application.objects.filter(id=handed_in.application_id).update(state="info_requested")
    handed_in.submit()
    keys = Activity.objects.filter(kind="application").order_by("id").values_list("key", flat=True)
    assert list(keys) == [f"application:{handed_in.application_id}:{number}" for number in (1, 2)]


def test_an_application_that_is_stopped_is_not_noted(office: Office) -> None:
    office.submit()
    assert not Activity.objects.filter(kind="application").exists()
