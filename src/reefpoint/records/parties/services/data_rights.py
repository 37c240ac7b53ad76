"""A person's right to their data: everything in one file, and the erasure of what no law keeps."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from reefpoint.platform.access.services import ReasonNeeded, erase_person, require
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.personal_data import ERASED, DataCategory, is_kept
from reefpoint.platform.events.services import publish
from reefpoint.platform.vault.services import open_many
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.events import ClientErased, TraitsErased
from reefpoint.records.parties.models import BankAccount, Client, Consent, Document, Erasure, Profile, TraitRow
from reefpoint.records.parties.rules import KEPT_BY_LAW, TECHNICAL_TRAITS, bank_account_from_json, profile_from_json
from reefpoint.records.parties.selectors.bank_accounts import bank_account_context
from reefpoint.records.parties.selectors.clients import ClientNotFound, require_own_or
from reefpoint.records.parties.selectors.consents import list_consents
from reefpoint.records.parties.selectors.documents import document_context
from reefpoint.records.parties.selectors.profiles import profile_context
from reefpoint.records.parties.services.clients import lock_client
from reefpoint.records.parties.services.holds import check_not_held
from reefpoint.records.parties.types import ClientStatus, ErasureOutcome

TOLD_ACTIONS = ("clients.record_profile", "clients.unmask", "clients.export_data", "documents.", "consents.")
"""What a person is told of the log on them. Blocks, screening and cases are not: the law forbids to tip anybody off."""


class ClientStillServed(Refusal):
    """A client's data cannot be erased while business with them goes on, or while they are blocked."""

    code = "client_still_served"


@transaction.atomic
def export_person(*, actor: Actor, client_id: int, reason: str, parts: Mapping[str, object], at: datetime) -> bytes:
    """All that the desk holds of one person as a ZIP of JSON files and their documents, for them to have.

    `parts` are what other records hold of them, by file name. The hash of the file goes into the audit log.
    Raises `ReasonNeeded`, `ClientNotFound`.
    """
    require_own_or(actor, "clients.export_data", client_id)
    if not reason.strip():
        raise ReasonNeeded("Say on whose request the data is exported: it goes into the audit log.")
    client = Client.objects.filter(id=client_id).first()
    if client is None:
        raise ClientNotFound("There is no such client.")
    files = {f"{name}.json": _json(part) for name, part in (_own_parts(actor, client) | dict(parts)).items()}
    files |= _documents(client_id)
    content = _zip(files, at)
    record(
        actor=actor,
        action="clients.export_data",
        subject=f"client:{client_id}",
        reason=reason,
        inputs={"files": len(files), "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        at=at,
    )
    return content


def _own_parts(actor: Actor, client: Client) -> dict[str, object]:
    profiles = list(Profile.objects.filter(client=client, erased_at=None).order_by("version"))
    opened = open_many(
        [(Sealed(p.key_id, bytes(p.blob or b"")), profile_context(client.pk, p.version)) for p in profiles]
    )
    accounts = list(BankAccount.objects.filter(client=client, erased_at=None).order_by("id"))
    numbers = open_many(
        [(Sealed(a.key_id, bytes(a.blob or b"")), bank_account_context(client.pk, a.place)) for a in accounts]
    )
    return {
        "client": {
            "number": client.number,
            "name": client.name,
            "name_zh": client.name_zh,
            "email": client.email,
            "kind": client.kind,
            "language": client.language,
            "opened_on": client.opened_on,
            "accepted_on": client.accepted_on,
            "closed_on": client.closed_on,
        },
        "profiles": [
            {"version": row.version, "recorded_at": row.recorded_at, **asdict(profile_from_json(plain))}
            for row, plain in zip(profiles, opened, strict=True)
        ],
        "bank_accounts": [
            {"added_at": row.added_at, "removed_at": row.removed_at, **asdict(bank_account_from_json(plain))}
            for row, plain in zip(accounts, numbers, strict=True)
        ],
        "consents": [asdict(consent) for consent in list_consents(actor, client.pk)],
        "documents": list(
            Document.objects.filter(client=client)
            .order_by("id")
            .values("id", "kind", "file_name", "media_type", "size_bytes", "expires_on", "added_at", "erased_at")
        ),
        "what_was_done": [
            {"at": entry.at, "action": entry.action}
            for entry in list_entries(subject=f"client:{client.pk}", limit=10_000)
            if entry.action.startswith(TOLD_ACTIONS)
        ],
    }


def _documents(client_id: int) -> dict[str, bytes]:
    rows = list(Document.objects.filter(client_id=client_id, erased_at=None).order_by("id"))
    contents = open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), document_context(client_id, row.place)) for row in rows]
    )
    return {f"documents/{row.pk}-{row.file_name}": content for row, content in zip(rows, contents, strict=True)}


def _json(part: object) -> bytes:
    return json.dumps(part, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1).encode()


def _zip(files: Mapping[str, bytes], at: datetime) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def check_erasable(status: ClientStatus) -> None:
    """Raise `ClientStillServed` unless the relationship is over or never began."""
    if status not in {ClientStatus.PROSPECT, ClientStatus.CLOSED}:
        raise ClientStillServed(
            "This client is served or blocked. Close the relationship first; then ask again.", status=status
        )


@transaction.atomic
def erase_client(
    *, actor: Actor, client_id: int, keep: Mapping[DataCategory, date], asked_by: str, approval_id: int, at: datetime
) -> ErasureOutcome:
    """Erase what no law keeps: the contents go, the rows stay and say when. A prospect is closed by it.

    `keep` holds the categories that a law keeps, with the last day. Devices, network addresses and documents that show
    neither identity nor funds always go. `ClientErased` has the other records follow; the audit log stays.
    Raises `ClientStillServed`, `UnderLegalHold`. The same approval again erases nothing more.
    """
    require(actor, "clients.erase")
    client = lock_client(actor, client_id)
    known = Erasure.objects.filter(client=client, approval_id=approval_id).first()
    if known is not None:
        return ErasureOutcome(known.erased, {name: date.fromisoformat(day) for name, day in known.kept.items()})
    check_erasable(ClientStatus(client.status))
    check_not_held(client_id)
    is_known = is_kept("parties.Client", keep)
    traits = TraitRow.objects.filter(client=client)
    documents = Document.objects.filter(client=client, erased_at=None)
    if is_known:
        traits = traits.filter(kind__in=TECHNICAL_TRAITS)
        documents = documents.exclude(kind__in=KEPT_BY_LAW)
    erased = {
        "traits": traits.delete()[0],
        "documents": documents.update(blob=None, file_name="", erased_at=at),
    }
    if not is_known:
        profiles = client.profiles.filter(erased_at=None)
        erased["profiles"] = profiles.update(blob=None, reason="", erased_at=at)
        erased["bank_accounts"] = client.bank_accounts.filter(erased_at=None).update(blob=None, erased_at=at)
        Consent.objects.filter(client=client).exclude(withdrawal_reason="").update(withdrawal_reason="")
        client.name, client.name_zh, client.email = ERASED, "", f"client-{client_id}@erased.invalid"
        if client.portal_user_id is not None:
            erase_person(actor=actor, user_id=client.portal_user_id, at=at)
        client.portal_user_id = None
    client.status, client.closed_on = ClientStatus.CLOSED, client.closed_on or at.date()
    client.save()
    kept = {category.value: day.isoformat() for category, day in sorted(keep.items())}
    Erasure.objects.create(client=client, at=at, asked_by=asked_by, approval_id=approval_id, erased=erased, kept=kept)
    publish(TraitsErased(client_id=client_id, at=at))
    publish(ClientErased(client_id=client_id, kept=tuple(kept), at=at))
    record(
        actor=actor,
        action="clients.erase",
        subject=f"client:{client_id}",
        inputs={"approval_id": approval_id, "erased": erased, "kept": kept},
        at=at,
    )
    return ErasureOutcome(erased, {category.value: day for category, day in keep.items()})
