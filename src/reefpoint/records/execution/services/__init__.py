"""What the securities rail does, one transaction each."""

from reefpoint.records.execution.services.clearing import clear_approved_break, request_break_clearance
from reefpoint.records.execution.services.orders import (
    ConflictingOrder,
    OrderRefused,
    cancel_order,
    deliver_securities,
    end_session_orders,
    mark_fill_booked,
    mark_sent,
    place_order,
    reduce_order,
    submit_order,
)
from reefpoint.records.execution.services.reconciliation import reconcile_broker
from reefpoint.records.execution.services.settlement import settle_broker

__all__ = [
    "ConflictingOrder",
    "OrderRefused",
    "cancel_order",
    "clear_approved_break",
    "deliver_securities",
    "end_session_orders",
    "mark_fill_booked",
    "mark_sent",
    "place_order",
    "reconcile_broker",
    "reduce_order",
    "request_break_clearance",
    "settle_broker",
    "submit_order",
]
