"""How much the desk would have lent at the first close."""

from reefpoint.decisions.margin.types import Band, Standing
from reefpoint.engine.book import build_book
from reefpoint.engine.valuation import value_book
from reefpoint.flows.servicing.rules import CreditRefused, check_credit
from reefpoint.insight.simulation.rules.standing import Desk, Loan
from reefpoint.platform.basics.money import held_minor, owed_minor
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts.types import AccountStatus
from reefpoint.records.products.types import FeeMoment


def most_minor_of(desk: Desk, loan: Loan, asked_minor: int) -> int:
    """The most that could be drawn and taken out at the first close by the rules of both, and by the scheme's limit.

    All that was asked for if that is allowed; else found by halving what is left.
    """
    most = min(asked_minor, desk.terms.limit_minor)
    if most <= 0 or _is_lent(desk, loan, most):
        return max(most, 0)
    low, high = 0, most
    while high - low > 1:
        amount = (low + high) // 2
        if _is_lent(desk, loan, amount):
            low = amount
        else:
            high = amount
    return low


def _is_lent(desk: Desk, loan: Loan, amount: int) -> bool:
    """Whether the desk draws this down for the account, and pays all of it out."""
    terms, fee = desk.terms, desk.terms.charges_minor(FeeMoment.DRAWDOWN, amount)
    steps = (
        (amount - fee, terms.initial_bp, terms.min_equity_minor, Sentence("this drawdown")),
        (0, terms.withdrawal_bp, 0, Sentence("this withdrawal")),
    )
    try:
        for cash, required_bp, min_equity_minor, what in steps:
            check_credit(
                status=AccountStatus.ACTIVE,
                is_enforced=False,
                after=_measured(desk, loan, cash, amount),
                required_bp=required_bp,
                coverage_bp=10_000,
                min_equity_minor=min_equity_minor,
                what=what,
                currency=terms.currency,
            )
    except CreditRefused:
        return False
    return True


def _measured(desk: Desk, loan: Loan, cash_minor: int, debt_minor: int) -> Standing:
    """The account at the first close with this cash and debt, by the engine."""
    columns = [column for column, held in enumerate(loan.held) if held]
    book = build_book(
        cash_units=[max(cash_minor, 0) * desk.scale],
        debt_units=[debt_minor * desk.scale],
        terms=[0],
        account=[0] * len(columns),
        instrument=columns,
        quantity=[loan.held[column] for column in columns],
    )
    valued = value_book(book, desk.marks(0), desk.lines)
    ratio, currency = int(valued.ratio_bp[0]), desk.terms.currency
    return Standing(
        account_id=0,
        market_minor=held_minor(int(valued.market_units[0]), currency),
        assets_minor=held_minor(int(valued.assets_units[0]), currency),
        lendable_minor=held_minor(int(valued.lendable_units[0]), currency),
        requirement_minor=owed_minor(int(valued.requirement_units[0]), currency),
        debt_minor=debt_minor,
        ratio_bp=ratio,
        band=Band(int(valued.band[0])),
    )
