"""Where clients stand with the rating of their risk, and whose review is due."""

from datetime import date
from typing import Literal

from ninja import Schema, Status

from reefpoint.decisions.kyc.selectors import find_reviews, read_kyc_standing, read_owner_chart
from reefpoint.decisions.kyc.services import assess_client
from reefpoint.decisions.kyc.types import (
    AssessmentView,
    KycProblem,
    KycStanding,
    KycState,
    OwnerChart,
    Rating,
    ReviewRow,
)
from reefpoint.surfaces.api.base import Caller, Id, Limit, Listed, Offset, SafeText, answers, now, router, today

kyc = router("kyc")


class FactorOut(Schema):
    """One factor of a rating: its points and why, in both languages."""

    factor: str
    row: str
    points: int
    en: str
    zh: str
    subject: str


class RatingOut(Schema):
    """What an assessment came to. `rating` is null while facts are `missing`: then only a person can say one."""

    id: int
    rating: Rating | None
    floor: Rating
    points: int
    factors: list[FactorOut]
    missing: list[str]
    problems: list[KycProblem]
    table_version: int
    assessed_on: date
    next_review_on: date


@kyc.get("/reviews", response=answers(Listed[ReviewRow]))
def list_reviews(
    request: Caller,
    text: SafeText = "",
    rating: Rating | Literal[KycState.REFERRED] | None = None,
    due: Literal["yes", "no"] | None = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[ReviewRow]:
    """The latest assessment of each client in scope, those to be reviewed first; `due` leaves the others out."""
    found = find_reviews(
        request.auth, on=today(), text=text, rating=rating or "", due=due or "", offset=offset, limit=limit
    )
    return Listed(count=found.count, items=list(found.rows))


@kyc.get("/clients/{client_id}", response=answers(KycStanding))
def read_standing(request: Caller, client_id: Id) -> KycStanding:
    """Where a client stands now."""
    return read_kyc_standing(request.auth, client_id)


class OwnersOut(Schema):
    """Who stands behind an institution; null for a person, and where there is no profile."""

    chart: OwnerChart | None


@kyc.get("/clients/{client_id}/owners", response=answers(OwnersOut))
def read_owners(request: Caller, client_id: Id) -> OwnersOut:
    """Who stands behind an institution, through all companies in between, with the paths of each share."""
    return OwnersOut(chart=read_owner_chart(request.auth, client_id, on=today()))


@kyc.post("/clients/{client_id}/assessments", response=answers(RatingOut, 201))
def assess(request: Caller, client_id: Id) -> Status[RatingOut]:
    """Rate a client by the table in force and what is on record now."""
    return Status(201, _rating(assess_client(actor=request.auth, client_id=client_id, on=today(), at=now())))


def _rating(made: AssessmentView) -> RatingOut:
    return RatingOut(
        id=made.id,
        rating=made.rating,
        floor=made.outcome.floor,
        points=made.outcome.points,
        factors=[
            FactorOut(factor=one.factor, row=one.row, points=one.points, en=one.en, zh=one.zh, subject=one.subject)
            for one in made.outcome.reasons
        ],
        missing=list(made.outcome.missing),
        problems=list(made.outcome.problems),
        table_version=made.table_version,
        assessed_on=made.assessed_on,
        next_review_on=made.next_review_on,
    )
