"""The securities rail's rules: an order's life, and what a fill costs."""

from dataclasses import dataclass

from reefpoint.platform.basics.money import ceil_div
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.execution.types import OrderState, Side

BP = 10_000
UNITS_PER_MINOR = 100

ORDER_STATES = StateTable(
    "order",
    OrderState.NEW,
    {
        OrderState.NEW: frozenset({OrderState.SENT, OrderState.CANCELLED}),
        OrderState.SENT: frozenset(
            {OrderState.PARTIALLY_FILLED, OrderState.FILLED, OrderState.REJECTED, OrderState.CANCELLED}
        ),
        OrderState.PARTIALLY_FILLED: frozenset({OrderState.FILLED, OrderState.CANCELLED}),
        OrderState.FILLED: frozenset(),
        OrderState.REJECTED: frozenset(),
        OrderState.CANCELLED: frozenset(),
    },
)


@dataclass(frozen=True)
class PaperBrokerTerms:
    """How the paper broker fills and charges.

    Half a cent a share plus one basis point with a minimum of one dollar is a common retail tariff; a tenth of the
    assumed daily volume is a usual ceiling for a patient seller. Settlement two sessions after the trade (SEC Rule
    15c6-1 as in force from 2017-09-05 to 2024-05-27).
    """

    slippage_bp: int = 5
    fee_per_share_units: int = 50
    fee_bp: int = 1
    fee_minimum_minor: int = 100
    participation_bp: int = 1_000
    settlement_sessions: int = 2


@dataclass(frozen=True)
class FillAmounts:
    """A fill's price in 1e-4 units and its amounts in minor units, all non-negative."""

    price_units: int
    gross_minor: int
    fee_minor: int


def order_number(order_id: int) -> str:
    """The name people use for an order."""
    return f"O-{order_id:06d}"


def net_minor(side: Side, gross_minor: int, fee_minor: int) -> int:
    """What a fill adds to the client's cash: proceeds less fee of a sale, minus cost and fee of a purchase."""
    return gross_minor - fee_minor if side is Side.SELL else -(gross_minor + fee_minor)


def executed_price_units(side: Side, mark_units: int, slippage_bp: int) -> int:
    """The mark moved against the desk by the slippage: a sale rounded down, a purchase rounded up (1e-4 units)."""
    if side is Side.SELL:
        return mark_units * (BP - slippage_bp) // BP
    return ceil_div(mark_units * (BP + slippage_bp), BP)


def fill_fee_minor(quantity: int, price_units: int, terms: PaperBrokerTerms) -> int:
    """The fee of a fill in minor units: per share plus basis points of value, rounded up once, at least the minimum."""
    fee = quantity * (terms.fee_per_share_units * BP + price_units * terms.fee_bp)
    return max(terms.fee_minimum_minor, ceil_div(fee, BP * UNITS_PER_MINOR))


def fill_amounts(side: Side, quantity: int, mark_units: int, terms: PaperBrokerTerms) -> FillAmounts:
    """Price, gross and fee of filling `quantity` at a mark: cost and fee rounded up, proceeds down.

    A sale's fee never exceeds its proceeds, so that no sale ever costs the client cash. Many small sales never bring
    more than one large one (I22), for prices from two cents upward.
    """
    price = executed_price_units(side, mark_units, terms.slippage_bp)
    fee = fill_fee_minor(quantity, price, terms)
    if side is Side.BUY:
        return FillAmounts(price, ceil_div(quantity * price, UNITS_PER_MINOR), fee)
    gross = quantity * price // UNITS_PER_MINOR
    return FillAmounts(price, gross, min(fee, gross))


def session_capacity(assumed_daily_volume: int, participation_bp: int) -> int:
    """Shares of one instrument that the desk may trade in one session, over all its orders and accounts."""
    return assumed_daily_volume * participation_bp // BP


def fillable_quantity(wanted: int, capacity_left: int, lot_size: int) -> int:
    """How much of an order fills now: all of it if it fits, else the whole lots that do."""
    if wanted <= capacity_left:
        return wanted
    return max(0, capacity_left) // lot_size * lot_size


def state_after(filled: int, quantity: int) -> OrderState:
    """The state of an order at the broker with this much filled."""
    if filled == quantity:
        return OrderState.FILLED
    return OrderState.PARTIALLY_FILLED if filled else OrderState.SENT
