"""The pages of screening: hits, lists, a name looked up; and who may open them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.surfaces.conftest import CLOSE, SYSTEM, Desk, SignIn

from reefpoint.decisions.screening.selectors import find_hits, list_in_force, list_unsettled
from reefpoint.decisions.screening.services import load_list, load_received, screen_client
from reefpoint.decisions.screening.types import HitView, ListShape
from reefpoint.platform.access.rules import PERMISSIONS
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.records.parties.selectors.clients import get_client

LIST = (
    "id,schema,name,aliases,birth_date,countries\n"
    "a,Person,Fang Wang,王芳;<script>alert(1)</script>,1971,cn\n"
    "b,Person,Nobody Atall,,,\n"
).encode()


def load(content: bytes = LIST) -> int:
    return load_list(
        actor=SYSTEM, source="made.up", content=content, shape=ListShape.OPENSANCTIONS_CSV, file_name="l.csv", at=CLOSE
    )


@pytest.fixture
def hit(desk: Desk) -> HitView:
    """Wang Fang, the manager's client, meets an entry."""
    load()
    assert screen_client(actor=SYSTEM, client_id=desk.own_client_id, at=CLOSE) == 1
    return find_hits(SYSTEM).rows[0]


PAGES: dict[str, tuple[str, Callable[[HitView], list[int]]]] = {
    "hits": ("screening.view", lambda hit: []),
    "hit": ("screening.view", lambda hit: [hit.id]),
    "screening_lists": ("screening.view", lambda hit: []),
    "screening_list": ("screening.view", lambda hit: [hit.entry.since_version]),
    "screen_name": ("screening.screen", lambda hit: []),
}


@pytest.mark.parametrize("role", list(RoleName))
def test_a_page_of_screening_opens_for_its_right_alone(signed_in: SignIn, hit: HitView, role: RoleName) -> None:
    reader = signed_in(role)
    answers = {name: reader.get(reverse(f"console:{name}", args=ids(hit))) for name, (_, ids) in PAGES.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        name: 200 if role in PERMISSIONS[right] else 403 for name, (right, _) in PAGES.items()
    }


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_of_screening_answers_in_both_languages(signed_in: SignIn, hit: HitView, language: str) -> None:
    reader = signed_in(RoleName.COMPLIANCE)
    reader.cookies["django_language"] = language
    for name, (_, ids) in PAGES.items():
        text = reader.get(reverse(f"console:{name}", args=ids(hit))).content.decode()
        assert f'<html lang="{language}"' in text, name
        assert " style=" not in text, name
        assert "<script>alert" not in text, name


def test_two_people_confirm_a_hit_on_its_page_and_the_client_is_blocked(
    signed_in: SignIn, hit: HitView, desk: Desk
) -> None:
    maker = signed_in(RoleName.COMPLIANCE)
    create_user(
        actor=SYSTEM, email="second@reefpoint.test", name="second", password=None, roles=[RoleName.COMPLIANCE], at=CLOSE
    )
    checker = signed_in(RoleName.COMPLIANCE, RoleName.RISK_OFFICER)
    address = reverse("console:resolve_hit", args=[hit.id])
    assert maker.post(address, {"decision": "confirmed", "reason": "passport agrees"}).status_code == 302
    approval_id = find_hits(SYSTEM).rows[0].approval_id
    shown = get_approval(approval_id or 0).payload_hash
    assert maker.post(address, {"decision": "agree", "payload_hash": shown}).status_code == 409
    assert "Agree" in checker.get(reverse("console:hit", args=[hit.id])).content.decode()
    assert checker.post(address, {"decision": "agree", "payload_hash": "0" * 64}).status_code == 409
    assert get_client(SYSTEM, desk.own_client_id).status == "active"
    assert checker.post(address, {"decision": "agree", "payload_hash": shown}).status_code == 302
    assert get_client(SYSTEM, desk.own_client_id).status == "blocked"


def test_a_proposal_without_a_reason_and_an_unknown_hit_are_answered_in_words(signed_in: SignIn, hit: HitView) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    address = reverse("console:resolve_hit", args=[hit.id])
    assert officer.post(address, {"decision": "cleared", "reason": " "}).status_code == 409
    assert officer.get("/screening/hits/999999/").status_code == 404
    assert officer.get(address).status_code == 405
    assert find_hits(SYSTEM).rows[0].state == "open"


def test_a_file_is_taken_in_read_by_the_worker_and_said_to_have_failed_if_it_is_cut_off(
    signed_in: SignIn, hit: HitView
) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    form = {"source": "made.up", "shape": "opensanctions.csv"}
    answer = officer.post("/screening/lists/", {**form, "file": SimpleUploadedFile("cut.csv", LIST[:-9])})
    assert answer.status_code == 302
    version_id = int(Path(answer.headers["Location"]).name)
    assert "every 2s" in officer.get(answer.headers["Location"]).content.decode()
    load_received(actor=SYSTEM, version_id=version_id, at=CLOSE)
    text = officer.get(answer.headers["Location"]).content.decode()
    assert "Version 1 stays in force" in text
    assert "cut off" in text
    assert "List not loaded" in officer.get("/").content.decode()
    assert [version.number for version in list_in_force(SYSTEM)] == [1]
    assert [version.number for version in list_unsettled(SYSTEM)] == [2]


@pytest.mark.parametrize(
    "form", [{"source": "", "shape": "un.xml"}, {"source": "x", "shape": "no"}, {"source": "x" * 99, "shape": "un.xml"}]
)
def test_i69_a_form_that_makes_no_sense_is_answered_beside_it(
    signed_in: SignIn, desk: Desk, form: dict[str, str]
) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    answer = officer.post("/screening/lists/", {**form, "file": SimpleUploadedFile("x.xml", b"<a/>")})
    assert answer.status_code == 200
    assert "message-error" in answer.content.decode()
    assert officer.post("/screening/lists/", form).status_code == 200
    auditor = signed_in(RoleName.AUDITOR)
    refused = auditor.post(
        "/screening/lists/", {"source": "x", "shape": "un.xml", "file": SimpleUploadedFile("x", b"x")}
    )
    assert refused.status_code == 403


def test_a_name_is_looked_up_in_either_script_and_the_log_says_who_asked(signed_in: SignIn, hit: HitView) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    for name in ("Wang Fang", "王芳", "FANG, Wang"):
        text = officer.post(
            "/screening/names/", {"name": name, "birth": "1971-02-03", "country": "CN"}
        ).content.decode()
        assert "Would be a hit" in text
    assert "Write the date as" in officer.post("/screening/names/", {"name": "A", "birth": "3 March"}).content.decode()
    assert "Chinese characters" in officer.post("/screening/names/", {"name": "؟؟؟"}).content.decode()
    assert "No entry is anything" in officer.post("/screening/names/", {"name": "Quirin Abendroth"}).content.decode()
    assert "screening.screen_name" in signed_in(RoleName.COMPLIANCE).get("/audit/").content.decode()


def test_the_clients_page_shows_hits_to_compliance_and_to_nobody_who_could_tell(
    signed_in: SignIn, hit: HitView, desk: Desk
) -> None:
    address = f"/clients/{desk.own_client_id}/"
    assert f"/screening/hits/{hit.id}/" in signed_in(RoleName.COMPLIANCE).get(address).content.decode()
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER).get(address).content.decode()
    assert 'id="screening"' not in manager
    assert "/screening/" not in manager


def test_the_queue_asks_the_database_the_same_for_any_number_of_hits(signed_in: SignIn, hit: HitView) -> None:
    officer = signed_in(RoleName.COMPLIANCE)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert officer.get("/screening/").status_code == 200
        return len(queries)

    officer.get("/screening/")
    before = asked()
    more = LIST + "".join(f"c{n},Person,Wang Fang,,{1950 + n},\n" for n in range(9)).encode()
    load(more)
    screen_client(actor=SYSTEM, client_id=hit.client_id, at=CLOSE)
    assert find_hits(SYSTEM, state="live").count > 5
    assert asked() == before
