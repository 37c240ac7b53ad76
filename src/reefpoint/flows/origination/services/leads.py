"""Recording leads, one or many; speaking with them; saying which two are one."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from reefpoint.flows.origination.models import Lead, LeadNote, LeadPairRow
from reefpoint.flows.origination.rules.leads import (
    LEAD_STATES,
    NAME_ALIKE_BP,
    PAIRS_A_LEAD_MAX,
    check_lead,
    name_key,
    plain_email,
    plain_phone,
)
from reefpoint.flows.origination.selectors.leads import LeadNotFound, visible_leads
from reefpoint.flows.origination.types.leads import LeadContact, LeadDraft, LeadState, PairState
from reefpoint.flows.origination.types.questions import FieldProblem
from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.masking import mask_email, mask_phone
from reefpoint.platform.database.bulk import array_literal, insert_columns, next_ids
from reefpoint.platform.vault.services import digest_many, open_sealed, seal, seal_many
from reefpoint.platform.vault.types import Sealed

REASON_CHARS_MIN = 5

LEAD_COLUMNS = {
    "id": "bigint",
    "name": "text",
    "name_zh": "text",
    "name_key": "text",
    "kind": "text",
    "channel": "text",
    "source": "text",
    "state": "text",
    "language": "text",
    "country": "text",
    "loan_wanted_minor": "bigint",
    "note": "text",
    "key_id": "bigint",
    "blob": "bytea",
    "email_digest": "bytea",
    "phone_digest": "bytea",
    "email_masked": "text",
    "phone_masked": "text",
    "may_contact": "boolean",
    "owner_id": "bigint",
    "import_id": "bigint",
    "created_at": "timestamptz",
    "created_by": "text",
}


class LeadMalformed(Refusal):
    """A lead that cannot be kept; `problems` says which fields and why."""

    code = "lead_malformed"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        names = [problem.field for problem in problems[:5]]
        super().__init__("This cannot be kept as it is. Look at: {names}.", names=names, problems=list(problems))
        self.problems = tuple(problems)


class NoConsentToContact(Refusal):
    """Somebody who did not agree to be contacted."""

    code = "no_consent_to_contact"


class NotAPair(Refusal):
    """Two leads that cannot be made one, or about which somebody decided already."""

    code = "not_a_pair"


@transaction.atomic
def record_lead(*, actor: Actor, draft: LeadDraft, at: datetime) -> int:
    """Keep somebody who asked. Returns the lead's id; leads that look like it are listed for a person to compare.

    Raises `LeadMalformed` with everything that is wrong.
    """
    require(actor, "leads.record")
    if problems := check_lead(draft):
        raise LeadMalformed(problems)
    [lead_id] = add_leads(actor=actor, drafts=[draft], at=at)
    record(
        actor=actor,
        action="leads.record",
        subject=f"lead:{lead_id}",
        inputs={"channel": draft.channel, "may_contact": draft.may_contact},
        at=at,
    )
    return lead_id


def add_leads(*, actor: Actor, drafts: Sequence[LeadDraft], at: datetime, import_id: int | None = None) -> list[int]:
    """Write checked leads and the pairs that they make with others, in a few statements. Returns the ids."""
    ids = next_ids(Lead._meta.db_table, len(drafts))
    emails = [plain_email(draft.email) for draft in drafts]
    phones = [draft.phone.strip() for draft in drafts]
    sealed = seal_many(
        [
            (_pack(email, phone), contact_context(lead_id))
            for lead_id, email, phone in zip(ids, emails, phones, strict=True)
        ]
    )
    digests = _digests(emails, phones)
    owner_id = None if actor.is_system or actor.sees_all_clients else actor.user_id
    insert_columns(
        Lead._meta.db_table,
        LEAD_COLUMNS,
        [
            (
                lead_id,
                draft.name.strip(),
                draft.name_zh.strip(),
                name_key(draft.name, draft.name_zh),
                draft.kind.value,
                draft.channel.value,
                draft.source.strip(),
                LeadState.NEW.value,
                draft.language,
                draft.country,
                draft.loan_wanted_minor,
                draft.note.strip(),
                one.key_id,
                _bytea(one.blob),
                _bytea(digests.get(("email", email))),
                _bytea(digests.get(("phone", plain_phone(phone)))),
                mask_email(email) if email else "",
                mask_phone(phone) if phone else "",
                draft.may_contact,
                owner_id,
                import_id,
                at,
                actor.ref,
            )
            for lead_id, draft, one, email, phone in zip(ids, drafts, sealed, emails, phones, strict=True)
        ],
    )
    insert_columns(
        LeadNote._meta.db_table,
        {"lead_id": "bigint", "at": "timestamptz", "actor": "text", "action": "text", "words": "text"},
        [(lead_id, at, actor.ref, "recorded", draft.channel.value) for lead_id, draft in zip(ids, drafts, strict=True)],
    )
    _find_pairs(ids, at)
    return ids


def _pack(email: str, phone: str) -> bytes:
    return json.dumps([email, phone], ensure_ascii=False).encode()


def contact_context(lead_id: int) -> str:
    """What the way to reach a lead is sealed for."""
    return f"lead:{lead_id}:contact"


def _digests(emails: Sequence[str], phones: Sequence[str]) -> Mapping[tuple[str, str], bytes]:
    wanted = [("email", email) for email in emails if email]
    wanted += [("phone", number) for phone in phones if (number := plain_phone(phone))]
    return dict(zip(wanted, digest_many(wanted), strict=True))


def _bytea(value: bytes | None) -> str | None:
    return None if value is None else f"\\x{bytes(value).hex()}"


_FIND_PAIRS = """
INSERT INTO origination_lead_pair (first_id, second_id, same_email, same_phone, name_bp, state, found_at, decided_by)
SELECT old.id, new.id, coalesce(old.email_digest = new.email_digest, false),
       coalesce(old.phone_digest = new.phone_digest, false),
       (similarity(old.name_key, new.name_key) * 10000)::integer, 'open', %(at)s, ''
  FROM origination_lead AS new
 CROSS JOIN LATERAL (
       SELECT array(SELECT id FROM origination_lead WHERE name_key = new.name_key AND id < new.id AND state <> 'merged'
                     ORDER BY id LIMIT %(most)s) AS ids
  ) AS namesake
 CROSS JOIN LATERAL (
       (SELECT id FROM origination_lead WHERE email_digest = new.email_digest AND id < new.id AND state <> 'merged'
         ORDER BY id LIMIT %(most)s)
       UNION
       (SELECT id FROM origination_lead WHERE phone_digest = new.phone_digest AND id < new.id AND state <> 'merged'
         ORDER BY id LIMIT %(most)s)
       UNION
       SELECT unnest(namesake.ids)
       UNION
       (SELECT id FROM origination_lead
         WHERE cardinality(namesake.ids) < %(most)s
           AND origination_near_keys(name_key, false) && origination_near_keys(new.name_key, true)
           AND id + 0 < new.id AND state <> 'merged' AND name_key <> new.name_key
           AND similarity(name_key, new.name_key) >= %(alike)s
         ORDER BY similarity(name_key, new.name_key) DESC, id LIMIT %(most)s)
  ) AS found
  JOIN origination_lead AS old ON old.id = found.id
 WHERE new.id = ANY(%(ids)s::bigint[])
    ON CONFLICT (first_id, second_id) DO NOTHING
"""


def _find_pairs(ids: Sequence[int], at: datetime) -> None:
    """Put new leads beside older ones with the same address or number, or a name alike; a few each at most.

    Names that are equal come first; those a letter or a word apart are looked for while there are fewer than a few.
    `id + 0` keeps the planner from reading all older leads by their key to narrow down the few that the names found.
    """
    facts: dict[str, str | datetime | int | float] = {
        "ids": array_literal(list(ids)),
        "at": at,
        "most": PAIRS_A_LEAD_MAX,
        "alike": NAME_ALIKE_BP / 10_000,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND_PAIRS, facts)


# Speaking with a lead


@transaction.atomic
def reveal_contact(*, actor: Actor, lead_id: int, reason: str, at: datetime) -> LeadContact:
    """How to reach a lead, in full, for a reason that is logged; the address is not. Raises `ReasonNeeded`."""
    require(actor, "leads.record")
    if len(reason.strip()) < REASON_CHARS_MIN:
        raise ReasonNeeded("Say what you need it for: it goes into the audit log.")
    lead = _lock(actor, lead_id)
    record(actor=actor, action="leads.reveal_contact", subject=f"lead:{lead_id}", reason=reason.strip()[:500], at=at)
    return contact_of(lead)


def contact_of(lead: Lead) -> LeadContact:
    """How to reach a lead, in full, for the services that need it; nothing of one that was erased."""
    if lead.blob is None:
        return LeadContact("", "")
    plain = open_sealed(Sealed(lead.key_id, bytes(lead.blob)), context=contact_context(lead.pk))
    email, phone = json.loads(plain)
    return LeadContact(email, phone)


@transaction.atomic
def note_contact(*, actor: Actor, lead_id: int, words: str, at: datetime) -> None:
    """Note that somebody spoke with a lead. Raises `NoConsentToContact`, `ReasonNeeded` without words."""
    require(actor, "leads.record")
    lead = _lock(actor, lead_id)
    if not lead.may_contact:
        raise NoConsentToContact("They did not agree to be contacted. Wait until they ask again.")
    if not words.strip():
        raise ReasonNeeded("Say what was spoken about.")
    if lead.state != LeadState.CONTACTED:
        _move(lead, LeadState.CONTACTED)
    _step(actor, lead, "contacted", words, at)
    record(actor=actor, action="leads.contact", subject=f"lead:{lead_id}", at=at)


@transaction.atomic
def take_lead(*, actor: Actor, lead_id: int, at: datetime) -> None:
    """Make a lead one's own. Raises `LeadNotFound` for one that is somebody else's."""
    require(actor, "leads.record")
    lead = _lock(actor, lead_id)
    if actor.user_id is not None and lead.owner_id != actor.user_id:
        lead.owner_id = actor.user_id
        lead.save(update_fields=["owner"])
        _step(actor, lead, "taken", actor.name, at)
        record(actor=actor, action="leads.take", subject=f"lead:{lead_id}", at=at)


@transaction.atomic
def lose_lead(*, actor: Actor, lead_id: int, reason: str, at: datetime) -> None:
    """Note that nothing comes of a lead, and why. Raises `ReasonNeeded`, `InvalidTransition`."""
    require(actor, "leads.record")
    if not reason.strip():
        raise ReasonNeeded("Say why nothing comes of it.")
    lead = _lock(actor, lead_id)
    _move(lead, LeadState.LOST)
    _step(actor, lead, "lost", reason, at)
    record(actor=actor, action="leads.lose", subject=f"lead:{lead_id}", reason=reason.strip()[:500], at=at)


def mark_converted(*, actor: Actor, lead_id: int, words: str, at: datetime) -> None:
    """Note, in the caller's transaction, that an application was begun for a lead."""
    lead = Lead.objects.select_for_update().get(id=lead_id)
    _move(lead, LeadState.CONVERTED)
    _step(actor, lead, "converted", words, at)


# Two leads that are one


@transaction.atomic
def merge_leads(*, actor: Actor, pair_id: int, keep_id: int, at: datetime) -> None:
    """Make two leads one: `keep_id` stays, with the history of both; what it lacks it takes from the other.

    Raises `NotAPair` when they were decided about, `InvalidTransition` when the other became an application.
    """
    require(actor, "leads.merge")
    pair, kept, gone = _lock_pair(actor, pair_id, keep_id)
    contact, other = contact_of(kept), contact_of(gone)
    email, phone = contact.email or other.email, contact.phone or other.phone
    sealed = seal(_pack(email, phone), context=contact_context(kept.pk))
    digests = _digests([email], [phone])
    kept.key_id, kept.blob = sealed.key_id, sealed.blob
    kept.email_digest = digests.get(("email", email))
    kept.phone_digest = digests.get(("phone", plain_phone(phone)))
    kept.email_masked = mask_email(email) if email else ""
    kept.phone_masked = mask_phone(phone) if phone else ""
    kept.name_zh = kept.name_zh or gone.name_zh
    kept.country = kept.country or gone.country
    kept.loan_wanted_minor = kept.loan_wanted_minor or gone.loan_wanted_minor
    kept.owner_id = kept.owner_id or gone.owner_id
    kept.save()
    _move(gone, LeadState.MERGED, merged_into=kept)
    Lead.objects.filter(merged_into=gone).update(merged_into=kept)
    _follow_pairs(gone, kept, at)
    pair.state, pair.decided_by, pair.decided_at = PairState.MERGED, actor.ref, at
    pair.save()
    _step(actor, kept, "merged", gone.number, at)
    _step(actor, gone, "merged_into", kept.number, at)
    record(
        actor=actor,
        action="leads.merge",
        subject=f"lead:{kept.pk}",
        inputs={"merged": gone.pk, "pair": pair_id, "may_contact": [kept.may_contact, gone.may_contact]},
        at=at,
    )


@transaction.atomic
def keep_apart(*, actor: Actor, pair_id: int, at: datetime) -> None:
    """Say that two leads are two. Raises `NotAPair` when they were decided about."""
    require(actor, "leads.merge")
    pair, first, second = _lock_pair(actor, pair_id, None)
    pair.state, pair.decided_by, pair.decided_at = PairState.DISTINCT, actor.ref, at
    pair.save()
    record(
        actor=actor,
        action="leads.keep_apart",
        subject=f"lead:{first.pk}",
        inputs={"other": second.pk, "pair": pair_id},
        at=at,
    )


def _lock_pair(actor: Actor, pair_id: int, keep_id: int | None) -> tuple[LeadPairRow, Lead, Lead]:
    pair = LeadPairRow.objects.filter(id=pair_id).first()
    wanted = [] if pair is None else [pair.first_id, pair.second_id]
    leads = {lead.pk: lead for lead in visible_leads(actor).select_for_update().filter(id__in=wanted).order_by("id")}
    pair = LeadPairRow.objects.select_for_update().filter(id=pair_id, state=PairState.OPEN).first()
    if pair is None or len(leads) < 2 or (keep_id is not None and keep_id not in leads):
        raise NotAPair("There is no such pair, or somebody has decided about it.", pair_id=pair_id)
    first = keep_id or pair.first_id
    [second] = leads.keys() - {first}
    return pair, leads[first], leads[second]


def _follow_pairs(gone: Lead, kept: Lead, at: datetime) -> None:
    """What looked like the lead that is gone looks like the one that stays."""
    open_pairs = LeadPairRow.objects.filter(Q(first=gone) | Q(second=gone), state=PairState.OPEN)
    others = {row.second_id if row.first_id == gone.pk else row.first_id: row for row in open_pairs}
    others.pop(kept.pk, None)
    LeadPairRow.objects.bulk_create(
        [
            LeadPairRow(
                first_id=min(other, kept.pk),
                second_id=max(other, kept.pk),
                same_email=row.same_email,
                same_phone=row.same_phone,
                name_bp=row.name_bp,
                found_at=at,
            )
            for other, row in sorted(others.items())
        ],
        ignore_conflicts=True,
    )
    LeadPairRow.objects.filter(id__in=[row.pk for row in others.values()]).update(state=PairState.MERGED, decided_at=at)


def _lock(actor: Actor, lead_id: int) -> Lead:
    lead = visible_leads(actor).select_for_update().filter(id=lead_id).first()
    if lead is None:
        raise LeadNotFound("There is no such lead, or it is not yours to see.", lead_id=lead_id)
    return lead


def _move(lead: Lead, new: LeadState, merged_into: Lead | None = None) -> None:
    LEAD_STATES.check(LeadState(lead.state), new)
    lead.state, lead.merged_into = new, merged_into
    lead.save(update_fields=["state", "merged_into"])


def _step(actor: Actor, lead: Lead, action: str, words: str, at: datetime) -> None:
    LeadNote.objects.create(lead=lead, at=at, actor=actor.ref, action=action, words=words.strip()[:2000])
