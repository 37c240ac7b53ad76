"""What the desk publishes by two people: policies, tables, lists, contract templates and disclosures, in versions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from ninja import Schema, Status
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from reefpoint.decisions.collateral.selectors.house import HOUSE, LISTS
from reefpoint.decisions.credit.selectors import POLICY
from reefpoint.decisions.kyc.selectors import RATING
from reefpoint.decisions.margin.services.collateral import draft_and_request
from reefpoint.decisions.pricing.selectors import GRID
from reefpoint.decisions.suitability.selectors import OFFERS, QUESTIONNAIRE
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.publications.selectors import list_versions, numbers_in_force
from reefpoint.platform.publications.services import draft_and_ask
from reefpoint.platform.publications.types import PublicationKind, PublicationState, PublicationView
from reefpoint.records.contracts.selectors import DISCLOSURES, TEMPLATES
from reefpoint.surfaces.api.base import Caller, In, Made, SafeText, answers, now, router, today

publications = router("publications")


class PublishedKindNotFound(NotFound):
    """Nothing that the desk publishes has this name."""


@dataclass(frozen=True)
class _Published:
    kind: PublicationKind
    view: str
    ask: Callable[..., int] = draft_and_ask


_KINDS: Mapping[str, _Published] = {
    one.kind.name: one
    for one in (
        _Published(RATING, "kyc.view"),
        _Published(QUESTIONNAIRE, "suitability.view"),
        _Published(OFFERS, "suitability.view"),
        _Published(HOUSE, "collateral.view", draft_and_request),
        _Published(LISTS, "collateral.view", draft_and_request),
        _Published(POLICY, "credit.view"),
        _Published(GRID, "pricing.view"),
        *(_Published(kind, "contracts.view") for kind in TEMPLATES.values()),
        *(_Published(kind, "contracts.view") for kind in DISCLOSURES.values()),
    )
}


class PublishedKindOut(Schema):
    """A kind of content, the version in force today, and whether the caller may draft the next one."""

    name: str
    version_in_force: int
    effective_from: date
    may_draft: bool


class PublishedVersionOut(Schema):
    """One version, without its content. `id` is null for what came with the program and was never used."""

    id: int | None
    version: int
    effective_from: date
    state: PublicationState
    maker: str
    checker: str
    published_at: datetime | None
    is_shipped: bool


class PublishedContentOut(PublishedVersionOut):
    """One version with its content."""

    content: dict[str, Any]


class NextVersionIn(In):
    """The whole content of the next version, from which day, and what changes and why: the second person reads it."""

    content: Annotated[dict[str, Any], Field(max_length=100)]
    effective_from: date
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    @field_validator("content")
    @classmethod
    def refuse_floats(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Raise for a number with a fraction: its text would not be one thing everywhere."""
        stack: list[Any] = [content]
        while stack:
            match stack.pop():
                case float() as number:
                    raise PydanticCustomError(
                        "inexact", "{number} is not exact: write it as text.", {"number": repr(number)[:20]}
                    )
                case dict() as inside:
                    stack.extend(inside.values())
                case list() as inside:
                    stack.extend(inside)
        return content


@publications.get("/", response=answers(list[PublishedKindOut]))
def list_kinds(request: Caller) -> list[PublishedKindOut]:
    """What is published that the caller may see."""
    seen = [one for one in _KINDS.values() if holds(request.auth.permissions, one.view)]
    valid = numbers_in_force([one.kind for one in seen], today())
    return [
        PublishedKindOut(
            name=one.kind.name,
            version_in_force=valid[one.kind.name][0],
            effective_from=valid[one.kind.name][1],
            may_draft=holds(request.auth.permissions, one.kind.right),
        )
        for one in seen
    ]


@publications.get("/{kind}/versions", response=answers(list[PublishedVersionOut]))
def list_published_versions(request: Caller, kind: SafeText) -> list[PublishedVersionOut]:
    """All versions of a kind, newest first."""
    return [_version(one) for one in list_versions(_find(request, kind).kind)]


@publications.get("/{kind}/versions/{version}", response=answers(PublishedContentOut))
def read_published_version(
    request: Caller, kind: SafeText, version: Annotated[int, Field(ge=1, le=10**6)]
) -> PublishedContentOut:
    """One version with its content, as the next one is to be sent."""
    for one in list_versions(_find(request, kind).kind):
        if one.version == version:
            return PublishedContentOut(**_version(one).model_dump(), content=dict(one.content))
    raise PublishedKindNotFound("There is no version {version} of {kind}.", version=version, kind=kind)


@publications.post("/{kind}/versions", response=answers(Made, 201))
def draft_next_version(request: Caller, kind: SafeText, asked: NextVersionIn) -> Status[Made]:
    """Draft the next version and ask a second person to publish exactly it. Answers with the approval's id."""
    one = _find(request, kind)
    made = one.ask(
        actor=request.auth,
        kind=one.kind,
        content=asked.content,
        effective_from=asked.effective_from,
        reason=asked.reason,
        at=now(),
    )
    return Status(201, Made(id=made))


def _find(request: Caller, name: str) -> _Published:
    one = _KINDS.get(name)
    if one is None:
        raise PublishedKindNotFound("Nothing that is published here is called {name}.", name=name)
    require(request.auth, one.view)
    return one


def _version(one: PublicationView) -> PublishedVersionOut:
    return PublishedVersionOut(
        id=one.id,
        version=one.version,
        effective_from=one.effective_from,
        state=one.state,
        maker=one.maker,
        checker=one.checker,
        published_at=one.published_at,
        is_shipped=one.is_shipped,
    )
