"""What the securities rail does, one transaction each."""

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

__all__ = [
    "ConflictingOrder",
    "OrderRefused",
    "cancel_order",
    "deliver_securities",
    "end_session_orders",
    "mark_fill_booked",
    "mark_sent",
    "place_order",
    "reduce_order",
    "submit_order",
]
