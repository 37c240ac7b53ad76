"""The operator's licences and how each stands."""

from datetime import date, datetime

from django.db import connection
from django.db.models import QuerySet

from reefpoint.records.parties.models import Licence
from reefpoint.records.parties.rules import licence_standing, local_day, permits_for
from reefpoint.records.parties.types import Activity, LicenceStanding, LicenceView


def evidence_context(licence_id: int) -> str:
    """The place of a licence's document, under which it is sealed."""
    return f"licence:{licence_id}:evidence"


def list_licences() -> list[LicenceView]:
    """Every licence on record, by jurisdiction."""
    return [_licence_view(row) for row in _licences().order_by("jurisdiction", "activity", "id")]


def list_licence_standings(*, at: datetime) -> list[tuple[LicenceView, LicenceStanding]]:
    """Every licence with how it stands at an instant, on the date of its jurisdiction."""
    return [(licence, licence_standing(licence, at)) for licence in list_licences()]


def find_licence(*, jurisdiction: str, activity: str, on: date, at: datetime) -> LicenceView | None:
    """A licence that is valid on the business date and at the instant, if there is one. Never cached (I68)."""
    permits = permits_for(jurisdiction, activity)
    if not permits:
        return None
    last = max(on, local_day(jurisdiction, at))
    with connection.cursor() as cursor:  # before every opening and drawdown: a fifth of the time of model instances
        cursor.execute(
            """
            SELECT l.id, l.jurisdiction, l.activity, l.permit, l.number, l.holder, l.valid_from, l.valid_to,
                   l.revoked_at, l.evidence, coalesce(evidence.file_name, '')
              FROM parties_licence l LEFT JOIN parties_licence_evidence evidence ON evidence.licence_id = l.id
             WHERE l.jurisdiction = %s AND l.activity = ANY(%s) AND l.permit = ANY(%s)
               AND l.valid_from <= %s AND coalesce(l.valid_to, 'infinity') >= %s
               AND coalesce(l.revoked_at, 'infinity') > %s
             ORDER BY l.id LIMIT 1
            """,
            [jurisdiction, [activity, Activity.MARGIN_LENDING.value], permits, on, last, at],
        )
        row = cursor.fetchone()
    return LicenceView(*row) if row else None


def _licences() -> QuerySet[Licence]:
    return Licence.objects.select_related("evidence_document").defer("evidence_document__blob")


def _licence_view(row: Licence) -> LicenceView:
    return LicenceView(
        id=row.pk,
        jurisdiction=row.jurisdiction,
        activity=row.activity,
        permit=row.permit,
        number=row.number,
        holder=row.holder,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        revoked_at=row.revoked_at,
        evidence=row.evidence,
        evidence_file=row.evidence_document.file_name if hasattr(row, "evidence_document") else "",
    )
