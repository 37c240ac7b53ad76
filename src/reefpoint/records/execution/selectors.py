"""What the securities rail tells."""

from collections import Counter
from collections.abc import Collection
from datetime import date

from django.db import connection
from django.db.models import Case, F, Sum, When
from django.db.models.query import QuerySet

from reefpoint.platform.basics.breaks import BreakClass, BreakSide, BreakState, age_bucket, business_days_old
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.records.execution.adapters import desk_broker
from reefpoint.records.execution.models import BrokerBreak, BrokerFile, Fill, Order
from reefpoint.records.execution.rules import ORDER_STATES, order_number
from reefpoint.records.execution.types import (
    BreakRow,
    BrokerReconciliation,
    FillFacts,
    OrderFacts,
    OrderPurpose,
    OrderState,
    Side,
)
from reefpoint.records.market.selectors import list_instruments, sessions
from reefpoint.records.market.types import VENUE


class OrderNotFound(LookupError):
    """No order has this id."""


def sold_quantity_by_instrument(session_on: date, purpose: OrderPurpose | None = None) -> dict[int, int]:
    """Shares per instrument id that sell orders of a session have sold or may still sell, over all accounts."""
    orders = Order.objects.filter(session_on=session_on, side=Side.SELL)
    if purpose is not None:
        orders = orders.filter(purpose=purpose)
    return _quantity_by_instrument(orders)


def sale_cap_by_instrument(session_on: date) -> dict[int, int]:
    """Shares per instrument id that may still be sold in a session: the broker's capacity less what was ordered.

    An order counts as it was placed, even if less of it was needed in the end: what is planned for one account then
    never hangs on how fast the orders of another were worked (I28).
    """
    broker = desk_broker()
    orders = Order.objects.filter(session_on=session_on).values_list("instrument_id")
    taken = dict(orders.annotate(taken=Sum("placed_quantity")))
    return {
        instrument.id: max(0, broker.session_capacity(instrument.assumed_daily_volume) - taken.get(instrument.id, 0))
        for instrument in list_instruments()
    }


def open_sell_quantity(account_id: int, instrument_id: int) -> int:
    """Shares of one name that an account has already given out to sell: still open, or sold and not yet booked."""
    return open_sell_quantities([account_id]).get((account_id, instrument_id), 0)


def open_buy_quantities(account_ids: Collection[int] | None = None) -> dict[tuple[int, int], int]:
    """Shares that accounts (all, or some) have ordered and not yet booked, by account and instrument id, in two
    queries.
    """
    live = Order.objects.filter(side=Side.BUY, state__in=ORDER_STATES.live)
    unbooked = Fill.objects.filter(booked_at__isnull=True, order__side=Side.BUY)
    if account_ids is not None:
        live, unbooked = live.filter(account_id__in=account_ids), unbooked.filter(order__account_id__in=account_ids)
    return _still_out(live, unbooked)


def open_sell_quantities(account_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Shares that accounts have already given out to sell, by account and instrument id, in two queries."""
    return _still_out(
        Order.objects.filter(account_id__in=account_ids, side=Side.SELL, state__in=ORDER_STATES.live),
        Fill.objects.filter(booked_at__isnull=True, order__account_id__in=account_ids, order__side=Side.SELL),
    )


def _still_out(live: QuerySet[Order], unbooked: QuerySet[Fill]) -> dict[tuple[int, int], int]:
    """What orders still have to fill and what was filled and is not booked, by account and instrument id."""
    open_ = live.values_list("account_id", "instrument_id").annotate(still=Sum(F("quantity") - F("filled_quantity")))
    filled = unbooked.values_list("order__account_id", "order__instrument_id").annotate(Sum("quantity"))
    given_out: Counter[tuple[int, int]] = Counter()
    for rows in (open_, filled):
        for account_id, instrument_id, quantity in rows:
            given_out[account_id, instrument_id] += quantity
    return dict(given_out)


def list_live_orders(source: str) -> list[OrderFacts]:
    """Orders of one source that may still fill, oldest first."""
    return _order_rows(Order.objects.filter(source=source, state__in=ORDER_STATES.live).order_by("id"))


def find_order(key: str) -> int | None:
    """The id of the order that was placed under an idempotency key."""
    return Order.objects.filter(client_order_id=key).values_list("id", flat=True).first()


def get_order(order_id: int) -> OrderFacts:
    """One order. Raises `OrderNotFound`."""
    found = _order_rows(Order.objects.filter(id=order_id))
    if not found:
        raise OrderNotFound(order_number(order_id))
    return found[0]


def list_orders(
    *,
    account_id: int | None = None,
    source: str | None = None,
    session_on: date | None = None,
    live_only: bool = False,
    before_id: int | None = None,
    limit: int = 100,
) -> list[OrderFacts]:
    """Orders, newest first; pages by `before_id`."""
    orders = Order.objects.all()
    if account_id is not None:
        orders = orders.filter(account_id=account_id)
    if source is not None:
        orders = orders.filter(source=source)
    if session_on is not None:
        orders = orders.filter(session_on=session_on)
    if live_only:
        orders = orders.filter(state__in=ORDER_STATES.live)
    if before_id is not None:
        orders = orders.filter(id__lt=before_id)
    return _order_rows(orders.order_by("-id")[:limit])


def get_fill(fill_id: int) -> FillFacts:
    """One fill. Raises `Fill.DoesNotExist`."""
    return _fill_rows(Fill.objects.filter(id=fill_id))[0]


def list_fills(
    *,
    account_id: int | None = None,
    order_id: int | None = None,
    source: str | None = None,
    traded_on: date | None = None,
    unbooked_only: bool = False,
    limit: int = 200,
) -> list[FillFacts]:
    """Fills, newest first."""
    fills = Fill.objects.all()
    if account_id is not None:
        fills = fills.filter(order__account_id=account_id)
    if order_id is not None:
        fills = fills.filter(order_id=order_id)
    if source is not None:
        fills = fills.filter(order__source=source)
    if traded_on is not None:
        fills = fills.filter(traded_on=traded_on)
    if unbooked_only:
        fills = fills.filter(booked_at__isnull=True)
    return _fill_rows(fills.order_by("-id")[:limit])


def get_broker_reconciliation(on: date) -> BrokerReconciliation | None:
    """The outcome of a session's comparison of broker and books, as of its last run; None if there was none."""
    row = BrokerFile.objects.filter(on=on).first()
    if row is None:
        return None
    still_open = BrokerBreak.objects.filter(state=BreakState.OPEN).count()
    return BrokerReconciliation(row.on, row.lines, row.matched, row.broken, still_open)


def list_breaks(*, on: date, open_only: bool = True, limit: int = 200) -> list[BreakRow]:
    """Breaks between broker and books with their age at `on`, oldest first."""
    breaks = BrokerBreak.objects.filter(opened_on__lte=on)
    if open_only:
        breaks = breaks.filter(state=BreakState.OPEN)
    rows = list(breaks.order_by("opened_on", "id")[:limit])
    days = sessions(VENUE, rows[0].opened_on, on) if rows else []
    return [_break_row(row, business_days_old(days, row.opened_on, row.cleared_on or on)) for row in rows]


def proceeds_by_day(purpose: OrderPurpose) -> dict[date, int]:
    """Gross proceeds of the sales of one purpose by trade date, minor units, in one query."""
    sales = Fill.objects.filter(order__purpose=purpose, order__side=Side.SELL).values_list("traded_on")
    return dict(sales.annotate(total=Sum("gross_minor")).order_by("traded_on"))


def verify_execution() -> list[Finding]:
    """Orders hold what their fills add up to, broker and desk know the same fills, and nothing is left of a session
    that was reconciled: no live order, no fill without booking, no settlement of another amount.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FAULTS)
        faults = [Finding(*row) for row in cursor.fetchall()]
    return [*faults, *verify_guards((), GUARDS)]


GUARDS = tuple(("execution_fill", f"execution_fill_{guard}") for guard in ("fixed_columns", "no_delete", "no_truncate"))

_FAULTS = """
    SELECT 'execution.order_fills', format('order:%s', o.id),
           format('%s is filled, its fills add up to %s', o.filled_quantity, coalesce(sum(f.quantity), 0))
      FROM execution_order o LEFT JOIN execution_fill f ON f.order_id = o.id
     GROUP BY o.id HAVING o.filled_quantity <> coalesce(sum(f.quantity), 0)
UNION ALL
    SELECT 'execution.fill', format('fill:%s', coalesce(f.broker_fill_id, p.broker_fill_id)),
           CASE WHEN p.id IS NULL THEN 'the broker does not know it' WHEN f.id IS NULL THEN 'the desk does not know it'
                ELSE 'broker and desk have other figures' END
      FROM execution_fill f FULL JOIN execution_paperfill p ON p.broker_fill_id = f.broker_fill_id
     WHERE (f.quantity, f.price_units, f.net_minor) IS DISTINCT FROM (p.quantity, p.price_units, p.net_minor)
UNION ALL
    SELECT 'execution.broker_holding', h.symbol,
           format('%s is held, deliveries and trades add up to %s', h.quantity, m.total)
      FROM execution_paperholding h CROSS JOIN LATERAL (
           SELECT coalesce((SELECT sum(quantity) FROM execution_paperdelivery WHERE symbol = h.symbol), 0)
                + coalesce((SELECT sum(CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END)
                              FROM execution_paperfill f JOIN execution_paperorder o ON o.id = f.order_id
                             WHERE o.symbol = h.symbol), 0) AS total) m
     WHERE h.quantity <> m.total
UNION ALL
    SELECT 'execution.order', format('order:%s', o.id), format('it is %s after its session', o.state)
      FROM execution_order o
     WHERE o.state IN ('new', 'sent', 'partially_filled')
       AND o.session_on <= (SELECT max("on") FROM execution_brokerfile)
UNION ALL
    SELECT 'execution.booking', format('fill:%s', f.broker_fill_id), 'it was never booked'
      FROM execution_fill f
     WHERE f.booked_at IS NULL AND f.traded_on <= (SELECT max("on") FROM execution_brokerfile)
UNION ALL
    SELECT 'execution.settlement', s.reference,
           format('%s was settled, the fills add up to %s', s.net_minor, sum(f.net_minor))
      FROM execution_brokersettlement s LEFT JOIN execution_fill f ON f.traded_on = s.traded_on
     GROUP BY s.id HAVING s.net_minor IS DISTINCT FROM sum(f.net_minor)
 ORDER BY 1, 2
"""


def _break_row(row: BrokerBreak, age_days: int) -> BreakRow:
    return BreakRow(
        break_id=row.id,
        kind=BreakClass(row.kind),
        side=BreakSide(row.side),
        subject=row.subject,
        detail=row.detail,
        amount_minor=row.amount_minor,
        quantity=row.quantity,
        opened_on=row.opened_on,
        cleared_on=row.cleared_on,
        age_days=age_days,
        age_bucket=age_bucket(age_days),
    )


def _quantity_by_instrument(orders: "QuerySet[Order]") -> dict[int, int]:
    """Traded or still open shares per instrument id."""
    at_stake = Case(When(state__in=ORDER_STATES.live, then=F("quantity")), default=F("filled_quantity"))
    return dict(orders.values_list("instrument_id").annotate(taken=Sum(at_stake)))


def _order_rows(orders: "QuerySet[Order]") -> list[OrderFacts]:
    return [
        OrderFacts(
            order_id=order.id,
            number=order_number(order.id),
            account_id=order.account_id,
            instrument_id=order.instrument_id,
            symbol=order.instrument.symbol,
            side=Side(order.side),
            quantity=order.quantity,
            filled_quantity=order.filled_quantity,
            state=OrderState(order.state),
            purpose=OrderPurpose(order.purpose),
            source=order.source,
            session_on=order.session_on,
            placed_at=order.placed_at,
            sent_at=order.sent_at,
            ended_at=order.ended_at,
            end_reason=order.end_reason,
        )
        for order in orders.select_related("instrument")
    ]


def _fill_rows(fills: "QuerySet[Fill]") -> list[FillFacts]:
    return [
        FillFacts(
            fill_id=fill.id,
            broker_fill_id=fill.broker_fill_id,
            order_id=fill.order_id,
            order_number=order_number(fill.order_id),
            account_id=fill.order.account_id,
            instrument_id=fill.order.instrument_id,
            symbol=fill.order.instrument.symbol,
            side=Side(fill.order.side),
            purpose=OrderPurpose(fill.order.purpose),
            source=fill.order.source,
            quantity=fill.quantity,
            price_units=fill.price_units,
            gross_minor=fill.gross_minor,
            fee_minor=fill.fee_minor,
            net_minor=fill.net_minor,
            traded_on=fill.traded_on,
            at=fill.at,
            booked_at=fill.booked_at,
        )
        for fill in fills.select_related("order__instrument")
    ]


def list_orders_since(account_ids: Collection[int], *, purpose: OrderPurpose, since: date) -> list[OrderFacts]:
    """Orders of one purpose on these accounts in sessions from a day on, oldest first."""
    orders = Order.objects.filter(account_id__in=account_ids, purpose=purpose, session_on__gte=since)
    return _order_rows(orders.order_by("id"))
