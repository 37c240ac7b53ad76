"""What happened on an account, as one line of time from several records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.margin.types import AccountPage, CallState
from reefpoint.flows.liquidation.types import LiquidationFacts
from reefpoint.records.accounts.selectors.positions import list_movements
from reefpoint.records.ledger.selectors import list_entries
from reefpoint.records.ledger.types import client_cash

MOVES_MAX = 40
EVENTS_MAX = 60

CALL_ENDS = {
    CallState.CURED: (_("Margin call cured"), "safe"),
    CallState.EXPIRED: (_("Margin call expired"), "close_out"),
    CallState.SUPERSEDED: (_("Margin call overtaken by the close-out line"), "close_out"),
}
MONEY_WORDS = {
    "deposit": _("Deposited"),
    "withdrawal": _("Withdrawn to the bank"),
    "drawdown": _("Drawn down"),
    "repayment": _("Repaid"),
}
MOVEMENT_WORDS = {"receipt": _("Securities received"), "purchase": _("Bought"), "sale": _("Sold")}


@dataclass(frozen=True)
class Happening:
    """One thing that happened: `amount_minor` or `lots` (shares, symbol) say how much, `link` where to read on."""

    at: datetime
    words: str | Promise
    tone: str = ""
    amount_minor: int | None = None
    lots: tuple[tuple[int, str], ...] = ()
    route: str = ""
    key: int = 0
    label: str = ""


def timeline_of(page: AccountPage, sales: Sequence[LiquidationFacts]) -> list[Happening]:
    """Calls, sales, money and securities of an account, the latest first; all read within the reader's scope."""
    happened = [*_calls(page), *_sales(sales), *_movements(page), *_money(page)]
    return sorted(happened, key=lambda one: one.at, reverse=True)[:EVENTS_MAX]


def _calls(page: AccountPage) -> list[Happening]:
    found = []
    for call in page.calls:
        opened = Happening(
            call.opened_at,
            _("Margin call opened"),
            "call",
            amount_minor=call.amount_minor,
            route="console:call",
            key=call.id,
            label=call.number,
        )
        found.append(opened)
        if call.closed_at is not None:
            words, tone = CALL_ENDS[call.state]
            found.append(Happening(call.closed_at, words, tone, route="console:call", key=call.id, label=call.number))
    return found


def _movements(page: AccountPage) -> list[Happening]:
    """Movements of one kind at one instant are one thing that happened."""
    moves = list_movements(page.account.id, limit=MOVES_MAX)
    return [
        Happening(
            at,
            MOVEMENT_WORDS.get(kind, kind),
            lots=tuple((abs(move.quantity), move.symbol) for move in sorted(group, key=lambda move: move.symbol)),
        )
        for (at, kind), group in groupby(moves, key=lambda move: (move.at, move.kind))
    ]


def _money(page: AccountPage) -> list[Happening]:
    """Payments by and to the client, net of what was charged with them; trades and interest are told elsewhere."""
    entries = list_entries(client_cash(page.account.number), limit=MOVES_MAX)
    moved: dict[tuple[datetime, str], int] = {}
    for entry in entries:
        key = (entry.posted_at, entry.kind)
        moved[key] = moved.get(key, 0) + entry.change_minor
    return [
        Happening(at, MONEY_WORDS[kind], amount_minor=abs(amount_minor))
        for (at, kind), amount_minor in moved.items()
        if kind in MONEY_WORDS and amount_minor
    ]


def _sales(sales: Sequence[LiquidationFacts]) -> list[Happening]:
    route = "console:liquidation"
    opened = [
        Happening(sale.opened_at, _("Liquidation opened"), "close_out", route=route, key=sale.id, label=sale.number)
        for sale in sales
    ]
    ended = [
        Happening(sale.closed_at, _("Liquidation ended"), "safe", route=route, key=sale.id, label=sale.number)
        for sale in sales
        if sale.closed_at is not None
    ]
    return [*opened, *ended]
