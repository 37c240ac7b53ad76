"""What a stress run says of one account, term by term: each scenario, and the positions in the worst of them.

The account is a book of one, each scenario a run of its own through `stress_book`: the same loop as for the whole book.
So the worst scenario, the assets in it and the expected shortfall are those of `StressResult`, to the last digit.
Money in units of 1e-4, quantities in shares.
"""

from dataclasses import dataclass

from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BookError
from reefpoint.engine.scenarios import Scenarios
from reefpoint.engine.stress import stress_book


@dataclass(frozen=True)
class ScenarioTerm:
    """The account in one scenario: shortfall = max(0, owed - assets). Without a price it is UNKNOWN and all are 0."""

    name: str
    band: Band
    assets_units: int
    owed_units: int
    shortfall_units: int


@dataclass(frozen=True)
class MoveTerm:
    """One position today and in the worst scenario: value = quantity * price, negative for a short one."""

    instrument: int
    quantity: int
    price_units: int
    moved_units: int

    @property
    def value_units(self) -> int:
        return self.quantity * self.price_units

    @property
    def moved_value_units(self) -> int:
        return self.quantity * self.moved_units


@dataclass(frozen=True)
class StressExplanation:
    """How the figures of one account come about.

    - `worst`: the row in `scenarios` where assets less owed are least, the first of equals; None if unknown in all
    - `terms`: its positions there; assets = cash + sum of the long moved values, owed = debt + sum of the short ones
    - expected shortfall = sum of the scenarios' shortfalls / the number in which the account can be valued
    """

    scenarios: tuple[ScenarioTerm, ...]
    worst: int | None
    terms: tuple[MoveTerm, ...]
    cash_units: int
    debt_units: int

    @property
    def known_count(self) -> int:
        """Scenarios in which the account can be valued."""
        return sum(one.band is not Band.UNKNOWN for one in self.scenarios)

    @property
    def shortfall_sum_units(self) -> int:
        """The shortfalls of all scenarios together."""
        return sum(one.shortfall_units for one in self.scenarios)

    @property
    def expected_shortfall_units(self) -> float | None:
        """The mean over the scenarios in which it can be valued; None if there is none."""
        return self.shortfall_sum_units / self.known_count if self.known_count else None


def explain_stress(account: Book, marks: Marks, lines: Lines, scenarios: Scenarios) -> StressExplanation:
    """Explain what `scenarios` do to a book of one. Raises `BookError` as `stress_book` does, and for another size."""
    if account.account_count != 1:
        raise BookError("account", None, f"must be a book of one, not of {account.account_count}")
    debt, cash = int(account.debt_units[0]), int(account.cash_units[0])
    told = tuple(_explain_scenario(account, marks, lines, scenarios, row) for row in range(len(scenarios)))
    known = [row for row, one in enumerate(told) if one.band is not Band.UNKNOWN]
    worst = min(known, key=lambda row: told[row].assets_units - told[row].owed_units, default=None)
    terms = () if worst is None else _moves(account, marks, scenarios, worst)
    return StressExplanation(told, worst, terms, cash, debt)


def _explain_scenario(account: Book, marks: Marks, lines: Lines, scenarios: Scenarios, row: int) -> ScenarioTerm:
    name = scenarios.names[row]
    alone = stress_book(account, marks, lines, Scenarios((name,), scenarios.price_units[row : row + 1]))
    if alone.unknown_accounts[0]:
        return ScenarioTerm(name, Band.UNKNOWN, 0, 0, 0)
    short = -sum(term.moved_value_units for term in _moves(account, marks, scenarios, row) if term.quantity < 0)
    return ScenarioTerm(
        name=name,
        band=Band(int(alone.band_accounts[0].argmax())),
        assets_units=int(alone.worst_assets_units[0]),
        owed_units=int(account.debt_units[0]) + short,
        shortfall_units=int(alone.shortfall_units[0]),
    )


def _moves(account: Book, marks: Marks, scenarios: Scenarios, row: int) -> tuple[MoveTerm, ...]:
    return tuple(
        MoveTerm(name, quantity, int(marks.price_units[name]), int(scenarios.price_units[row, name]))
        for name, quantity in zip(account.instrument.tolist(), account.quantity.tolist(), strict=True)
    )
