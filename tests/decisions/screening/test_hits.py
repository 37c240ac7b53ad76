"""Clients that meet an entry: hits, two people, and a block that takes force at once."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.decisions.screening.conftest import AT, Office, rows
from tests.desk import MONDAY, SYSTEM, noon

from reefpoint.decisions.screening.models import Hit, SubjectName
from reefpoint.decisions.screening.selectors import find_hits, get_hit, get_screening_standing, verify_screening
from reefpoint.decisions.screening.services import (
    decide_hit,
    propose_resolution,
    rescreen_all,
    screen_client,
    screen_name,
    screen_unscreened,
    withdraw_proposal,
)
from reefpoint.decisions.screening.types import Evidence, HitState, Outcome, Standing
from reefpoint.flows.servicing.services.cash import withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.flows.servicing.services.opening import open_margin_account
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import PermissionRefused, ReasonNeeded, SecondPersonNeeded, approve, reject
from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.records.execution.types import Side
from reefpoint.records.parties.selectors.clients import ClientNotOpen, get_client
from reefpoint.records.parties.services import record_profile
from reefpoint.records.parties.types import ClientStatus, PersonRole, ProfileDraft, RelatedPersonDraft

LIST = rows("a,Li Ming,李明,1971-03-12,cn", "b,Ivan Zimenko,,,ru", "c,Near,,,")


def profile(name: str, **facts: object) -> ProfileDraft:
    return replace(ProfileDraft(kind="individual", name=name), **facts)  # type: ignore[arg-type]


def hits_of(client_id: int) -> list[tuple[str, str]]:
    return list(Hit.objects.filter(client_id=client_id).order_by("id").values_list("reference", "state"))


def raised(office: Office, name: str = "Li Ming", name_zh: str = "") -> tuple[int, int]:
    """A client with one open hit: (client id, hit id)."""
    office.load(LIST)
    client_id = office.client(name, name_zh)
    assert screen_client(actor=office.maker, client_id=client_id, at=AT) == 1
    return client_id, Hit.objects.get(client_id=client_id).pk


def propose(office: Office, hit_id: int, outcome: Outcome) -> int:
    return propose_resolution(actor=office.maker, hit_id=hit_id, outcome=outcome, reason="born elsewhere", at=AT)


def decide(office: Office, hit_id: int, *, is_agreed: bool = True) -> HitState:
    shown = get_approval(Hit.objects.get(id=hit_id).approval_id or 0).payload_hash
    return decide_hit(
        actor=office.checker, hit_id=hit_id, is_agreed=is_agreed, payload_hash=shown, reason="so it is", at=AT
    )


def test_a_client_who_meets_an_entry_has_an_open_hit_that_says_what_matched(office: Office) -> None:
    client_id, hit_id = raised(office, "Ming LI", "李明")
    hit = get_hit(office.auditor, hit_id)
    assert (hit.state, hit.score_bp, hit.source, hit.entry.reference) == (HitState.OPEN, 10_000, "made.up", "a")
    assert [(part.ours, part.theirs, part.similarity_bp) for part in hit.score.parts]
    assert get_screening_standing(client_id).state is Standing.OPEN_HITS


def test_a_client_who_meets_nobody_is_clear_and_one_never_screened_says_so(office: Office) -> None:
    version = office.load(LIST)
    client_id = office.client("Beatrix Holm")
    assert get_screening_standing(client_id).state is Standing.NEVER
    assert screen_client(actor=office.maker, client_id=client_id, at=AT) == 0
    standing = get_screening_standing(client_id)
    assert (standing.state, dict(standing.list_versions), standing.screened_at) == (
        Standing.CLEAR,
        {"made.up": version},
        AT,
    )


def test_screening_again_raises_nothing_twice(office: Office) -> None:
    client_id, _ = raised(office)
    assert screen_client(actor=office.maker, client_id=client_id, at=AT) == 0
    assert len(hits_of(client_id)) == 1


def test_everybody_behind_a_client_is_screened_and_the_birth_date_is_evidence(office: Office) -> None:
    office.load(LIST)
    client_id = office.client("Coral Holdings")
    related = RelatedPersonDraft(role=PersonRole.DIRECTOR, name="Li Ming", birth_on=date(1971, 3, 12), nationality="CN")
    draft = profile("Coral Holdings", kind="institution", related_persons=(related,))
    record_profile(actor=SYSTEM, client_id=client_id, draft=draft, reason="new", at=AT)
    office.desk.drain()
    [hit] = find_hits(office.auditor).rows
    assert (hit.role, hit.birth, hit.country) == ("director", Evidence.SAME, Evidence.SAME)
    assert hit.birth_year == 1971


def test_another_birth_date_takes_a_perfect_name(office: Office) -> None:
    office.load(rows("a,Arkady Zimenko,,1940,ru"))
    client_id = office.client("Arkadi Zimenko")
    draft = profile("Arkadi Zimenko", birth_or_incorporated_on=date(1990, 1, 1))
    record_profile(actor=SYSTEM, client_id=client_id, draft=draft, reason="new", at=AT)
    office.desk.drain()
    assert hits_of(client_id) == []


def test_i63_two_people_clear_a_hit_and_it_is_not_raised_again(office: Office) -> None:
    client_id, hit_id = raised(office)
    propose(office, hit_id, Outcome.CLEARED)
    with pytest.raises(SecondPersonNeeded):
        decide_hit(
            actor=office.maker,
            hit_id=hit_id,
            is_agreed=True,
            payload_hash=get_approval(Hit.objects.get(id=hit_id).approval_id or 0).payload_hash,
            reason="",
            at=AT,
        )
    assert get_hit(office.auditor, hit_id).state is HitState.PROPOSED
    assert decide(office, hit_id) is HitState.CLEARED
    assert screen_client(actor=office.maker, client_id=client_id, at=AT) == 0
    assert hits_of(client_id) == [("a", "cleared")]
    assert get_screening_standing(client_id).state is Standing.CLEAR
    assert get_client(SYSTEM, client_id).status is ClientStatus.ACTIVE
    assert verify_screening() == []


def test_i63_the_database_refuses_a_maker_as_checker(office: Office) -> None:
    _, hit_id = raised(office)
    propose(office, hit_id, Outcome.CLEARED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Hit.objects.filter(id=hit_id).update(state="cleared", decided_by=office.maker.ref, decided_at=AT)
    decide(office, hit_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Hit.objects.filter(id=hit_id).update(state="open", outcome="", decided_by="", decided_at=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Hit.objects.filter(id=hit_id).delete()


def test_a_cleared_hit_comes_back_if_the_entry_or_the_client_changed(office: Office) -> None:
    client_id, hit_id = raised(office)
    propose(office, hit_id, Outcome.CLEARED)
    decide(office, hit_id)
    second = office.load(rows("a,Li Ming,李明,1971-03-12,cn;hk", "b,Ivan Zimenko,,,ru", "c,Near,,,"))
    rescreen_all(actor=SYSTEM, version_id=second, at=AT)
    assert hits_of(client_id) == [("a", "cleared"), ("a", "open")]
    draft = profile("Li Ming", nationality="CN")
    record_profile(actor=SYSTEM, client_id=client_id, draft=draft, reason="passport seen", at=AT)
    office.desk.drain()
    assert hits_of(client_id) == [("a", "cleared"), ("a", "lapsed"), ("a", "open")]


def test_a_rejected_or_withdrawn_proposal_leaves_the_hit_open(office: Office) -> None:
    _, hit_id = raised(office)
    propose(office, hit_id, Outcome.CONFIRMED)
    assert decide(office, hit_id, is_agreed=False) is HitState.OPEN
    propose(office, hit_id, Outcome.CONFIRMED)
    withdraw_proposal(actor=office.maker, hit_id=hit_id, at=AT)
    assert get_hit(office.auditor, hit_id).state is HitState.OPEN
    approval_id = propose(office, hit_id, Outcome.CONFIRMED)
    shown = get_approval(approval_id).payload_hash
    reject(actor=office.checker, approval_id=approval_id, payload_hash=shown, at=AT, reason="not so")
    office.desk.drain()
    assert get_hit(office.auditor, hit_id).state is HitState.OPEN


def test_a_decision_on_the_page_of_approvals_takes_force_too(office: Office) -> None:
    client_id, hit_id = raised(office)
    approval_id = propose(office, hit_id, Outcome.CONFIRMED)
    approve(actor=office.checker, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=AT)
    office.desk.drain()
    assert get_client(SYSTEM, client_id).status is ClientStatus.BLOCKED
    assert get_screening_standing(client_id).state is Standing.CONFIRMED


def test_a_confirmed_hit_blocks_all_business_in_the_same_second(office: Office) -> None:
    desk = office.desk
    office.load(LIST)
    assert screen_client(actor=office.maker, client_id=desk.near_client, at=AT) == 1
    hit_id = Hit.objects.get(client_id=desk.near_client).pk
    desk.deposit(desk.near, 1_000_00, MONDAY)
    propose(office, hit_id, Outcome.CONFIRMED)
    decide(office, hit_id)
    at, books = noon(MONDAY), desk.books()
    operations = desk.operations
    with pytest.raises(ClientNotOpen):
        withdraw_cash(actor=operations, account_id=desk.near, amount_minor=1, key="w", on=MONDAY, at=at)
    with pytest.raises(ClientNotOpen):
        draw_down(actor=operations, account_id=desk.near, amount_minor=1, key="d", on=MONDAY, at=at)
    for side in Side:
        with pytest.raises(ClientNotOpen):
            desk.trade(desk.near, "AAPL", side, 1, MONDAY)
    with pytest.raises(ClientNotOpen):
        open_margin_account(
            actor=operations,
            client_id=desk.near_client,
            scheme_code="STANDARD",
            pool_code="MAIN",
            commitment_minor=100,
            on=MONDAY,
            at=at,
        )
    assert desk.books() == books


def test_a_proposal_needs_a_reason_and_the_right_and_an_open_hit(office: Office) -> None:
    _, hit_id = raised(office)
    with pytest.raises(ReasonNeeded):
        propose_resolution(actor=office.maker, hit_id=hit_id, outcome=Outcome.CLEARED, reason="  ", at=AT)
    with pytest.raises(PermissionRefused):
        propose_resolution(actor=office.auditor, hit_id=hit_id, outcome=Outcome.CLEARED, reason="x", at=AT)
    assert get_hit(office.auditor, hit_id).state is HitState.OPEN
    propose(office, hit_id, Outcome.CLEARED)
    with pytest.raises(InvalidTransition):
        propose(office, hit_id, Outcome.CONFIRMED)


def test_a_list_that_changes_is_held_against_all_clients_and_finds_what_screening_each_would(office: Office) -> None:
    names = [("Li Ming", ""), ("Wang Fang", "王芳"), ("Ivan Zimenco", ""), ("Ming Li", ""), ("O. Vale", "")]
    clients = [office.client(*name) for name in names]
    first = office.load(LIST)
    rescreen_all(actor=SYSTEM, version_id=first, at=AT)
    second = office.load(rows("a,Li Ming,李明,1971-03-12,cn", "b,Ivan Zimenko,,,by", "d,Omar Vale,,,", "e,王芳,,,"))
    new = rescreen_all(actor=SYSTEM, version_id=second, at=AT)
    assert new == 3
    incremental = sorted(Hit.objects.filter(state="open").values_list("client_id", "reference", "score_bp"))
    assert rescreen_all(actor=SYSTEM, version_id=second, at=AT) == new
    assert sum(screen_client(actor=SYSTEM, client_id=client_id, at=AT) for client_id in clients) == 0
    assert sorted(Hit.objects.filter(state="open").values_list("client_id", "reference", "score_bp")) == incremental
    assert Hit.objects.filter(reference="c").get().state == "lapsed"


def test_a_rescreen_asks_the_same_whichever_side_is_smaller(office: Office) -> None:
    for name in ("Li Ming", "Ivan Zimenko", "Lee Minh", "Anna Karst"):
        office.client(name)
    few = office.load(rows("a,Li Ming,,,"), source="few")
    assert rescreen_all(actor=SYSTEM, version_id=few, at=AT) == 1
    many = office.load(rows("a,Li Ming,,,", *(f"x{n},Nobody Atall {n},,," for n in range(40))), source="many")
    assert rescreen_all(actor=SYSTEM, version_id=many, at=AT) == 1


def test_a_rescreen_does_not_ask_the_database_more_for_more_clients(office: Office) -> None:
    def asked() -> int:
        version_id = office.load(rows(f"{office.desk.key('n')},Quirin Abendroth,,,"), source=office.desk.key("s"))
        with CaptureQueriesContext(connection) as queries:
            rescreen_all(actor=SYSTEM, version_id=version_id, at=AT)
        return len(queries)

    asked()
    before = asked()
    for number in range(20):
        office.client(f"Somebody Number {number}")
    asked()  # their names are kept once
    assert asked() == before


def test_clients_registered_without_a_profile_are_screened_by_the_clock(office: Office) -> None:
    assert screen_unscreened(actor=SYSTEM, at=AT) == 0
    office.load(LIST)
    client_id = office.client("Li Ming")
    assert screen_unscreened(actor=SYSTEM, at=AT) == 3
    assert hits_of(client_id) == [("a", "open")]
    assert screen_unscreened(actor=SYSTEM, at=AT) == 0


def test_a_profile_without_a_new_name_is_not_screened_again(office: Office) -> None:
    office.load(LIST)
    client_id = office.client("Beatrix Holm")
    record_profile(actor=SYSTEM, client_id=client_id, draft=profile("Beatrix Holm"), reason="new", at=AT)
    office.desk.drain()
    before = get_screening_standing(client_id)
    changed = profile("Beatrix Holm", occupation="painter")
    record_profile(actor=SYSTEM, client_id=client_id, draft=changed, reason="new work", at=noon(date(2019, 11, 26)))
    office.desk.drain()
    assert get_screening_standing(client_id) == before
    assert SubjectName.objects.filter(client_id=client_id).count() == 1


def test_looking_a_name_up_is_kept_in_the_log_and_needs_the_right(office: Office) -> None:
    office.load(LIST)
    matches = screen_name(actor=office.maker, name="李明", birth_on=date(1971, 3, 12), country="cn", at=AT)
    assert (matches[0].birth, matches[0].country, matches[0].is_hit) == (Evidence.SAME, Evidence.SAME, True)
    with pytest.raises(PermissionRefused):
        screen_name(actor=office.auditor, name="李明", at=AT)
