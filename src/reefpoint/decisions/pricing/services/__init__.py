"""What can be done about prices."""

from reefpoint.decisions.pricing.services.quotes import (
    ExceptionRefused,
    QuoteKeyReused,
    QuoteRefused,
    follow_exception,
    quote,
    request_exception,
    work_out,
)
from reefpoint.decisions.pricing.services.repricing import (
    NothingToReprice,
    RatesRefused,
    apply_due_rates,
    cancel_proposal,
    request_rates,
    tell_approved_rates,
)

__all__ = [
    "ExceptionRefused",
    "NothingToReprice",
    "QuoteKeyReused",
    "QuoteRefused",
    "RatesRefused",
    "apply_due_rates",
    "cancel_proposal",
    "follow_exception",
    "quote",
    "request_exception",
    "request_rates",
    "tell_approved_rates",
    "work_out",
]
