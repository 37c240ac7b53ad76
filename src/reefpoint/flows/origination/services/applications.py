"""Writing an application and handing it in: by the client on the portal, or by staff who help."""

import json
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
from reefpoint.flows.origination import rules
from reefpoint.flows.origination.events import ApplicationMoved
from reefpoint.flows.origination.models import Application, Lead, PreScreenRow, SectionDraft, Step
from reefpoint.flows.origination.rules import PreScreenFacts
from reefpoint.flows.origination.selectors.applications import (
    ApplicationNotFound,
    load_sections,
    pre_screen_of,
    read_application,
    section_context,
    section_statuses,
)
from reefpoint.flows.origination.selectors.checks import (
    count_sharing_details,
    find_wrong_identifiers,
    has_questionnaire,
    has_twins,
    unlicensed_places,
)
from reefpoint.flows.origination.selectors.leads import LeadNotFound, find_lead_by_email, visible_leads
from reefpoint.flows.origination.services import letters
from reefpoint.flows.origination.services.leads import contact_of, mark_converted
from reefpoint.flows.origination.types import (
    ApplicationState,
    FieldProblem,
    LeadChannel,
    LeadState,
    Plain,
    PreScreen,
    PreScreenOutcome,
    Section,
    SectionData,
)
from reefpoint.platform.access.selectors import find_email
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish
from reefpoint.platform.notifications.services import queue_notice
from reefpoint.platform.vault.services import seal
from reefpoint.records.parties.selectors.clients import find_own_client, require_own_or
from reefpoint.records.parties.selectors.documents import load_documents
from reefpoint.records.parties.services import (
    add_document,
    begin_prospect,
    record_consent,
    record_profile,
    reopen_prospect,
)
from reefpoint.records.parties.types import (
    BankAccountDraft,
    ClientDraft,
    ClientKind,
    ClientStatus,
    ConsentChannel,
    ConsentPurpose,
    DocumentKind,
    IdentifierDraft,
    IdentifierKind,
    PersonRole,
    ProfileDraft,
    RelatedPersonDraft,
)
from reefpoint.records.products.selectors import SchemeVersionNotFound, published_version

REVIEWER = system_actor("origination")

CONSENT_TEXT = "application-1"
"""The version of the words beside the declarations, on record with each consent."""


class SectionMalformed(Refusal):
    """Answers that are none; `problems` says which and why. Nothing was saved."""

    code = "section_malformed"

    def __init__(self, problems: list[FieldProblem]) -> None:
        names = [problem.field for problem in problems[:5]]
        super().__init__("This was not saved. Look at: {names}.", names=names, problems=problems)
        self.problems = tuple(problems)


class NotEditable(Refusal):
    """An application that was handed in, or is over."""

    code = "application_not_editable"


class NoOwnApplicant(Refusal):
    """Somebody without a way to apply: no e-mail on record."""

    code = "no_own_applicant"


# Beginning


@transaction.atomic
def begin_application(*, actor: Actor, kind: ClientKind, on: date, at: datetime, language: str = "en") -> int:
    """Begin one's own application on the portal. Returns its id; begun before, the same id.

    Once that one is refused or withdrawn, a new one is begun as `begin_again` does it. The lead with the same
    (verified) address, if there is one, is what it came from.
    """
    require(actor, "portal.apply")
    own = find_own_client(actor)
    if own is not None:
        held = Application.objects.filter(client_id=own.id).order_by("-id").first()
        if held is not None:
            is_over = ApplicationState(held.state) in rules.MAY_BEGIN_AGAIN
            return begin_again(actor=actor, application_id=held.pk, at=at) if is_over else held.pk
    email = find_email(actor.user_id) if actor.user_id is not None else None
    if email is None:
        raise NoOwnApplicant("Sign in with your own address to apply.")
    draft = ClientDraft(name=actor.name or email, email=email, kind=kind, language=language)
    client_id = (
        own.id
        if own is not None
        else begin_prospect(actor=actor, draft=draft, portal_user_id=actor.user_id, on=on, at=at)
    )
    lead_id = find_lead_by_email(email)
    channel = (
        LeadChannel(Lead.objects.values_list("channel", flat=True).get(id=lead_id)) if lead_id else LeadChannel.WEB
    )
    return _begin(actor, client_id, kind, channel, lead_id, at)


@transaction.atomic
def begin_again(*, actor: Actor, application_id: int, at: datetime) -> int:
    """Begin a new application after one that was refused or withdrawn, by its client or by staff who help.

    The answers of the last one come over as they stand, but the declarations: those are made anew. Returns the new id;
    one that is under way already is returned as it is. Raises `CannotApplyAgain`, `InvalidTransition`.
    """
    last = _lock_own(actor, application_id)
    newest = Application.objects.filter(client_id=last.client_id).order_by("-id")[0]
    if newest.pk != last.pk:
        return newest.pk
    if ApplicationState(last.state) not in rules.MAY_BEGIN_AGAIN:
        raise InvalidTransition("This application is not over. Nothing new was begun.", state=last.state)
    is_confirmed = get_screening_standing(last.client_id).state is Standing.CONFIRMED
    if is_confirmed or last.client.status == ClientStatus.BLOCKED:
        raise CannotApplyAgain("A new application cannot be begun here. Please write to us.")
    if last.client.status == ClientStatus.CLOSED:
        reopen_prospect(actor=actor, client_id=last.client_id, reason=last.number, at=at)
    new_id = _begin(actor, last.client_id, ClientKind(last.kind), LeadChannel(last.channel), None, at)
    row = lock_application(new_id)
    for section, data in load_sections(last.pk).items():
        if section is not Section.DECLARATIONS:
            _keep_section(actor, row, section, data, at)
    return new_id


class CannotApplyAgain(Refusal):
    """Somebody who is blocked, or whose hit on a list was confirmed. Why is not said (tipping off)."""

    code = "cannot_apply_again"


@transaction.atomic
def convert_lead(*, actor: Actor, lead_id: int, on: date, at: datetime) -> int:
    """Begin an application for a lead, by staff who help. Returns the application's id.

    Raises `LeadNotFound`, `InvalidTransition` for one that became an application before, `ClientExists`, and
    `LeadHasNoEmail`: a client is written to.
    """
    require(actor, "applications.assist")
    lead = visible_leads(actor).select_for_update().filter(id=lead_id).first()
    if lead is None:
        raise LeadNotFound("There is no such lead, or it is not yours to see.", lead_id=lead_id)
    rules.LEAD_STATES.check(LeadState(lead.state), LeadState.CONVERTED)
    email = contact_of(lead).email
    if not email:
        raise LeadHasNoEmail("This lead has no e-mail address. Ask for one: a client is written to.")
    draft = ClientDraft(
        name=lead.name,
        name_zh=lead.name_zh,
        email=email,
        kind=ClientKind(lead.kind),
        language=lead.language,
        relationship_manager_id=lead.owner_id or actor.user_id,
    )
    client_id = begin_prospect(actor=actor, draft=draft, on=on, at=at)
    return _begin(actor, client_id, draft.kind, LeadChannel(lead.channel), lead_id, at)


class LeadHasNoEmail(Refusal):
    """A lead that can only be telephoned."""

    code = "lead_has_no_email"


def _begin(
    actor: Actor, client_id: int, kind: ClientKind, channel: LeadChannel, lead_id: int | None, at: datetime
) -> int:
    row = Application.objects.create(
        client_id=client_id, lead_id=lead_id, kind=kind, channel=channel, begun_at=at, waits_since=at
    )
    if lead_id is not None:
        mark_converted(actor=actor, lead_id=lead_id, words=row.number, at=at)
    _step(actor, row, "begin", "", at)
    record(
        actor=actor,
        action="applications.begin",
        subject=f"application:{row.pk}",
        inputs={"client_id": client_id, "kind": kind, "channel": channel, "lead_id": lead_id},
        at=at,
    )
    return row.pk


# Writing


@transaction.atomic
def save_section(
    *, actor: Actor, application_id: int, section: Section, data: Mapping[str, Plain], at: datetime
) -> list[FieldProblem]:
    """Keep a section's answers, sealed, as far as they are. Returns what is still missing or wrong.

    A missing answer can wait; an answer that is none is refused (`SectionMalformed`) and nothing is kept.
    """
    row = _lock_own(actor, application_id)
    _require_editable(row)
    kind = ClientKind(row.kind)
    kept = rules.clean_section(section, data, kind)
    if wrong := rules.check_section(section, {**data, **kept}, kind, is_final=False):
        raise SectionMalformed(wrong)
    _keep_section(actor, row, section, kept, at)
    return rules.check_section(section, kept, kind)


def _keep_section(actor: Actor, row: Application, section: Section, kept: SectionData, at: datetime) -> None:
    plain = json.dumps(kept, ensure_ascii=False, sort_keys=True).encode()
    sealed = seal(plain, context=section_context(row.pk, section.value))
    SectionDraft.objects.update_or_create(
        application=row,
        section=section.value,
        defaults={"key_id": sealed.key_id, "blob": sealed.blob, "saved_at": at, "saved_by": actor.ref},
    )


@transaction.atomic
def attach_document(
    *,
    actor: Actor,
    application_id: int,
    kind: DocumentKind,
    file_name: str,
    content: bytes,
    expires_on: date | None = None,
    at: datetime,
) -> int:
    """Add a document to an application that is being written. Returns the document's id. Raises as `add_document`."""
    row = _lock_own(actor, application_id)
    _require_editable(row)
    return add_document(
        actor=actor,
        client_id=row.client_id,
        kind=kind,
        file_name=file_name,
        content=content,
        expires_on=expires_on,
        at=at,
    )


# Handing in


@transaction.atomic
def submit_application(*, actor: Actor, application_id: int, on: date, at: datetime, device: str = "") -> PreScreen:
    """Hand an application in: it is pre-screened at once, and the finding says whether it was taken.

    Stopped: it stays as it was, with what has to be mended. Else the profile is on record in a new version, consents
    stand, the application waits for an officer, and the client is told. `device` is the client's own, none where staff
    help; monitoring compares it and what the application shares with others (typology 26).
    """
    row = _lock_own(actor, application_id)
    _require_editable(row)
    sections = load_sections(row.pk)
    facts = _facts(row, sections, on, at)
    if rules.outcome_of(rules.pre_screen(facts)) is not PreScreenOutcome.STOPPED:
        _put_on_record(actor, row, sections, at)
        standing = look_closely(client_id=row.client_id, on=on, at=at)
        facts = replace(facts, has_name_hits=standing in {Standing.OPEN_HITS, Standing.CONFIRMED})
    reasons = rules.pre_screen(facts)
    outcome = rules.outcome_of(reasons)
    found = PreScreenRow.objects.create(
        application=row,
        number=row.pre_screens.count() + 1,
        at=at,
        outcome=outcome,
        reasons=[[reason.code, reason.detail, reason.outcome, reason.is_told] for reason in reasons],
        rules_version=rules.RULES_VERSION,
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
    places = sorted({place, *({residence} & rules.OWN_LICENCE_NEEDED)} - {""})
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
        age=rules.age_on(born, on) if born else None,
        residence=residence,
        nationality=str(identity.get("nationality", "")),
        jurisdictions_unlicensed=unlicensed_places(places, on=on, at=at),
        is_scheme_offered=bool(place),
        is_loan_within_limit=not isinstance(wanted, int) or wanted <= limit_minor,
        identifiers_wrong=find_wrong_identifiers(profile, on) if profile else (),
        holders_wrong=tuple(n for n, one in enumerate(accounts) if not rules.is_own_name(one.holder_name, names)),
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


def profile_of(kind: ClientKind, sections: Mapping[Section, SectionData]) -> ProfileDraft:
    """What the answers say of the client, as the records keep it. The sections must be free of wrong answers."""
    said: dict[str, Plain] = {}
    for data in sections.values():
        said |= data

    def text(name: str) -> str:
        return str(said.get(name) or "")

    def number(name: str) -> int | None:
        value = said.get(name)
        return value if isinstance(value, int) else None

    def declared(name: str) -> bool | None:
        value = said.get(name)
        return value if isinstance(value, bool) else None

    def texts(name: str) -> tuple[str, ...]:
        return tuple(map(str, said.get(name) or ()))  # type: ignore[arg-type]  # checked to be a list

    return ProfileDraft(
        kind=kind,
        name=text("name"),
        name_zh=text("name_zh"),
        former_names=texts("former_names"),
        birth_or_incorporated_on=_day(said.get("birth_or_incorporated_on")),
        nationality=text("nationality"),
        residence=text("residence"),
        address=text("address"),
        phone=text("phone"),
        tax_residences=tuple(
            (str(one.get("country", "")), str(one.get("tax_number", ""))) for one in _rows(said, "tax_residences")
        ),
        occupation=text("occupation"),
        employer_or_industry=text("employer_or_industry"),
        annual_income_minor=number("annual_income_minor"),
        liquid_assets_minor=number("liquid_assets_minor"),
        net_worth_minor=number("net_worth_minor"),
        currency=text("currency") or "USD",
        sources_of_funds=texts("sources_of_funds"),
        sources_of_wealth=texts("sources_of_wealth"),
        source_note=text("source_note"),
        is_pep_declared=declared("is_pep_declared"),
        has_defaulted=declared("has_defaulted"),
        is_major_shareholder=declared("is_major_shareholder"),
        trading_years=number("trading_years"),
        trades_per_year=number("trades_per_year"),
        products_traded=texts("products_traded"),
        expected_turnover_minor=number("expected_turnover_minor"),
        purpose=text("purpose"),
        identifiers=tuple(
            IdentifierDraft(
                IdentifierKind(str(one["kind"])),
                str(one["number"]),
                str(one.get("country", "")),
                _day(one.get("issued_on")),
                _day(one.get("expires_on")),
            )
            for one in _rows(said, "identifiers")
        ),
        bank_accounts=tuple(
            BankAccountDraft(
                *(
                    str(one.get(name, ""))
                    for name in ("country", "bank_name", "bank_code", "holder_name", "number", "currency")
                )
            )
            for one in _rows(said, "bank_accounts")
        ),
        related_persons=tuple(_person(one) for one in _rows(said, "related_persons")),
    )


def _rows(said: Mapping[str, Plain], name: str) -> list[dict[str, Plain]]:
    rows = said.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _day(value: Plain) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


def _person(said: Mapping[str, Plain]) -> RelatedPersonDraft:
    share = said.get("share_bp")
    return RelatedPersonDraft(
        role=PersonRole(str(said["role"])),
        name=str(said["name"]),
        name_zh=str(said.get("name_zh", "")),
        birth_on=_day(said.get("birth_on")),
        nationality=str(said.get("nationality", "")),
        share_bp=share if isinstance(share, int) else None,
        identifier=IdentifierDraft(
            IdentifierKind(str(said["identifier_kind"])),
            str(said["identifier_number"]),
            str(said.get("identifier_country", "")),
        ),
        holds_in=str(said.get("holds_in", "")),
    )


# Going away


@transaction.atomic
def withdraw_application(*, actor: Actor, application_id: int, reason: str, at: datetime) -> None:
    """Take an application back, by its client or by staff for them. Raises `InvalidTransition` when it is over."""
    row = _lock_own(actor, application_id)
    move(actor=actor, row=row, new=ApplicationState.WITHDRAWN, action="withdraw", words=reason.strip()[:2000], at=at)
    tell(actor=actor, row=row, letter="withdrawn", at=at)


# Shared with the decision


def move(*, actor: Actor, row: Application, new: ApplicationState, action: str, words: str, at: datetime) -> None:
    """Bring a locked application to a state by the table, with its step, audit entry and event."""
    old = ApplicationState(row.state)
    rules.APPLICATION_STATES.check(old, new)
    row.state, row.waits_since = new, at
    row.save()
    _step(actor, row, action, words, at)
    record(
        actor=actor,
        action=f"applications.{action}",
        subject=f"application:{row.pk}",
        reason=words[:500],
        inputs={"old": old, "new": new},
        at=at,
    )
    publish(ApplicationMoved(application_id=row.pk, client_id=row.client_id, old=old, new=new, at=at))


def _step(actor: Actor, row: Application, action: str, words: str, at: datetime) -> None:
    Step.objects.create(
        application=row, at=at, actor=actor.ref, actor_name=actor.name, action=action, state=row.state, words=words
    )


def tell(*, actor: Actor, row: Application, letter: str, at: datetime, words: str = "") -> None:
    """Queue what the client is told about their application's new state, in their language."""
    client = row.client
    subject, body = letters.write(
        letter, language=client.language, name=client.name, name_zh=client.name_zh, number=row.number, words=words
    )
    queue_notice(
        actor=actor,
        key=f"application:{row.pk}:{row.steps.count()}",
        client_id=client.pk,
        to=client.email,
        subject=subject,
        body=body,
        about=f"application:{row.pk}",
        at=at,
    )


def lock_application(application_id: int) -> Application:
    """The row, locked, with its client. Raises `ApplicationNotFound`."""
    row = Application.objects.select_for_update(of=("self",)).select_related("client").filter(id=application_id).first()
    if row is None:
        raise ApplicationNotFound("There is no such application.")
    return row


def _lock_own(actor: Actor, application_id: int) -> Application:
    """Lock an application for its client or for staff who help. Raises `ApplicationNotFound` for anybody else."""
    read_application(actor, application_id)
    row = lock_application(application_id)
    require_own_or(actor, "applications.assist", row.client_id)
    return row


def _require_editable(row: Application) -> None:
    if ApplicationState(row.state) not in rules.EDITABLE:
        raise NotEditable("This application was handed in. Wait until the desk asks for something.", state=row.state)
