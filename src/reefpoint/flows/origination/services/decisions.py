"""Taking an application up, asking for more, accepting and refusing. A decision is about exactly what was shown."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.origination.models import Application, Decision, InfoRequestRow
from reefpoint.flows.origination.rules.applications import APPLICATION_STATES, RULES_VERSION, documents_of
from reefpoint.flows.origination.rules.decisions import KEPT_REASONS, blockers, needs_second_person, told_reasons
from reefpoint.flows.origination.rules.leads import LANGUAGES
from reefpoint.flows.origination.rules.questions import sections_of
from reefpoint.flows.origination.selectors.applications import read_application
from reefpoint.flows.origination.selectors.review import (
    facts_from_json,
    facts_to_json,
    fingerprint_of,
    gather_facts,
)
from reefpoint.flows.origination.services import letters
from reefpoint.flows.origination.services.steps import REVIEWER, lock_application, move, tell
from reefpoint.flows.origination.services.submitting import look_closely
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.decisions import Blocker, Letter, RefusalReason, ReviewFacts
from reefpoint.flows.origination.types.questions import Section
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import ReasonNeeded, request_approval, require
from reefpoint.platform.access.types import ApprovalState, ApprovalView
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.letters import write_letter
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.parties.services import activate_client, close_client
from reefpoint.records.parties.types import ClientKind, DocumentKind

HIGH_RISK = "clients.accept_high_risk"
"""The kind of approval by which a second person accepts a client of high risk."""

WORDS_MAX = 2_000


class ReviewChanged(Refusal):
    """What the decision was about is not what stands now."""

    code = "review_changed"


class CannotBeAccepted(Refusal):
    """Something stands against accepting this client; `blockers` says what."""

    code = "cannot_be_accepted"

    def __init__(self, blockers: Collection[Blocker]) -> None:
        super().__init__("This client cannot be accepted yet: {blockers}.", blockers=list(blockers))
        self.blockers = tuple(blockers)


class NothingAsked(Refusal):
    """A request for information that names nothing."""

    code = "nothing_asked"


class DoesNotFit(Refusal):
    """A section or a document that this kind of client cannot be asked for."""

    code = "asked_does_not_fit"


class WordsMayTip(Refusal):
    """Words of one's own beside a reason that must be kept: the client would read more than may be told."""

    code = "words_may_tip"


class AwaitsSecondPerson(Refusal):
    """A second person has the word on this application."""

    code = "awaits_second_person"


@transaction.atomic
def take_up(*, actor: Actor, application_id: int, on: date, at: datetime) -> None:
    """Take a waiting application into review: names are screened and the risk is rated as of now.

    Raises `InvalidTransition` when somebody was quicker.
    """
    row = _lock(actor, application_id)
    row.officer, row.officer_name = actor.ref, actor.name
    move(actor=actor, row=row, new=ApplicationState.IN_REVIEW, action="take_up", words="", at=at)
    look_closely(client_id=row.client_id, on=on, at=at)


@transaction.atomic
def request_information(
    *,
    actor: Actor,
    application_id: int,
    sections: Collection[Section],
    documents: Collection[DocumentKind],
    words: str,
    note: str = "",
    at: datetime,
) -> None:
    """Ask the client for more: sections to look at again, documents, and words that they read as they stand.

    `note` stays on the desk. Raises `NothingAsked`, `DoesNotFit`, `ReasonNeeded` without words, `AwaitsSecondPerson`.
    """
    row = _lock(actor, application_id)
    _require_free(row)
    if not words.strip():
        raise ReasonNeeded("Say in words what you need: the client reads it.")
    if not sections and not documents:
        raise NothingAsked("Choose what the client should look at again.")
    kind, told = ClientKind(row.kind), words.strip()[:WORDS_MAX]
    if not (set(sections) <= set(sections_of(kind)) and set(documents) <= set(documents_of(kind))):
        raise DoesNotFit("This kind of client has no such paper or section. Nothing was asked.")
    InfoRequestRow.objects.create(
        application=row,
        asked_at=at,
        asked_by=actor.ref,
        sections=[section.value for section in Section if section in sections],
        documents=[kind.value for kind in DocumentKind if kind in documents],
        words=told,
    )
    move(
        actor=actor,
        row=row,
        new=ApplicationState.INFO_REQUESTED,
        action="request_info",
        words=note.strip()[:WORDS_MAX],
        at=at,
    )
    tell(actor=actor, row=row, letter="info_requested", words=told, at=at)


@transaction.atomic
def accept_application(
    *, actor: Actor, application_id: int, shown: str, note: str, words: str = "", on: date, at: datetime
) -> int | None:
    """Accept a client on exactly the facts whose fingerprint was `shown`, for the reason in `note`, kept on the desk.

    `words` are added to the letter as they stand. A client of high risk waits for a second person: the id of that
    approval is returned, else None. Raises `ReasonNeeded` without a note, `ReviewChanged` when anything is not as it
    was shown, `CannotBeAccepted` with all that stands against it.
    """
    row = _lock(actor, application_id)
    _require_free(row)
    if not note.strip():
        raise ReasonNeeded("Say why this client is accepted: it stays on the desk, with the decision.")
    facts = _facts_as_shown(row, shown, on, at)
    if stands := blockers(facts):
        raise CannotBeAccepted(stands)
    if needs_second_person(facts):
        approval_id = request_approval(
            actor=actor,
            kind=HIGH_RISK,
            subject=f"application:{row.pk}",
            payload={
                "facts": facts_to_json(facts),
                "fingerprint": shown,
                "note": note.strip()[:WORDS_MAX],
                "words": words.strip()[:WORDS_MAX],
                "on": on.isoformat(),
            },
            reason=note.strip()[:500],
            at=at,
        )
        row.approval_id = approval_id
        row.save(update_fields=["approval_id"])
        return approval_id
    _accept(actor, row, facts, note, words, "", on, at)
    return None


@transaction.atomic
def finish_approved(*, approval: ApprovalView, at: datetime) -> None:
    """A second person said yes: accept, if all is still as it was approved; else the application is free again."""
    row = lock_application(int(approval.subject.removeprefix("application:")))
    if row.approval_id != approval.id:
        return
    payload = approval.payload
    on = date.fromisoformat(str(payload["on"]))
    facts = gather_facts(row, on=on, at=at)
    row.approval_id = None
    row.save(update_fields=["approval_id"])
    if fingerprint_of(facts) != payload["fingerprint"] or blockers(facts):
        record(
            actor=REVIEWER,
            action="applications.approval_stale",
            subject=f"application:{row.pk}",
            reason=str(Sentence("the facts changed between the request and the approval")),
            inputs={"approval_id": approval.id},
            at=at,
        )
        return
    row.approval_id = approval.id
    maker = Actor(approval.requested_by, approval.requested_by_name, frozenset({"applications.decide"}))
    words = str(payload.get("words", ""))
    _accept(maker, row, facts, str(payload["note"]), words, approval.decided_by_name or "", on, at)


@transaction.atomic
def free_rejected(*, approval: ApprovalView, at: datetime) -> None:
    """A second person said no, or the request was taken back: the application is free for another decision."""
    row = lock_application(int(approval.subject.removeprefix("application:")))
    if row.approval_id == approval.id and row.state == ApplicationState.IN_REVIEW:
        row.approval_id = None
        row.save(update_fields=["approval_id"])


@transaction.atomic
def refuse_application(
    *,
    actor: Actor,
    application_id: int,
    reasons: Collection[RefusalReason],
    note: str,
    words: str = "",
    shown: str,
    on: date,
    at: datetime,
) -> None:
    """Refuse a client for reasons; they read those that may be told, and a neutral sentence for those that may not.

    `words` are added as they stand, `note` stays on the desk. Raises `ReasonNeeded` without a reason, `WordsMayTip` for
    words beside a reason that must be kept, `ReviewChanged`, `AwaitsSecondPerson`.
    """
    row = _lock(actor, application_id)
    _require_free(row)
    if not reasons:
        raise ReasonNeeded("Choose at least one reason: the client is told why, where that may be said.")
    facts = _facts_as_shown(row, shown, on, at)
    kept = [reason for reason in RefusalReason if reason in reasons]
    told = _refusal_words(kept, words, row.client.language)
    _decide(actor, row, ApplicationState.REFUSED, facts, kept, note, told, "", at)
    close_client(actor=actor, client_id=row.client_id, reason=row.number, at=at)
    move(actor=actor, row=row, new=ApplicationState.REFUSED, action="refuse", words="", at=at)
    tell(actor=actor, row=row, letter="refused", words=told, at=at)


def preview_refusal(reasons: Collection[RefusalReason], language: str) -> str:
    """What a client would read if refused for these reasons."""
    return letters.reason_words(told_reasons(reasons), language)


def preview_letters(
    *, actor: Actor, application_id: int, letter: str, reasons: Collection[RefusalReason] = (), words: str = ""
) -> list[Letter]:
    """What the client would read of a decision, in every language; nothing is decided or sent.

    Raises `ReasonNeeded` for a refusal without a reason, `WordsMayTip` as `refuse_application` does.
    """
    require(actor, "applications.decide")
    row = read_application(actor, application_id)
    if letter == "refused" and not reasons:
        raise ReasonNeeded("Choose at least one reason: the client is told why, where that may be said.")
    kept = [reason for reason in RefusalReason if reason in reasons]
    found = []
    for language in LANGUAGES:
        told = _refusal_words(kept, words, language) if letter == "refused" else words.strip()[:WORDS_MAX]
        given = {"number": row.number, "words": told}
        subject, body = write_letter(letters.LETTERS[letter], row.client, given, language=language)
        found.append(Letter(language, subject, body, is_theirs=language == row.client.language))
    return found


def _refusal_words(reasons: Collection[RefusalReason], words: str, language: str) -> str:
    own = words.strip()[:WORDS_MAX]
    if own and KEPT_REASONS & set(reasons):
        raise WordsMayTip(
            "With a reason that must not be told, the client reads the neutral sentence alone. Take your words out."
        )
    return "\n\n".join(filter(None, [letters.reason_words(told_reasons(reasons), language), own]))


def _accept(
    actor: Actor,
    row: Application,
    facts: ReviewFacts,
    note: str,
    words: str,
    approved_by: str,
    on: date,
    at: datetime,
) -> None:
    told = words.strip()[:WORDS_MAX]
    _decide(actor, row, ApplicationState.ACCEPTED, facts, [], note, told, approved_by, at)
    activate_client(actor=actor, client_id=row.client_id, reason=row.number, on=on, at=at)
    move(actor=actor, row=row, new=ApplicationState.ACCEPTED, action="accept", words="", at=at)
    tell(actor=actor, row=row, letter="accepted", words=told, at=at)


def _decide(
    actor: Actor,
    row: Application,
    outcome: ApplicationState,
    facts: ReviewFacts,
    reasons: Collection[RefusalReason],
    note: str,
    told: str,
    approved_by: str,
    at: datetime,
) -> None:
    APPLICATION_STATES.check(ApplicationState(row.state), outcome)
    Decision.objects.create(
        application=row,
        outcome=outcome,
        at=at,
        decided_by=actor.ref,
        decided_by_name=actor.name,
        approved_by_name=approved_by,
        approval_id=row.approval_id,
        reasons=[reason.value for reason in reasons],
        note=note.strip()[:WORDS_MAX],
        told=told,
        facts=facts_to_json(facts),
        fingerprint=fingerprint_of(facts),
        rules_version=RULES_VERSION,
    )


def replay_decision(application_id: int) -> tuple[Blocker, ...]:
    """What stood against accepting, worked out again from what is stored with the decision alone (I60)."""
    decision = Decision.objects.get(application_id=application_id)
    return tuple(blockers(facts_from_json(decision.facts), decision.rules_version))


def _facts_as_shown(row: Application, shown: str, on: date, at: datetime) -> ReviewFacts:
    facts = gather_facts(row, on=on, at=at)
    if fingerprint_of(facts) != shown:
        raise ReviewChanged("Something has changed since you looked. Nothing was decided; look again.")
    return facts


def _require_free(row: Application) -> None:
    if row.approval_id is not None and get_approval(row.approval_id).state is ApprovalState.PENDING:
        raise AwaitsSecondPerson("A second person has the word on this application. Wait, or take the request back.")


def _lock(actor: Actor, application_id: int) -> Application:
    require(actor, "applications.decide")
    read_application(actor, application_id)
    return lock_application(application_id)
