"""Suitability: answers come to a class, and nothing is offered above it by any way (C08, I60, I61, I62)."""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from tests.desk import BOLD, MONDAY, POOL, SYSTEM, Desk, noon

from reefpoint.decisions.kyc.selectors import RATING
from reefpoint.decisions.suitability.adapters.shipped import read_shipped_offers, read_shipped_questionnaire
from reefpoint.decisions.suitability.models import Acknowledgement, Assessment, EntryRecord, SegmentRecord
from reefpoint.decisions.suitability.rules import judge, leverage_pct, read_offers
from reefpoint.decisions.suitability.selectors import (
    OFFERS,
    QUESTIONNAIRE,
    _find_entry,
    find_assessment,
    find_questionnaire,
    judge_offer,
    list_assessments,
    list_entries,
    list_risk_classes,
    list_verdicts,
    verify_suitability,
)
from reefpoint.decisions.suitability.services import (
    AnswersRefused,
    EvidenceNeeded,
    NotDeclared,
    NothingToAcknowledge,
    NotOfThisMarket,
    QuestionnaireChanged,
    SegmentRefused,
    Unsuitable,
    acknowledge_warning,
    assign_segment,
    record_answers,
    record_entry_facts,
    require_suitable,
)
from reefpoint.decisions.suitability.types import (
    EntryFacts,
    EntryView,
    RiskClass,
    Segment,
    SegmentFacts,
    Tolerance,
)
from reefpoint.flows.servicing.services.opening import open_margin_account
from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import PermissionRefused, actor_for, approve, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.months import months_after
from reefpoint.platform.basics.tables.table import MalformedTable
from reefpoint.platform.publications.selectors import list_versions
from reefpoint.platform.publications.services import NotPublishable, draft_publication, request_publication
from reefpoint.platform.publications.types import PublicationKind
from reefpoint.records.accounts.models import MarginAccount
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.selectors.clients import ClientNotFound
from reefpoint.records.parties.services import record_profile, register_clients
from reefpoint.records.parties.types import ClientDraft, ClientKind, ProfileDraft

AT = noon(MONDAY)
STEADY = dict.fromkeys(BOLD, "c") | {"changing_lines": "b"}
CAREFUL = STEADY | dict.fromkeys(("years", "trades", "horizon", "objective", "loss", "fall"), "b")
TIMID = dict.fromkeys(BOLD, "a")


def person(name: str, role: RoleName) -> Actor:
    user_id = create_user(actor=SYSTEM, email=f"{name}@desk.test", name=name, password=None, roles=[role], at=AT)
    return actor_for(User.objects.get(id=user_id))


@pytest.fixture
def compliance(desk: Desk) -> Actor:
    return person("compliance", RoleName.COMPLIANCE)


@pytest.fixture
def newcomer(desk: Desk) -> int:
    """A client who answered nothing yet."""
    draft = ClientDraft("New", "new@clients.test", relationship_manager_id=desk.manager.user_id)
    return register_clients(actor=SYSTEM, drafts=[draft], on=MONDAY, at=AT)[0]


def answer(client_id: int, answers: Mapping[str, str], **changes: Any) -> int:
    return record_answers(**{"actor": SYSTEM, "client_id": client_id, "answers": answers, "at": AT} | changes)


def code(client_id: int, scheme: str = "STANDARD", on: date = MONDAY) -> str:
    return judge_offer(client_id, scheme, on).code


@pytest.mark.parametrize(
    ("answers", "points", "tolerance", "is_shown"),
    [
        (BOLD, 97, Tolerance.C5, True),
        (STEADY, 72, Tolerance.C4, True),
        (CAREFUL, 51, Tolerance.C3, True),
        (TIMID, 0, Tolerance.C1L, False),
        (TIMID | {"loss": "b"}, 3, Tolerance.C1, False),
        (BOLD | {"loss": "a"}, 86, Tolerance.C1L, True),
        (BOLD | {"forced_sale": "a"}, 93, Tolerance.C5, True),
        (BOLD | {"forced_sale": "a", "changing_lines": "a"}, 89, Tolerance.C5, False),
    ],
)
def test_answers_come_to_points_and_a_class(
    newcomer: int, answers: Mapping[str, str], points: int, tolerance: Tolerance, is_shown: bool
) -> None:
    answer(newcomer, answers)
    found = find_assessment(newcomer)
    assert found is not None
    assert (found.score.points, found.score.tolerance, found.score.is_knowledge_shown) == (points, tolerance, is_shown)
    assert (found.assessed_on, found.expires_on, found.questionnaire_version) == (MONDAY, date(2021, 11, 25), 1)


def test_answers_that_are_missing_or_unknown_are_refused_and_leave_nothing(newcomer: int) -> None:
    partly = {key: value for key, value in BOLD.items() if key != "loss"} | {"income": "z", "shoe_size": "a"}
    with pytest.raises(AnswersRefused) as refused:
        answer(newcomer, partly)
    assert [(problem.question, problem.code) for problem in refused.value.problems] == [
        ("income", "unknown_option"),
        ("loss", "missing"),
        ("shoe_size", "unknown_question"),
    ]
    assert find_assessment(newcomer) is None


def test_each_scheme_has_a_risk_class_from_its_terms(desk: Desk) -> None:
    assert list_risk_classes(MONDAY) == [
        ("CAUTIOUS", RiskClass.R3, 180, 3000),
        ("STANDARD", RiskClass.R4, 200, 4000),
    ]
    assert [leverage_pct(line) for line in (20_000, 15_000, 30_001)] == [200, 300, 150]


def test_a_client_who_was_never_assessed_gets_no_account(desk: Desk, newcomer: int) -> None:
    before = MarginAccount.objects.count()
    with pytest.raises(Unsuitable) as refused:
        open_margin_account(
            actor=desk.operations,
            client_id=newcomer,
            scheme_code="CAUTIOUS",
            pool_code=POOL,
            commitment_minor=1_00,
            on=MONDAY,
            at=AT,
        )
    assert refused.value.code == "not_assessed"
    assert MarginAccount.objects.count() == before


@pytest.mark.parametrize(
    ("answers", "cautious", "standard"),
    [
        (BOLD, "", ""),
        (STEADY, "", ""),
        (CAREFUL, "", "not_suitable"),
        (TIMID | {"more_than_paid_in": "c", "forced_sale": "c"}, "not_suitable", "not_suitable"),
        (TIMID, "knowledge_not_shown", "knowledge_not_shown"),
        (BOLD | {"forced_sale": "a", "changing_lines": "a"}, "knowledge_not_shown", "knowledge_not_shown"),
        (BOLD | {"loss": "a"}, "not_suitable", "not_suitable"),
    ],
)
def test_a_mismatch_is_refused_and_not_warned_away(
    newcomer: int, answers: Mapping[str, str], cautious: str, standard: str
) -> None:
    answer(newcomer, answers)
    assert (code(newcomer, "CAUTIOUS"), code(newcomer)) == (cautious, standard)
    for scheme, expected in (("CAUTIOUS", cautious), ("STANDARD", standard)):
        if expected:
            with pytest.raises(Unsuitable) as refused:
                require_suitable(client_id=newcomer, scheme_code=scheme, on=MONDAY)
            assert refused.value.code == expected


def test_the_newest_answers_count_and_they_expire(newcomer: int) -> None:
    answer(newcomer, BOLD)
    assert code(newcomer) == ""
    answer(newcomer, CAREFUL)
    assert code(newcomer) == "not_suitable"
    answer(newcomer, STEADY)
    last = date(2021, 11, 25)
    assert (code(newcomer, on=last), code(newcomer, on=last + timedelta(days=1))) == ("", "assessment_expired")


PROOF = SegmentFacts(liquid_assets_minor=0, annual_income_minor=20_000_000, net_worth_minor=99_999_999, trading_years=1)


def segment(client_id: int, to: Segment = Segment.PROFESSIONAL, **changes: Any) -> int:
    arguments = {"actor": SYSTEM, "jurisdiction": "US", "facts": PROOF, "evidence": "Tax return 2018", "on": MONDAY}
    return assign_segment(**arguments | {"client_id": client_id, "segment": to, "at": AT} | changes)


def test_a_professional_may_go_one_class_above_after_the_warning_and_no_further(newcomer: int) -> None:
    answer(newcomer, CAREFUL)
    segment(newcomer)
    assert code(newcomer) == "warning_not_acknowledged"
    fields = {"actor": SYSTEM, "client_id": newcomer, "on": MONDAY, "at": AT}
    acknowledge_warning(scheme_code="STANDARD", **fields)
    acknowledge_warning(scheme_code="STANDARD", **fields)
    assert code(newcomer) == ""
    assert Acknowledgement.objects.count() == 1
    answer(newcomer, CAREFUL)
    assert code(newcomer) == "warning_not_acknowledged"
    answer(newcomer, CAREFUL | {"products": "a", "years": "a", "share": "a"})
    assert code(newcomer) == "not_suitable"
    with pytest.raises(NothingToAcknowledge):
        acknowledge_warning(scheme_code="STANDARD", **fields)


def test_a_segment_lasts_two_years_and_falls_back_to_the_greater_protection(newcomer: int) -> None:
    answer(newcomer, CAREFUL)
    segment(newcomer)
    answer(newcomer, CAREFUL, at=noon(date(2021, 11, 24)))
    assert code(newcomer, on=date(2021, 11, 25)) == "warning_not_acknowledged"
    assert code(newcomer, on=date(2021, 11, 26)) == "not_suitable"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"facts": replace(PROOF, annual_income_minor=19_999_999)}, SegmentRefused),
        ({"to": Segment.INSTITUTION}, SegmentRefused),
        ({"evidence": "  "}, EvidenceNeeded),
        ({"jurisdiction": "ZZ"}, NotOfThisMarket),
    ],
)
def test_nobody_is_a_professional_without_facts_and_evidence(
    newcomer: int, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        segment(newcomer, **changes)
    assert not SegmentRecord.objects.exists()


def test_whoever_qualifies_may_stay_retail(newcomer: int) -> None:
    segment(newcomer, Segment.RETAIL)
    assert SegmentRecord.objects.get().segment == Segment.RETAIL


CHINA = EntryFacts(trading_months=6, average_assets_minor=50_000_000, has_defaulted=False, is_affiliated=False)


@pytest.mark.parametrize(
    ("facts", "days_ago", "expected"),
    [
        (CHINA, 0, ""),
        (CHINA, 30, ""),
        (CHINA, 31, "entry_unproved"),
        (CHINA, -1, "entry_unproved"),
        (None, 0, "entry_unproved"),
        (replace(CHINA, trading_months=5), 0, "entry_too_new"),
        (replace(CHINA, average_assets_minor=49_999_999), 0, "entry_too_small"),
        (replace(CHINA, has_defaulted=True), 0, "entry_defaulted"),
        (replace(CHINA, is_affiliated=True, has_defaulted=True), 0, "entry_affiliated"),
    ],
)
def test_mainland_china_asks_for_half_a_year_and_half_a_million(
    newcomer: int, facts: EntryFacts | None, days_ago: int, expected: str
) -> None:
    answer(newcomer, BOLD)
    assert china(newcomer, Segment.RETAIL, facts, days_ago) == expected


def test_a_professional_institution_is_spared_the_figures_but_not_the_negative_list(newcomer: int) -> None:
    answer(newcomer, BOLD)
    new = replace(CHINA, trading_months=0, average_assets_minor=0)
    assert china(newcomer, Segment.PROFESSIONAL, new, 0, is_institution=True) == ""
    assert china(newcomer, Segment.PROFESSIONAL, new, 0, is_institution=False) == "entry_too_new"
    assert china(newcomer, Segment.INSTITUTION, new, 0, is_institution=True) == "entry_too_new"
    refused = replace(new, has_defaulted=True)
    assert china(newcomer, Segment.PROFESSIONAL, refused, 0, is_institution=True) == "entry_defaulted"


def china(
    client_id: int, segment: Segment, facts: EntryFacts | None, days_ago: int, *, is_institution: bool = False
) -> str:
    on = MONDAY - timedelta(days=days_ago)
    return judge(
        read_offers(read_shipped_offers()),
        scheme_code="A",
        risk_class=RiskClass.R4,
        jurisdiction="CN",
        segment=segment,
        is_institution=is_institution,
        assessment=find_assessment(client_id),
        entry=EntryView("CN", facts, "statement", on, "user:1") if facts else None,
        is_acknowledged=False,
        on=MONDAY,
    ).code


def test_a_market_that_stands_in_no_table_is_not_lent_in(newcomer: int) -> None:
    content = read_shipped_offers()
    del content["entry"]["US"]
    answer(newcomer, BOLD)
    verdict = judge(
        read_offers(content),
        scheme_code="A",
        risk_class=RiskClass.R4,
        jurisdiction="US",
        segment=Segment.RETAIL,
        is_institution=False,
        assessment=find_assessment(newcomer),
        entry=None,
        is_acknowledged=False,
        on=MONDAY,
    )
    assert verdict.code == "place_unknown"


def test_proof_is_recorded_only_where_a_market_asks_for_it(newcomer: int) -> None:
    declare(newcomer)
    prove(newcomer)
    with pytest.raises(NotOfThisMarket):
        prove(newcomer, "US")


def declare(client_id: int, *, has_defaulted: bool | None = False, is_major_shareholder: bool | None = False) -> None:
    draft = ProfileDraft(
        ClientKind.INDIVIDUAL, "New", has_defaulted=has_defaulted, is_major_shareholder=is_major_shareholder
    )
    record_profile(actor=SYSTEM, client_id=client_id, draft=draft, reason="declared", at=AT)


def prove(client_id: int, jurisdiction: str = "CN") -> None:
    record_entry_facts(
        actor=SYSTEM,
        client_id=client_id,
        jurisdiction=jurisdiction,
        trading_months=6,
        average_assets_minor=50_000_000,
        evidence="statement",
        on=MONDAY,
        at=AT,
    )


@pytest.mark.parametrize("declared", [{"has_defaulted": None}, {"is_major_shareholder": None}])
def test_i61_nothing_is_proved_of_what_was_never_declared(newcomer: int, declared: dict[str, None]) -> None:
    for is_on_record in (False, True):
        if is_on_record:
            declare(newcomer, **declared)
        with pytest.raises(NotDeclared):
            prove(newcomer)
    assert EntryRecord.objects.count() == 0


def test_what_is_declared_is_in_the_proof_and_what_is_declared_later_counts_at_once(newcomer: int) -> None:
    declare(newcomer)
    prove(newcomer)
    [entry] = list_entries(SYSTEM, newcomer)
    assert entry.facts == CHINA
    declare(newcomer, is_major_shareholder=True)
    found = _find_entry(newcomer, "CN")
    assert found is not None
    assert (found.facts.is_affiliated, found.facts.has_defaulted) == (True, False)
    prove(newcomer)
    declare(newcomer)
    found = _find_entry(newcomer, "CN")
    assert found is not None
    assert found.facts.is_affiliated, "a declaration never makes a proof better"


def test_an_institution_is_judged_as_one(desk: Desk) -> None:
    draft = ClientDraft("Firm", "firm@clients.test", kind=ClientKind.INSTITUTION)
    firm = register_clients(actor=SYSTEM, drafts=[draft], on=MONDAY, at=AT)[0]
    assert judge_offer(firm, "STANDARD", MONDAY).segment is Segment.INSTITUTION
    answer(firm, BOLD)
    verdict = judge_offer(firm, "STANDARD", MONDAY)
    assert (verdict.segment, verdict.tolerance, verdict.is_suitable) == (Segment.INSTITUTION, Tolerance.C5, True)


def test_i66_clients_answer_for_themselves_alone_and_staff_within_their_scope(desk: Desk, newcomer: int) -> None:
    client = person("portal", RoleName.CLIENT)
    Client.objects.filter(id=newcomer).update(portal_user=client.user_id)
    answer(newcomer, BOLD, actor=client)
    with pytest.raises(PermissionRefused):
        answer(desk.near_client, BOLD, actor=client)
    answer(newcomer, BOLD, actor=desk.manager)
    with pytest.raises(ClientNotFound):
        answer(desk.near_client, BOLD, actor=desk.manager)
    with pytest.raises(ClientNotFound):
        list_assessments(desk.manager, desk.near_client)
    with pytest.raises(ClientNotFound):
        list_verdicts(desk.manager, desk.near_client, MONDAY)
    with pytest.raises(PermissionRefused):
        answer(newcomer, BOLD, actor=desk.operations)


def test_the_questionnaire_speaks_both_languages_everywhere() -> None:
    for question in read_shipped_questionnaire()["questions"]:
        for words in (question, *question["options"]):
            assert words["en"].isascii()
            assert any("\u4e00" <= letter <= "\u9fff" for letter in words["zh"])


def test_a_questionnaire_is_published_by_two_people_and_old_answers_keep_their_version(
    desk: Desk, newcomer: int, compliance: Actor
) -> None:
    answer(newcomer, STEADY)
    content = read_shipped_questionnaire()
    content["questions"][0]["options"][2]["points"] = 7
    draft_id = draft_publication(actor=compliance, kind=QUESTIONNAIRE, content=content, effective_from=MONDAY, at=AT)
    assert find_questionnaire(MONDAY).version == 1
    request_publication(actor=compliance, kind=QUESTIONNAIRE, publication_id=draft_id, reason="income", at=AT)
    assert list_pending(compliance)[0].may_decide is False
    (approval,) = [one for one in list_pending(desk.risk) if one.kind == "suitability.publish"]
    approve(actor=desk.risk, approval_id=approval.id, payload_hash=approval.payload_hash, at=AT)
    desk.drain()
    assert find_questionnaire(MONDAY).version == 2
    with pytest.raises(QuestionnaireChanged):
        answer(newcomer, STEADY, version=1)
    answer(newcomer, STEADY, version=2)
    assert [(row.questionnaire_version, row.score.points) for row in list_assessments(compliance, newcomer)] == [
        (2, 74),
        (1, 72),
    ]
    assert verify_suitability() == []
    assert [(row.version, row.is_shipped, row.checker) for row in list_versions(QUESTIONNAIRE)] == [
        (2, False, desk.risk.ref),
        (1, True, ""),
    ]


def test_only_the_maker_asks_and_no_version_begins_in_the_past(desk: Desk, compliance: Actor) -> None:
    fields = {"kind": OFFERS, "content": read_shipped_offers(), "at": AT}
    draft_id = draft_publication(actor=compliance, effective_from=MONDAY, **fields)
    late_id = draft_publication(actor=compliance, effective_from=MONDAY - timedelta(days=1), **fields)
    other = person("compliance2", RoleName.COMPLIANCE)
    for actor, publication_id in ((other, draft_id), (compliance, late_id)):
        with pytest.raises(NotPublishable):
            request_publication(actor=actor, kind=OFFERS, publication_id=publication_id, reason="", at=AT)
    with pytest.raises(PermissionRefused):
        draft_publication(actor=desk.manager, effective_from=MONDAY, **fields)


def broken(content: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    changed = deepcopy(content)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("kind", "path", "value", "cell"),
    [
        (OFFERS, ("offers", "rows", 0), None, "table"),
        (OFFERS, ("offers", "rows", 2, "when", "risk_class"), "R1, R2", "row c1_above"),
        (OFFERS, ("offers", "rows", 2, "then", "outcome"), "perhaps", "row c1, outcome"),
        (OFFERS, ("classes", "rows", 0, "when", "leverage_pct"), "< 180", "table"),
        (OFFERS, ("entry", "US"), {"conditions": "maybe"}, "entry, US"),
        (OFFERS, ("entry", "CN", "days"), None, "days"),
        (OFFERS, ("segments", "US", "currency"), 5, "currency"),
        (OFFERS, ("warning", "zh"), "", "zh"),
        (QUESTIONNAIRE, ("questions", 3, "options", 0, "zh"), None, "zh"),
        (QUESTIONNAIRE, ("questions", 3, "options", 0, "points"), 0.5, "points"),
        (QUESTIONNAIRE, ("questions", 3, "options", 0, "points"), -1, "question years"),
        (QUESTIONNAIRE, ("questions", 3, "options", 3, "points"), 90, "tolerance, score"),
        (QUESTIONNAIRE, ("questions", 3, "options"), [], "question years"),
        (QUESTIONNAIRE, ("questions", 3, "id"), "income", "questions"),
        (QUESTIONNAIRE, ("questions", 3, "topic"), "weather", "question years"),
        (QUESTIONNAIRE, ("knowledge", "points_min"), 13, "knowledge, points_min"),
        (QUESTIONNAIRE, ("months",), 0, "months"),
        (QUESTIONNAIRE, ("tolerance", "rows", 1), None, "table"),
    ],
)
def test_i62_a_malformed_publication_is_not_even_drafted(
    compliance: Actor, kind: Any, path: tuple[Any, ...], value: Any, cell: str
) -> None:
    versions = list_versions(kind)
    with pytest.raises(MalformedTable) as refused:
        draft_publication(
            actor=compliance,
            kind=kind,
            content=broken(kind.shipped(), *path, value=value),
            effective_from=MONDAY,
            at=AT,
        )
    assert refused.value.cell == cell
    assert list_versions(kind) == versions


def test_i60_every_stored_assessment_comes_to_the_same_again(desk: Desk, newcomer: int) -> None:
    for answers in (BOLD, STEADY, CAREFUL, TIMID):
        answer(newcomer, answers)
    assert verify_suitability() == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE suitability_assessment SET points = 98 WHERE points = 72")
        cursor.execute("SET session_replication_role = DEFAULT")
    (finding,) = verify_suitability()
    assert (finding.check, "72" in finding.message) == ("suitability.replay", True)


def test_an_assessment_is_never_changed(desk: Desk) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.update(tolerance="C5")


def test_months_are_counted_to_the_same_day_or_the_last_of_the_month() -> None:
    assert months_after(date(2024, 2, 29), 24) == date(2026, 2, 28)
    assert months_after(date(2019, 12, 31), 2) == date(2020, 2, 29)


ODD: tuple[Any, ...] = (None, 5, -1, True, "x", "", [], {}, [5], {"a": 1}, [{}], [[]])


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a content, by its path; of a long list the first two alone."""
    steps = list(content) if isinstance(content, dict) else list(range(min(len(content), 2)))
    found = []
    for step in steps:
        found.append((*path, step))
        if isinstance(content[step], dict | list):
            found += places(content[step], (*path, step))
    return found


@pytest.mark.parametrize("kind", [OFFERS, QUESTIONNAIRE, RATING])
def test_i62_whatever_stands_in_a_cell_is_read_or_refused_by_name(kind: PublicationKind) -> None:
    content = kind.shipped()
    for path in places(content):
        for odd in ODD:
            changed = deepcopy(content)
            place = changed
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = odd
            with suppress(MalformedTable):
                kind.check(changed)
