"""A broker on paper: it fills at replayed prices, keeps its own books and sends its own end-of-day file.

It shares no table with the desk: what it says can differ from the desk's books, and reconciliation finds out.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Case, F, Q, Sum, When

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import ceil_div
from reefpoint.platform.basics.sealed_files import seal_file
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.execution.models import PaperDelivery, PaperFill, PaperHolding, PaperOrder, PaperSettlement
from reefpoint.records.execution.rules import (
    PaperBrokerTerms,
    executed_price_units,
    fill_amounts,
    fillable_quantity,
    net_minor,
    session_capacity,
    state_after,
)
from reefpoint.records.execution.types import Execution, OrderReport, OrderState, OrderTicket, SecuritiesDelivery, Side
from reefpoint.records.market.selectors import latest_prices
from reefpoint.records.market.selectors.fx import is_fx_usable, latest_fx

E8 = 10**8
FILE_NAME = "REEFPOINT-PAPER-BROKER"


class DeliveryRefused(Refusal):
    """Securities cannot leave the broker: fewer are there, or the reference was used for another delivery."""

    code = "delivery_refused"


class PaperBroker:
    """Fills on arrival at the session's latest price, moved by the slippage, within the participation cap."""

    def __init__(self, terms: PaperBrokerTerms | None = None) -> None:
        self.terms = terms or PaperBrokerTerms()

    @transaction.atomic
    def submit(self, ticket: OrderTicket, *, at: datetime) -> OrderReport:
        """Take an order and fill what can be filled; a known `client_order_id` gets its first answer again."""
        holding = _locked_holding(ticket.symbol)
        known = _find_order(ticket.client_order_id)
        if known is not None:
            return _report_of(known)
        order = PaperOrder(
            client_order_id=ticket.client_order_id,
            symbol=ticket.symbol,
            side=ticket.side,
            quantity=ticket.quantity,
            session_on=ticket.session_on,
            received_at=at,
        )
        mark_units, refusal = self._mark(ticket, holding, at)
        if refusal:
            order.state, order.reason = OrderState.REJECTED, refusal
            order.save(force_insert=True)
            return OrderReport(ticket.client_order_id, OrderState.REJECTED, reason=refusal)
        traded = holding.session_quantity if holding.session_on == ticket.session_on else 0
        capacity = self.session_capacity(ticket.assumed_daily_volume)
        quantity = fillable_quantity(ticket.quantity, capacity - traded, ticket.lot_size)
        order.state = state_after(quantity, ticket.quantity)
        order.save(force_insert=True)
        if not quantity:
            return OrderReport(ticket.client_order_id, OrderState.SENT)
        fill = self._fill(order, ticket, quantity, mark_units)
        holding.quantity += quantity if ticket.side is Side.BUY else -quantity
        holding.session_on, holding.session_quantity = ticket.session_on, traded + quantity
        holding.save(force_update=True)
        return OrderReport(ticket.client_order_id, OrderState(order.state), (_execution(fill),))

    def _mark(self, ticket: OrderTicket, holding: PaperHolding, at: datetime) -> tuple[int, str]:
        """The session's latest price (1e-4 units of the money that the order settles in) and an empty string, or 0 and
        why the order is rejected.
        """
        if ticket.is_suspended:
            return 0, str(Sentence("trading is suspended"))
        if holding.session_on is not None and ticket.session_on < holding.session_on:
            return 0, str(Sentence("the session is over"))
        if ticket.side is Side.SELL and ticket.quantity > holding.quantity:
            return 0, str(Sentence("only {quantity} held", {"quantity": holding.quantity}))
        price = latest_prices(as_of=at).get(ticket.instrument_id)
        if price is None or price.on != ticket.session_on:
            return 0, str(Sentence("no price today"))
        mark_units = _in_settled_money(ticket, price.price_units, at)
        if executed_price_units(ticket.side, mark_units, self.terms.slippage_bp) <= 0:
            return 0, str(Sentence("the price is below the smallest unit") if mark_units else Sentence("no rate today"))
        return mark_units, ""

    def _fill(self, order: PaperOrder, ticket: OrderTicket, quantity: int, mark_units: int) -> PaperFill:
        amounts = fill_amounts(ticket.side, quantity, mark_units, self.terms)
        return PaperFill.objects.create(
            order=order,
            broker_fill_id=f"PB-{ticket.client_order_id}",
            quantity=quantity,
            price_units=amounts.price_units,
            gross_minor=amounts.gross_minor,
            fee_minor=amounts.fee_minor,
            net_minor=net_minor(ticket.side, amounts.gross_minor, amounts.fee_minor),
            traded_on=ticket.session_on,
        )

    @transaction.atomic
    def cancel(self, client_order_id: str, *, reason: str, at: datetime) -> OrderReport | None:
        """Cancel what rests of an order; an order that has ended stays as it is. None for an unknown order."""
        order = PaperOrder.objects.select_for_update().filter(client_order_id=client_order_id).first()
        if order is None:
            return None
        if order.state in {OrderState.SENT, OrderState.PARTIALLY_FILLED}:
            order.state, order.reason = OrderState.CANCELLED, reason
            order.save(update_fields=["state", "reason"])
        return _report_of(order)

    def session_capacity(self, assumed_daily_volume: int) -> int:
        return session_capacity(assumed_daily_volume, self.terms.participation_bp)

    def settlement_sessions(self) -> int:
        return self.terms.settlement_sessions

    def settle(self, traded_on: date, *, settled_on: date) -> int:
        """Net cash (minor units) of a session's trades, marked settled once; repeated, the same figure."""
        total = PaperFill.objects.filter(traded_on=traded_on).aggregate(net=Sum("net_minor"))["net"] or 0
        settlement, _ = PaperSettlement.objects.get_or_create(
            traded_on=traded_on, defaults={"settled_on": settled_on, "net_minor": total}
        )
        return settlement.net_minor

    @transaction.atomic
    def deliver(self, deliveries: Sequence[SecuritiesDelivery], *, on: date) -> int:
        """Move securities free of payment; references already known with the same content are skipped.

        Returns how many were new. Raises `DeliveryRefused` for a reference with other content, or more out than held.
        """
        wanted = {delivery.reference: delivery for delivery in deliveries}
        known = PaperDelivery.objects.filter(reference__in=wanted).values_list("reference", "symbol", "quantity")
        for reference, symbol, quantity in known:
            first = wanted.pop(reference)
            if (first.symbol, first.quantity) != (symbol, quantity):
                raise DeliveryRefused("Delivery {reference} is already known with other content.", reference=reference)
        change: dict[str, int] = {}
        for delivery in wanted.values():
            change[delivery.symbol] = change.get(delivery.symbol, 0) + delivery.quantity
        for symbol in sorted(change):
            holding = _locked_holding(symbol)
            if holding.quantity + change[symbol] < 0:
                raise DeliveryRefused(
                    "{change} {symbol} cannot leave: only {quantity} are held.",
                    symbol=symbol,
                    change=-change[symbol],
                    quantity=holding.quantity,
                )
            holding.quantity += change[symbol]
            holding.save(force_update=True)
        PaperDelivery.objects.bulk_create(
            PaperDelivery(reference=item.reference, symbol=item.symbol, quantity=item.quantity, on=on)
            for item in wanted.values()
        )
        return len(wanted)

    def end_of_day_file(self, on: date) -> bytes:
        """The sealed file of a session: `H` header, `F` trades, `P` holdings, `C` cash.

        `H,<broker>,<date>` · `F,<seq>,<fill>,<order>,<symbol>,<side>,<quantity>,<price 1e-4>,<net minor>` ·
        `P,<symbol>,<quantity>` · `C,<opening>,<traded>,<settled>,<closing>` in minor units owed to the desk.
        """
        fills = (
            PaperFill.objects.filter(traded_on=on)
            .order_by("id")
            .values_list(
                "broker_fill_id",
                "order__client_order_id",
                "order__symbol",
                "order__side",
                "quantity",
                "price_units",
                "net_minor",
            )
        )
        rows: list[Sequence[str]] = [("H", FILE_NAME, on.isoformat())]
        rows += [("F", str(number), *map(str, fill)) for number, fill in enumerate(fills, start=1)]
        rows += [("P", symbol, str(quantity)) for symbol, quantity in sorted(holdings_at(on).items())]
        traded = sum(fill[6] for fill in fills)
        earlier = PaperFill.objects.filter(traded_on__lt=on).aggregate(net=Sum("net_minor"))["net"] or 0
        paid = PaperSettlement.objects.filter(settled_on__lte=on).aggregate(
            before=Sum("net_minor", filter=Q(settled_on__lt=on)), today=Sum("net_minor", filter=Q(settled_on=on))
        )
        opening, settled = earlier - (paid["before"] or 0), paid["today"] or 0
        rows.append(("C", str(opening), str(traded), str(settled), str(opening + traded - settled)))
        return seal_file(rows)


def holdings_at(on: date) -> dict[str, int]:
    """What the paper broker holds at the close of a day, from its deliveries and trades; empty holdings left out."""
    held: dict[str, int] = {}
    signed = Case(When(order__side=Side.BUY, then=F("quantity")), default=-F("quantity"))
    delivered = PaperDelivery.objects.filter(on__lte=on).values_list("symbol").annotate(total=Sum("quantity"))
    traded = PaperFill.objects.filter(traded_on__lte=on).values_list("order__symbol").annotate(total=Sum(signed))
    for symbol, quantity in [*delivered, *traded]:
        held[symbol] = held.get(symbol, 0) + quantity
    return {symbol: quantity for symbol, quantity in held.items() if quantity}


def _locked_holding(symbol: str) -> PaperHolding:
    holding = PaperHolding.objects.select_for_update().filter(symbol=symbol).first()
    if holding is not None:
        return holding
    PaperHolding.objects.bulk_create([PaperHolding(symbol=symbol)], ignore_conflicts=True)
    return PaperHolding.objects.select_for_update().get(symbol=symbol)


def _in_settled_money(ticket: OrderTicket, price_units: int, at: datetime) -> int:
    """A price in the money that an order settles in, at the latest rates, rounded against the client; 0 without."""
    if ticket.currency == ticket.settles_in:
        return price_units
    fx = latest_fx(at)
    if fx is None or not is_fx_usable(fx, at.date()):
        return 0
    worth = price_units * fx.rate_e8(ticket.settles_in, ticket.currency)
    return worth // E8 if ticket.side is Side.SELL else ceil_div(worth, E8)


def _find_order(client_order_id: str) -> PaperOrder | None:
    return PaperOrder.objects.select_related("fill").filter(client_order_id=client_order_id).first()


def _execution(fill: PaperFill) -> Execution:
    return Execution(fill.broker_fill_id, fill.quantity, fill.price_units, fill.gross_minor, fill.fee_minor)


def _report_of(order: PaperOrder) -> OrderReport:
    fill = PaperFill.objects.filter(order=order).first()
    executions = (_execution(fill),) if fill else ()
    return OrderReport(order.client_order_id, OrderState(order.state), executions, order.reason)
