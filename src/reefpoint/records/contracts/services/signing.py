"""Acknowledging, signing, countersigning, and the ends of a contract that never came into force."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record, record_all
from reefpoint.platform.audit.types import EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.basics.personal_data import is_kept
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish, publish_all
from reefpoint.platform.publications.services import use_publication
from reefpoint.platform.vault.services import open_sealed, seal
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.contracts import rules
from reefpoint.records.contracts.adapters.certificates import Issued, issue, make_root
from reefpoint.records.contracts.adapters.typesetting import BOXES, typeset_stamp
from reefpoint.records.contracts.events import ContractEnded, ContractInForce, ContractSignedByClient
from reefpoint.records.contracts.models import Acknowledgement, Contract, File, Move, Root, Signature
from reefpoint.records.contracts.rules.templates import JURISDICTIONS
from reefpoint.records.contracts.selectors import (
    DISCLOSURES,
    ContractNotFound,
    find_contract_row,
    find_disclosures,
    newest_file,
    open_file_row,
    paper_instant,
    root_context,
)
from reefpoint.records.contracts.services.filing import file_paper, move
from reefpoint.records.contracts.types import Authentication, ContractState, FileKind, Language, SignerRole
from reefpoint.records.parties.rules import local_day
from reefpoint.records.parties.selectors.clients import find_own_client, require_client, require_open_for_business
from reefpoint.records.parties.services import require_licence
from reefpoint.records.parties.types import Activity

_SIGN = "portal.borrow"
REASON_CHARS_MAX = 300


class DisclosureUnknown(Refusal):
    """No disclosure of this name is in force in these words: it was changed meanwhile."""

    code = "disclosure_changed"


class DisclosuresMissing(Refusal):
    """Not every disclosure in force was acknowledged (I67). `names` are those that are not."""

    code = "disclosures_missing"


class StrongAuthenticationNeeded(Refusal):
    """A signature takes the password and a second factor, shown just before."""

    code = "strong_authentication_needed"


class OfferLapsed(Refusal):
    """The last day of signing has passed."""

    code = "offer_lapsed"


class NotACountersigner(Refusal):
    """Whoever prepared a contract, or a program, cannot sign it for the desk."""

    code = "not_a_countersigner"


# Acknowledgements


@transaction.atomic
def acknowledge(
    *,
    actor: Actor,
    contract_id: int,
    disclosure: str,
    text_hash: str,
    at: datetime,
    address: str = "",
    session_hash: str = "",
) -> None:
    """Record that the client read one disclosure in exactly the words of `text_hash`. Idempotent.

    Raises `DisclosureUnknown` when these are not the words in force, `ContractNotFound` for whoever is not the client.
    """
    row = _own_locked(actor, contract_id)
    _check_open(row, at)
    on = local_day(row.jurisdiction, at)
    use_publication(kind=DISCLOSURES[row.jurisdiction], on=on, at=at)
    if not any(one.id == disclosure and one.text_hash == text_hash for one in find_disclosures(row.jurisdiction, on)):
        raise DisclosureUnknown(
            "This disclosure is no longer in force in the words that were shown. Nothing was recorded; read it again.",
            disclosure=disclosure,
        )
    _ack, is_new = Acknowledgement.objects.get_or_create(
        contract=row,
        disclosure=disclosure,
        text_hash=text_hash,
        defaults={
            "acknowledged_at": at,
            "acknowledged_by": actor.ref,
            "address": address[:64],
            "session_hash": session_hash[:64],
        },
    )
    if is_new:
        record(
            actor=actor,
            action="contracts.acknowledge",
            subject=f"contract:{contract_id}",
            inputs={"disclosure": disclosure, "text_hash": text_hash},
            at=at,
        )


def _own_locked(actor: Actor, contract_id: int) -> Contract:
    """The client's own contract, locked. Raises `ContractNotFound` for everybody else."""
    require(actor, _SIGN)
    own = find_own_client(actor)
    row = None
    if own is not None:
        row = Contract.objects.select_for_update().filter(id=contract_id, client_id=own.id).first()
    if row is None or row.state == ContractState.DRAFT:
        raise ContractNotFound("There is no such contract, or it is not yours to see.", contract_id=contract_id)
    return row


def _check_open(row: Contract, at: datetime) -> None:
    """Raise unless the client can sign now: in time, by state."""
    if row.state == ContractState.OFFERED and row.sign_by < local_day(row.jurisdiction, at):
        raise OfferLapsed(
            "The last day to sign this contract was {sign_by}. Nothing was done; ask for a new offer.",
            contract_id=row.pk,
            sign_by=row.sign_by,
        )
    rules.STATES.check(ContractState(row.state), ContractState.SIGNED_BY_CLIENT)


# Signatures


@transaction.atomic
def sign_as_client(*, actor: Actor, contract_id: int, authentication: Authentication, at: datetime) -> None:
    """Put the client's signature on the paper. Idempotent.

    Raises `DisclosuresMissing` (I67), `StrongAuthenticationNeeded`, `OfferLapsed`, `LicenceRefused` (I68),
    `ClientNotOpen`, `ContractNotFound`.
    """
    row = _own_locked(actor, contract_id)
    if row.state in {ContractState.SIGNED_BY_CLIENT, ContractState.IN_FORCE}:
        return
    _check_open(row, at)
    on = local_day(row.jurisdiction, at)
    _check_may_sign(row, authentication, at)
    given = set(Acknowledgement.objects.filter(contract=row).values_list("disclosure", "text_hash"))
    missing = [one.id for one in find_disclosures(row.jurisdiction, on) if (one.id, one.text_hash) not in given]
    if missing:
        raise DisclosuresMissing(
            "{count} disclosures are not acknowledged in the words in force. Read and acknowledge each first; "
            "nothing was signed.",
            names=missing,
            count=len(missing),
        )
    row.signed_on = on
    _sign(row, SignerRole.CLIENT, FileKind.CLIENT_SIGNED, actor=actor, authentication=authentication, at=at)
    move(row, ContractState.SIGNED_BY_CLIENT, actor=actor, at=at, changed=("signed_on",))
    publish(ContractSignedByClient(contract_id=contract_id, client_id=row.client_id, at=at))


@transaction.atomic
def countersign(*, actor: Actor, contract_id: int, authentication: Authentication, at: datetime) -> None:
    """Put the desk's signature on what the client has signed: the contract is in force. Idempotent.

    Raises `NotACountersigner` for whoever prepared it, `StrongAuthenticationNeeded`, `LicenceRefused` (I68),
    `ClientNotOpen`, `OfferLapsed`.
    """
    require(actor, "contracts.countersign")
    row = Contract.objects.select_for_update().filter(id=contract_id).first()
    if row is None:
        raise ContractNotFound("There is no such contract, or it is not yours to see.", contract_id=contract_id)
    require_client(actor, row.client_id)
    if row.state == ContractState.IN_FORCE:
        return
    rules.STATES.check(ContractState(row.state), ContractState.IN_FORCE)
    if actor.user_id is None or actor.ref == row.prepared_by:
        raise NotACountersigner("Whoever prepared a contract does not sign it for the desk: a second person must.")
    if row.sign_by + timedelta(days=rules.COUNTERSIGN_DAYS) < local_day(row.jurisdiction, at):
        raise OfferLapsed("The time to countersign has passed. Nothing was done; prepare a new contract.")
    _check_may_sign(row, authentication, at)
    row.countersigned_by = actor.ref
    _sign(row, SignerRole.DESK, FileKind.IN_FORCE, actor=actor, authentication=authentication, at=at)
    move(row, ContractState.IN_FORCE, actor=actor, at=at, changed=("countersigned_by",))
    publish(ContractInForce(contract_id=contract_id, client_id=row.client_id, at=at))


def _check_may_sign(row: Contract, authentication: Authentication, at: datetime) -> None:
    require_licence(jurisdiction=row.jurisdiction, activity=Activity.SIGNING, on=local_day(row.jurisdiction, at), at=at)
    require_open_for_business(row.client_id)
    if not rules.is_strong(authentication, at):
        raise StrongAuthenticationNeeded(
            "To sign, show your password and a second factor again: an authenticator code or a passkey. Nothing was "
            "signed."
        )


def _sign(
    row: Contract,
    role: SignerRole,
    kind: FileKind,
    *,
    actor: Actor,
    authentication: Authentication,
    at: datetime,
) -> None:
    """Make a key for this one signature, sign with it and forget it; file the paper and who signed."""
    from reefpoint.records.contracts.adapters.signing import sign  # noqa: PLC0415 - slow to import

    assert actor.user_id is not None
    root = ensure_root(organisation=row.lender_name, at=at)
    signer = issue(root=root, name=actor.name, organisation=_organisation(row, role), reference=actor.ref, at=at)
    _file, paper = newest_file(row)
    stamp = typeset_stamp(
        name=actor.name,
        lines=[*_stamp_words(row, role), at.strftime("%Y-%m-%d %H:%M:%S UTC"), f"{signer.serial[:24]}"],
        role=role,
        at=paper_instant(row.dated_on),
    )
    signed = sign(
        paper,
        signer=signer,
        name=actor.name,
        role=role,
        reason=str(row.number),
        box=BOXES[role].corners,
        stamp=stamp,
        at=at,
    )
    digest = file_paper(row, kind, signed, actor=actor, at=at)
    proof: dict[str, Any] = {
        "methods": list(authentication.methods),
        "at": authentication.at.isoformat(),
        "address": authentication.address,
        "session_hash": authentication.session_hash,
    }
    Signature.objects.create(
        contract=row,
        role=role,
        user_id=actor.user_id,
        signer_name=actor.name,
        signed_at=at,
        authentication=proof,
        certificate=signer.certificate,
        certificate_serial=signer.serial,
        file_hash=digest,
    )
    record(
        actor=actor,
        action="contracts.sign" if role is SignerRole.CLIENT else "contracts.countersign",
        subject=f"contract:{row.pk}",
        inputs={"sha256": digest, "certificate_serial": signer.serial, "methods": proof["methods"]},
        at=at,
    )


def _organisation(row: Contract, role: SignerRole) -> str:
    return row.lender_name if role is SignerRole.DESK else str(row.client.number)


def _stamp_words(row: Contract, role: SignerRole) -> list[str]:
    is_zh = row.language == Language.ZH
    if role is SignerRole.CLIENT:
        return [f"{'客户' if is_zh else 'client'} {row.client.number}"]
    return [f"{'代表' if is_zh else 'for'} {row.lender_name}"[:60]]


def ensure_root(*, organisation: str, at: datetime) -> Issued:
    """The desk's root certificate with its key, made when first needed."""
    root = Root.objects.first()
    if root is None:
        with transaction.atomic():
            lock_name("contracts:root")
            root = Root.objects.first() or _make_root(organisation, at)
    key = open_sealed(Sealed(root.key_id, bytes(root.blob)), context=root_context(root.serial))
    return Issued(bytes(root.certificate), key, root.serial)


def _make_root(organisation: str, at: datetime) -> Root:
    made = make_root(organisation=organisation, at=at)
    sealed = seal(made.key, context=root_context(made.serial))
    return Root.objects.create(
        serial=made.serial, certificate=made.certificate, key_id=sealed.key_id, blob=sealed.blob, made_at=at
    )


# Ends


@transaction.atomic
def withdraw_contract(*, actor: Actor, contract_id: int, reason: str, at: datetime) -> None:
    """Take a contract back before it is in force: the desk with a reason, or the client who declines. Idempotent."""
    own = find_own_client(actor)
    if own is None:
        require(actor, "contracts.prepare")
        if not reason.strip():
            raise ReasonNeeded("Say why the contract is withdrawn: it goes into the audit log.")
        row = Contract.objects.select_for_update().filter(id=contract_id).first()
        if row is None:
            raise ContractNotFound("There is no such contract, or it is not yours to see.", contract_id=contract_id)
        require_client(actor, row.client_id)
    else:
        row = _own_locked(actor, contract_id)
    if row.state == ContractState.WITHDRAWN:
        return
    if row.state == ContractState.IN_FORCE:
        raise InvalidTransition("A contract in force is not withdrawn. It ends with what was borrowed under it.")
    row.ended_at = at
    reason = reason.strip()[:REASON_CHARS_MAX]
    move(row, ContractState.WITHDRAWN, actor=actor, at=at, reason=reason, changed=("ended_at",))
    record(actor=actor, action="contracts.withdraw", subject=f"contract:{contract_id}", reason=reason, at=at)
    publish(ContractEnded(contract_id=contract_id, client_id=row.client_id, state=ContractState.WITHDRAWN.value, at=at))


@transaction.atomic
def end_unused_contract(*, actor: Actor, contract_id: int, state: ContractState, reason: str, at: datetime) -> None:
    """End a contract, also one in force, on which nothing was ever paid: LAPSED or WITHDRAWN. Idempotent.

    That nothing was paid is for the caller to know, under the lock of what would be paid.
    """
    require(actor, "contracts.prepare")
    row = Contract.objects.select_for_update().get(id=contract_id)
    if row.state in {ContractState.LAPSED, ContractState.WITHDRAWN}:
        return
    row.ended_at = at
    move(row, state, actor=actor, at=at, reason=reason[:REASON_CHARS_MAX], changed=("ended_at",))
    record(actor=actor, action="contracts.end", subject=f"contract:{contract_id}", reason=reason, at=at)
    publish(ContractEnded(contract_id=contract_id, client_id=row.client_id, state=state.value, at=at))


@transaction.atomic
def lapse_contracts(*, actor: Actor, at: datetime) -> list[int]:
    """End every contract whose time to be signed has passed. Returns their ids."""
    require(actor, "contracts.prepare")
    ended: list[Contract] = []
    for place in JURISDICTIONS:
        on = local_day(place, at)
        rows = Contract.objects.select_for_update().filter(jurisdiction=place).defer("terms").order_by("id")
        ended += rows.filter(state__in=(ContractState.DRAFT, ContractState.OFFERED), sign_by__lt=on)
        late = on - timedelta(days=rules.COUNTERSIGN_DAYS)
        ended += rows.filter(state=ContractState.SIGNED_BY_CLIENT, sign_by__lt=late)
    ids = [row.pk for row in ended]
    if not ids:
        return []
    Contract.objects.filter(id__in=ids).update(state=ContractState.LAPSED, ended_at=at)
    Move.objects.bulk_create(
        [Move(contract_id=one, state=ContractState.LAPSED, at=at, by=actor.ref, reason="") for one in ids]
    )
    record_all(
        actor=actor, action="contracts.lapse", entries=[EntryDraft(f"contract:{one}", "", {}) for one in ids], at=at
    )
    publish_all(
        [
            ContractEnded(contract_id=row.pk, client_id=row.client_id, state=ContractState.LAPSED.value, at=at)
            for row in ended
        ]
    )
    return ids


# Papers


@transaction.atomic
def open_file(*, actor: Actor, contract_id: int, at: datetime, kind: FileKind | None = None) -> tuple[str, bytes]:
    """A paper of the contract, by default the latest, with a name for it; that it was handed out is in the audit log.

    Raises `ContractNotFound` for whoever may not read the contract, `ContractErased`.
    """
    row = find_contract_row(actor, contract_id)
    if kind is None:
        file, content = newest_file(row)
    else:
        found = File.objects.filter(contract=row, kind=kind).first()
        if found is None:
            raise ContractNotFound("There is no such paper of this contract.", contract_id=contract_id)
        file, content = found, open_file_row(found)
    record(
        actor=actor,
        action="contracts.open_file",
        subject=f"contract:{contract_id}",
        inputs={"kind": file.kind, "sha256": file.sha256},
        at=at,
    )
    return f"{row.number}-{file.kind}.pdf", content


@transaction.atomic
def erase_contracts(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> int:
    """Erase what a client's contracts say, their papers, and who signed from where, unless a law keeps their account.

    That there was a contract and its hashes stay. Returns how many were erased. Called when the client's data is
    erased.
    """
    require(actor, "clients.erase")
    if is_kept("contracts.Contract", kept):
        return 0
    ids = list(Contract.objects.filter(client_id=client_id).exclude(terms={}).values_list("id", flat=True))
    File.objects.filter(contract_id__in=ids).update(blob=None)
    Move.objects.filter(contract_id__in=ids).exclude(reason="").update(reason="")
    Acknowledgement.objects.filter(contract_id__in=ids).update(address="", session_hash="")
    Signature.objects.filter(contract_id__in=ids).update(signer_name="", authentication={}, certificate=b"")
    Contract.objects.filter(id__in=ids).update(terms={})
    record_all(
        actor=actor, action="contracts.erase", entries=[EntryDraft(f"contract:{one}", "", {}) for one in ids], at=at
    )
    return len(ids)
