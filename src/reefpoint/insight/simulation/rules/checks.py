"""What cannot be played, in words."""

from collections.abc import Mapping

from reefpoint.insight.simulation.types import Happenings, History
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.products.rules import TENOR_DAYS_MAX
from reefpoint.records.products.types import RateKind, SchemeTerms

BP = 10_000
NOTICE_SESSIONS_MAX = 250


class SimulationRefused(Refusal):
    """A portfolio, a loan or a period that cannot be played. The fact `why` says which, `symbols` which names."""

    code = "simulation_refused"


def check_play(
    terms: SchemeTerms, history: History, holdings: Mapping[str, int], loan_minor: int, happenings: Happenings
) -> None:
    """Refuse what cannot be played: no sessions, names without prices, or nothing to lend on."""
    lines = (BP + 1, terms.close_out_bp, terms.call_bp - 1, terms.warning_bp - 2)
    if list(lines) != sorted(lines) or not terms.call_bp <= terms.cure_bp <= terms.target_bp:
        raise SimulationRefused("The lines of these terms contradict each other.", why="lines")
    if not 0 <= terms.tenor_days + terms.grace_days <= TENOR_DAYS_MAX or terms.call_deadline_sessions < 0:
        raise SimulationRefused("The term of these terms is not one that can be played.", why="lines")
    if terms.rate_kind is RateKind.RESET and terms.rate_reset_days <= 0:
        raise SimulationRefused("A rate that is set anew needs days after which it is.", why="lines")
    if not 0 <= terms.haircut_notice_sessions <= NOTICE_SESSIONS_MAX:
        raise SimulationRefused("The notice of a higher haircut is too long to be played.", why="lines")
    if len(history.days) < 2:
        raise SimulationRefused(
            "The period has fewer than two sessions with prices. Choose a longer one.", why="too_short"
        )
    if not holdings or min(holdings.values()) <= 0:
        raise SimulationRefused("A portfolio needs at least one name with a quantity above zero.", why="no_names")
    if loan_minor <= 0:
        raise SimulationRefused("The loan must be above zero.", why="no_loan")
    known = {one.symbol: column for column, one in enumerate(history.instruments)}
    if missing := sorted(set(holdings) - set(known)):
        raise SimulationRefused("There are no prices of {symbols}.", why="no_prices", symbols=missing)
    if refused := sorted(symbol for symbol in holdings if not terms.accepts(symbol)):
        raise SimulationRefused("The scheme lends nothing on {symbols}.", why="not_accepted", symbols=refused)
    if unpriced := sorted(symbol for symbol in holdings if not history.closes[0][known[symbol]]):
        raise SimulationRefused(
            "{symbols} has no price on {days}.", why="no_prices", symbols=unpriced, days=history.days[0]
        )
    _check_happenings(history, happenings)


def _check_happenings(history: History, happenings: Happenings) -> None:
    first, last = history.days[0], history.days[-1]
    days = [one.on for one in happenings.rates] + [one.on for one in happenings.haircuts]
    days += [one.since for one in happenings.suspensions]
    if any(not first <= on <= last for on in days):
        raise SimulationRefused("Something is to happen on a day outside the period.", why="outside")
    strangers = {one.symbol for one in happenings.haircuts} | {one.symbol for one in happenings.suspensions}
    strangers -= {one.symbol for one in history.instruments}
    if unknown := sorted(strangers):
        raise SimulationRefused("{symbols} is not in the portfolio.", why="not_in_portfolio", symbols=unknown)
    if any(not 0 <= one.haircut_bp <= BP for one in happenings.haircuts):
        raise SimulationRefused("A haircut is from 0 to 100%.", why="haircut")
    if any(not 0 <= one.rate_bp <= BP for one in happenings.rates):
        raise SimulationRefused("A rate is from 0 to 100% a year.", why="rate")
