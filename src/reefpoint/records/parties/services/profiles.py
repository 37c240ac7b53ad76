"""Recording what is known of a client, in versions, and showing what is masked to whoever may read it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.events.services import publish
from reefpoint.platform.vault.services import digest, digest_many, seal, seal_many
from reefpoint.records.parties.events import ProfileChanged, TraitRecorded
from reefpoint.records.parties.models import BankAccount, Client, Profile, TraitRow
from reefpoint.records.parties.rules import (
    PROFILE_TRAITS,
    bank_account_to_json,
    changed_fields,
    mask_trait,
    normalise,
    profile_to_json,
    traits_of,
    unmaskable,
)
from reefpoint.records.parties.selectors.bank_accounts import bank_account_context, open_bank_accounts
from reefpoint.records.parties.selectors.clients import ClientNotFound, require_own_or, visible_clients
from reefpoint.records.parties.selectors.profiles import find_profile, profile_context
from reefpoint.records.parties.types import BankAccountDraft, ProfileDraft, TraitKind


class NoSuchField(NotFound):
    """The client's record has no such field to show."""

    code = "no_such_field_not_found"


class NoSuchBankAccount(NotFound):
    """The client has no such bank account."""

    code = "bank_account_not_found"


@transaction.atomic
def record_profile(*, actor: Actor, client_id: int, draft: ProfileDraft, reason: str, at: datetime) -> int:
    """Put a new version of a client's profile on record, with what it shares with others. Returns the version.

    A draft that says what is on record already changes nothing. Client and staff alike come through here.
    """
    require_own_or(actor, "clients.change_profile", client_id)
    client = Client.objects.select_for_update().filter(id=client_id).first()
    if client is None:
        raise ClientNotFound("There is no such client.")
    newest = client.profiles.order_by("-version").first()
    before = find_profile(client_id)
    changed = changed_fields(before, draft)
    if newest is not None and not changed:
        return newest.version
    version = newest.version + 1 if newest else 1
    plain = profile_to_json(draft)
    sealed = seal(plain, context=profile_context(client_id, version))
    Profile.objects.create(
        client=client,
        version=version,
        key_id=sealed.key_id,
        blob=sealed.blob,
        digest=digest("profile", plain.decode()),
        reason=reason,
        recorded_at=at,
        recorded_by=actor.ref,
    )
    client.name, client.name_zh, client.kind = draft.name, draft.name_zh, draft.kind
    client.save(update_fields=["name", "name_zh", "kind"])
    _keep_traits(client, draft, at)
    _keep_bank_accounts(client_id, draft.bank_accounts, at)
    record(
        actor=actor,
        action="clients.record_profile",
        subject=f"client:{client_id}",
        reason=reason,
        inputs={"version": version, "changed": list(changed)},
        at=at,
    )
    publish(ProfileChanged(client_id=client_id, version=version, changed=changed, at=at))
    return version


@transaction.atomic
def record_trait(*, client_id: int, kind: TraitKind, value: str, at: datetime) -> None:
    """Note a device or an address that a client used. Idempotent: the first time counts."""
    assert kind not in PROFILE_TRAITS, "these follow from the profile"
    text = normalise(kind, value)
    if not text:
        return
    [index] = digest_many([(kind.value, text)])
    if TraitRow.objects.filter(client_id=client_id, kind=kind, digest=index, until=None).exists():
        return
    _add_traits(client_id, {(kind, text): mask_trait(kind, text)}, at, {(kind, text): index})
    publish(TraitRecorded(client_id=client_id, kind=kind.value, at=at))


@transaction.atomic
def verify_bank_account(*, actor: Actor, client_id: int, bank_account_id: int, reason: str, at: datetime) -> None:
    """Note that the account was seen to be the client's own; `reason` says how. Raises `NoSuchBankAccount`."""
    require(actor, "clients.change_profile")
    if not reason.strip():
        raise ReasonNeeded("Say how you saw that the account is the client's own.")
    account = (
        BankAccount.objects.select_for_update()
        .filter(id=bank_account_id, client__in=visible_clients(actor).filter(id=client_id), removed_at=None)
        .first()
    )
    if account is None:
        raise NoSuchBankAccount("The client has no such bank account.")
    account.verified_at, account.verified_by = at, actor.ref
    account.save(update_fields=["verified_at", "verified_by"])
    record(
        actor=actor,
        action="clients.verify_bank_account",
        subject=f"client:{client_id}",
        reason=reason,
        inputs={"bank_account_id": bank_account_id},
        at=at,
    )


@transaction.atomic
def unmask(*, actor: Actor, client_id: int, field: str, reason: str, at: datetime) -> str:
    """One field of a client in full (`phone`, `identifier:0`), for a reason that is logged. The value is not.

    Raises `ReasonNeeded`, `NoSuchField`, `ClientNotFound`.
    """
    require(actor, "clients.unmask")
    client = visible_clients(actor).filter(id=client_id).first()
    if client is None:
        raise ClientNotFound("There is no client {client_id}, or it is not yours to see.", client_id=client_id)
    if len(reason.strip()) < REASON_CHARS_MIN:
        raise ReasonNeeded("Say what you need it for: it goes into the audit log.")
    profile = find_profile(client_id) or ProfileDraft(kind=client.kind, name=client.name)  # type: ignore[arg-type]
    value = unmaskable(profile, client.email, open_bank_accounts(client_id)).get(field)
    if value is None:
        raise NoSuchField("This client's record has no such field.")
    record(
        actor=actor,
        action="clients.unmask",
        subject=f"client:{client_id}",
        reason=reason.strip()[:500],
        inputs={"field": field},
        at=at,
    )
    return value


REASON_CHARS_MIN = 5


def _keep_traits(client: Client, draft: ProfileDraft, at: datetime) -> None:
    wanted = traits_of(draft, client.email)
    digests = dict(zip(wanted, digest_many([(kind.value, text) for kind, text in wanted]), strict=True))
    kept = {(kind.value, value) for (kind, _text), value in digests.items()}
    held = client.traits.filter(until=None, kind__in=PROFILE_TRAITS)
    gone = [row.pk for row in held if (row.kind, bytes(row.digest)) not in kept]
    TraitRow.objects.filter(id__in=gone).update(until=at)
    _add_traits(client.pk, wanted, at, digests)


def _add_traits(
    client_id: int,
    wanted: Mapping[tuple[TraitKind, str], str],
    at: datetime,
    digests: Mapping[tuple[TraitKind, str], bytes] | None = None,
) -> None:
    known = digests or dict(zip(wanted, digest_many([(kind.value, text) for kind, text in wanted]), strict=True))
    TraitRow.objects.bulk_create(
        [
            TraitRow(client_id=client_id, kind=key[0], digest=known[key], masked=masked, since=at)
            for key, masked in wanted.items()
        ],
        ignore_conflicts=True,
    )


def _keep_bank_accounts(client_id: int, drafts: Sequence[BankAccountDraft], at: datetime) -> None:
    wanted = dict(zip(digest_many([_bank_key(draft) for draft in drafts]), drafts, strict=True))
    held = {bytes(row.digest): row.pk for row in BankAccount.objects.filter(client_id=client_id, removed_at=None)}
    BankAccount.objects.filter(id__in=[pk for key, pk in held.items() if key not in wanted]).update(removed_at=at)
    fresh = [(uuid.uuid4(), key, draft) for key, draft in wanted.items() if key not in held]
    blobs = seal_many(
        [(bank_account_to_json(draft), bank_account_context(client_id, place)) for place, _, draft in fresh]
    )
    BankAccount.objects.bulk_create(
        BankAccount(client_id=client_id, place=place, key_id=sealed.key_id, blob=sealed.blob, digest=key, added_at=at)
        for (place, key, _draft), sealed in zip(fresh, blobs, strict=True)
    )


def _bank_key(draft: BankAccountDraft) -> tuple[str, str]:
    return TraitKind.BANK_ACCOUNT.value, normalise(TraitKind.BANK_ACCOUNT, draft.number)


def trait_digest(kind: TraitKind, value: str) -> bytes:
    """The equality index of a value as the records of people keep it, for comparing what arrives from outside."""
    return digest(kind.value, normalise(kind, value))
