"""What happened on an account, as one line of time from several records."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.margin.types import AccountPage, CallState
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors import list_movements

MOVES_MAX = 40
EVENTS_MAX = 60

CALL_ENDS = {
    CallState.CURED: (_("Margin call cured"), "safe"),
    CallState.EXPIRED: (_("Margin call expired"), "close_out"),
    CallState.SUPERSEDED: (_("Margin call overtaken by the close-out line"), "close_out"),
}
MOVEMENT_WORDS = {"receipt": _("Securities received"), "purchase": _("Bought"), "sale": _("Sold")}


@dataclass(frozen=True)
class Happening:
    """One thing that happened: `amount_minor` or `quantity` says how much, `link` where to read on."""

    at: datetime
    words: str | Promise
    tone: str = ""
    amount_minor: int | None = None
    quantity: int | None = None
    symbol: str = ""
    route: str = ""
    key: int = 0
    label: str = ""


def timeline_of(actor: Actor, page: AccountPage) -> list[Happening]:
    """Calls, movements and day-end bands of an account, the latest first."""
    happened = [*_calls(page), *_movements(page)]
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
    return [
        Happening(
            move.at,
            MOVEMENT_WORDS.get(move.kind, move.kind),
            quantity=abs(move.quantity),
            symbol=move.symbol,
            label=move.source,
        )
        for move in list_movements(page.account.id, limit=MOVES_MAX)
    ]
