"""Where clients stand, their assessments, the queue of reviews, the rating table."""

from collections.abc import Collection
from datetime import date
from functools import lru_cache

from django.db.models import Exists, OuterRef, QuerySet

from reefpoint.decisions.kyc import rules
from reefpoint.decisions.kyc.adapters.shipped import read_shipped_rating
from reefpoint.decisions.kyc.models import KycAssessment
from reefpoint.decisions.kyc.types import (
    AssessmentCause,
    AssessmentView,
    KycStanding,
    KycState,
    OwnerChart,
    Rating,
    RatingTable,
    ReviewRow,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.platform.publications.selectors import get_published, in_force, shipped
from reefpoint.platform.publications.types import Content, PublicationKind
from reefpoint.records.parties.selectors.clients import client_texts, require_client, visible_clients
from reefpoint.records.parties.selectors.profiles import load_identifiers, load_profiles
from reefpoint.records.parties.types import ClientKind

PUBLISH = "kyc.publish"


def _check(content: Content) -> None:
    rules.read_rating_table(content)


RATING = PublicationKind(name="kyc.rating", right=PUBLISH, approval=PUBLISH, check=_check, shipped=read_shipped_rating)


@lru_cache(maxsize=64)
def read_table(publication_id: int | None) -> RatingTable:
    """The rating table of a publication, read once a process; None is what was shipped."""
    publication = shipped(RATING) if publication_id is None else get_published(publication_id)
    return rules.read_rating_table(publication.content)


def get_kyc_standing(client_id: int) -> KycStanding:
    """Where a client stands now; `never` for one who was not assessed yet."""
    return load_kyc_standings([client_id])[client_id]


def read_kyc_standing(actor: Actor, client_id: int) -> KycStanding:
    """The same for somebody who asks. Raises `ClientNotFound` outside the scope."""
    require(actor, "kyc.view")
    require_client(actor, client_id)
    return get_kyc_standing(client_id)


def read_owner_chart(actor: Actor, client_id: int, *, on: date) -> OwnerChart | None:
    """Who stands behind an institution, by its newest profile and the rating table in force on a day.

    None for a person, and for an institution without a profile. Raises `ClientNotFound` outside the scope.
    """
    require(actor, "kyc.view")
    require_client(actor, client_id)
    profile = load_profiles([client_id]).get(client_id)
    if profile is None or profile.kind is not ClientKind.INSTITUTION:
        return None
    return rules.draw_owners(read_table(in_force(RATING, on).id), profile, load_identifiers([client_id]))


def load_kyc_standings(client_ids: Collection[int]) -> dict[int, KycStanding]:
    """The same for many clients, in one query."""
    rows = KycAssessment.objects.filter(client_id__in=client_ids).order_by("client_id", "-id").distinct("client_id")
    never = {
        client_id: KycStanding(client_id, KycState.NEVER, None, 0, 0, None, None, None) for client_id in client_ids
    }
    return never | {row.client_id: _standing(row) for row in rows.defer("inputs")}


def newest(client_id: int) -> KycAssessment | None:
    """The latest assessment of a client, as a row for the app's own services."""
    return KycAssessment.objects.filter(client_id=client_id).order_by("-id").first()


def list_assessments(actor: Actor, client_id: int) -> list[AssessmentView]:
    """All assessments of a client, newest first, each with its reasons. Raises `ClientNotFound` outside the scope."""
    require(actor, "kyc.view")
    require_client(actor, client_id)
    return [view(row) for row in KycAssessment.objects.filter(client_id=client_id).select_related("table")]


def get_assessment(client_id: int) -> AssessmentView | None:
    """The latest assessment of a client in full, for the program; None before the first."""
    row = KycAssessment.objects.filter(client_id=client_id).select_related("table").order_by("-id").first()
    return view(row) if row else None


REVIEW_ORDERS = frozenset({"next_review_on", "number", "rating", "points", "blocking"})


def find_reviews(
    actor: Actor,
    *,
    on: date,
    text: str = "",
    rating: str = "",
    due: str = "",
    order: str = "next_review_on",
    offset: int,
    limit: int,
) -> Listing[ReviewRow]:
    """The queue of reviews in scope by due date: every client by the latest assessment. Two queries.

    `due` is `yes` for those due by `on`, `no` for the others; a rating `referred` finds clients without one.
    """
    require(actor, "kyc.view")
    if order.lstrip("-") not in REVIEW_ORDERS:
        raise ValueError(f"reviews have no order {order!r}")
    rows = current().filter(client__in=visible_clients(actor))
    rows = rows.filter(holding(text, *client_texts()))
    if rating:
        rows = rows.filter(rating="" if rating == KycState.REFERRED else rating)
    if due:
        rows = rows.filter(next_review_on__lte=on) if due == "yes" else rows.filter(next_review_on__gt=on)
    key = order.replace("number", "client_id")
    page = rows.select_related("client").defer("inputs").order_by(key, "id")
    return cut(page, offset=offset, limit=limit, view=each(lambda row: _review(row, on)))


def count_due_reviews(actor: Actor, on: date) -> int:
    """How many reviews in scope are due by a day."""
    require(actor, "kyc.view")
    return current().filter(client__in=visible_clients(actor), next_review_on__lte=on).count()


def current() -> QuerySet[KycAssessment]:
    """The latest assessment of each client."""
    newer = KycAssessment.objects.filter(client_id=OuterRef("client_id"), id__gt=OuterRef("id"))
    return KycAssessment.objects.filter(~Exists(newer))


def verify_kyc() -> list[Finding]:
    """Every assessment that its own inputs and table do not give again (I60), and every guard that is gone."""
    findings = []
    for row in KycAssessment.objects.order_by("id").iterator():
        outcome = rules.assess(read_table(row.table_id), rules.inputs_from_json(row.inputs))
        again = (outcome.rating or "", outcome.points, sum(problem.is_blocking for problem in outcome.problems))
        stored = (row.computed_rating, row.points, row.blocking)
        if again != stored:
            findings.append(
                Finding("kyc.replay", f"kyc_assessment:{row.pk}", f"its inputs come to {again}, not {stored}")
            )
    return findings + verify_guards((), guards_of([KycAssessment._meta.db_table]))


def view(row: KycAssessment) -> AssessmentView:
    """An assessment with its reasons, which its inputs and its table give again."""
    inputs = rules.inputs_from_json(row.inputs)
    return AssessmentView(
        id=row.pk,
        client_id=row.client_id,
        table_version=row.table.version,
        profile_version=row.profile_version,
        cause=AssessmentCause(row.cause),
        inputs=inputs,
        outcome=rules.assess(read_table(row.table_id), inputs),
        rating=_rating(row),
        decided_rating=Rating(row.decided_rating) if row.decided_rating else None,
        note=row.note,
        assessed_on=row.assessed_on,
        assessed_at=row.assessed_at,
        assessed_by=row.assessed_by,
        next_review_on=row.next_review_on,
    )


def _rating(row: KycAssessment) -> Rating | None:
    rating = row.decided_rating or row.computed_rating
    return Rating(rating) if rating else None


def _standing(row: KycAssessment) -> KycStanding:
    rating = _rating(row)
    return KycStanding(
        client_id=row.client_id,
        state=KycState.RATED if rating else KycState.REFERRED,
        rating=rating,
        points=row.points,
        blocking=row.blocking,
        assessment_id=row.pk,
        assessed_on=row.assessed_on,
        next_review_on=row.next_review_on,
    )


def _review(row: KycAssessment, on: date) -> ReviewRow:
    rating = _rating(row)
    return ReviewRow(
        client_id=row.client_id,
        number=row.client.number,
        client_name=row.client.name,
        client_name_zh=row.client.name_zh,
        state=KycState.RATED if rating else KycState.REFERRED,
        rating=rating.value if rating else "",
        cause=AssessmentCause(row.cause),
        points=row.points,
        blocking=row.blocking,
        next_review_on=row.next_review_on,
        is_due=row.next_review_on <= on,
    )
