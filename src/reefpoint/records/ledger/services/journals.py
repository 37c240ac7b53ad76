"""Posting journals and reversing them."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, connection, transaction

from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.ledger import rules
from reefpoint.records.ledger.models import Balance, Journal
from reefpoint.records.ledger.services.refusals import (
    AlreadyReversed,
    BooksClosed,
    IdempotencyConflict,
    InsufficientBalance,
    UnknownLedgerAccount,
)
from reefpoint.records.ledger.types import JournalDraft, Line


def post_journal(
    *,
    actor: Actor,
    kind: str,
    lines: Sequence[Line],
    effective_on: date,
    at: datetime,
    key: str,
    memo: str = "",
    source: str = "",
) -> int:
    """Post one journal, or find it posted under the same key. Returns its id. Refuses as `post_journals` does."""
    draft = JournalDraft(kind=kind, key=key, lines=tuple(lines), memo=memo, source=source)
    return post_journals(actor=actor, drafts=[draft], effective_on=effective_on, at=at)[0]


def post_journals(*, actor: Actor, drafts: Sequence[JournalDraft], effective_on: date, at: datetime) -> list[int]:
    """Post many journals in one transaction, all or none. Returns their ids in the order given.

    A draft whose key was posted before with the same content gives that journal's id and posts nothing.
    Raises `IdempotencyConflict` (same key, other content), `InsufficientBalance` (an account would go below its
    floor), `BooksClosed` (effective in a closed period) or `UnknownLedgerAccount`. Currencies that differ within a
    line break a foreign key of the database (`IntegrityError`): no caller can mean it.
    """
    ids, _new = _post(actor=actor, drafts=drafts, effective_on=effective_on, at=at)
    return [ids[draft.key] for draft in drafts]


@transaction.atomic
def reverse_journal(*, actor: Actor, journal_id: int, reason: str, effective_on: date, at: datetime, key: str) -> int:
    """Post the mirror image of a journal, which restores every balance. Returns the reversal's id.

    Raises `AlreadyReversed` if another key reversed it before or if it is itself a reversal.
    """
    journal = Journal.objects.get(id=journal_id)
    if journal.reverses_id is not None:
        raise AlreadyReversed("A reversal cannot be reversed; post the journal anew.", journal_id=journal_id)
    postings = journal.postings.select_related("debit_account", "credit_account").order_by("id")
    draft = JournalDraft(
        kind=f"{journal.kind}.reversal",
        key=key,
        lines=tuple(Line(row.credit_account.code, row.debit_account.code, row.amount_minor) for row in postings),
        memo=reason,
        source=journal.source,
    )
    ids, new = _post(actor=actor, drafts=[draft], effective_on=effective_on, at=at, reverses_id=journal_id)
    if new:
        record(
            actor=actor,
            action="ledger.reverse_journal",
            subject=f"journal:{journal_id}",
            reason=reason,
            inputs={"reversal_id": ids[key], "effective_on": effective_on},
            at=at,
        )
    return ids[key]


def lock_balances(codes: Sequence[str]) -> None:
    """Lock balance rows in id order, in the caller's transaction, which must do so before its first journal.

    Only for a transaction that posts several times: one post locks what it needs by itself.
    """
    rows = Balance.objects.filter(account__code__in=codes).order_by("account_id")
    list(rows.select_for_update(of=("self",), no_key=True).values_list("account_id", flat=True))


def _post(
    *,
    actor: Actor,
    drafts: Sequence[JournalDraft],
    effective_on: date,
    at: datetime,
    reverses_id: int | None = None,
) -> tuple[dict[str, int], set[str]]:
    """Journal ids by key, and the keys that are new."""
    prints = _fingerprints(drafts, effective_on, reverses_id)
    try:
        with transaction.atomic():
            posted = _insert_journals(
                actor=actor, drafts=drafts, prints=prints, effective_on=effective_on, at=at, reverses_id=reverses_id
            )
            if posted:
                _insert_postings(drafts, posted, effective_on)
            found = list(Journal.objects.filter(key__in=prints.keys() - posted.keys()))
            for journal in found:
                if bytes(journal.fingerprint) != prints[journal.key]:
                    raise _conflict(journal.key)
    except IntegrityError as error:
        raise _refusal(error, drafts) from error
    return posted | {journal.key: journal.id for journal in found}, set(posted)


def _conflict(key: str) -> IdempotencyConflict:
    return IdempotencyConflict("The key {key} stands for another journal.", key=key)


def _fingerprints(drafts: Sequence[JournalDraft], effective_on: date, reverses_id: int | None) -> dict[str, bytes]:
    """Each key's fingerprint, in the order of keys, which is the order in which they are inserted."""
    prints: dict[str, bytes] = {}
    for draft in sorted(drafts, key=lambda draft: draft.key):
        rules.check_lines(draft.lines)
        print_ = rules.fingerprint(draft, effective_on, reverses_id)
        if prints.setdefault(draft.key, print_) != print_:
            raise _conflict(draft.key)
    return prints


def _insert_journals(
    *,
    actor: Actor,
    drafts: Sequence[JournalDraft],
    prints: dict[str, bytes],
    effective_on: date,
    at: datetime,
    reverses_id: int | None,
) -> dict[str, int]:
    """Ids of the journals that were not posted before, by key. Waits for whoever is just posting the same key."""
    by_key = {draft.key: draft for draft in drafts}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_journal
                   (kind, key, fingerprint, memo, source, effective_on, posted_at, actor, reverses_id)
            SELECT draft.*, %s, %s, %s, %s
              FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::text[], %s::text[]) AS draft
            ON CONFLICT (key) DO NOTHING RETURNING key, id
            """,
            [
                effective_on,
                at,
                actor.ref,
                reverses_id,
                [by_key[key].kind for key in prints],
                list(prints),
                list(prints.values()),
                [by_key[key].memo for key in prints],
                [by_key[key].source for key in prints],
            ],
        )
        return dict(cursor.fetchall())


def _insert_postings(drafts: Sequence[JournalDraft], posted: dict[str, int], effective_on: date) -> None:
    by_key = {draft.key: draft for draft in drafts}
    rows = [(journal_id, line) for key, journal_id in posted.items() for line in by_key[key].lines]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_posting
                   (journal_id, effective_on, debit_account_id, credit_account_id, currency, amount_minor)
            SELECT line.journal_id, %s, debit.id, credit.id, debit.currency, line.amount_minor
              FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[]) WITH ORDINALITY
                   AS line(journal_id, debit, credit, amount_minor, number)
              JOIN ledger_account debit ON debit.code = line.debit
              JOIN ledger_account credit ON credit.code = line.credit
             ORDER BY line.number
            """,
            [
                effective_on,
                [journal_id for journal_id, _line in rows],
                [line.debit for _id, line in rows],
                [line.credit for _id, line in rows],
                [line.amount_minor for _id, line in rows],
            ],
        )
        if cursor.rowcount != len(rows):
            raise UnknownLedgerAccount("A ledger account is not open: one of {codes}.", codes=_codes(drafts))


def _codes(drafts: Sequence[JournalDraft]) -> list[str]:
    return sorted({code for draft in drafts for line in draft.lines for code in (line.debit, line.credit)})


def _refusal(error: IntegrityError, drafts: Sequence[JournalDraft]) -> Exception:
    """The refusal that a broken constraint stands for; the error itself if it is a mistake in the program."""
    constraint = rules.broken_constraint(error)
    if constraint == "ledger_journal_reverses_id_key":
        return AlreadyReversed("This journal is reversed already.")
    if constraint == "ledger_balance_above_floor":
        return InsufficientBalance(
            "There is not enough on one of these ledger accounts: {codes}.", codes=_codes(drafts)
        )
    if constraint == "ledger_period_lock":
        return BooksClosed("The books of that day are closed; post with effect in the open day.")
    return error
