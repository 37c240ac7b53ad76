"""Assessing a client, and a person's review."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.kyc import rules
from reefpoint.decisions.kyc.events import ClientRated
from reefpoint.decisions.kyc.models import KycAssessment
from reefpoint.decisions.kyc.selectors import RATING, newest, read_table, view
from reefpoint.decisions.kyc.types import AssessmentCause, AssessmentView, KycInputs, Rating
from reefpoint.decisions.screening.selectors import find_screening_grade
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.months import months_after
from reefpoint.platform.basics.personal_data import ERASED, is_kept
from reefpoint.platform.events.services import publish
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.parties.selectors.documents import load_documents
from reefpoint.records.parties.selectors.profiles import load_identifiers, load_profiles
from reefpoint.records.parties.services.clients import lock_client
from reefpoint.records.parties.types import ClientKind

NOTE_CHARS_MAX = 1000


class NoteNeeded(Refusal):
    """A review says what was looked at."""

    code = "note_needed"


class RatingNeeded(Refusal):
    """Facts are missing, so the reviewer must say the rating."""

    code = "rating_needed"


class RatingTooLow(Refusal):
    """A person may rate a client higher than the table does, never lower."""

    code = "rating_too_low"


@transaction.atomic
def assess_client(
    *, actor: Actor, client_id: int, on: date, at: datetime, cause: AssessmentCause = AssessmentCause.REQUEST
) -> AssessmentView:
    """Assess a client by the rating table in force and what is on record. Raises `ClientNotFound`."""
    require(actor, "kyc.review")
    return _assess(actor=actor, client_id=client_id, cause=cause, decided=None, note="", on=on, at=at)


@transaction.atomic
def review_client(
    *, actor: Actor, client_id: int, rating: Rating | None, note: str, on: date, at: datetime
) -> AssessmentView:
    """A person looked at a client: assessed again, with the rating they say, and the next review moved.

    `rating` is None to agree with the table. Raises `RatingNeeded` when facts are missing and nobody says a rating,
    `RatingTooLow` under what the known facts give, `NoteNeeded`, `ClientNotFound`.
    """
    require(actor, "kyc.review")
    if not note.strip() or len(note) > NOTE_CHARS_MAX:
        raise NoteNeeded(
            "Say what you looked at and concluded, in at most {note_chars_max} characters.",
            note_chars_max=NOTE_CHARS_MAX,
        )
    return _assess(
        actor=actor, client_id=client_id, cause=AssessmentCause.REVIEW, decided=rating, note=note.strip(), on=on, at=at
    )


@transaction.atomic
def reassess_after_change(
    *, actor: Actor, client_id: int, version: int, on: date, at: datetime
) -> AssessmentView | None:
    """Assess again a client whose profile has a new version.

    Nothing for one who was never assessed, or who was assessed by that version already.
    """
    require(actor, "kyc.review")
    before = newest(client_id)
    if before is None or (before.profile_version or 0) >= version:
        return None
    return _assess(actor=actor, client_id=client_id, cause=AssessmentCause.CHANGE, decided=None, note="", on=on, at=at)


@transaction.atomic
def reassess_after_screening(*, actor: Actor, client_id: int, on: date, at: datetime) -> AssessmentView | None:
    """Assess again a client whose standing with the lists changed; nothing for one who was never assessed."""
    require(actor, "kyc.review")
    if newest(client_id) is None:
        return None
    return _assess(actor=actor, client_id=client_id, cause=AssessmentCause.CHANGE, decided=None, note="", on=on, at=at)


def _assess(
    *, actor: Actor, client_id: int, cause: AssessmentCause, decided: Rating | None, note: str, on: date, at: datetime
) -> AssessmentView:
    client = lock_client(actor, client_id)
    before = newest(client_id)
    published = use_publication(kind=RATING, on=on, at=at)
    assert published.id is not None, "what is used is on record"
    table = read_table(published.id)
    profile = load_profiles([client_id]).get(client_id)
    inputs = rules.gather(
        table,
        profile=profile,
        kind=ClientKind(client.kind),
        is_on_portal=client.portal_user_id is not None,
        screening=find_screening_grade(client_id),
        identifiers=load_identifiers([client_id]),
        documents=load_documents([client_id]),
        on=on,
    )
    if before is not None and cause is not AssessmentCause.REVIEW and _is_same(before, published.id, inputs):
        record(
            actor=actor,
            action="kyc.assess",
            subject=f"client:{client_id}",
            inputs={"assessment_id": before.pk, "is_unchanged": True},
            at=at,
        )
        return view(before)
    outcome = rules.assess(table, inputs)
    if decided is not None and rules.worse(decided, outcome.floor) is not decided:
        raise RatingTooLow(
            "What is known makes this client {floor} at least.",
            floor=outcome.floor,
        )
    if cause is AssessmentCause.REVIEW and decided is None and outcome.rating is None:
        raise RatingNeeded(
            "These facts are missing: {missing}. Complete them, or say the rating yourself.",
            missing=list(outcome.missing),
        )
    rating = decided or outcome.rating
    old = Rating(before.rating) if before is not None and before.rating else None
    row = KycAssessment.objects.create(
        client_id=client_id,
        table_id=published.id,
        profile_version=profile.version if profile else None,
        cause=cause,
        inputs=rules.inputs_to_json(inputs),
        computed_rating=outcome.rating or "",
        decided_rating=decided or "",
        points=outcome.points,
        blocking=sum(problem.is_blocking for problem in outcome.problems),
        note=note,
        assessed_on=on,
        assessed_at=at,
        assessed_by=actor.ref,
        next_review_on=rules.next_review_on(
            table,
            outcome,
            rating=rating,
            previous=old,
            previous_review_on=before.next_review_on if before is not None else None,
            is_change=cause is AssessmentCause.CHANGE,
            on=on,
            later=months_after(on, table.review_months[rating]) if rating else on,
        ),
    )
    record(
        actor=actor,
        action="kyc.review" if cause is AssessmentCause.REVIEW else "kyc.assess",
        subject=f"client:{client_id}",
        reason=note,
        inputs={
            "assessment_id": row.pk,
            "table_version": published.version,
            "rating": rating.value if rating else "referred",
            "missing": list(outcome.missing),
            "next_review_on": row.next_review_on,
        },
        at=at,
    )
    publish(
        ClientRated(
            client_id=client_id,
            assessment_id=row.pk,
            old_rating=old.value if old else "",
            new_rating=rating.value if rating else "",
            cause=cause,
            at=at,
        )
    )
    return view(row)


def _is_same(before: KycAssessment, table_id: int, inputs: KycInputs) -> bool:
    """Whether the latest assessment says all that a new one would: the same facts, table and day, and nobody's word."""
    if before.decided_rating or before.table_id != table_id:
        return False
    return rules.inputs_from_json(before.inputs) == inputs


@transaction.atomic
def erase_notes(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank the words of a client's assessments, unless a law keeps some of the client's data (`kept`).

    The facts and the rating stay: they hold no names or numbers, and give the rating again.
    """
    require(actor, "clients.erase")
    erased = (
        {}
        if is_kept("kyc.KycAssessment", kept)
        else {
            "notes": KycAssessment.objects.filter(client_id=client_id)
            .exclude(note__in=["", ERASED])
            .update(note=ERASED)
        }
    )
    record(
        actor=actor,
        action="kyc.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
