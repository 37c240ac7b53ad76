"""One account under scenarios, term by term: the same scenarios and the same loops as for the whole book."""

from datetime import datetime
from math import ceil

from reefpoint.decisions.margin.selectors.parts import DeskBook, load_account_book
from reefpoint.engine.explain_stress import MoveTerm, ScenarioTerm, explain_stress
from reefpoint.insight.stress.selectors.scenarios import scenarios_of
from reefpoint.insight.stress.types import AccountScenario, AccountStress, MovedPosition, ScenarioChoice
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import held_minor, owed_minor
from reefpoint.records.accounts.selectors.owners import get_owner


def explain_account_stress(actor: Actor, account_id: int, choice: ScenarioChoice, *, at: datetime) -> AccountStress:
    """What the scenarios of the choice would make of one account on the prices known at `at`.

    Where the choice has gaps, the names that fall alone are the account's own largest. Raises `NotFound` outside the
    actor's scope (I66) and `ScenarioRefused` for a scenario that cannot be.
    """
    require(actor, "margin.view")
    owner = get_owner(actor, account_id)
    desk = load_account_book(account_id, at=at)
    scenarios, proxies, not_covered = scenarios_of(choice, desk, at)
    told = explain_stress(desk.book, desk.sheet.marks, desk.sheet.lines, scenarios.of_columns(desk.parts.columns))
    held = {desk.sheet.instruments[name].symbol for name in desk.book.instrument.tolist()}
    shown = [
        _scenario(one, desk, tuple(name for name in proxies.get(one.name, ()) if name in held))
        for one in told.scenarios
    ]
    mean = told.expected_shortfall_units
    return AccountStress(
        account_id=account_id,
        number=owner.number,
        currency=desk.currency,
        fx_name=desk.fx_name,
        cash_minor=held_minor(told.cash_units, desk.currency),
        debt_minor=owed_minor(told.debt_units, desk.currency),
        scenarios=tuple(shown),
        worst=None if told.worst is None else shown[told.worst],
        positions=tuple(_position(term, desk) for term in sorted(told.terms, key=lambda term: -term.value_units)),
        shortfall_sum_minor=owed_minor(told.shortfall_sum_units, desk.currency),
        valued=told.known_count,
        expected_shortfall_minor=None if mean is None else owed_minor(ceil(mean), desk.currency),
        not_covered=not_covered,
    )


def _scenario(one: ScenarioTerm, desk: DeskBook, proxies: tuple[str, ...]) -> AccountScenario:
    return AccountScenario(
        name=one.name,
        band=one.band,
        assets_minor=held_minor(one.assets_units, desk.currency),
        owed_minor=owed_minor(one.owed_units, desk.currency),
        shortfall_minor=owed_minor(one.shortfall_units, desk.currency),
        proxies=proxies,
    )


def _position(term: MoveTerm, desk: DeskBook) -> MovedPosition:
    instrument = desk.sheet.instruments[term.instrument]
    return MovedPosition(
        instrument_id=instrument.id,
        symbol=instrument.symbol,
        quantity=term.quantity,
        price_units=term.price_units,
        moved_units=term.moved_units,
        value_minor=held_minor(term.value_units, desk.currency),
        moved_value_minor=held_minor(term.moved_value_units, desk.currency),
    )
