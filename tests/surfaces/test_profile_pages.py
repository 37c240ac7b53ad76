"""A profile changed in the console: a section at a time, with a reason, and without anybody seeing a number in full."""

import re

import pytest
from django.test import Client
from tests.surfaces.conftest import NOON, SYSTEM, Desk, SignIn
from tests.surfaces.test_client_pages import WANG

from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.records.parties.selectors.profiles import find_profile
from reefpoint.records.parties.services import record_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(desk: Desk, signed_in: SignIn) -> Client:
    """Somebody who may change profiles, and a client with one."""
    record_profile(actor=SYSTEM, client_id=desk.own_client_id, draft=WANG, reason="application", at=NOON)
    return signed_in(RoleName.OPERATIONS)


def form_of(page: str) -> dict[str, list[str]]:
    """Every box of the form as it is shown, as a browser would send it back."""
    form = page.partition('class="panel section-form"')[2].partition("</form>")[0]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        is_off = re.search(r'type="(radio|checkbox)"', tag) and " checked" not in tag
        if name and not is_off:
            sent.setdefault(name[1], []).append(value[1] if value else "")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>([^<]*)<', form):
        sent[name] = [text]
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        sent[name] = re.findall(r'value="([^"]*)" selected', options)[:1] or [""]
    return sent


def send(clerk: Client, desk: Desk, section: str, **changes: str) -> tuple[int, str]:
    address = f"/clients/{desk.own_client_id}/profile/{section}/"
    form = form_of(clerk.get(address).content.decode())
    answer = clerk.post(address, {**form, "reason": "the client wrote", **changes})
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("section", ["identity", "tax", "wealth", "experience", "bank", "people", "declarations"])
def test_a_section_sent_back_as_it_was_shown_changes_nothing(clerk: Client, desk: Desk, section: str) -> None:
    assert send(clerk, desk, section)[0] == 302
    assert find_profile(desk.own_client_id) == WANG
    assert Entry.objects.filter(action="clients.record_profile").count() == 1


def test_one_answer_changes_and_what_is_masked_stays(clerk: Client, desk: Desk) -> None:
    page = clerk.get(f"/clients/{desk.own_client_id}/profile/identity/").content.decode()
    assert WANG.phone not in page
    assert WANG.identifiers[0].number not in page
    assert send(clerk, desk, "identity", residence="HK")[0] == 302
    changed = find_profile(desk.own_client_id)
    assert changed is not None
    assert (changed.residence, changed.phone, changed.address) == ("HK", WANG.phone, WANG.address)
    assert changed.identifiers == WANG.identifiers
    assert changed.birth_or_incorporated_on == WANG.birth_or_incorporated_on
    assert Entry.objects.filter(action="clients.record_profile").latest("id").reason == "the client wrote"


@pytest.mark.parametrize(
    ("section", "changes", "field"),
    [
        ("identity", {"phone": "none"}, "phone"),
        ("identity", {"name": ""}, "name"),
        ("identity", {"residence": "XX"}, "residence"),
        ("wealth", {"net_worth_minor": "much"}, "net_worth_minor"),
        ("wealth", {"source_note": "ab"}, "source_note"),
        ("experience", {"trading_years": "200"}, "trading_years"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_written(
    clerk: Client, desk: Desk, section: str, changes: dict[str, str], field: str
) -> None:
    status, page = send(clerk, desk, section, **changes)
    assert status == 422
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', page)
    assert find_profile(desk.own_client_id) == WANG


def test_a_part_of_a_mask_is_never_put_on_record(clerk: Client, desk: Desk) -> None:
    page = clerk.get(f"/clients/{desk.own_client_id}/profile/identity/").content.decode()
    masked = form_of(page)["identifiers.0.number"][0]
    status, _page = send(clerk, desk, "identity", **{"identifiers.0.number": masked + "9"})
    assert status == 422
    assert find_profile(desk.own_client_id) == WANG


def test_no_reason_or_an_old_form_changes_nothing(clerk: Client, desk: Desk) -> None:
    for changes, words in (({"reason": " "}, "Say why"), ({"version": "7"}, "meanwhile")):
        status, page = send(clerk, desk, "identity", residence="HK", **changes)
        assert (status, words in page) == (422, True)
    assert find_profile(desk.own_client_id) == WANG


def test_only_who_may_change_profiles_finds_the_form(clerk: Client, desk: Desk, signed_in: SignIn) -> None:
    for role, status in ((RoleName.COMPLIANCE, 403), (RoleName.RISK_OFFICER, 403)):
        assert signed_in(role).get(f"/clients/{desk.own_client_id}/profile/identity/").status_code == status
    assert clerk.get(f"/clients/{desk.own_client_id}/profile/documents/").status_code == 404
    assert clerk.get("/clients/999999/profile/identity/").status_code == 404
    assert (
        f'href="/clients/{desk.own_client_id}/profile/wealth/"'
        in clerk.get(f"/clients/{desk.own_client_id}/profile/").content.decode()
    )


def test_a_row_is_added_and_taken_out(clerk: Client, desk: Desk) -> None:
    address = f"/clients/{desk.own_client_id}/profile/bank/"
    form = form_of(clerk.get(address).content.decode())
    more = clerk.post(address, {**form, "add": "bank_accounts"}).content.decode()
    number = len(WANG.bank_accounts)
    row = {"country": "HK", "bank_name": "HSBC", "holder_name": WANG.name, "number": "123456789", "currency": "HKD"}
    added = form_of(more) | {f"bank_accounts.{number}.{name}": value for name, value in row.items()}  # type: ignore[operator]
    assert clerk.post(address, {**added, "reason": "a second account"}).status_code == 302
    held = find_profile(desk.own_client_id)
    assert held is not None
    assert [one.number for one in held.bank_accounts] == [*(one.number for one in WANG.bank_accounts), "123456789"]
    assert send(clerk, desk, "bank", remove=f"bank_accounts.{number}")[0] == 302
    assert find_profile(desk.own_client_id) == WANG
