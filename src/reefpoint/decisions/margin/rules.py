"""Margin rules: the life of a call, and what a measured account leads to."""

from collections.abc import Iterable
from typing import NamedTuple

from reefpoint.decisions.margin.types import Band, CallCause, CallState, Standing
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


class Consequence(NamedTuple):
    """What has to happen to an account after it was measured. At most one call is open and one sale runs."""

    opens_call: CallCause | None = None
    cures_call: bool = False
    breaches_close_out: bool = False


def consequence(
    standing: Standing,
    *,
    cure_bp: int,
    open_call: CallCause | None,
    is_enforced: bool,
    is_day_end: bool = False,
) -> Consequence:
    """From where an account stands to what follows.

    It looks at the standing, not at the crossing, so that measuring twice does nothing twice and nothing is missed
    after a crash. While a sale is due or running (`is_enforced`) no call is opened and no second sale begins. An
    account that cannot be valued keeps what it has: nobody is called or sold on a missing price.

    A call ends by what it was opened for. Under the call line an account is called at once; for maintenance only at the
    day's end, on closing prices, and only if nothing else calls it.
    """
    if standing.is_unknown or is_enforced:
        return Consequence()
    if standing.band is Band.CLOSE_OUT:
        return Consequence(breaches_close_out=True)
    is_cured = open_call is not None and answers_call(standing, open_call, cure_bp)
    if open_call is not None and not is_cured:
        return Consequence()
    opens = None
    if standing.band is Band.CALL:
        opens = CallCause.LINE
    elif is_day_end and standing.is_short_of_maintenance:
        opens = CallCause.MAINTENANCE
    return Consequence(opens_call=opens, cures_call=is_cured)


def answers_call(standing: Standing, cause: CallCause, cure_bp: int) -> bool:
    """Whether a known account has reached what a call of this cause asks for."""
    if cause is CallCause.MAINTENANCE:
        return not standing.is_short_of_maintenance
    return standing.ratio_bp is None or standing.ratio_bp >= cure_bp


def maintenance_call_minor(standing: Standing) -> int:
    """What a call for maintenance asks for: the equity that is missing, to be paid in or repaid."""
    return standing.requirement_minor - standing.equity_minor
