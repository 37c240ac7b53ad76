"""An application from its first answer to the decision, and everything that stands in its way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from tests.desk import MONDAY, SYSTEM, TUESDAY, Desk, noon
from tests.flows.origination.conftest import ANSWERS, AT, NEEDED, Office, make_office, person

from reefpoint.decisions.kyc.selectors import list_assessments
from reefpoint.flows.origination.models import Application, Decision, PreScreenRow, SectionDraft, Step
from reefpoint.flows.origination.rules.applications import documents_of
from reefpoint.flows.origination.rules.decisions import KEPT_REASONS, blockers, told_reasons
from reefpoint.flows.origination.selectors.applications import (
    ApplicationNotFound,
    find_info_request,
    find_own_application,
    get_application,
    get_own_section,
    list_pre_screens,
    list_sections,
    told_applications,
)
from reefpoint.flows.origination.selectors.review import Review, find_decision, load_review, verify_applications
from reefpoint.flows.origination.services.beginning import CannotApplyAgain, begin_again, begin_application
from reefpoint.flows.origination.services.decisions import (
    AwaitsSecondPerson,
    CannotBeAccepted,
    DoesNotFit,
    ReviewChanged,
    WordsMayTip,
    accept_application,
    preview_letters,
    refuse_application,
    replay_decision,
    request_information,
    take_up,
)
from reefpoint.flows.origination.services.submitting import submit_application, withdraw_application
from reefpoint.flows.origination.services.writing import NotEditable, SectionMalformed, save_section
from reefpoint.flows.origination.types.applications import ApplicationState, PreScreenCode, PreScreenOutcome
from reefpoint.flows.origination.types.decisions import Blocker, RefusalReason
from reefpoint.flows.origination.types.questions import Section
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import PermissionRefused, ReasonNeeded, approve, reject
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.parties.models import Client as ClientRow
from reefpoint.records.parties.selectors.consents import has_consent
from reefpoint.records.parties.selectors.licences import list_licences
from reefpoint.records.parties.selectors.profiles import find_profile, get_profile
from reefpoint.records.parties.services import close_client, record_profile, reopen_prospect, revoke_licence
from reefpoint.records.parties.types import ClientKind, ClientStatus, ConsentPurpose, DocumentKind

# Writing


def test_begun_twice_it_is_one_application_of_one_prospect(office: Office) -> None:
    again = begin_application(actor=office.applicant, kind=ClientKind.INSTITUTION, on=MONDAY, at=AT)
    assert again == office.application_id
    assert office.row.client.status == ClientStatus.PROSPECT
    found = find_own_application(office.applicant)
    assert found is not None
    assert (found.state, found.kind) == (ApplicationState.DRAFT, ClientKind.INDIVIDUAL)


def test_answers_are_kept_as_far_as_they_are_and_sealed(office: Office) -> None:
    missing = save_section(
        actor=office.applicant,
        application_id=office.application_id,
        section=Section.IDENTITY,
        data={"name": " Tan Wei Ling ", "phone": "+65 6123 4567"},
        at=AT,
    )
    assert "nationality" in [problem.field for problem in missing]
    assert get_own_section(office.applicant, office.application_id, Section.IDENTITY) == {
        "name": "Tan Wei Ling",
        "phone": "+65 6123 4567",
    }
    assert b"Tan" not in bytes(SectionDraft.objects.get().blob or b"")
    identity = list_sections(office.applicant, office.application_id, documents=[], has_questionnaire=False)[0]
    assert (identity.is_begun, identity.is_complete, identity.saved_at) == (True, False, AT)


def test_an_answer_that_is_none_is_refused_and_the_one_before_stays(office: Office) -> None:
    office.save(Section.TAX)
    with pytest.raises(SectionMalformed):
        save_section(
            actor=office.applicant,
            application_id=office.application_id,
            section=Section.TAX,
            data={"tax_residences": [{"country": "XX"}], "is_admin": True},
            at=AT,
        )
    assert get_own_section(office.applicant, office.application_id, Section.TAX) == ANSWERS[Section.TAX]


def test_i66_nobody_elses_application_exists(office: Office, desk: Desk) -> None:
    stranger = replace(desk.manager)
    for act in (
        lambda: get_application(stranger, office.application_id),
        lambda: get_own_section(stranger, office.application_id, Section.TAX),
        lambda: submit_application(actor=stranger, application_id=office.application_id, on=MONDAY, at=AT),
        lambda: withdraw_application(actor=stranger, application_id=office.application_id, reason="", at=AT),
        lambda: get_application(office.applicant, office.application_id + 1),
    ):
        with pytest.raises(ApplicationNotFound):
            act()


def test_i66_an_application_of_somebody_else_is_refused_as_one_that_does_not_exist(office: Office) -> None:
    other = person("other", RoleName.CLIENT)
    begin_application(actor=other, kind=ClientKind.INDIVIDUAL, on=MONDAY, at=AT)
    for outsider in (other, person("treasurer", RoleName.TREASURY), replace(other, permissions=frozenset())):
        refusals = set()
        for application_id in (office.application_id, 999_999):
            with pytest.raises(Refusal) as refused:
                get_application(outsider, application_id)
            refusals.add((type(refused.value), refused.value.code, refused.value.message))
        assert len(refusals) == 1, outsider


def test_the_desk_does_not_read_an_applicants_answers_on_the_way(office: Office) -> None:
    office.save(Section.TAX)
    with pytest.raises(PermissionRefused):
        get_own_section(office.officer, office.application_id, Section.TAX)


# Handing in


def test_a_whole_application_is_taken_and_waits_with_profile_consents_and_a_letter(office: Office) -> None:
    office.write()
    found = office.submit()
    assert (found.outcome, found.reasons) == (PreScreenOutcome.PASSED, ())
    assert office.state is ApplicationState.SUBMITTED
    profile = get_profile(SYSTEM, office.row.client_id)
    assert profile is not None
    assert (profile.name, profile.net_worth_minor, profile.version) == ("Tan Wei Ling", 2_000_000_00, 1)
    assert has_consent(office.row.client_id, ConsentPurpose.MARKETING)
    notice = Notice.objects.get(about=f"application:{office.application_id}")
    assert notice.subject == f"我们已收到您的申请 {office.row.number}"
    with pytest.raises(NotEditable):
        office.save(Section.TAX)


def test_what_is_missing_stops_it_and_is_said_in_codes(office: Office) -> None:
    office.write()
    SectionDraft.objects.filter(section=Section.BANK).delete()
    found = office.submit()
    assert found.outcome is PreScreenOutcome.STOPPED
    assert [(reason.code, reason.detail) for reason in found.reasons] == [(PreScreenCode.SECTION_INCOMPLETE, "bank")]
    assert office.state is ApplicationState.DRAFT
    assert find_profile(office.row.client_id) is None
    assert Notice.objects.filter(about=f"application:{office.application_id}").count() == 0


@pytest.mark.parametrize(
    ("section", "changes", "code", "detail"),
    [
        (Section.IDENTITY, {"birth_or_incorporated_on": "2001-11-26"}, "under_age", "18"),
        (Section.IDENTITY, {"nationality": "KP"}, "country_not_served", "KP"),
        (Section.IDENTITY, {"residence": "CN"}, "no_licence", "CN"),
        (Section.IDENTITY, {"residence": "HK"}, "no_licence", "HK"),
        (
            Section.IDENTITY,
            {"identifiers": [{"kind": "cn.ric", "number": "11010519491231002X", "country": "CN"}]},
            "identifier_invalid",
            "cn.ric",
        ),
        (
            Section.IDENTITY,
            {"identifiers": [{"kind": "passport", "number": "E1", "country": "SG", "expires_on": "2019-11-24"}]},
            "identifier_invalid",
            "passport",
        ),
        (Section.EXPERIENCE, {"scheme_code": "NONE"}, "scheme_not_offered", ""),
        (Section.EXPERIENCE, {"loan_wanted_minor": 10**14}, "loan_above_limit", ""),
        (
            Section.BANK,
            {"bank_accounts": [{**ANSWERS[Section.BANK]["bank_accounts"][0], "holder_name": "Somebody Else"}]},  # type: ignore[index, dict-item]
            "bank_account_not_own",
            "1",
        ),
    ],
)
def test_the_pre_screen_stops_what_cannot_be(
    office: Office, section: Section, changes: dict[str, object], code: str, detail: str
) -> None:
    office.write()
    office.save(section, **changes)
    found = office.submit()
    assert (found.outcome, [(one.code.value, one.detail) for one in found.reasons]) == (
        PreScreenOutcome.STOPPED,
        [(code, detail)],
    )
    assert office.state is ApplicationState.DRAFT


def test_full_age_begins_on_the_birthday(office: Office) -> None:
    office.write()
    office.save(Section.IDENTITY, birth_or_incorporated_on="2001-11-25")
    assert office.submit().outcome is PreScreenOutcome.PASSED


def test_a_name_on_a_list_refers_it_and_the_applicant_reads_nothing_of_it(office: Office) -> None:
    office.list_name("Tan Wei Ling")
    office.write()
    assert office.submit().outcome is PreScreenOutcome.REFERRED
    assert office.state is ApplicationState.SUBMITTED
    [told] = list_pre_screens(office.applicant, office.application_id)
    assert (told.outcome, told.reasons) == (PreScreenOutcome.PASSED, ())
    [known] = list_pre_screens(office.officer, office.application_id)
    assert [reason.code for reason in known.reasons] == [PreScreenCode.NAME_HIT]


# The decision


def test_accepted_the_client_is_active_and_everything_is_on_record(office: Office) -> None:
    shown = office.review()
    assert load_review(office.officer, office.application_id, on=MONDAY, at=AT).blockers == ()
    assert office.accept(shown) is None
    row = office.row
    assert (row.state, row.client.status, row.client.accepted_on) == ("accepted", ClientStatus.ACTIVE, MONDAY)
    decision = find_decision(office.officer, row.pk)
    assert decision is not None
    assert (decision.outcome, decision.decided_by, decision.fingerprint) == (
        ApplicationState.ACCEPTED,
        "officer",
        shown,
    )
    assert list(Step.objects.filter(application=row).order_by("id").values_list("action", flat=True)) == [
        "begin",
        "submit",
        "take_up",
        "accept",
    ]
    assert Notice.objects.filter(about=f"application:{row.pk}").order_by("-id")[0].subject.endswith("已通过")
    assert verify_applications() == []


def test_i60_a_decision_is_worked_out_again_from_what_is_stored(office: Office) -> None:
    office.accept(office.review())
    assert replay_decision(office.application_id) == ()
    assert verify_applications() == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("""UPDATE origination_decision SET facts = jsonb_set(facts, '{screening}', '"open_hits"')""")
        cursor.execute("RESET session_replication_role")
    assert replay_decision(office.application_id) == (Blocker.OPEN_HITS,)
    assert len(verify_applications()) == 2


def test_decisions_and_steps_are_never_rewritten(office: Office) -> None:
    office.accept(office.review())
    for model in (Decision, Step, PreScreenRow):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.update(at=AT + timedelta(hours=1))  # type: ignore[attr-defined]
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.all().delete()  # type: ignore[attr-defined]


def test_i63_a_decision_is_about_exactly_what_was_shown(office: Office) -> None:
    shown = office.review()
    profile = find_profile(office.row.client_id)
    assert profile is not None
    record_profile(
        actor=SYSTEM,
        client_id=office.row.client_id,
        draft=replace(profile, occupation="Minister"),
        reason="said so",
        at=AT,
    )
    for act in (
        lambda: office.accept(shown),
        lambda: refuse_application(
            actor=office.officer,
            application_id=office.application_id,
            reasons=[RefusalReason.BUSINESS],
            note="",
            shown=shown,
            on=MONDAY,
            at=AT,
        ),
    ):
        with pytest.raises(ReviewChanged):
            act()
    assert office.state is ApplicationState.IN_REVIEW
    assert Decision.objects.count() == 0
    assert office.accept(office.shown()) is None


def test_an_open_hit_stands_against_accepting(office: Office) -> None:
    office.list_name("Tan Wei Ling")
    shown = office.review()
    with pytest.raises(CannotBeAccepted) as refusal:
        office.accept(shown)
    assert refusal.value.blockers == (Blocker.OPEN_HITS,)
    assert office.row.client.status == ClientStatus.PROSPECT
    assert Decision.objects.count() == 0


@pytest.mark.parametrize("source", ["", "made.up"])
def test_nobody_is_accepted_who_was_held_against_no_list(desk: Desk, source: str) -> None:
    office = make_office(desk, has_list=False)
    if source:
        office.list_name("Nobody Whoever", source)
    shown = office.review()
    if source:
        assert office.accept(shown) is None
        return
    with pytest.raises(CannotBeAccepted) as refusal:
        office.accept(shown)
    assert refusal.value.blockers == (Blocker.NO_LIST,)
    assert office.row.client.status == ClientStatus.PROSPECT
    assert Decision.objects.count() == 0


def test_a_decision_of_the_first_rules_is_held_to_those(office: Office) -> None:
    review = load_review_of(office)
    facts = replace(review.facts, list_versions=())
    assert Blocker.NO_LIST in blockers(facts)
    assert Blocker.NO_LIST not in blockers(facts, rules_version=1)


def load_review_of(office: Office) -> Review:
    return load_review(office.officer, office.application_id, on=MONDAY, at=AT)


def test_i68_a_licence_that_ends_stops_the_acceptance_at_once(office: Office) -> None:
    shown = office.review()
    [licence] = [one for one in list_licences() if one.jurisdiction == "US"][:1]
    revoke_licence(actor=SYSTEM, licence_id=licence.id, reason="revoked", at=AT)
    with pytest.raises(ReviewChanged):
        office.accept(shown)
    with pytest.raises(CannotBeAccepted) as refusal:
        office.accept(office.shown())
    assert refusal.value.blockers == (Blocker.NO_LICENCE,)


def test_every_blocker_is_named_when_nothing_is_in_order(office: Office) -> None:
    facts = load_review(office.officer, office.application_id, on=MONDAY, at=AT).facts
    worst = replace(facts, client_status="blocked", rating="prohibited", blocking_alerts=1)
    assert blockers(worst) == [
        Blocker.NOT_IN_REVIEW,
        Blocker.CLIENT_NOT_PROSPECT,
        Blocker.PRE_SCREEN_STOPPED,
        Blocker.DOCUMENTS_MISSING,
        Blocker.QUESTIONNAIRE_MISSING,
        Blocker.NEVER_SCREENED,
        Blocker.NO_LIST,
        Blocker.PROHIBITED,
        Blocker.IDENTITY_CHECKS_FAILED,
        Blocker.OPEN_ALERT,
        Blocker.NO_LICENCE,
    ]


def test_a_high_risk_is_accepted_by_two_people(office: Office) -> None:
    office.write()
    office.save(Section.DECLARATIONS, is_pep_declared=True, pep_note="A mayor until 2018.")
    assert office.submit().outcome is PreScreenOutcome.REFERRED
    take_up(actor=office.officer, application_id=office.application_id, on=MONDAY, at=AT)
    review = load_review(office.officer, office.application_id, on=MONDAY, at=AT)
    assert review.needs_second_person, review.facts.rating
    approval_id = office.accept(review.fingerprint)
    assert approval_id is not None
    assert office.row.client.status == ClientStatus.PROSPECT
    with pytest.raises(AwaitsSecondPerson):
        office.accept(review.fingerprint)
    approval = get_approval(approval_id)
    with pytest.raises(Refusal):
        approve(actor=office.officer, approval_id=approval_id, payload_hash=approval.payload_hash, at=AT)
    approve(actor=office.second, approval_id=approval_id, payload_hash=approval.payload_hash, at=AT)
    office.desk.drain()
    assert office.row.client.status == ClientStatus.ACTIVE
    decision = find_decision(office.officer, office.application_id)
    assert decision is not None
    assert (decision.decided_by, decision.approved_by) == ("officer", "second")
    assert verify_applications() == []


def test_an_approval_of_what_has_changed_accepts_nobody(office: Office) -> None:
    office.write()
    office.save(Section.DECLARATIONS, is_pep_declared=True, pep_note="A mayor until 2018.")
    office.submit()
    take_up(actor=office.officer, application_id=office.application_id, on=MONDAY, at=AT)
    approval_id = office.accept(office.shown())
    assert approval_id is not None
    office.list_name("Tan Wei Ling")
    office.desk.drain()
    approve(actor=office.second, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=AT)
    office.desk.drain()
    assert (office.state, office.row.approval_id) == (ApplicationState.IN_REVIEW, None)
    assert office.row.client.status == ClientStatus.PROSPECT
    assert Entry.objects.filter(action="applications.approval_stale").count() == 1


def test_a_rejected_approval_frees_the_application(office: Office) -> None:
    office.write()
    office.save(Section.DECLARATIONS, is_pep_declared=True, pep_note="A mayor until 2018.")
    office.submit()
    take_up(actor=office.officer, application_id=office.application_id, on=MONDAY, at=AT)
    approval_id = office.accept(office.shown())
    assert approval_id is not None
    approval = get_approval(approval_id)
    reject(actor=office.second, approval_id=approval_id, payload_hash=approval.payload_hash, reason="no", at=AT)
    office.desk.drain()
    assert office.row.approval_id is None
    assert office.state is ApplicationState.IN_REVIEW


def test_a_refusal_tells_what_may_be_told_and_no_more(office: Office) -> None:
    shown = office.review()
    with pytest.raises(ReasonNeeded):
        refuse_application(
            actor=office.officer,
            application_id=office.application_id,
            reasons=[],
            note="",
            shown=shown,
            on=MONDAY,
            at=AT,
        )
    refuse_application(
        actor=office.officer,
        application_id=office.application_id,
        reasons=[RefusalReason.SCREENING, RefusalReason.FUNDS_NOT_EXPLAINED],
        note="the list says so",
        shown=shown,
        on=MONDAY,
        at=AT,
    )
    letter = Notice.objects.filter(about=f"application:{office.application_id}").order_by("-id")[0].body
    assert "资金来源的说明或证明不充分" in letter
    for word in ("名单", "筛查", "制裁", "监测", "list"):
        assert word not in letter
    assert office.row.client.status == ClientStatus.CLOSED
    known = find_decision(office.officer, office.application_id)
    sold = find_decision(office.desk.operations, office.application_id)
    assert known is not None
    assert sold is not None
    assert known.reasons == (RefusalReason.FUNDS_NOT_EXPLAINED, RefusalReason.SCREENING)
    assert (sold.reasons, sold.note) == ((RefusalReason.FUNDS_NOT_EXPLAINED,), "")
    assert verify_applications() == []


@pytest.mark.parametrize("reason", sorted(KEPT_REASONS))
def test_a_reason_that_must_be_kept_reads_as_a_business_decision(reason: RefusalReason) -> None:
    assert told_reasons([reason]) == told_reasons([RefusalReason.BUSINESS]) == (RefusalReason.BUSINESS,)


def test_the_client_is_asked_for_more_and_hands_in_again(office: Office) -> None:
    office.review()
    request_information(
        actor=office.officer,
        application_id=office.application_id,
        sections=[Section.WEALTH],
        documents=[NEEDED[2]],
        words="Please show three pay slips.",
        at=AT,
    )
    assert office.state is ApplicationState.INFO_REQUESTED
    letter = Notice.objects.filter(about=f"application:{office.application_id}").order_by("-id")[0].body
    assert "Please show three pay slips." in letter
    office.save(Section.WEALTH, source_note="Salary of twenty years, three slips are added.")
    office.attach(NEEDED[2])
    assert office.submit().outcome is PreScreenOutcome.PASSED
    assert (office.state, office.row.submissions) == (ApplicationState.SUBMITTED, 2)
    take_up(actor=office.second, application_id=office.application_id, on=MONDAY, at=AT)
    assert office.accept(office.shown(), office.second) is None


def test_accepting_needs_a_reason_and_the_client_reads_their_words_alone(office: Office) -> None:
    shown = office.review()
    for note in ("", "  "):
        with pytest.raises(ReasonNeeded):
            accept_application(
                actor=office.officer,
                application_id=office.application_id,
                shown=shown,
                note=note,
                on=MONDAY,
                at=AT,
            )
    assert Decision.objects.count() == 0
    accept_application(
        actor=office.officer,
        application_id=office.application_id,
        shown=shown,
        note="statements agree",
        words="请先阅读风险揭示书。",
        on=MONDAY,
        at=AT,
    )
    letter = Notice.objects.filter(about=f"application:{office.application_id}").order_by("-id")[0].body
    assert "请先阅读风险揭示书。" in letter
    assert "statements agree" not in letter
    decision = find_decision(office.officer, office.application_id)
    assert decision is not None
    assert (decision.note, decision.told) == ("statements agree", "请先阅读风险揭示书。")


def test_own_words_are_not_put_beside_a_reason_that_must_be_kept(office: Office) -> None:
    shown = office.review()
    with pytest.raises(WordsMayTip):
        refuse_application(
            actor=office.officer,
            application_id=office.application_id,
            reasons=[RefusalReason.SCREENING],
            note="",
            words="You are on a list.",
            shown=shown,
            on=MONDAY,
            at=AT,
        )
    assert Decision.objects.count() == 0


def test_a_person_is_not_asked_for_the_papers_of_a_company(office: Office) -> None:
    office.review()
    unfit: list[tuple[list[Section], list[DocumentKind]]] = [
        ([], [DocumentKind.BOARD_RESOLUTION]),
        ([Section.DOCUMENTS], []),
    ]
    for sections, documents in unfit:
        with pytest.raises(DoesNotFit):
            request_information(
                actor=office.officer,
                application_id=office.application_id,
                sections=sections,
                documents=documents,
                words="Please.",
                at=AT,
            )
    assert office.state is ApplicationState.IN_REVIEW
    assert DocumentKind.BOARD_RESOLUTION in documents_of(ClientKind.INSTITUTION)


def test_what_was_asked_keeps_the_note_on_the_desk(office: Office) -> None:
    office.review()
    request_information(
        actor=office.officer,
        application_id=office.application_id,
        sections=[Section.WEALTH],
        documents=[],
        words="Please show three pay slips.",
        note="the salary looks too high",
        at=AT,
    )
    letter = Notice.objects.filter(about=f"application:{office.application_id}").order_by("-id")[0].body
    assert "three pay slips" in letter
    assert "too high" not in letter
    asked = find_info_request(office.applicant, office.application_id)
    assert asked is not None
    assert asked.words == "Please show three pay slips."
    assert Step.objects.latest("id").words == "the salary looks too high"
    assert "too high" not in str(told_applications(office.row.client_id))


def test_a_letter_is_previewed_in_both_languages_and_nothing_is_sent(office: Office) -> None:
    office.review()
    before = Notice.objects.count()
    english, chinese = preview_letters(
        actor=office.officer,
        application_id=office.application_id,
        letter="refused",
        reasons=[RefusalReason.FUNDS_NOT_EXPLAINED, RefusalReason.SCREENING],
    )
    assert "Where your money comes from is not shown well enough." in english.body
    assert "资金来源的说明或证明不充分。" in chinese.body
    assert (english.is_theirs, chinese.is_theirs) == (False, True)
    refuse(office, RefusalReason.FUNDS_NOT_EXPLAINED, RefusalReason.SCREENING)
    assert Notice.objects.count() == before + 1
    assert Notice.objects.order_by("-id")[0].body == chinese.body


def test_nothing_new_to_assess_is_no_new_assessment(office: Office) -> None:
    office.review()
    assert len(list_assessments(office.officer, office.row.client_id)) == 1


def test_withdrawn_it_is_over(office: Office) -> None:
    office.review()
    withdraw_application(actor=office.applicant, application_id=office.application_id, reason="changed my mind", at=AT)
    assert office.state is ApplicationState.WITHDRAWN
    with pytest.raises(InvalidTransition):
        take_up(actor=office.officer, application_id=office.application_id, on=MONDAY, at=AT)


# Beginning again


def refuse(office: Office, *reasons: RefusalReason) -> None:
    refuse_application(
        actor=office.officer,
        application_id=office.application_id,
        reasons=reasons or [RefusalReason.FUNDS_NOT_EXPLAINED],
        note="no papers",
        shown=office.shown(),
        on=MONDAY,
        at=AT,
    )


@pytest.mark.parametrize("is_refused", [True, False])
def test_refused_or_withdrawn_the_same_person_applies_again_and_is_accepted(office: Office, is_refused: bool) -> None:
    office.review()
    before = office.application_id
    if is_refused:
        refuse(office)
    else:
        withdraw_application(actor=office.applicant, application_id=before, reason="", at=AT)
    client_id = office.row.client_id
    office.application_id = begin_application(actor=office.applicant, kind=ClientKind.INSTITUTION, on=MONDAY, at=AT)
    assert office.application_id != before
    assert begin_again(actor=office.applicant, application_id=before, at=AT) == office.application_id
    row = office.row
    assert (row.client_id, row.kind, row.state) == (client_id, "individual", "draft")
    assert (row.client.status, row.client.closed_on) == (ClientStatus.PROSPECT, None)
    assert get_own_section(office.applicant, row.pk, Section.WEALTH) == ANSWERS[Section.WEALTH]
    assert get_own_section(office.applicant, row.pk, Section.DECLARATIONS) == {}
    assert [one.detail for one in office.submit().reasons] == ["declarations"]
    office.save(Section.DECLARATIONS)
    assert office.submit().outcome is PreScreenOutcome.PASSED
    take_up(actor=office.officer, application_id=row.pk, on=MONDAY, at=AT)
    assert office.accept(office.shown()) is None
    assert office.row.client.status == ClientStatus.ACTIVE
    assert verify_applications() == []


def test_who_is_on_a_list_or_blocked_does_not_begin_again_and_is_not_told_why(office: Office) -> None:
    office.review()
    messages = set()
    for is_confirmed in (True, False):
        with transaction.atomic():
            if is_confirmed:
                office.confirm_hit()
            refuse(office, RefusalReason.SCREENING)
            if not is_confirmed:
                ClientRow.objects.update(status=ClientStatus.BLOCKED, closed_on=None)
            standing = office.row.client.status
            with pytest.raises(CannotApplyAgain) as refused:
                begin_again(actor=office.applicant, application_id=office.application_id, at=AT)
            messages.add(refused.value.message)
            assert Application.objects.count() == 1
            assert office.row.client.status == standing
            transaction.set_rollback(True)
    assert len(messages) == 1


def test_who_was_a_client_does_not_become_a_prospect_again(office: Office) -> None:
    office.accept(office.review())
    with pytest.raises(InvalidTransition):
        begin_again(actor=office.applicant, application_id=office.application_id, at=AT)
    close_client(actor=office.officer, client_id=office.row.client_id, reason="left", at=AT)
    with pytest.raises(InvalidTransition):
        reopen_prospect(actor=office.applicant, client_id=office.row.client_id, reason="again", at=AT)
    assert office.row.client.status == ClientStatus.CLOSED


def test_only_the_client_or_who_helps_begins_again(office: Office) -> None:
    office.review()
    refuse(office)
    with pytest.raises(PermissionRefused):
        begin_again(actor=office.officer, application_id=office.application_id, at=AT)
    helper = person("helper", RoleName.OPERATIONS)
    assert begin_again(actor=helper, application_id=office.application_id, at=AT) > office.application_id


def test_only_compliance_decides(office: Office, desk: Desk) -> None:
    office.write()
    office.submit()
    for actor in (desk.operations, desk.risk, office.applicant):
        with pytest.raises(PermissionRefused):
            take_up(actor=actor, application_id=office.application_id, on=MONDAY, at=AT)


@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_take_one_decision(live_office: Office) -> None:
    office = live_office
    shown = office.review()
    together = Barrier(2)

    def decide(accepts: bool) -> str:
        try:
            together.wait(timeout=20)
            if accepts:
                office.accept(shown)
            else:
                refuse_application(
                    actor=office.second,
                    application_id=office.application_id,
                    reasons=[RefusalReason.BUSINESS],
                    note="",
                    shown=shown,
                    on=MONDAY,
                    at=AT,
                )
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return "decided"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(decide, (True, False)))
    assert answers == ["decided", "review_changed"]
    assert Decision.objects.count() == 1
    assert Application.objects.get().state == Decision.objects.get().outcome
    assert verify_applications() == []


@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_take_it_up_once(live_office: Office) -> None:
    office = live_office
    office.write()
    office.submit()
    together = Barrier(2)

    def take(actor: object) -> str:
        try:
            together.wait(timeout=20)
            take_up(actor=actor, application_id=office.application_id, on=TUESDAY, at=noon(TUESDAY))  # type: ignore[arg-type]
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return "mine"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, (office.officer, office.second))) == ["invalid_transition", "mine"]
