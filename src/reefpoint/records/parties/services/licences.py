"""The operator's licences, and the one gate that asks for one (I68)."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.events.services import publish
from reefpoint.platform.vault.services import open_sealed, seal
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.adapters.file_checks import SUFFIXES, check_file
from reefpoint.records.parties.events import LicenceEnded
from reefpoint.records.parties.models import Licence, LicenceEvidence
from reefpoint.records.parties.rules import PERMITS, clean_file_name, local_day
from reefpoint.records.parties.selectors.licences import evidence_context, find_licence
from reefpoint.records.parties.types import DocumentContent, LicenceView, MediaType


class LicenceRefused(Refusal):
    """The operator has no licence on record that is valid at the moment (I68)."""

    code = "licence_refused"


class LicenceMalformed(Refusal):
    """A licence whose dates are not in order, that opens nothing, or that is on record already."""

    code = "licence_malformed"


class UnlicensedLending(Refusal):
    """An authorisation that does not let its holder finance margin in mainland China, whatever else it permits."""

    code = "cn.refuse.r01"


@transaction.atomic
def record_licence(
    *,
    actor: Actor,
    jurisdiction: str,
    activity: str,
    permit: str,
    number: str,
    holder: str,
    valid_from: date,
    valid_to: date | None,
    evidence: str,
    at: datetime,
) -> int:
    """Put a licence of the operator on record; both dates inclusive, no end means open. Returns its id.

    `permit` is the kind of authorisation. Raises `LicenceMalformed` for one that does not open this activity there,
    `UnlicensedLending` for anything but a securities company's approval in mainland China.
    """
    require(actor, "licences.record")
    _check_permit(jurisdiction, activity, permit)
    if valid_to is not None and valid_to < valid_from:
        raise LicenceMalformed(
            "The licence would end on {valid_to}, before it begins on {valid_from}.",
            valid_to=valid_to,
            valid_from=valid_from,
        )
    licence, is_new = Licence.objects.get_or_create(
        jurisdiction=jurisdiction,
        activity=activity,
        number=number,
        defaults={
            "permit": permit,
            "holder": holder,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "evidence": evidence,
        },
    )
    if not is_new:
        raise LicenceMalformed(
            "Licence {number} for {activity} in {jurisdiction} is on record already.",
            number=number,
            activity=activity,
            jurisdiction=jurisdiction,
        )
    record(
        actor=actor,
        action="licences.record",
        subject=f"licence:{licence.pk}",
        inputs={
            "jurisdiction": jurisdiction,
            "activity": activity,
            "permit": permit,
            "number": number,
            "valid_from": valid_from.isoformat(),
            "valid_to": valid_to.isoformat() if valid_to else None,
            "evidence": evidence,
        },
        at=at,
    )
    return licence.pk


@transaction.atomic
def end_licence(*, actor: Actor, licence_id: int, valid_to: date, reason: str, at: datetime) -> None:
    """Let a licence end on `valid_to` (inclusive), as when it is revoked. It takes force at once.

    Raises `LicenceMalformed` for an unknown licence or an end before its beginning.
    """
    require(actor, "licences.record")
    licence = Licence.objects.select_for_update().filter(id=licence_id).first()
    if licence is None:
        raise LicenceMalformed("There is no licence {licence_id}.", licence_id=licence_id)
    if valid_to < licence.valid_from:
        raise LicenceMalformed(
            "The licence would end on {valid_to}, before it begins on {valid_from}.",
            valid_to=valid_to,
            valid_from=licence.valid_from,
        )
    licence.valid_to = valid_to
    licence.save(update_fields=["valid_to"])
    record(
        actor=actor,
        action="licences.end",
        subject=f"licence:{licence_id}",
        reason=reason,
        inputs={"valid_to": valid_to.isoformat()},
        at=at,
    )
    publish(
        LicenceEnded(
            licence_id=licence_id,
            jurisdiction=licence.jurisdiction,
            activity=licence.activity,
            valid_to=valid_to,
            at=at,
        )
    )


@transaction.atomic
def revoke_licence(*, actor: Actor, licence_id: int, reason: str, at: datetime) -> None:
    """End a licence at this very instant, as when the authority takes it away. Raises `LicenceMalformed`."""
    require(actor, "licences.record")
    if not reason.strip():
        raise ReasonNeeded("Say why the licence ends now: it goes into the audit log.")
    licence = Licence.objects.select_for_update().filter(id=licence_id, revoked_at=None).first()
    if licence is None:
        raise LicenceMalformed("There is no licence {licence_id}, or it was revoked before.", licence_id=licence_id)
    licence.revoked_at = at
    licence.save(update_fields=["revoked_at"])
    record(actor=actor, action="licences.revoke", subject=f"licence:{licence_id}", reason=reason, at=at)
    publish(
        LicenceEnded(
            licence_id=licence_id,
            jurisdiction=licence.jurisdiction,
            activity=licence.activity,
            valid_to=local_day(licence.jurisdiction, at),
            at=at,
        )
    )


@transaction.atomic
def add_licence_evidence(*, actor: Actor, licence_id: int, file_name: str, content: bytes, at: datetime) -> None:
    """Keep the document that shows a licence, once. Raises `DocumentRefused`, `LicenceMalformed`."""
    require(actor, "licences.record")
    media_type = check_file(content)
    licence = Licence.objects.select_for_update().filter(id=licence_id).first()
    if licence is None or LicenceEvidence.objects.filter(licence_id=licence_id).exists():
        raise LicenceMalformed(
            "There is no licence {licence_id}, or its document is on file already.", licence_id=licence_id
        )
    sealed = seal(content, context=evidence_context(licence_id))
    LicenceEvidence.objects.create(
        licence=licence,
        file_name=clean_file_name(file_name, SUFFIXES[media_type]),
        media_type=media_type,
        size_bytes=len(content),
        key_id=sealed.key_id,
        blob=sealed.blob,
        added_at=at,
        added_by=actor.ref,
    )
    record(
        actor=actor,
        action="licences.add_evidence",
        subject=f"licence:{licence_id}",
        inputs={"media_type": media_type, "size_bytes": len(content)},
        at=at,
    )


@transaction.atomic
def open_licence_evidence(*, actor: Actor, licence_id: int, at: datetime) -> DocumentContent:
    """The document that shows a licence; that it was handed out is logged. Raises `LicenceMalformed`."""
    require(actor, "licences.view")
    row = LicenceEvidence.objects.filter(licence_id=licence_id).first()
    if row is None:
        raise LicenceMalformed("There is no document of licence {licence_id}.", licence_id=licence_id)
    content = open_sealed(Sealed(row.key_id, bytes(row.blob)), context=evidence_context(licence_id))
    record(actor=actor, action="licences.open_evidence", subject=f"licence:{licence_id}", at=at)
    return DocumentContent(row.file_name, MediaType(row.media_type), content)


def require_licence(*, jurisdiction: str, activity: str, on: date, at: datetime) -> LicenceView:
    """The licence under which something is marketed, offered, signed or paid out (I68). The one gate.

    It must be valid on the business date `on` and at the instant `at`, on whose date in the jurisdiction it must not
    have run out, even while the business date of the day before is still open. Raises `LicenceRefused`.
    """
    licence = find_licence(jurisdiction=jurisdiction, activity=activity, on=on, at=at)
    if licence is None:
        raise LicenceRefused(
            "No licence for {activity} in {jurisdiction} is valid on {on}. Record one before going on.",
            jurisdiction=jurisdiction,
            activity=activity,
            on=on,
        )
    return licence


def _check_permit(jurisdiction: str, activity: str, permit: str) -> None:
    opens = PERMITS.get(jurisdiction, {})
    if activity in opens.get(permit, frozenset()):
        return
    if jurisdiction == "CN":
        raise UnlicensedLending(
            "In mainland China only a securities company approved for margin financing may lend on securities "
            "(Securities Law Art. 120). No other authorisation can be put on record, so nothing is offered there.",
            permit=permit,
        )
    raise LicenceMalformed(
        "{authorisation} does not open {activity} in {jurisdiction}. Known there: {opens}.",
        permit=permit,
        authorisation=permit or Sentence("This authorisation"),
        activity=activity,
        jurisdiction=jurisdiction,
        opens=sorted(opens) or Sentence("none"),
    )
