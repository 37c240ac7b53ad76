"""The securities rail's rules: an order's life, what a fill costs, and how a broker's day is compared."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reefpoint.platform.basics.breaks import BreakClass, BreakSide
from reefpoint.platform.basics.money import ceil_div
from reefpoint.platform.basics.sealed_files import FileRefused, Record, open_sealed_file
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.execution.types import (
    BookedDay,
    BookedTrade,
    BrokerDay,
    BrokerDifference,
    BrokerTrade,
    OrderState,
    Side,
)

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


def settlement_reference(traded_on: date) -> str:
    """The reference under which a session's trades settle, at the bank and in the books."""
    return f"BROKER-{traded_on:%Y%m%d}"


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


def read_broker_file(content: bytes) -> BrokerDay:
    """Open a broker's end-of-day file: `H,broker,date` · `F,sequence,fill,order,symbol,side,quantity,price,net` ·
    `P,symbol,quantity` · `C,opening,traded,settled,closing`, sealed. Raises `FileRefused` with the line at fault.
    """
    records = open_sealed_file(content)
    header, cash = records[0], records[-1]
    broker, _ = header.expect("H", 2)
    cash.expect("C", 4)
    trades: list[BrokerTrade] = []
    holdings: dict[str, int] = {}
    for row in records[1:-1]:
        if row.kind == "F" and not holdings:
            trades.append(_read_trade(row, len(trades) + 1))
        else:
            row.expect("P", 2)
            symbol = row.text(0, "the symbol", chars_max=24)
            quantity = row.integer(1, "quantity")
            if quantity <= 0 or symbol in holdings:
                raise FileRefused("{symbol} is held twice, or not at all", line=row.number, symbol=symbol[:24])
            holdings[symbol] = quantity
    opening, traded, settled, closing = (
        cash.integer(index, name) for index, name in enumerate(("opening", "traded", "settled", "closing"))
    )
    if traded != sum(trade.net_minor for trade in trades):
        raise FileRefused("the trades do not add up to {traded}", line=cash.number, traded=traded)
    if opening + traded - settled != closing:
        raise FileRefused("opening, traded and settled do not add up to {closing}", line=cash.number, closing=closing)
    return BrokerDay(broker, header.day(1, "date"), tuple(trades), holdings, opening, settled, closing)


def _read_trade(row: Record, sequence: int) -> BrokerTrade:
    order, symbol, side = row.expect("F", 8)[2:5]
    fill = row.text(1, "the fill", chars_max=140)
    if row.integer(0, "sequence") != sequence:
        raise FileRefused(
            "expected trade {sequence}, found {found}; a line is missing",
            line=row.number,
            sequence=sequence,
            found=row.fields[0],
        )
    if side not in set(Side):
        raise FileRefused("{side!r} is neither buy nor sell", line=row.number, side=side[:10])
    quantity, price = row.integer(5, "quantity"), row.integer(6, "price")
    if quantity <= 0 or price <= 0:
        raise FileRefused("a trade needs a positive quantity and price", line=row.number)
    return BrokerTrade(row.number, fill, order, symbol, Side(side), quantity, price, row.integer(7, "net"))


def compare_day(broker: BrokerDay, books: BookedDay) -> list[BrokerDifference]:
    """Everything in which the broker's session and the books differ; amounts and quantities are books minus broker.

    A position or cash difference that fills not yet booked explain to the last share or cent is one of timing.
    """
    differences = _compare_trades(broker.trades, books.trades)
    for symbol in sorted(broker.holdings.keys() | books.holdings.keys()):
        quantity = books.holdings.get(symbol, 0) - broker.holdings.get(symbol, 0)
        if quantity:
            in_transit = quantity + books.unbooked_quantity.get(symbol, 0) == 0
            kind = BreakClass.TIMING if in_transit else BreakClass.POSITION_QUANTITY
            detail = f"broker {broker.holdings.get(symbol, 0)}, books {books.holdings.get(symbol, 0)}"
            differences.append(BrokerDifference(f"position:{symbol}", kind, BreakSide.BOTH, 0, quantity, detail))
    amount = books.cash_minor - broker.cash_minor
    if amount:
        kind = BreakClass.TIMING if amount + books.unbooked_minor == 0 else BreakClass.AMOUNT
        detail = f"broker {broker.cash_minor}, books {books.cash_minor}"
        differences.append(BrokerDifference("cash", kind, BreakSide.BOTH, amount, 0, detail))
    return differences


def _compare_trades(shown: Sequence[BrokerTrade], booked: Sequence[BookedTrade]) -> list[BrokerDifference]:
    differences = []
    fills = {trade.broker_fill_id: trade for trade in booked}
    times_shown = Counter(trade.broker_fill_id for trade in shown)
    for trade in {trade.broker_fill_id: trade for trade in shown}.values():
        subject = f"fill:{trade.broker_fill_id}"
        fill = fills.pop(trade.broker_fill_id, None)
        detail = f"broker {trade.side} {trade.quantity} {trade.symbol} at {trade.price_units} net {trade.net_minor}"
        if times_shown[trade.broker_fill_id] > 1:
            kind, side, extra = BreakClass.DUPLICATE, BreakSide.COUNTERPARTY, times_shown[trade.broker_fill_id] - 1
            differences.append(BrokerDifference(subject, kind, side, -extra * trade.net_minor, 0, detail))
        elif fill is None:
            kind, side = BreakClass.MISSING_IN_BOOKS, BreakSide.COUNTERPARTY
            differences.append(BrokerDifference(subject, kind, side, -trade.net_minor, 0, detail))
        elif _terms(trade) != _terms(fill):
            amount, quantity = fill.net_minor - trade.net_minor, fill.quantity - trade.quantity
            detail += f", books {fill.quantity} {fill.symbol} at {fill.price_units} net {fill.net_minor}"
            kind, side = BreakClass.AMOUNT, BreakSide.BOTH
            differences.append(BrokerDifference(subject, kind, side, amount, quantity, detail))
    for fill in fills.values():
        subject, detail = f"fill:{fill.broker_fill_id}", f"books {fill.side} {fill.quantity} {fill.symbol}"
        kind, side = BreakClass.MISSING_AT_COUNTERPARTY, BreakSide.BOOKS
        differences.append(BrokerDifference(subject, kind, side, fill.net_minor, 0, detail))
    return differences


def _terms(trade: BrokerTrade | BookedTrade) -> tuple[str, Side, int, int, int]:
    return trade.symbol, trade.side, trade.quantity, trade.price_units, trade.net_minor
