"""Handing an application in, with its pre-screen and what goes on record, and taking it back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.kyc.services import assess_client
from reefpoint.decisions.monitoring.services.activities import device_code, note_activities
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind
from reefpoint.decisions.screening.selectors.hits import get_screening_standing
from reefpoint.decisions.screening.services.clients import screen_client
from reefpoint.decisions.screening.types import Standing
from reefpoint.flows.origination.models import Application, PreScreenRow
from reefpoint.flows.origination.rules.applications import RULES_VERSION
from reefpoint.flows.origination.rules.pre_screen import (
    OWN_LICENCE_NEEDED,
    PreScreenFacts,
    age_on,
    is_own_name,
    outcome_of,
    pre_screen,
)
from reefpoint.flows.origination.rules.profiles import profile_of
from reefpoint.flows.origination.selectors.applications import load_sections, pre_screen_of, section_statuses
from reefpoint.flows.origination.selectors.checks import (
    count_sharing_details,
    find_wrong_identifiers,
    has_questionnaire,
    has_twins,
    unlicensed_places,
)
from reefpoint.flows.origination.services.steps import REVIEWER, lock_own, move, tell
from reefpoint.flows.origination.services.writing import require_editable
from reefpoint.flows.origination.types.applications import ApplicationState, PreScreen, PreScreenOutcome
from reefpoint.flows.origination.types.questions import Section, SectionData
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.database.locks import lock_name
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.records.parties.selectors.documents import load_documents
from reefpoint.records.parties.services import record_consent, record_profile
from reefpoint.records.parties.types import ClientKind, ConsentChannel, ConsentPurpose, ProfileDraft
from reefpoint.records.products.selectors import SchemeVersionNotFound, published_version

CONSENT_TEXT = "application-1"
"""The version of the words beside the declarations, on record with each consent."""


@transaction.atomic
def submit_application(*, actor: Actor, application_id: int, on: date, at: datetime, device: str = "") -> PreScreen:
    """Hand an application in: it is pre-screened at once, and the finding says whether it was taken.

    Stopped: it stays as it was, with what has to be mended. Else the profile is on record in a new version, consents
    stand, the application waits for an officer, and the client is told. `device` is the client's own, none where staff
    help; monitoring compares it and what the application shares with others (typology 26).
    """
    row = lock_own(actor, application_id)
    require_editable(row)
    sections = load_sections(row.pk)
    facts = _facts(row, sections, on, at)
    if outcome_of(pre_screen(facts)) is not PreScreenOutcome.STOPPED:
        _put_on_record(actor, row, sections, at)
        standing = look_closely(client_id=row.client_id, on=on, at=at)
        facts = replace(facts, has_name_hits=standing in {Standing.OPEN_HITS, Standing.CONFIRMED})
    reasons = pre_screen(facts)
    outcome = outcome_of(reasons)
    found = PreScreenRow.objects.create(
        application=row,
        number=row.pre_screens.count() + 1,
        at=at,
        outcome=outcome,
        reasons=[[reason.code, reason.detail, reason.outcome, reason.is_told] for reason in reasons],
        rules_version=RULES_VERSION,
    )
    record(
        actor=actor,
        action="applications.pre_screen",
        subject=f"application:{row.pk}",
        inputs={"number": found.number, "outcome": outcome, "told": [r.code for r in reasons if r.is_told]},
        at=at,
    )
    if outcome is not PreScreenOutcome.STOPPED:
        _hand_in(actor, row, at)
        _note(row, profile_of(ClientKind(row.kind), sections), device, at)
    return pre_screen_of(found)


def look_closely(*, client_id: int, on: date, at: datetime) -> Standing:
    """Screen a client's names and rate the risk, as of now. Returns where the client stands with the lists."""
    screen_client(actor=REVIEWER, client_id=client_id, at=at)
    assess_client(actor=REVIEWER, client_id=client_id, on=on, at=at)
    return get_screening_standing(client_id).state


def _put_on_record(actor: Actor, row: Application, sections: Mapping[Section, SectionData], at: datetime) -> None:
    record_profile(
        actor=_writer(actor),
        client_id=row.client_id,
        draft=profile_of(ClientKind(row.kind), sections),
        reason=row.number,
        at=at,
    )
    purposes = [ConsentPurpose.SERVICE, ConsentPurpose.SENSITIVE_DATA]
    if sections[Section.DECLARATIONS].get("agrees_to_marketing"):
        purposes.append(ConsentPurpose.MARKETING)
    is_own = actor.user_id is not None and find_own_client(actor) is not None
    for purpose in purposes:
        record_consent(
            actor=_writer(actor),
            client_id=row.client_id,
            purpose=purpose,
            text_version=CONSENT_TEXT,
            channel=ConsentChannel.PORTAL if is_own else ConsentChannel.PAPER,
            at=at,
        )


def _hand_in(actor: Actor, row: Application, at: datetime) -> None:
    row.info_requests.filter(answered_at=None).update(answered_at=at)
    row.submissions += 1
    row.submitted_at = at
    move(actor=actor, row=row, new=ApplicationState.SUBMITTED, action="submit", words="", at=at)
    tell(actor=actor, row=row, letter="submitted", at=at)


def _note(row: Application, profile: ProfileDraft, device: str, at: datetime) -> None:
    """Note the application for monitoring. One at a time: of two that share something, one sees the other."""
    lock_name("origination.note_application")
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.APPLICATION,
                key=f"application:{row.pk}:{row.submissions}",
                client_id=row.client_id,
                at=at,
                quantity=count_sharing_details(row.client_id, profile),
                country=profile.residence,
                device=device_code(device),
            )
        ]
    )


def _writer(actor: Actor) -> Actor:
    """The actor with the rights that handing an application in takes; who it is stays who it is."""
    return replace(actor, permissions=actor.permissions | {"clients.change_profile", "consents.record"})


def _facts(row: Application, sections: Mapping[Section, SectionData], on: date, at: datetime) -> PreScreenFacts:
    kind = ClientKind(row.kind)
    documents = [one for one in load_documents([row.client_id]) if one.erased_at is None]
    valid = frozenset(one.kind for one in documents if one.expires_on is None or one.expires_on >= on)
    expired = tuple(sorted({one.kind for one in documents} - valid))
    answered = has_questionnaire(row.client_id, on)
    statuses = section_statuses(kind, sections, {}, valid, has_questionnaire=answered)
    counted = {Section.DOCUMENTS, Section.QUESTIONNAIRE}
    incomplete = tuple(
        one.section for one in statuses if one.is_asked and not one.is_complete and one.section not in counted
    )
    identity, declared = sections.get(Section.IDENTITY, {}), sections.get(Section.DECLARATIONS, {})
    experience = sections.get(Section.EXPERIENCE, {})
    residence = str(identity.get("residence", ""))
    limit_minor, place = _scheme(str(experience.get("scheme_code", "")), on)
    wanted = experience.get("loan_wanted_minor")
    places = sorted({place, *({residence} & OWN_LICENCE_NEEDED)} - {""})
    is_readable = Section.IDENTITY not in incomplete and Section.PEOPLE not in incomplete
    profile = profile_of(ClientKind(row.kind), sections) if is_readable else None
    names = (str(identity.get("name", "")), str(identity.get("name_zh", "")))
    born = profile.birth_or_incorporated_on if profile and kind is ClientKind.INDIVIDUAL else None
    accounts = () if Section.BANK in incomplete or profile is None else profile.bank_accounts
    return PreScreenFacts(
        kind=kind,
        sections_incomplete=incomplete,
        documents=valid,
        documents_expired=expired,
        has_questionnaire=answered,
        age=age_on(born, on) if born else None,
        residence=residence,
        nationality=str(identity.get("nationality", "")),
        jurisdictions_unlicensed=unlicensed_places(places, on=on, at=at),
        is_scheme_offered=bool(place),
        is_loan_within_limit=not isinstance(wanted, int) or wanted <= limit_minor,
        identifiers_wrong=find_wrong_identifiers(profile, on) if profile else (),
        holders_wrong=tuple(n for n, one in enumerate(accounts) if not is_own_name(one.holder_name, names)),
        is_pep_declared=declared.get("is_pep_declared") is True,
        has_defaulted=declared.get("has_defaulted") is True,
        has_name_hits=False,
        has_duplicates=profile is not None and has_twins(row.client_id, profile),
    )


def _scheme(code: str, on: date) -> tuple[int, str]:
    """The limit of the scheme that is asked for and the jurisdiction it stands under; nothing for one not in force."""
    try:
        terms = published_version(code, on).terms
    except SchemeVersionNotFound:
        return 0, ""
    return terms.limit_minor, terms.rule_pack


@transaction.atomic
def withdraw_application(*, actor: Actor, application_id: int, reason: str, at: datetime) -> None:
    """Take an application back, by its client or by staff for them. Raises `InvalidTransition` when it is over."""
    row = lock_own(actor, application_id)
    move(actor=actor, row=row, new=ApplicationState.WITHDRAWN, action="withdraw", words=reason.strip()[:2000], at=at)
    tell(actor=actor, row=row, letter="withdrawn", at=at)
