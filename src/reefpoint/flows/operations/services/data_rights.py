"""A client's right to their data: an export of all of it, and the erasure, by two people, of what no law keeps.

Which law keeps what for how long stands in `selectors/retention.py`; of all that apply the longest wins.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import cast

from django.db import transaction

from reefpoint.decisions.suitability.selectors import list_assessments
from reefpoint.flows.operations.selectors.retention import RunOut, find_run_out, kept_days, plan_retention, run_out
from reefpoint.flows.origination.selectors.applications import told_applications
from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalView, Payload
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.notifications.selectors import list_notices
from reefpoint.records.accounts.selectors.accounts import account_ids_of_clients, load_accounts
from reefpoint.records.accounts.selectors.positions import list_movements
from reefpoint.records.parties import services as parties
from reefpoint.records.parties.selectors.clients import ClientNotFound, can_see_client, find_client_ids, get_client
from reefpoint.records.parties.selectors.data_rights import clients_erased_by, load_retention_facts

ERASE_KIND = "clients.erase"
SWEEP_KIND = "clients.erase_run_out"


class AccountsNotEmpty(Refusal):
    """A relationship that still has money, shares or debt in it."""

    code = "accounts_not_empty"


class NothingRunOut(Refusal):
    """There is nothing to erase: no record's time is over."""

    code = "nothing_run_out"


@transaction.atomic
def end_relationship(*, actor: Actor, client_id: int, reason: str, at: datetime) -> None:
    """Close a client whose accounts are empty, or a prospect. Raises `AccountsNotEmpty`."""
    require(actor, "applications.decide")
    account_ids = account_ids_of_clients([client_id])
    held = [
        account.number
        for account in load_accounts(account_ids)
        if account.debt_minor or account.cash_minor or account.holdings
    ]
    if held:
        raise AccountsNotEmpty(
            "There is still money, debt or shares in {accounts}. Settle these first; nothing was closed.",
            accounts=held,
        )
    parties.close_client(actor=actor, client_id=client_id, reason=reason, at=at)


@transaction.atomic
def request_erasure(*, actor: Actor, client_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to let a client's data be erased. Returns the approval's id.

    What is asked says what the law keeps until when; nothing personal stands in it. Raises `ClientStillServed`,
    `UnderLegalHold`.
    """
    require(actor, "clients.erase")
    client = get_client(actor, client_id)
    parties.check_erasable(client.status)
    parties.check_not_held(client_id)
    payload: Payload = {"client": client.number, **_plan_payload(client_id, at.date())}
    return request_approval(
        actor=actor, kind=ERASE_KIND, subject=f"client:{client_id}", payload=payload, at=at, reason=reason
    )


def _plan_payload(client_id: int, on: date) -> dict[str, dict[str, str] | str]:
    found = plan_retention(client_id, on)
    kept = kept_days(found, on)
    return {
        "kept by law": {
            category.value: f"until {day} ({found[category].rules[0].id})" for category, day in sorted(kept.items())
        },
        "erased": "devices, network addresses, documents that show neither identity nor funds"
        + "".join(f", {category.value}" for category in DataCategory if category not in kept)
        if kept
        else "everything: name, contacts, profile, bank accounts, documents, what is shared with others",
    }


def erase_approved(stored: StoredEvent) -> None:
    """A second person approved an erasure: do exactly what was shown, or say in the log that it no longer holds."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind != ERASE_KIND:
        return
    approval = get_approval(event.approval_id)
    client_id = int(approval.subject.removeprefix("client:"))
    asked_on = approval.requested_at.date()
    shown = {name: value for name, value in approval.payload.items() if name != "client"}
    if shown != _plan_payload(client_id, asked_on):
        _note_outdated(approval.subject, approval.id, event.at)
        return
    _erase_unless_held(client_id, kept_days(plan_retention(client_id, asked_on), asked_on), approval, event.at)


@transaction.atomic
def request_sweep(*, actor: Actor, reason: str, on: date, at: datetime) -> int:
    """Ask a second person to let all be erased that `find_run_out` shows and no hold stops. Returns the approval's id.

    The payload names clients by number, and by category what stays until when. Raises `NothingRunOut`.
    """
    require(actor, "clients.erase")
    due = [one for one in find_run_out(actor, on) if not one.is_held]
    if not due:
        raise NothingRunOut("Nothing has run out, or legal holds stop it; nothing was asked.")
    payload: Payload = {"on": on.isoformat(), "clients": {one.number: _sweep_words(one) for one in due}}
    return request_approval(actor=actor, kind=SWEEP_KIND, subject="retention", payload=payload, at=at, reason=reason)


def _sweep_words(one: RunOut) -> str:
    kept = ", ".join(f"{category.value} until {day}" for category, day in sorted(one.kept.items()))
    return f"erase {', '.join(one.goes)}; keep {kept or 'nothing'}"


def sweep_approved(stored: StoredEvent) -> None:
    """A second person approved a sweep: erase what was shown. Who changed or is held meanwhile is left, and told."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind != SWEEP_KIND:
        return
    approval = get_approval(event.approval_id)
    on = date.fromisoformat(str(approval.payload["on"]))
    shown = cast(dict[str, str], approval.payload["clients"])
    ids = find_client_ids(system_actor("worker"), list(shown))
    done = clients_erased_by(approval.id)
    facts = [one for one in load_retention_facts(list(ids.values())) if one.client_id not in done]
    now = {one.client_id: one for one in run_out(facts, on)}
    for number, words in sorted(shown.items()):
        client_id = ids[number]
        if client_id in done:
            continue
        found = now.get(client_id)
        if found is None or _sweep_words(found) != words:
            _note_outdated(f"client:{client_id}", approval.id, event.at)
        else:
            _erase_unless_held(client_id, found.kept, approval, event.at)


def _erase_unless_held(client_id: int, keep: Mapping[DataCategory, date], approval: ApprovalView, at: datetime) -> None:
    worker = system_actor("worker")
    try:
        parties.erase_client(
            actor=worker,
            client_id=client_id,
            keep=keep,
            asked_by=approval.requested_by,
            approval_id=approval.id,
            at=at,
        )
    except (parties.UnderLegalHold, parties.ClientStillServed) as refusal:
        record(
            actor=worker,
            action="clients.erase_stopped",
            subject=f"client:{client_id}",
            reason=refusal.message,
            inputs={"approval_id": approval.id, "code": refusal.code},
            at=at,
        )


def _note_outdated(subject: str, approval_id: int, at: datetime) -> None:
    record(
        actor=system_actor("worker"),
        action="clients.erase_outdated",
        subject=subject,
        reason=str(Sentence("what the law keeps has changed since it was asked; ask again")),
        inputs={"approval_id": approval_id},
        at=at,
    )


def export_client_data(*, actor: Actor, client_id: int, reason: str, at: datetime) -> bytes:
    """All that the desk holds of a client as a ZIP: their records, accounts, movements, notices, applications, answers.

    Screening, monitoring and cases are left out: telling somebody of them would tip them off.
    Raises `ReasonNeeded`, `ClientNotFound`.
    """
    require(actor, "clients.export_data")
    if not can_see_client(actor, client_id):
        raise ClientNotFound("There is no such client.")
    account_ids = account_ids_of_clients([client_id])
    parts = {
        "accounts": [asdict(account) for account in load_accounts(account_ids)],
        "movements": {
            account_id: [asdict(row) for row in list_movements(account_id, limit=100_000)] for account_id in account_ids
        },
        "notices": [
            {"channel": row.channel, "to": row.to, "subject": row.subject, "body": row.body, "at": row.delivered_at}
            for row in list_notices(client_id=client_id, limit=100_000)
        ],
        "applications": told_applications(client_id),
        "questionnaires": [
            {"at": row.assessed_on, "answers": dict(row.answers), "tolerance": row.score.tolerance}
            for row in list_assessments(system_actor("data-rights"), client_id)
        ],
    }
    return parties.export_person(actor=actor, client_id=client_id, reason=reason, parts=parts, at=at)
