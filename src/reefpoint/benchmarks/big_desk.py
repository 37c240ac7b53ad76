"""A synthetic desk of any size, in a PostgreSQL database that is made for it and dropped.

Reference rows come in by the services that a real desk uses; clients, accounts and positions by COPY and
INSERT ... SELECT, with every constraint and trigger on; opening balances are posted by the ledger. Only the history is
missing: there are no facilities, loans or movements behind the positions, so this is a desk to measure, not one to
verify as a whole.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
from django.db import connection
from psycopg import sql

from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import actor_for, approve, create_user, ensure_roles
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.database.tables import update_tables
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.ledger.services import open_book_day, open_ledger_accounts, post_journals
from reefpoint.records.ledger.types import (
    BANK_SETTLEMENT,
    JournalDraft,
    Line,
    client_cash,
    desk_accounts,
    loan_principal,
)
from reefpoint.records.market.services.instruments import add_instruments
from reefpoint.records.market.services.prices import record_prices
from reefpoint.records.market.types import BatchResult, InstrumentDraft, Tick
from reefpoint.records.products.selectors import load_demo_schemes, published_version
from reefpoint.records.products.services import draft_scheme_version, load_rule_pack, request_publication

ON = date(2019, 11, 25)
OPENS_AT = datetime(2019, 11, 25, 17, tzinfo=UTC)
SEED = 20_260_301
ACTOR = system_actor("benchmark")
POSITIONS = 10
JOURNAL_ACCOUNTS = 20_000
"""Accounts whose opening balances are one journal: few rows of journals, and none too long."""


@dataclass(frozen=True)
class BigDesk:
    """What was made. Names are columns of `symbols`; the first ones, one for each of `storms`, will crash.

    `storms[i]` accounts are concentrated in name i, which nobody else holds.
    """

    accounts: int
    positions: int
    symbols: tuple[str, ...]
    price_units: npt.NDArray[np.int64]
    storms: tuple[int, ...]

    def quote(self, columns: npt.NDArray[np.int64], change_bp: npt.NDArray[np.int64], number: int) -> BatchResult:
        """Record prices that far from the opening ones, as the `number`-th delivery of the day (from 1)."""
        at = OPENS_AT + timedelta(milliseconds=number)
        units = self.price_units[columns] * (10_000 + change_bp) // 10_000
        ticks = [
            Tick(self.symbols[column], f"{price / 10_000:.4f}", ON, at)
            for column, price in zip(columns, units, strict=True)
        ]
        return record_prices(actor=ACTOR, source="benchmark", key=f"tick-{number}", ticks=ticks, at=at, on=ON)


@contextmanager
def scratch_database(name: str) -> Iterator[None]:
    """Point this process at a new, migrated database on the server of the settings; drop it at the end."""
    settings, before = connection.settings_dict, connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    connection.close()
    settings["NAME"] = name
    try:
        update_tables()
        yield
    finally:
        connection.close()
        settings["NAME"] = before
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.close()


def make_big_desk(accounts: int, *, storms: Sequence[int] = (), names: int = 5_000) -> BigDesk:
    """A desk of that many accounts with some ten positions each, its first prices recorded and not yet watched.

    The accounts of the storms stand just above their call line and hold nine tenths in their storm's name: five
    percent off that name puts each in call, and none under its close-out line. All others stand at 175% to 500%.
    """
    assert sum(storms) <= accounts, "every storm has accounts of its own"
    rng = np.random.default_rng(SEED)
    make_reference_rows()
    symbols = list_names(names)
    price = rng.integers(200_000, 5_000_000, names) // 100 * 100
    desk = BigDesk(accounts, 0, symbols, price, tuple(storms))
    desk.quote(np.arange(names), np.zeros(names, dtype=np.int64), 0)
    first = _open_accounts(accounts)
    owner, column, quantity = _positions(rng, accounts, storms, price)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM market_instrument ORDER BY id")
        instrument_ids = np.array([row[0] for row in cursor.fetchall()])
    _copy_positions(owner + first, instrument_ids[column], quantity)
    market = np.bincount(owner, weights=quantity * price[column], minlength=accounts).astype(np.int64)
    ratio = rng.uniform(1.75, 5.0, accounts)
    ratio[: sum(storms)] = rng.uniform(1.61, 1.65, sum(storms))
    cash = market // 20
    _post_balances(first, cash // 100, (market + cash) // 100 * 1_000 // (ratio * 1_000).astype(np.int64))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return replace(desk, positions=len(owner))


def make_reference_rows() -> None:
    """People, rules, schemes and the open book day."""
    ensure_roles()
    makers = [
        make_person(name, RoleName(role)) for name, role in (("maker", "credit_officer"), ("checker", "risk_officer"))
    ]
    load_rule_pack(actor=ACTOR, jurisdiction="US", at=OPENS_AT)
    open_book_day(actor=ACTOR, on=ON, at=OPENS_AT)
    open_ledger_accounts(desk_accounts("USD"))
    for draft in load_demo_schemes():
        if draft.code == "STANDARD":
            version_id = draft_scheme_version(actor=makers[0], draft=draft, effective_from=ON, at=OPENS_AT)
            request_publication(actor=makers[0], version_id=version_id, reason="to be measured", at=OPENS_AT)
    for approval in list_pending(makers[1]):
        approve(actor=makers[1], approval_id=approval.id, payload_hash=approval.payload_hash, at=OPENS_AT)
    while dispatch_once("worker"):
        pass


def make_person(name: str, role: RoleName) -> Actor:
    """Somebody of the staff."""
    user_id = create_user(actor=ACTOR, email=f"{name}@bench.test", name=name, password=None, roles=[role], at=OPENS_AT)
    return actor_for(User.objects.get(id=user_id))


def list_names(count: int) -> tuple[str, ...]:
    """The names of the scheme first, then made-up ones; any move is believed."""
    (scheme,) = (draft for draft in load_demo_schemes() if draft.code == "STANDARD")
    symbols = (*scheme.terms.accepted_symbols, *(f"N{number:05d}" for number in range(count)))[:count]
    drafts = [InstrumentDraft(symbol, symbol, symbol, "Test", 1_000_000, price_band_bp=9_000) for symbol in symbols]
    add_instruments(actor=ACTOR, drafts=drafts, at=OPENS_AT)
    return symbols


def _open_accounts(count: int) -> int:
    """That many clients with an account each, and the accounts' ledger accounts. Returns the first account's id."""
    version = published_version("STANDARD", ON)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO parties_client (name, name_zh, email, kind, language, status, opened_on, accepted_on)
            SELECT 'Client ' || n, '', 'client' || n || '@bench.test', 'individual', 'en', 'active', %s, %s
              FROM generate_series(1, %s) AS n
            """,
            [ON, ON, count],
        )
        cursor.execute(
            """
            INSERT INTO accounts_marginaccount
                   (number, client_id, scheme_version_id, currency, status, opened_on, change_no)
            SELECT 'M-' || lpad(id::text, greatest(6, length(id::text)), '0'), id, %s, 'USD', 'active', %s, 0
              FROM parties_client ORDER BY id
            """,
            [version.id, ON],
        )
        cursor.execute(
            """
            INSERT INTO ledger_account (code, kind, currency, floor_minor)
            SELECT kind.prefix || a.number, kind.kind, 'USD', 0
              FROM accounts_marginaccount a,
                   (VALUES (%s, 'liability'), (%s, 'asset'), ('interest_due:', 'asset'), ('fees_due:', 'asset'))
                       AS kind(prefix, kind)
            """,
            [client_cash(""), loan_principal("")],
        )
        cursor.execute("SELECT min(id), max(id) FROM accounts_marginaccount")
        first, last = cursor.fetchone()
    assert last - first + 1 == count, "ids have no gap"
    return int(first)


def _positions(
    rng: np.random.Generator, accounts: int, storms: Sequence[int], price: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Owner (from 0), column and quantity of every position, by owner; popularity of names falls as 1 / rank."""
    names, crashing = len(price), len(storms)
    popularity = np.cumsum(1 / np.arange(1, names - crashing + 1))
    owner = np.repeat(np.arange(accounts), POSITIONS)
    column = crashing + np.searchsorted(popularity[:-1], rng.uniform(0, popularity[-1], len(owner)))
    column[: sum(storms) * POSITIONS : POSITIONS] = np.repeat(np.arange(crashing), storms)
    key = np.unique(owner * names + column)
    owner, column = key // names, key % names
    value = rng.integers(2_000, 20_000, len(key)) * 10_000
    value[column < crashing] = 90 * 20_000 * 10_000
    return owner, column, np.maximum(1, value // price[column])


def _copy_positions(
    account_id: npt.NDArray[np.int64], instrument_id: npt.NDArray[np.int64], quantity: npt.NDArray[np.int64]
) -> None:
    row = np.empty(
        len(account_id),
        np.dtype(
            [("n", ">i2"), *((f"{part}{i}", kind) for i in range(3) for part, kind in (("s", ">i4"), ("v", ">i8")))]
        ),
    )
    row["n"] = 3
    for i, values in enumerate((account_id, instrument_id, quantity)):
        row[f"s{i}"], row[f"v{i}"] = 8, values
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY accounts_position (account_id, instrument_id, quantity) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for begin in range(0, len(row), 100_000):
            copy.write(row[begin : begin + 100_000].tobytes())
        copy.write(b"\xff\xff")


def _post_balances(first: int, cash_minor: npt.NDArray[np.int64], debt_minor: npt.NDArray[np.int64]) -> None:
    """What every account has and owes, against the bank, some thousand accounts to a journal."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM accounts_marginaccount ORDER BY id")
        numbers = [row[0] for row in cursor.fetchall()]
    for begin in range(0, len(numbers), JOURNAL_ACCOUNTS):
        some = slice(begin, begin + JOURNAL_ACCOUNTS)
        lines = [
            line
            for number, cash, debt in zip(
                numbers[some], cash_minor[some].tolist(), debt_minor[some].tolist(), strict=True
            )
            for line in (
                Line(BANK_SETTLEMENT, client_cash(number), cash),
                Line(loan_principal(number), BANK_SETTLEMENT, debt),
            )
        ]
        draft = JournalDraft(kind="opening", key=f"opening-{first + begin}", lines=tuple(lines))
        post_journals(actor=ACTOR, drafts=[draft], effective_on=ON, at=OPENS_AT)
