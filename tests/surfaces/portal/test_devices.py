"""The portal knows a browser by a number it put there, notes a sign-in once, and links clients by it."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from tests.desk import SYSTEM
from tests.surfaces.portal.conftest import AT, Applicant, NewApplicant

from reefpoint.decisions.monitoring.models import Activity, Alert
from reefpoint.decisions.monitoring.services.activities import device_code
from reefpoint.decisions.monitoring.services.rules import install_typologies
from reefpoint.decisions.monitoring.services.sweeping import judge_clients
from reefpoint.decisions.relations.selectors import load_groups
from reefpoint.flows.operations.models import DeskClock
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.parties.selectors.traits import list_traits
from reefpoint.records.parties.types import TraitKind
from reefpoint.surfaces.portal.devices import DEVICE_COOKIE

pytestmark = pytest.mark.django_db


def sign_ins() -> list[Activity]:
    return list(Activity.objects.filter(kind="sign_in").order_by("id"))


def on_the_browser_of(other: Applicant, somebody: Applicant) -> None:
    """Somebody signs out of their own browser and in on another's."""
    number = other.browser.cookies[DEVICE_COOKIE].value
    other.browser.logout()
    somebody.browser.cookies[DEVICE_COOKIE] = number
    somebody.browser.force_login(get_user_model().objects.get(pk=somebody.user_id))


def begun(somebody: Applicant) -> int:
    somebody.begin()
    somebody.get("")
    return somebody.application.client_id


def test_a_browser_is_given_a_number_of_the_portals_own_that_scripts_and_other_pages_never_see(
    applicant: NewApplicant,
) -> None:
    fang = applicant("Fang")
    cookie = fang.get("").cookies[DEVICE_COOKIE]
    assert len(cookie.value) == 64
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
        "/portal/", True, "Lax", 31_536_000,
    )  # fmt: skip
    assert DEVICE_COOKIE not in fang.get("").cookies


def test_what_somebody_put_there_instead_is_replaced(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.browser.cookies[DEVICE_COOKIE] = "<script>"
    assert len(fang.get("").cookies[DEVICE_COOKIE].value) == 64


def test_a_sign_in_is_noted_once_as_a_blind_index_and_again_after_signing_out(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    client_id = begun(fang)
    fang.get("my-data/")
    number = fang.browser.cookies[DEVICE_COOKIE].value
    [row] = sign_ins()
    assert (row.client_id, row.at, row.device) == (client_id, AT, device_code(number))
    [trait] = [one for one in list_traits([client_id]) if one.kind is TraitKind.DEVICE]
    assert number not in trait.masked
    DeskClock.objects.update(at=AT + timedelta(hours=1))
    on_the_browser_of(fang, fang)
    fang.get("")
    assert [(one.at, one.device) for one in sign_ins()] == [(AT, row.device), (AT + timedelta(hours=1), row.device)]


def test_nothing_is_noted_of_somebody_who_has_not_begun(applicant: NewApplicant) -> None:
    applicant("Fang").get("")
    assert sign_ins() == []


def test_clients_of_one_browser_are_linked_and_a_third_is_told(applicant: NewApplicant) -> None:
    install_typologies(actor=SYSTEM, at=AT)
    one, two, three = applicant("One"), applicant("Two"), applicant("Three")
    clients = [begun(one)]
    for earlier, later in ((one, two), (two, three)):
        on_the_browser_of(earlier, later)
        clients.append(begun(later))
    while dispatch_once("worker"):
        continue
    assert len({load_groups()[client_id] for client_id in clients}) == 1
    judge_clients(since={clients[-1]: AT}, at=AT)
    [alert] = Alert.objects.filter(rule__code="one_operator")
    assert (alert.client_id, alert.inputs) == (clients[-1], {"device_clients_30d": 3})


def test_an_application_carries_the_browser_it_was_handed_in_from(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.complete()
    fang.post("review/")
    [row] = Activity.objects.filter(kind="application")
    assert row.device == device_code(fang.browser.cookies[DEVICE_COOKIE].value)


def test_the_portal_says_what_the_number_is_for(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    assert "puts a random number into your browser" in fang.text("my-data/")
