"""Work on a case: opened from alerts, assigned, noted on, proposed to be closed, closed by a second person."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from reefpoint.decisions.cases import rules
from reefpoint.decisions.cases.models import Case, CaseClient, Document, Entry
from reefpoint.decisions.cases.selectors import NoSuchCase
from reefpoint.decisions.cases.types import CaseFile, CaseState, Disposition, EntryKind
from reefpoint.decisions.monitoring.selectors import list_alerts_of_case
from reefpoint.decisions.monitoring.services import take_alert_into_case
from reefpoint.platform.access.rules import permissions_of
from reefpoint.platform.access.selectors import get_approval, list_people
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.vault.services import open_sealed, seal
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.parties.services import SUFFIXES, check_file, clean_file_name

CLOSE = "cases.close"


class AssigneeRefused(Refusal):
    """Somebody who may not work on cases was to get one."""

    code = "assignee_refused"


class TooMuch(Refusal):
    """More alerts or files than a case takes."""

    code = "too_much"


@transaction.atomic
def open_case(*, actor: Actor, alert_ids: Sequence[int], title: str, at: datetime) -> int:
    """Open a case from one or more alerts, about their clients, for whoever opens it. Returns its id.

    Raises `ReasonMissing` without a title, `AlertNotFound`, and `InvalidTransition` for an alert that is in a case or
    was put away.
    """
    require(actor, "cases.work")
    words = rules.check_text(title, rules.TITLE_CHARACTERS_MAX, Sentence("what the case is about"))
    case = Case.objects.create(
        title=words, opened_by=actor.ref, opened_at=at, due_at=rules.due_at(at), assignee_id=actor.user_id
    )
    _write(case.pk, EntryKind.OPENED, actor, at, text=words)
    record(actor=actor, action="cases.open", subject=_subject(case.pk), reason=words, at=at)
    _take_alerts(actor, case, alert_ids, at)
    return case.pk


@transaction.atomic
def add_alerts(*, actor: Actor, case_id: int, alert_ids: Sequence[int], at: datetime) -> None:
    """Take more alerts into an open case. Raises what `open_case` raises, `NoSuchCase`, `CaseIsNotOpen`."""
    require(actor, "cases.work")
    _take_alerts(actor, _lock_open(case_id), alert_ids, at)


def _take_alerts(actor: Actor, case: Case, alert_ids: Sequence[int], at: datetime) -> None:
    wanted = sorted(set(alert_ids))
    if not 0 < len(wanted) <= rules.ALERTS_MAX:
        raise TooMuch("Choose at least one alert, and at most {alerts_max}.", alerts_max=rules.ALERTS_MAX)
    take_alert_into_case(actor=actor, alert_ids=wanted, case_id=case.pk, at=at)
    alerts = [alert for alert in list_alerts_of_case(actor, case.pk) if alert.id in wanted]
    due_at = min(rules.due_at(alert.raised_at) for alert in alerts)
    if due_at < case.due_at:
        case.due_at = due_at
        case.save(update_fields=["due_at"])
    _write(case.pk, EntryKind.ALERT_ADDED, actor, at, facts={"alerts": wanted})
    record(actor=actor, action="cases.add_alerts", subject=_subject(case.pk), inputs={"alerts": wanted}, at=at)
    CaseClient.objects.bulk_create(
        [
            CaseClient(
                case=case, client_id=client_id, reason=str(Sentence("alert {alert_id}", {"alert_id": alert_id})), at=at
            )
            for client_id, alert_id in {alert.client_id: alert.id for alert in reversed(alerts)}.items()
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def link_client(*, actor: Actor, case_id: int, client_id: int, reason: str, at: datetime) -> None:
    """Say that a case is about a further client, and why. Once is enough. Raises `ClientNotFound` and the like."""
    require(actor, "cases.work")
    case = _lock_open(case_id)
    words = rules.check_text(reason, rules.REASON_CHARACTERS_MAX, Sentence("why the client belongs to the case"))
    get_client(actor, client_id)
    _, is_new = CaseClient.objects.get_or_create(case=case, client_id=client_id, defaults={"reason": words, "at": at})
    if is_new:
        _write(case_id, EntryKind.CLIENT_LINKED, actor, at, text=words, facts={"client": client_id})
        record(
            actor=actor,
            action="cases.link_client",
            subject=_subject(case_id),
            reason=words,
            inputs={"client": client_id},
            at=at,
        )


@transaction.atomic
def assign_case(*, actor: Actor, case_id: int, user_id: int, at: datetime) -> None:
    """Give an open case to somebody who may work on it. Raises `AssigneeRefused`."""
    require(actor, "cases.work")
    case = _lock_open(case_id)
    person = next((one for one in list_people() if one.id == user_id and one.is_active), None)
    if person is None or "cases.work" not in permissions_of(person.roles):
        raise AssigneeRefused("Cases go to people who may work on them. Choose one from the list.")
    case.assignee_id = user_id
    case.save(update_fields=["assignee"])
    _write(case_id, EntryKind.ASSIGNED, actor, at, facts={"user": user_id})
    record(actor=actor, action="cases.assign", subject=_subject(case_id), inputs={"user": user_id}, at=at)


@transaction.atomic
def add_note(*, actor: Actor, case_id: int, text: str, at: datetime) -> None:
    """Write a note on an open case. Notes are never changed; the log says that one was written, not what."""
    require(actor, "cases.work")
    words = rules.check_text(text, rules.NOTE_CHARACTERS_MAX, Sentence("something"))
    _lock_open(case_id)
    entry_id = _write(case_id, EntryKind.NOTE, actor, at, text=words)
    record(actor=actor, action="cases.add_note", subject=_subject(case_id), inputs={"entry": entry_id}, at=at)


@transaction.atomic
def add_document(*, actor: Actor, case_id: int, file_name: str, content: bytes, at: datetime) -> int:
    """Seal a document into an open case. Returns its id. Raises `DocumentRefused` for what is no PDF or picture."""
    require(actor, "cases.work")
    media_type = check_file(content)
    _lock_open(case_id)
    if Document.objects.filter(case_id=case_id).count() >= rules.FILES_MAX:
        raise TooMuch(
            "There are {files_max} documents on the case already. Nothing was added.", files_max=rules.FILES_MAX
        )
    place = uuid.uuid4()
    sealed = seal(content, context=f"case:{case_id}:document:{place}")
    document = Document.objects.create(
        case_id=case_id,
        place=place,
        file_name=clean_file_name(file_name, SUFFIXES[media_type]),
        media_type=media_type.value,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        key_id=sealed.key_id,
        blob=sealed.blob,
        at=at,
        by=actor.ref,
    )
    facts = {"document": document.pk, "sha256": document.sha256}
    _write(case_id, EntryKind.DOCUMENT_ADDED, actor, at, text=document.file_name, facts=facts)
    record(actor=actor, action="cases.add_document", subject=_subject(case_id), inputs=facts, at=at)
    return document.pk


@transaction.atomic
def open_document(*, actor: Actor, document_id: int, at: datetime) -> CaseFile:
    """Hand out a document of a case, with an audit entry. Raises `NotFound`."""
    require(actor, "cases.view")
    row = Document.objects.filter(id=document_id).first()
    if row is None:
        raise NotFound("There is no such document.")
    content = open_sealed(Sealed(row.key_id, bytes(row.blob)), context=f"case:{row.case_id}:document:{row.place}")
    record(
        actor=actor,
        action="cases.open_document",
        subject=_subject(row.case_id),
        inputs={"document": row.pk, "sha256": row.sha256},
        at=at,
    )
    return CaseFile(row.file_name, row.media_type, content)


@transaction.atomic
def propose_disposition(*, actor: Actor, case_id: int, disposition: Disposition, reason: str, at: datetime) -> int:
    """Say what the case came to and ask a second person to close it. Returns the approval's id.

    Until that is decided or taken back nothing can be added. Raises `ReportMissing`, `ReasonMissing`,
    `InvalidTransition` for a case that is not open.
    """
    require(actor, "cases.work")
    words = rules.check_text(reason, rules.REASON_CHARACTERS_MAX, Sentence("why"))
    case = _lock(case_id)
    rules.CASE_STATES.check(CaseState(case.state), CaseState.PROPOSED)
    reports = list(case.reports.order_by("id").values_list("sha256", flat=True))
    rules.check_disposition(disposition, reports=len(reports))
    approval_id = request_approval(
        actor=actor,
        kind=CLOSE,
        subject=_subject(case_id),
        payload={
            "case": rules.case_number(case_id),
            "title": case.title,
            "disposition": disposition.value,
            "reason": words,
            "clients": list(case.clients.order_by("client_id").values_list("client_id", flat=True)),
            "alerts": [alert.id for alert in list_alerts_of_case(actor, case_id)],
            "reports": reports,
            "last_entry": case.entries.order_by("-id").values_list("id", flat=True)[0],
        },
        reason=words,
        at=at,
    )
    case.state, case.disposition, case.disposition_reason = CaseState.PROPOSED, disposition, words
    case.proposed_by, case.approval_id = actor.ref, approval_id
    case.save(update_fields=["state", "disposition", "disposition_reason", "proposed_by", "approval_id"])
    facts = {"disposition": disposition.value, "approval": approval_id}
    _write(case_id, EntryKind.PROPOSED, actor, at, text=words, facts=facts)
    record(actor=actor, action="cases.propose", subject=_subject(case_id), reason=words, inputs=facts, at=at)
    return approval_id


@transaction.atomic
def settle_decision(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Close a case as a second person approved, or open it again as they refused or the maker took it back.

    Idempotent: a case that no longer waits for this approval is left alone.
    """
    approval = get_approval(approval_id)
    case = Case.objects.select_for_update().filter(approval_id=approval_id, state=CaseState.PROPOSED).first()
    if case is None:
        return
    facts = {"approval": approval_id}
    if approval.state is ApprovalState.APPROVED:
        case.state, case.closed_by, case.closed_at = CaseState.CLOSED, approval.decided_by or "", at
        case.save(update_fields=["state", "closed_by", "closed_at"])
        _write(case.pk, EntryKind.CLOSED, actor, at, text=approval.decision_reason, facts=facts, by=case.closed_by)
        record(
            actor=actor,
            action="cases.close",
            subject=_subject(case.pk),
            reason=case.disposition_reason,
            inputs={"disposition": case.disposition, "closed_by": case.closed_by, **facts},
            at=at,
        )
        return
    kind = EntryKind.REFUSED if approval.state is ApprovalState.REJECTED else EntryKind.TAKEN_BACK
    by = approval.decided_by or approval.requested_by
    case.state, case.disposition, case.disposition_reason = CaseState.OPEN, "", ""
    case.proposed_by, case.approval_id = "", None
    case.save(update_fields=["state", "disposition", "disposition_reason", "proposed_by", "approval_id"])
    _write(case.pk, kind, actor, at, text=approval.decision_reason, facts=facts, by=by)
    record(actor=actor, action=f"cases.{kind.value}", subject=_subject(case.pk), inputs=facts, at=at)


def _subject(case_id: int) -> str:
    return f"case:{case_id}"


def _lock(case_id: int) -> Case:
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise NoSuchCase("There is no case {case_id}.", case_id=case_id)
    return case


def _lock_open(case_id: int) -> Case:
    case = _lock(case_id)
    rules.check_open(CaseState(case.state))
    return case


def _write(
    case_id: int,
    kind: EntryKind,
    actor: Actor,
    at: datetime,
    *,
    text: str = "",
    facts: Mapping[str, object] | None = None,
    by: str = "",
) -> int:
    return Entry.objects.create(
        case_id=case_id, kind=kind, at=at, by=by or actor.ref, text=text, facts=dict(facts or {})
    ).pk
