"""Hits as people see them, and where clients stand."""

from collections.abc import Collection

from reefpoint.decisions.screening.models import Hit, Screening
from reefpoint.decisions.screening.selectors.matching import entry_view
from reefpoint.decisions.screening.types import (
    Basis,
    Evidence,
    HitState,
    HitView,
    NameScore,
    Outcome,
    Part,
    PartKind,
    ScreeningStanding,
    Standing,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.records.parties.selectors.clients import require_client

HIT_ORDERS = frozenset({"id", "client_number", "score_bp", "source", "state", "raised_at"})
LIVE = (HitState.OPEN, HitState.PROPOSED)


class HitNotFound(NotFound):
    """There is no such hit."""


def find_hits(
    actor: Actor,
    *,
    state: str = "",
    source: str = "",
    text: str = "",
    order: str = "raised_at",
    offset: int = 0,
    limit: int = 50,
) -> Listing[HitView]:
    """Hits that match; `state` may be `live` for those that wait for somebody. Two queries."""
    require(actor, "screening.view")
    if order.lstrip("-") not in HIT_ORDERS:
        raise ValueError(f"hits have no order {order!r}")
    rows = Hit.objects.all()
    if state:
        rows = rows.filter(state__in=LIVE) if state == "live" else rows.filter(state=state)
    if source:
        rows = rows.filter(source=source)
    rows = rows.filter(holding(text, "client__number", "ours", "theirs", "reference"))
    key = order.replace("client_number", "client_id")
    page = rows.select_related("client", "entry").order_by(key, "id")
    return cut(page, offset=offset, limit=limit, view=each(_view))


def get_hit(actor: Actor, hit_id: int) -> HitView:
    """One hit. Raises `HitNotFound`."""
    require(actor, "screening.view")
    row = Hit.objects.select_related("client", "entry").filter(id=hit_id).first()
    if row is None:
        raise HitNotFound("There is no hit {hit_id}.", hit_id=hit_id)
    require_client(actor, row.client_id)
    return _view(row)


def list_hits_of(actor: Actor, client_id: int) -> list[HitView]:
    """Every hit of a client, the newest first."""
    require(actor, "screening.view")
    require_client(actor, client_id)
    rows = Hit.objects.select_related("client", "entry").filter(client_id=client_id).order_by("-id")
    return [_view(row) for row in rows]


def get_screening_standing(client_id: int) -> ScreeningStanding:
    """Where one client stands. Two queries."""
    return load_screening_standings([client_id])[client_id]


def load_screening_standings(client_ids: Collection[int]) -> dict[int, ScreeningStanding]:
    """Where these clients stand, every one of them. Two queries."""
    screened = {row.client_id: row for row in Screening.objects.filter(client_id__in=client_ids)}
    states: dict[int, set[str]] = {}
    live = Hit.objects.filter(client_id__in=client_ids, state__in=[*LIVE, HitState.CONFIRMED])
    for client_id, state in live.values_list("client_id", "state"):
        states.setdefault(client_id, set()).add(state)
    return {
        client_id: ScreeningStanding(
            state=_standing(states.get(client_id, set()), is_screened=client_id in screened),
            screened_at=screened[client_id].screened_at if client_id in screened else None,
            list_versions=screened[client_id].list_versions if client_id in screened else {},
        )
        for client_id in client_ids
    }


def find_screening_grade(client_id: int) -> str:
    """A client's standing as a factor of risk: that of `Standing`, and `exposed` for one who is confirmed on lists
    that name no sanction, such as those of exposed people and of adverse reports. Three queries at most.
    """
    standing = get_screening_standing(client_id).state
    if standing is Standing.CONFIRMED:
        sanctioned = Hit.objects.filter(client_id=client_id, state=HitState.CONFIRMED).exclude(entry__programmes="")
        return standing.value if sanctioned.exists() else "exposed"
    return standing.value


def _standing(states: set[str], *, is_screened: bool) -> Standing:
    if HitState.CONFIRMED in states:
        return Standing.CONFIRMED
    if states:
        return Standing.OPEN_HITS
    return Standing.CLEAR if is_screened else Standing.NEVER


def verify_screening() -> list[Finding]:
    """Guards that are gone, and hits that the same person proposed and decided."""
    findings = verify_guards(
        ["screening_listfile"],
        [
            ("screening_listversion", "screening_listversion_fixed_columns"),
            ("screening_entry", "screening_entry_fixed_columns"),
            ("screening_hit", "screening_hit_fixed_columns"),
            ("screening_hit", "screening_hit_decided_once"),
        ],
    )
    for hit in Hit.objects.exclude(decided_by="").iterator():
        if hit.decided_by == hit.proposed_by:
            findings.append(Finding("screening.maker_checker", f"screening_hit:{hit.pk}", "The maker decided."))
    return findings


def _view(row: Hit) -> HitView:
    return HitView(
        id=row.pk,
        client_id=row.client_id,
        client_number=row.client.number,
        client_name=row.client.name,
        client_name_zh=row.client.name_zh,
        role=row.role,
        ours=row.ours,
        theirs=row.theirs,
        score=NameScore(
            row.score_bp,
            Basis(row.score["basis"]),
            tuple(Part(ours, theirs, PartKind(kind), bp) for ours, theirs, kind, bp in row.score["parts"]),
        ),
        birth=Evidence(row.birth),
        country=Evidence(row.country),
        source=row.source,
        entry=entry_view(row.entry),
        names=tuple(row.names),
        birth_year=row.birth_year,
        countries=tuple(row.countries),
        state=HitState(row.state),
        raised_at=row.raised_at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        proposal=row.proposal,
        approval_id=row.approval_id,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision=row.decision,
    )
