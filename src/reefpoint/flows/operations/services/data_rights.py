"""A client's right to their data: an export of all of it, and the erasure, by two people, of what no law keeps.

Which law keeps what for how long is read from the rule packs (`RETENTION`); of all that apply the longest wins.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import cast

from django.db import transaction

from reefpoint.decisions.suitability.selectors import list_assessments
from reefpoint.flows.origination.selectors.applications import told_applications
from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import Payload
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.notifications.selectors import list_notices
from reefpoint.records.accounts.selectors import account_ids_of_clients, list_movements, load_accounts
from reefpoint.records.parties import services as parties
from reefpoint.records.parties.rules import kept_until, retentions
from reefpoint.records.parties.selectors import ClientNotFound, can_see_client, get_client, load_profiles
from reefpoint.records.parties.types import DataCategory, Retention, RetentionRule
from reefpoint.records.products.selectors import get_terms, list_rule_packs
from reefpoint.records.products.types import Pack

ERASE_KIND = "clients.erase"

RETENTION: dict[str, tuple[DataCategory, ...]] = {
    "us.records.core": (DataCategory.ACCOUNT, DataCategory.IDENTITY),
    "us.records.bsa": (DataCategory.IDENTITY,),
    "us.records.regb": (DataCategory.APPLICATION,),
    "hk.records.kor": (DataCategory.ACCOUNT,),
    "hk.aml.records": (DataCategory.ACCOUNT, DataCategory.IDENTITY),
    "cn.aml.record_years": (DataCategory.ACCOUNT, DataCategory.IDENTITY),
    "cn.records.securities_company": (DataCategory.ACCOUNT, DataCategory.IDENTITY),
}
"""Which rules of the packs keep which data. Opening an account is part of both, so identity is kept with it."""

_MONTHS = {"years": 12, "months": 1}


class AccountsNotEmpty(Refusal):
    """A relationship that still has money, shares or debt in it."""

    code = "accounts_not_empty"


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
            f"There is still money, debt or shares in {', '.join(held)}. Settle these first; nothing was closed.",
            accounts=held,
        )
    parties.close_client(actor=actor, client_id=client_id, reason=reason, at=at)


def plan_retention(client_id: int, on: date) -> dict[DataCategory, Retention]:
    """What the laws of this client's jurisdictions say of each category of data, with the longest one's last day.

    The jurisdictions are those under whose rules the accounts stand and that of residence; without any, all that are
    loaded on this desk.
    """
    client = get_client(system_actor("data-rights"), client_id)
    packs = {pack.jurisdiction: pack for pack in list_rule_packs()}
    wanted = _jurisdictions(client_id) & packs.keys() or packs.keys()
    rules = [rule for jurisdiction in sorted(wanted) for rule in _retention_rules(packs[jurisdiction], on)]
    return retentions(
        rules,
        ended_on=(client.closed_on or on) if client.accepted_on else None,
        decided_on=client.closed_on or on,
    )


def _jurisdictions(client_id: int) -> set[str]:
    profile = load_profiles([client_id]).get(client_id)
    accounts = load_accounts(account_ids_of_clients([client_id]))
    return {get_terms(account.scheme_version_id).rule_pack for account in accounts} | (
        {profile.residence} if profile else set()
    )


def _retention_rules(pack: Pack, on: date) -> Iterable[RetentionRule]:
    for rule in pack.in_force(on):
        for category in RETENTION.get(rule.id, ()):
            yield RetentionRule(
                id=rule.id,
                jurisdiction=pack.jurisdiction,
                category=category,
                months=int(cast(int, rule.value)) * _MONTHS[rule.unit],
                source=f"{rule.source} {rule.article}".strip(),
                evidence=rule.evidence,
            )


@transaction.atomic
def request_erasure(*, actor: Actor, client_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to let a client's data be erased. Returns the approval's id.

    What is asked says what the law keeps until when; nothing personal stands in it. Raises `ClientStillServed`.
    """
    require(actor, "clients.erase")
    client = get_client(actor, client_id)
    parties.check_erasable(client.status)
    payload: Payload = {"client": client.number, **_plan_payload(client_id, at.date())}
    return request_approval(
        actor=actor, kind=ERASE_KIND, subject=f"client:{client_id}", payload=payload, at=at, reason=reason
    )


def _plan_payload(client_id: int, on: date) -> dict[str, dict[str, str] | str]:
    found = plan_retention(client_id, on)
    kept = _kept(found, on)
    return {
        "kept by law": {
            category.value: f"until {day} ({found[category].rules[0].id})" for category, day in sorted(kept.items())
        },
        "erased": "devices, network addresses, documents that show neither identity nor funds"
        if kept
        else "everything: name, contacts, profile, bank accounts, documents, what is shared with others",
    }


def _kept(found: dict[DataCategory, Retention], on: date) -> dict[DataCategory, date]:
    days = {category: kept_until(found, [category], on) for category in DataCategory}
    return {category: day for category, day in days.items() if day is not None}


def erase_approved(stored: StoredEvent) -> None:
    """A second person approved an erasure: do exactly what was shown, or say in the log that it no longer holds."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind != ERASE_KIND:
        return
    approval = get_approval(event.approval_id)
    client_id = int(approval.subject.removeprefix("client:"))
    worker = system_actor("worker")
    asked_on = approval.requested_at.date()
    shown = {name: value for name, value in approval.payload.items() if name != "client"}
    if shown != _plan_payload(client_id, asked_on):
        record(
            actor=worker,
            action="clients.erase_outdated",
            subject=approval.subject,
            reason="what the law keeps has changed since it was asked; ask again",
            inputs={"approval_id": approval.id},
            at=event.at,
        )
        return
    parties.erase_client(
        actor=worker,
        client_id=client_id,
        keep=_kept(plan_retention(client_id, asked_on), asked_on),
        asked_by=approval.requested_by,
        approval_id=approval.id,
        at=event.at,
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
