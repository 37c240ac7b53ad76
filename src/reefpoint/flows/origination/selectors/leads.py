"""Leads within an actor's scope, those that look alike, and what became of them by channel."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from reefpoint.flows.origination.models import Application, Lead, LeadNote, LeadPairRow
from reefpoint.flows.origination.rules.leads import plain_email, plain_phone
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.leads import (
    Conversion,
    LeadChannel,
    LeadPair,
    LeadState,
    LeadStep,
    LeadView,
    PairState,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding, searched
from reefpoint.platform.vault.services import digest_many
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.types import ClientKind, ClientStatus

LEAD_ORDERS = frozenset({"number", "name", "channel", "state", "created_at", "loan_wanted_minor"})


class LeadNotFound(NotFound):
    """No such lead in the actor's scope: whether it exists for others is not told (I66)."""


def visible_leads(actor: Actor) -> "QuerySet[Lead]":
    """Leads this actor may see: all, or one's own and those that nobody has taken. The one home of the scope."""
    if actor.is_system or actor.sees_all_clients:
        return Lead.objects.all()
    return Lead.objects.filter(Q(owner_id=actor.user_id) | Q(owner=None)) if actor.user_id else Lead.objects.none()


def get_lead(actor: Actor, lead_id: int) -> LeadView:
    """One lead. Raises `LeadNotFound`."""
    require(actor, "leads.view")
    row = _counted(visible_leads(actor)).filter(id=lead_id).first()
    if row is None:
        raise LeadNotFound("There is no such lead, or it is not yours to see.", lead_id=lead_id)
    return _view(row)


def find_leads(
    actor: Actor,
    *,
    text: str = "",
    channel: str = "",
    state: str = "",
    order: str = "-created_at",
    offset: int,
    limit: int,
) -> Listing[LeadView]:
    """One page of the leads in scope that match. Text is a part of a name or number, or a whole address or phone.

    Merged leads show only when asked for. Raises `ValueError` for an order that leads do not have.
    """
    require(actor, "leads.view")
    if order.lstrip("-") not in LEAD_ORDERS:
        raise ValueError(f"leads have no order {order!r}")
    rows = visible_leads(actor)
    rows = rows.filter(state=state) if state else rows.exclude(state=LeadState.MERGED)
    if channel:
        rows = rows.filter(channel=channel)
    if wanted := searched(text):
        email, phone = digest_many([("email", plain_email(wanted)), ("phone", plain_phone(wanted))])
        rows = rows.filter(holding(text, "number", "name", "name_zh") | Q(email_digest=email) | Q(phone_digest=phone))
    key = order.replace("number", "id")
    page = _counted(rows).order_by(key, "id")
    return cut(page, offset=offset, limit=limit, view=each(_view))


def _counted(rows: "QuerySet[Lead]") -> "QuerySet[Lead]":
    """Leads with their newest application and the number of open pairs they stand in."""
    of_lead = Application.objects.filter(lead=OuterRef("pk")).order_by("-id").values("id")[:1]
    pairs = LeadPairRow.objects.filter(Q(first=OuterRef("pk")) | Q(second=OuterRef("pk")), state=PairState.OPEN)
    counts = pairs.order_by().values("state").annotate(count=Count("id")).values("count")
    return rows.annotate(found_application=Subquery(of_lead), open_pairs=Coalesce(Subquery(counts), 0))


def list_lead_steps(actor: Actor, lead_id: int) -> list[LeadStep]:
    """What happened to a lead and to those that were merged into it, newest first."""
    get_lead(actor, lead_id)
    rows = LeadNote.objects.filter(Q(lead_id=lead_id) | Q(lead__merged_into_id=lead_id)).order_by("-at", "-id")
    return [LeadStep(row.lead_id, row.at, row.actor, row.action, row.words) for row in rows[:200]]


def list_pairs_of(actor: Actor, lead_id: int) -> list[LeadPair]:
    """The open pairs that a lead stands in."""
    get_lead(actor, lead_id)
    return _pairs(
        actor, LeadPairRow.objects.filter(Q(first_id=lead_id) | Q(second_id=lead_id), state=PairState.OPEN), 20
    )


def list_open_pairs(actor: Actor, *, limit: int = 50) -> list[LeadPair]:
    """Pairs that wait for a person, those that are surest first."""
    require(actor, "leads.view")
    return _pairs(actor, LeadPairRow.objects.filter(state=PairState.OPEN), limit)


def summarise_open_pairs(actor: Actor) -> tuple[int, datetime | None]:
    """How many pairs in scope wait for a person, and since when the oldest does."""
    require(actor, "leads.view")
    found = _in_scope(actor, LeadPairRow.objects.filter(state=PairState.OPEN)).aggregate(
        count=Count("id"), oldest=Min("found_at")
    )
    return found["count"], found["oldest"]


def _in_scope(actor: Actor, rows: "QuerySet[LeadPairRow]") -> "QuerySet[LeadPairRow]":
    seen = visible_leads(actor).values("id")
    return rows.filter(first__in=seen, second__in=seen)


def _pairs(actor: Actor, rows: "QuerySet[LeadPairRow]", limit: int) -> list[LeadPair]:
    found = list(_in_scope(actor, rows).order_by("-same_email", "-same_phone", "-name_bp", "id")[:limit])
    leads = _load({row.first_id for row in found} | {row.second_id for row in found})
    return [
        LeadPair(
            id=row.pk,
            first=leads[row.first_id],
            second=leads[row.second_id],
            same_email=row.same_email,
            same_phone=row.same_phone,
            name_bp=row.name_bp,
            state=PairState(row.state),
        )
        for row in found
    ]


def _load(lead_ids: Collection[int]) -> dict[int, LeadView]:
    return {row.pk: _view(row) for row in _counted(Lead.objects.filter(id__in=lead_ids))}


def list_conversion(actor: Actor, *, since: datetime, until: datetime) -> list[Conversion]:
    """What became of the leads that came in `[since, until)`, by channel, busiest first. One query for each side."""
    require(actor, "leads.view")
    leads = visible_leads(actor).filter(created_at__gte=since, created_at__lt=until).exclude(state=LeadState.MERGED)
    handed_in = Q(applications__submitted_at__isnull=False)
    counts = leads.values("channel").annotate(
        leads=Count("id", distinct=True),
        begun=Count("id", distinct=True, filter=Q(applications__isnull=False)),
        submitted=Count("id", distinct=True, filter=handed_in),
        accepted=Count("id", distinct=True, filter=Q(applications__state=ApplicationState.ACCEPTED)),
        refused=Count("id", distinct=True, filter=Q(applications__state=ApplicationState.REFUSED)),
    )
    columns = ("channel", "leads", "begun", "submitted", "accepted", "refused")
    rows = [
        Conversion(LeadChannel(channel), *numbers)
        for channel, *numbers in counts.order_by("-leads", "channel").values_list(*columns)
    ]
    seen = {row.channel for row in rows}
    return rows + [Conversion(channel, 0, 0, 0, 0, 0) for channel in LeadChannel if channel not in seen]


def find_lead_by_email(email: str) -> int | None:
    """The oldest lead with this address that is not an application yet."""
    [wanted] = digest_many([("email", plain_email(email))])
    rows = Lead.objects.filter(email_digest=wanted).exclude(state__in=[LeadState.CONVERTED, LeadState.MERGED])
    return rows.order_by("id").values_list("id", flat=True).first()


def _view(row: Lead) -> LeadView:
    return LeadView(
        id=row.pk,
        number=row.number,
        name=row.name,
        name_zh=row.name_zh,
        kind=ClientKind(row.kind),
        channel=LeadChannel(row.channel),
        source=row.source,
        state=LeadState(row.state),
        language=row.language,
        country=row.country,
        email_masked=row.email_masked,
        phone_masked=row.phone_masked,
        may_contact=row.may_contact,
        loan_wanted_minor=row.loan_wanted_minor,
        note=row.note,
        owner_id=row.owner_id,
        merged_into_id=row.merged_into_id,
        created_at=row.created_at,
        application_id=row.found_application,  # type: ignore[attr-defined]  # annotated by `_counted`
        duplicates=row.open_pairs,  # type: ignore[attr-defined]
    )


# Who asked and never went on


def idle_leads(before: date) -> "QuerySet[Lead]":
    """Leads who never applied, with the last touch before a day (UTC); of those merged into one that applied, none."""
    day = datetime.combine(before, time(), UTC)
    touched = LeadNote.objects.filter(lead=OuterRef("pk"), at__gte=day)
    applied = Application.objects.filter(Q(lead=OuterRef("pk")) | Q(lead=OuterRef("merged_into")))
    return Lead.objects.filter(~Exists(touched), ~Exists(applied), created_at__lt=day, erased_at=None)


def idle_prospects(before: date) -> "QuerySet[Client]":
    """Prospects of whom nothing is under review and nothing was touched since a day (UTC)."""
    day = datetime.combine(before, time(), UTC)
    own = Application.objects.filter(client=OuterRef("pk"))
    touched = own.filter(Q(steps__at__gte=day) | Q(sections__saved_at__gte=day) | Q(begun_at__gte=day))
    waits_for_us = own.filter(state__in=[ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW])
    return Client.objects.filter(
        ~Exists(touched), ~Exists(waits_for_us), status=ClientStatus.PROSPECT, opened_on__lt=before
    )
