"""Cases as those who may know of them read them, and the proof that each was closed as the law asks."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Q

from reefpoint.decisions.cases.models import Case, CaseClient, Document, Entry, Report, SealedFile
from reefpoint.decisions.cases.rules import case_number
from reefpoint.decisions.cases.types import (
    CaseClientView,
    CaseFileView,
    CasePage,
    CaseRow,
    CaseState,
    EntryKind,
    EntryView,
)
from reefpoint.decisions.monitoring.selectors import list_alerts_of_case
from reefpoint.platform.access.selectors import get_approval, list_people
from reefpoint.platform.access.services import require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import verify_guards
from reefpoint.platform.database.parts import cut
from reefpoint.platform.database.searching import holding, searched
from reefpoint.records.parties.selectors.clients import client_texts

ORDERS = {"number": "id", "title": "title", "state": "state", "opened_at": "opened_at", "due_at": "due_at"}


class NoSuchCase(NotFound):
    """There is no such case, or it is not this person's to know of."""


def list_cases(
    actor: Actor,
    *,
    text: str = "",
    state: str = "",
    assignee_id: int | None = None,
    client_id: int | None = None,
    order: str = "due_at",
    offset: int = 0,
    limit: int = 50,
) -> Listing[CaseRow]:
    """One page of the cases that match, by default those due first. Raises `ValueError` for an order cases lack."""
    require(actor, "cases.view")
    key = order.lstrip("-")
    if key not in ORDERS:
        raise ValueError(f"cases have no order {order!r}")
    rows = Case.objects.all()
    if state:
        rows = rows.filter(state=state)
    if assignee_id is not None:
        rows = rows.filter(assignee_id=assignee_id)
    if client_id is not None:
        rows = rows.filter(clients__client_id=client_id)
    if wanted := searched(text):
        about = CaseClient.objects.filter(holding(text, *client_texts()))
        number = wanted.upper().removeprefix("K-")
        named = Q(id=int(number)) if number.isascii() and number.isdigit() and len(number) < 16 else Q(id=None)
        rows = rows.filter(named | holding(wanted, "title") | Q(id__in=about.values("case_id")))
    sign = "-" if order.startswith("-") else ""
    page = rows.order_by(sign + ORDERS[key], f"{sign}id")
    return cut(page, offset=offset, limit=limit, view=_rows)


def list_waiting(actor: Actor, limit: int = 20) -> list[CaseRow]:
    """Open cases that are this person's or nobody's, those due first."""
    require(actor, "cases.work")
    mine = Q(assignee_id=actor.user_id) | Q(assignee_id=None)
    return _rows(Case.objects.filter(mine, state=CaseState.OPEN).order_by("due_at", "id")[:limit])


def _rows(cases: Iterable[Case]) -> list[CaseRow]:
    found = list(cases)
    ids = [case.pk for case in found]
    names: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for client in CaseClient.objects.filter(case_id__in=ids).select_related("client").order_by("id"):
        names[client.case_id].append((client.client.name, client.client.name_zh))
    people = {person.id: person.name for person in list_people()}
    alerts = _count_alerts(ids)
    return [
        CaseRow(
            id=case.pk,
            number=case_number(case.pk),
            title=case.title,
            state=CaseState(case.state),
            disposition=case.disposition,
            opened_at=case.opened_at,
            due_at=case.due_at,
            closed_at=case.closed_at,
            assignee_id=case.assignee_id,
            assignee_name=people.get(case.assignee_id or 0, ""),
            alerts=alerts.get(case.pk, 0),
            client_names=tuple(names[case.pk]),
        )
        for case in found
    ]


def _count_alerts(case_ids: Collection[int]) -> dict[int, int]:
    """How many alerts each case took, as its entries tell."""
    counts: dict[int, int] = defaultdict(int)
    entries = Entry.objects.filter(case_id__in=case_ids, kind=EntryKind.ALERT_ADDED)
    for case_id, facts in entries.values_list("case_id", "facts"):
        counts[case_id] += len(facts["alerts"])
    return counts


def get_case_page(actor: Actor, case_id: int) -> CasePage:
    """One case with all that is on it. Raises `NoSuchCase`."""
    require(actor, "cases.view")
    case = Case.objects.filter(id=case_id).first()
    if case is None:
        raise NoSuchCase("There is no case {case_id}.", case_id=case_id)
    return CasePage(
        row=_rows(Case.objects.filter(id=case_id))[0],
        disposition_reason=case.disposition_reason,
        proposed_by=case.proposed_by,
        closed_by=case.closed_by,
        approval_id=case.approval_id,
        clients=tuple(
            CaseClientView(
                client_id=row.client_id,
                number=row.client.number,
                name=row.client.name,
                name_zh=row.client.name_zh,
                status=row.client.status,
                reason=row.reason,
            )
            for row in case.clients.select_related("client").order_by("id")
        ),
        alerts=tuple(list_alerts_of_case(actor, case_id)),
        entries=tuple(
            EntryView(row.pk, EntryKind(row.kind), row.at, row.by, row.text, row.facts)
            for row in case.entries.order_by("-id")
        ),
        documents=tuple(_file_view(row) for row in Document.objects.filter(case_id=case_id).order_by("id")),
        reports=tuple(_file_view(row) for row in Report.objects.filter(case_id=case_id).order_by("id")),
    )


def _file_view(row: SealedFile) -> CaseFileView:
    return CaseFileView(row.pk, row.file_name, row.size_bytes, row.sha256, row.at, row.by)


def verify_cases() -> list[Finding]:
    """Every closed case rests on an approval by a second person of exactly what it says, and the guards stand."""
    findings = verify_guards(
        ["cases_entry", "cases_caseclient"],
        [("cases_case", "cases_case_fixed_columns"), ("cases_case", "cases_case_closed_stays")],
    )
    for case in Case.objects.filter(state=CaseState.CLOSED).order_by("id").iterator():
        approval = get_approval(case.approval_id or 0)
        said = (approval.payload.get("disposition"), approval.payload.get("reason"), approval.decided_by)
        if approval.state is not ApprovalState.APPROVED or said != (
            case.disposition,
            case.disposition_reason,
            case.closed_by,
        ):
            findings.append(Finding("cases.closing", f"case:{case.pk}", "it was closed otherwise than was approved"))
    return findings
