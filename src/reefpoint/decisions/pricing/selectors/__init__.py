"""What pricing tells."""

from reefpoint.decisions.pricing.selectors.book import what_if
from reefpoint.decisions.pricing.selectors.grid import GRID, read_grid
from reefpoint.decisions.pricing.selectors.quotes import (
    QuoteErased,
    QuoteExpired,
    QuoteNotFound,
    SchemeWithdrawn,
    count_erased_prices,
    find_quotes,
    get_quote,
    list_proposals,
    read_quote,
    replay_quote,
    require_quote,
    verify_pricing,
)

__all__ = [
    "GRID",
    "QuoteErased",
    "QuoteExpired",
    "QuoteNotFound",
    "SchemeWithdrawn",
    "count_erased_prices",
    "find_quotes",
    "get_quote",
    "list_proposals",
    "read_grid",
    "read_quote",
    "replay_quote",
    "require_quote",
    "verify_pricing",
    "what_if",
]
