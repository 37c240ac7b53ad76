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
    apply_due_rates,
    cancel_proposal,
    propose_rates,
)

__all__ = [
    "ExceptionRefused",
    "NothingToReprice",
    "QuoteKeyReused",
    "QuoteRefused",
    "apply_due_rates",
    "cancel_proposal",
    "follow_exception",
    "propose_rates",
    "quote",
    "request_exception",
    "work_out",
]
