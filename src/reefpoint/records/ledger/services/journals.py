"""Posting to the ledger. Every write here happens once per key; the database keeps the balances (migration 0002)."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.ledger import rules
from reefpoint.records.ledger.models import Journal, LedgerAccount
from reefpoint.records.ledger.types import AccountKind, JournalDraft, LedgerAccountSpec, Line


class IdempotencyConflict(Refusal):
    """A key was used before, for something else."""

    code = "idempotency_conflict"


class InsufficientBalance(Refusal):
    """A ledger account would go below its floor."""

    code = "insufficient_balance"


class BooksClosed(Refusal):
    """The effective date lies in a closed period."""

    code = "books_closed"


class UnknownLedgerAccount(Refusal):
    """A code that the chart does not hold."""

    code = "unknown_ledger_account"


def open_ledger_account(*, code: str, kind: AccountKind, currency: str, floor_minor: int | None = None) -> int:
    """Open a ledger account, or find the same one open. Returns its id."""
    spec = LedgerAccountSpec(code=code, kind=kind, currency=currency, floor_minor=floor_minor)
    return open_ledger_accounts([spec])[0]


@transaction.atomic
def open_ledger_accounts(specs: Sequence[LedgerAccountSpec]) -> list[int]:
    """Open ledger accounts, those already open being left as they are. Returns their ids in the order given.

    Raises `IdempotencyConflict` if a code is open with another kind, currency or floor.
    """
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(code=spec.code, kind=spec.kind, currency=spec.currency, floor_minor=spec.floor_minor)
            for spec in sorted(specs, key=lambda spec: spec.code)
        ],
        ignore_conflicts=True,
    )
    opened = {account.code: account for account in LedgerAccount.objects.filter(code__in=[s.code for s in specs])}
    for spec in specs:
        found = opened[spec.code]
        if (found.kind, found.currency, found.floor_minor) != (spec.kind, spec.currency, spec.floor_minor):
            raise IdempotencyConflict(
                _("The ledger account %(code)s is open with other terms.") % {"code": spec.code}, code=spec.code
            )
    return [opened[spec.code].id for spec in specs]


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
    return _post(actor, drafts, effective_on, at, reverses_id=None)


@transaction.atomic
def _post(
    actor: Actor, drafts: Sequence[JournalDraft], effective_on: date, at: datetime, reverses_id: int | None
) -> list[int]:
    prints = _fingerprints(drafts, effective_on, reverses_id)
    try:
        with transaction.atomic():
            posted = _insert_journals(
                actor=actor, drafts=drafts, prints=prints, effective_on=effective_on, at=at, reverses_id=reverses_id
            )
            _insert_postings(drafts, posted, effective_on)
    except IntegrityError as error:
        raise _refusal(error, drafts) from error
    found = {journal.key: journal for journal in Journal.objects.filter(key__in=prints.keys() - posted.keys())}
    for key, journal in found.items():
        if bytes(journal.fingerprint) != prints[key]:
            raise IdempotencyConflict(_("The key %(key)s stands for another journal.") % {"key": key}, key=key)
    ids = posted | {key: journal.id for key, journal in found.items()}
    return [ids[draft.key] for draft in drafts]


def _fingerprints(drafts: Sequence[JournalDraft], effective_on: date, reverses_id: int | None) -> dict[str, bytes]:
    """Each key's fingerprint, in the order of keys, which is the order in which they are inserted."""
    prints: dict[str, bytes] = {}
    for draft in sorted(drafts, key=lambda draft: draft.key):
        rules.check_lines(draft.lines)
        print_ = rules.fingerprint(draft, effective_on, reverses_id)
        if prints.setdefault(draft.key, print_) != print_:
            raise IdempotencyConflict(
                _("The key %(key)s stands for another journal.") % {"key": draft.key}, key=draft.key
            )
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
            raise UnknownLedgerAccount(
                _("A ledger account is not open: one of %(codes)s.") % {"codes": ", ".join(_codes(drafts))}
            )


def _codes(drafts: Sequence[JournalDraft]) -> list[str]:
    return sorted({code for draft in drafts for line in draft.lines for code in (line.debit, line.credit)})


def _refusal(error: IntegrityError, drafts: Sequence[JournalDraft]) -> Exception:
    """The refusal that a broken constraint stands for; the error itself if it is a mistake in the program."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if constraint == "ledger_balance_above_floor":
        return InsufficientBalance(
            _("There is not enough on one of these ledger accounts: %(codes)s.") % {"codes": ", ".join(_codes(drafts))}
        )
    if constraint == "ledger_period_lock":
        return BooksClosed(_("The books of that day are closed; post with effect in the open day."))
    return error
