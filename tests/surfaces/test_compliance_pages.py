"""Alerts, cases and related accounts as people work with them, and what others never learn."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.decisions.cases.test_cases import picture, raise_alerts
from tests.decisions.relations.kin import share
from tests.desk import SYSTEM
from tests.surfaces.conftest import CLOSE, Book, SignIn

from reefpoint.decisions.cases.models import Case
from reefpoint.decisions.monitoring.models import Alert
from reefpoint.decisions.monitoring.selectors.restrictions import list_restrictions
from reefpoint.decisions.monitoring.services.restrictions import block_withdrawals, release_restriction
from reefpoint.decisions.monitoring.services.rules import install_typologies
from reefpoint.decisions.relations.models import Exclusion, GroupLimit
from reefpoint.decisions.relations.selectors import get_group
from reefpoint.platform.access.types import RoleName

OTHERS = [one for one in RoleName if one not in {RoleName.COMPLIANCE, RoleName.AUDITOR}]


@pytest.fixture
def case_id(book: Book, signed_in: SignIn) -> int:
    """A case about the manager's client, opened on the page of an alert."""
    [alert_id] = raise_alerts(book.desk.own_client_id)
    form = {"decision": "open", "title": "Cash that nobody expected"}
    signed_in(RoleName.COMPLIANCE).post(f"/alerts/{alert_id}/decision/", form)
    return Case.objects.get().pk


def test_an_alert_becomes_a_case_and_is_worked_on_page_by_page(book: Book, signed_in: SignIn, case_id: int) -> None:
    officer, address = signed_in(RoleName.COMPLIANCE), f"/cases/{case_id}/"
    officer.post(f"{address}note/", {"text": "<b>She sold a house.</b>"})
    officer.post(f"{address}report/")
    officer.post(f"{address}document/", {"file": SimpleUploadedFile("deed.png", picture())})
    officer.post(f"{address}propose/", {"disposition": "reported", "reason": "filed on paper"})
    shown = officer.get(address).content.decode()
    for words in (
        "&lt;b&gt;She sold a house.&lt;/b&gt;",
        "deed.png",
        "-report-1.zip",
        "filed on paper",
        "To be closed",
    ):
        assert words in shown
    assert officer.get("/alerts/").content.decode().count("Rapid") == 1
    assert "in_3s_minor &gt;= floor_minor" in officer.get(f"/alerts/{Alert.objects.get().pk}/").content.decode()


def test_what_is_missing_is_said_beside_the_form_and_nothing_is_written(
    book: Book, signed_in: SignIn, case_id: int
) -> None:
    officer, address = signed_in(RoleName.COMPLIANCE), f"/cases/{case_id}/"
    before = Case.objects.get().entries.count()
    for step, form in (
        ("note", {"text": " "}),
        ("link", {"client": "C-999999", "reason": "x"}),
        ("document", {}),
        ("assign", {"user": "x"}),
        ("propose", {"disposition": "reported", "reason": "sent"}),
        ("propose", {"disposition": "nothing", "reason": "sent"}),
    ):
        answer = officer.post(f"{address}{step}/", form)
        assert answer.status_code == 200, step
        assert 'class="errors"' in answer.content.decode(), step
    assert Case.objects.get().entries.count() == before
    assert officer.get(f"{address}note/").status_code == 405


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_else_learns_of_the_case_from_any_page(
    book: Book, signed_in: SignIn, case_id: int, role: RoleName
) -> None:
    officer, reader = signed_in(RoleName.COMPLIANCE), signed_in(role)
    officer.post(f"/cases/{case_id}/propose/", {"disposition": "monitoring", "reason": "watch"})
    approval_id = Case.objects.get().approval_id
    for path in (f"/cases/{case_id}/", "/cases/", "/alerts/", f"/alerts/{Alert.objects.get().pk}/"):
        assert reader.get(path).status_code == 403, path
    assert reader.post(f"/cases/{case_id}/note/", {"text": "x"}).status_code == 403
    assert reader.get(f"/approvals/{approval_id}/").status_code in {403, 404}
    for path in ("/", f"/clients/{book.desk.own_client_id}/", "/clients/?format=csv", "/approvals/", "/audit/",
                 "/audit/?format=csv", f"/search/?q=K-{case_id:06d}", "/search/?q=nobody+expected"):  # fmt: skip
        text = reader.get(path, follow=True).content.decode()
        assert "Cash that nobody expected" not in text, path
        assert "cases." not in text, path
        assert "/cases/" not in text, path
        assert "/alerts/" not in text, path


def test_the_clients_page_tells_compliance_and_today_counts_down(book: Book, signed_in: SignIn, case_id: int) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    assert f'href="/cases/{case_id}/"' in officer.get(f"/clients/{book.desk.own_client_id}/").content.decode()
    assert f'href="/cases/{case_id}/"' in officer.get("/").content.decode()


def test_a_limit_is_set_and_a_thing_not_counted_on_the_groups_page(book: Book, signed_in: SignIn) -> None:
    share("phone", "13800000000", [book.desk.own_client_id, book.desk.other_client_id], CLOSE)
    group_id = get_group(book.desk.own_client_id)
    risk, compliance = signed_in(RoleName.RISK_OFFICER), signed_in(RoleName.COMPLIANCE)
    address = f"/related-accounts/{group_id}/"
    shown = risk.get(address).content.decode()
    assert "60,000.00" in shown
    assert "13800000000" not in shown
    refused = risk.post(f"{address}limit/", {"amount": "much", "currency": "USD", "reason": ""})
    assert refused.content.decode().count('class="errors"') == 2
    assert GroupLimit.objects.count() == 0
    risk.post(f"{address}limit/", {"amount": "50k", "currency": "USD", "reason": "house"})
    assert "Above the limit" in risk.get(address).content.decode()
    digest = b"13800000000".ljust(32, b".").hex()
    form = {"kind": "phone", "digest": digest, "reason": "the adviser's"}
    assert risk.post("/related-accounts/exclusions/new/", form).status_code == 403
    assert compliance.post("/related-accounts/exclusions/new/", form).status_code == 302
    assert get_group(book.desk.own_client_id) is None
    [exclusion] = Exclusion.objects.all()
    compliance.post(f"/related-accounts/exclusions/{exclusion.pk}/end/", {"reason": "it is his own"})
    assert get_group(book.desk.own_client_id) is not None


def test_what_is_held_without_an_alert_is_on_alerts_and_today(book: Book, signed_in: SignIn) -> None:
    block_withdrawals(actor=SYSTEM, client_id=book.desk.own_client_id, reason="nobody told who paid", at=CLOSE)
    [row] = list_restrictions(SYSTEM)
    officer = signed_in(RoleName.COMPLIANCE)
    alerts = officer.get("/alerts/").content.decode()
    assert "nobody told who paid" in alerts
    for page in (alerts, officer.get("/").content.decode()):
        assert f'href="/monitoring/restrictions/#restriction-{row.id}"' in page
    assert "restriction" not in signed_in(RoleName.OPERATIONS).get("/").content.decode()
    release_restriction(actor=SYSTEM, restriction_id=row.id, reason="The bank told.", at=CLOSE)
    for path in ("/alerts/", "/"):
        assert "#restriction" not in officer.get(path).content.decode()


def test_a_rule_that_is_not_fed_says_so_where_it_is_listed_and_on_its_page(book: Book, signed_in: SignIn) -> None:
    install_typologies(actor=SYSTEM, at=CLOSE)
    officer = signed_in(RoleName.COMPLIANCE)
    listed = officer.get("/monitoring/rules/").content.decode()
    assert listed.count("Not fed") == 2
    assert "Delayed-settlement ride" in listed
    assert "This rule does not run." in officer.get("/monitoring/rules/off_market_transfer/").content.decode()
    assert "This rule does not run." not in officer.get("/monitoring/rules/structuring/").content.decode()
