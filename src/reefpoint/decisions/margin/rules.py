"""Margin rules: the life of a call, and what a measured account leads to."""

from collections.abc import Iterable
from dataclasses import dataclass

from reefpoint.decisions.margin.types import Band, CallState
from reefpoint.platform.basics.states import StateTable

DAILY_FALL_LIMIT_BP = 1_000
"""The daily fall by which days of limit-down are counted: 10%, as on mainland exchanges. US names have no such limit;
the figure is a common yardstick, not a bound."""

PRICE_COVERAGE_MIN_BP = 8_000
"""How much of the value on the book needs a current price before the desk lends or sells on its own: 80%, a house rule.
After an outage prices come back name by name; the first to arrive must not decide over everybody."""


def price_coverage_bp(values: Iterable[tuple[int, bool]]) -> int:
    """The share of a value that has current prices, in basis points, rounded down.

    One pair a name: what of it is on the book at its last price, and whether that price is current. An empty book is
    covered in full: there is nothing to be wrong about.
    """
    known = list(values)
    total = sum(value for value, _ in known)
    current = sum(value for value, is_current in known if is_current)
    return current * 10_000 // total if total else 10_000


def is_covered(coverage_bp: int) -> bool:
    """Whether current prices cover enough of the book for new credit and automatic sales (I25)."""
    return coverage_bp >= PRICE_COVERAGE_MIN_BP


CALL_STATES = StateTable(
    subject="margin call",
    initial=CallState.OPEN,
    moves={
        CallState.OPEN: frozenset({CallState.CURED, CallState.EXPIRED, CallState.SUPERSEDED}),
        CallState.CURED: frozenset(),
        CallState.EXPIRED: frozenset(),
        CallState.SUPERSEDED: frozenset(),
    },
)


@dataclass(frozen=True)
class Consequence:
    """What has to happen to an account after it was measured. At most one call is open and one sale runs."""

    opens_call: bool = False
    cures_call: bool = False
    breaches_close_out: bool = False


def consequence(
    *, band: Band, ratio_bp: int | None, cure_bp: int, has_open_call: bool, is_enforced: bool
) -> Consequence:
    """From where an account stands to what follows.

    It looks at the standing, not at the crossing, so that measuring twice does nothing twice and nothing is missed
    after a crash. While a sale is due or running (`is_enforced`) no call is opened and no second sale begins. An
    account that cannot be valued keeps what it has: nobody is called or sold on a missing price.
    """
    if band is Band.UNKNOWN or is_enforced:
        return Consequence()
    if band is Band.CLOSE_OUT:
        return Consequence(breaches_close_out=True)
    if has_open_call:
        return Consequence(cures_call=ratio_bp is None or ratio_bp >= cure_bp)
    return Consequence(opens_call=band is Band.CALL)
