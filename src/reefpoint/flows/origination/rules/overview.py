"""The indicative overview: the lines of a scheme, and the most that it lends."""

from reefpoint.flows.origination.types.overview import OverviewLineName, Standing
from reefpoint.records.products.types import SchemeTerms

OFFERING = "margin_lending"
"""The activity that a licence must cover before a scheme's terms are shown as an offer."""

OUTCOME_CHANGES_BP = (-10_000, -5_000, -3_000, -2_000, -1_000, 0, 1_000, 2_000, 3_000, 5_000, 10_000)
"""Changes of all prices whose outcome an overview shows: as far down as up, to the total loss and the doubling."""


def lines_of(terms: SchemeTerms) -> tuple[tuple[OverviewLineName, int], ...]:
    """The lines of a scheme, highest first, in basis points of assets to debt."""
    return (
        (OverviewLineName.INITIAL, terms.initial_bp),
        (OverviewLineName.WARNING, terms.warning_bp),
        (OverviewLineName.CALL, terms.call_bp),
        (OverviewLineName.CLOSE_OUT, terms.close_out_bp),
    )


def standing_at(ratio_bp: int, terms: SchemeTerms, *, is_short_of_maintenance: bool) -> Standing:
    """Where a ratio stands among the lines, at once and without hysteresis; who is short of the maintenance of the
    names is called for that."""
    if ratio_bp < terms.close_out_bp:
        return Standing.SOLD
    if ratio_bp < terms.call_bp or is_short_of_maintenance:
        return Standing.CALLED
    return Standing.WARNED if ratio_bp < terms.warning_bp else Standing.SAFE


def loan_most_minor(*, assets_minor: int, lendable_minor: int, requirement_minor: int, terms: SchemeTerms) -> int:
    """The most that a scheme lends against assets when the loan leaves the account, rounded down.

    What is left is the client's own, and must be the least equity of the scheme and the maintenance of the names.
    """
    by_line = assets_minor * 10_000 // terms.initial_bp
    by_equity = assets_minor - max(terms.min_equity_minor, requirement_minor)
    return max(0, min(by_line, lendable_minor, by_equity, terms.limit_minor))
