"""The extract for a report to the authority: a ZIP of plain files, sealed, its hash in the log."""

import csv
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from reefpoint.decisions.cases import rules
from reefpoint.decisions.cases.models import Entry, Report
from reefpoint.decisions.cases.selectors import get_case_page
from reefpoint.decisions.cases.types import CaseFile, CasePage, EntryKind
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.vault.services import open_sealed, seal
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.accounts.selectors.accounts import account_ids_of_clients, load_accounts
from reefpoint.records.accounts.selectors.positions import list_movements
from reefpoint.records.ledger.selectors import list_entries
from reefpoint.records.ledger.types import client_cash
from reefpoint.records.parties.selectors.profiles import load_profiles

BEFORE = timedelta(days=90)
"""How long before the earliest alert the transactions of an extract begin; a default of this project."""

MOVEMENTS_MAX = 10_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@transaction.atomic
def make_report(*, actor: Actor, case_id: int, at: datetime) -> int:
    """Write down what a suspicious transaction report needs: facts, transactions, parties. Returns the report's id.

    Numbers that identify somebody stay masked: they are unmasked one by one, with a reason, on the client's page. The
    same case at the same instant gives the same bytes. Raises `CaseIsNotOpen`, `NoSuchCase`.
    """
    require(actor, "cases.work")
    page = get_case_page(actor, case_id)
    rules.check_open(page.row.state)
    content = extract(page, at)
    place = uuid.uuid4()
    sealed = seal(content, context=f"case:{case_id}:report:{place}")
    number = len(page.reports) + 1
    report = Report.objects.create(
        case_id=case_id,
        place=place,
        file_name=f"{page.row.number}-report-{number}.zip",
        media_type="application/zip",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        key_id=sealed.key_id,
        blob=sealed.blob,
        at=at,
        by=actor.ref,
    )
    facts = {"report": report.pk, "sha256": report.sha256}
    Entry.objects.create(
        case_id=case_id, kind=EntryKind.REPORT_MADE, at=at, by=actor.ref, text=report.file_name, facts=facts
    )
    record(actor=actor, action="cases.make_report", subject=f"case:{case_id}", inputs=facts, at=at)
    return report.pk


@transaction.atomic
def open_report(*, actor: Actor, report_id: int, at: datetime) -> CaseFile:
    """Hand out an extract, with an audit entry. Raises `NotFound`."""
    require(actor, "cases.view")
    row = Report.objects.filter(id=report_id).first()
    if row is None:
        raise NotFound("There is no such report.")
    content = open_sealed(Sealed(row.key_id, bytes(row.blob)), context=f"case:{row.case_id}:report:{row.place}")
    record(
        actor=actor,
        action="cases.open_report",
        subject=f"case:{row.case_id}",
        inputs={"report": row.pk, "sha256": row.sha256},
        at=at,
    )
    return CaseFile(row.file_name, row.media_type, content)


def extract(page: CasePage, at: datetime) -> bytes:
    """The files of an extract: `report.json` with all of it, and a table each as CSV."""
    client_ids = [client.client_id for client in page.clients]
    since = min((alert.at for alert in page.alerts), default=page.row.opened_at) - BEFORE
    parties = _parties(page)
    transactions = _transactions(client_ids, since.date())
    alerts = [
        {
            "alert": alert.id,
            "rule": alert.rule_code,
            "rule_version": alert.rule_version,
            "title": alert.rule_title,
            "client": alert.client_number,
            "at": alert.at,
            "facts": dict(alert.inputs),
        }
        for alert in page.alerts
    ]
    timeline = [
        {"at": entry.at, "what": entry.kind.value, "by": entry.by, "text": entry.text}
        for entry in reversed(page.entries)
    ]
    whole = {
        "case": page.row.number,
        "title": page.row.title,
        "opened_at": page.row.opened_at,
        "made_at": at,
        "transactions_since": since.date(),
        "parties": parties,
        "alerts": alerts,
        "transactions": transactions,
        "timeline": timeline,
    }
    files = {
        "report.json": json.dumps(whole, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1, sort_keys=True).encode(),
        "parties.csv": _table(parties),
        "alerts.csv": _table(
            [alert | {"facts": json.dumps(alert["facts"], cls=DjangoJSONEncoder, sort_keys=True)} for alert in alerts]
        ),
        "transactions.csv": _table(transactions),
        "timeline.csv": _table(timeline),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_DATE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _parties(page: CasePage) -> list[dict[str, Any]]:
    profiles = load_profiles([client.client_id for client in page.clients])
    found = []
    for client in page.clients:
        profile = profiles.get(client.client_id)
        said = asdict(profile) if profile is not None else {}
        found.append(
            {
                "client": client.number,
                "name": client.name,
                "name_zh": client.name_zh,
                "status": client.status,
                "why": client.reason,
                **{
                    name: said.get(name)
                    for name in (
                        "kind",
                        "birth_or_incorporated_on",
                        "nationality",
                        "residence",
                        "occupation",
                        "employer_or_industry",
                        "sources_of_funds",
                        "sources_of_wealth",
                        "purpose",
                        "related_persons",
                    )
                },
            }
        )
    return found


def _transactions(client_ids: Sequence[int], since: date) -> list[dict[str, Any]]:
    """Money and securities of the clients' accounts since a date, oldest first, in plain amounts of minor units."""
    accounts = load_accounts(account_ids_of_clients(client_ids))
    found: list[dict[str, Any]] = []
    for account in accounts:
        found += [
            {
                "at": entry.posted_at,
                "on": entry.effective_on,
                "account": account.number,
                "what": entry.kind,
                "amount_minor": entry.change_minor,
                "currency": account.currency,
                "symbol": "",
                "quantity": None,
                "reference": entry.source,
            }
            for entry in list_entries(client_cash(account.number), since_on=since, limit=None)
        ]
        found += [
            {
                "at": move.at,
                "on": move.effective_on,
                "account": account.number,
                "what": move.kind,
                "amount_minor": None,
                "currency": "",
                "symbol": move.symbol,
                "quantity": move.quantity,
                "reference": move.source,
            }
            for move in list_movements(account.id, limit=MOVEMENTS_MAX)
            if move.effective_on >= since
        ]
    return sorted(found, key=lambda row: (row["at"], row["account"], row["what"], str(row["reference"])))


def _table(rows: Iterable[dict[str, Any]]) -> bytes:
    """Rows as CSV; text that a spreadsheet would run as a formula is quoted."""
    written = list(rows)
    text = io.StringIO()
    if written:
        writer = csv.writer(text)
        writer.writerow(written[0])
        writer.writerows([[_cell(value) for value in row.values()] for row in written])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    words = value if isinstance(value, str) else json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return f"'{words}" if words.startswith(FORMULA_STARTS) else words
