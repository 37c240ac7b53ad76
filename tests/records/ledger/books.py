"""A small chart of accounts and short ways to post to it."""

from datetime import UTC, date, datetime

from reefpoint.platform.basics.actors import system_actor
from reefpoint.records.ledger.services import open_ledger_accounts, post_journal
from reefpoint.records.ledger.types import Line, client_accounts, desk_accounts

DESK = system_actor("tests")
DAY = date(2020, 3, 2)
AT = datetime(2020, 3, 2, 15, 0, tzinfo=UTC)


def post(key: str, *lines: Line, kind: str = "transfer", on: date = DAY) -> int:
    return post_journal(actor=DESK, kind=kind, lines=lines, effective_on=on, at=AT, key=key)


def deposit(key: str, amount_minor: int, account: str = "M-1", on: date = DAY) -> int:
    return post(key, Line("bank:settlement", f"client_cash:{account}", amount_minor), kind="deposit", on=on)


def open_chart() -> None:
    open_ledger_accounts([*desk_accounts("USD"), *client_accounts("M-1", "USD"), *client_accounts("M-2", "USD")])
