"""What a stress run of the desk is asked, and what it answers. Money in minor units, owed amounts rounded up."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.engine.bands import Band
from reefpoint.engine.scenarios import ShockRow


@dataclass(frozen=True)
class HistoricalWindow:
    """A time that people remember, from one close to another."""

    name: str
    first_on: date
    last_on: date


@dataclass(frozen=True)
class ScenarioChoice:
    """Which scenarios are run: falls of everything in bp, falls of the market that names follow by their beta, falls of
    each currency of the book against the others, history, gaps of the largest names, rows of a table.
    """

    falls_bp: tuple[int, ...] = ()
    market_falls_bp: tuple[int, ...] = ()
    currency_falls_bp: tuple[int, ...] = ()
    with_history: bool = False
    with_gaps: bool = False
    rows: tuple[ShockRow, ...] = ()


@dataclass(frozen=True)
class BandTotal:
    """Accounts that stand in a band, and what they have borrowed."""

    band: Band
    accounts: int
    debt_minor: int


@dataclass(frozen=True)
class GroupLoss:
    """What the accounts of one scheme, or of one pool, owe above all they have."""

    code: str
    debt_minor: int
    shortfall_minor: int


@dataclass(frozen=True)
class ScenarioOutcome:
    """The book in one scenario. `proxies` are names that moved like others because history has no closes of them."""

    name: str
    bands: tuple[BandTotal, ...]
    unknown_accounts: int
    shortfall_minor: int
    by_scheme: tuple[GroupLoss, ...]
    by_pool: tuple[GroupLoss, ...]
    proxies: tuple[str, ...]


@dataclass(frozen=True)
class AccountWorst:
    """An account in its worst scenario, in its own money; `expected_shortfall_minor` is its mean over all of them."""

    number: str
    scenario: str
    currency: str
    debt_minor: int
    assets_minor: int
    shortfall_minor: int
    expected_shortfall_minor: int


@dataclass(frozen=True)
class AccountScenario:
    """One account in one scenario; an UNKNOWN one cannot be valued there, and its amounts are 0."""

    name: str
    band: Band
    assets_minor: int
    owed_minor: int
    shortfall_minor: int
    proxies: tuple[str, ...]


@dataclass(frozen=True)
class MovedPosition:
    """A position today and in the worst scenario: value = quantity * price, at the prices in the account's currency."""

    instrument_id: int
    symbol: str
    quantity: int
    price_units: int
    moved_units: int
    value_minor: int
    moved_value_minor: int


@dataclass(frozen=True)
class AccountStress:
    """One account under each scenario, the first of them the prices as they are, and why the worst is what it is.

    In the worst scenario (None: it cannot be valued in any) assets = cash + the moved values of `positions`. Expected
    shortfall = the scenarios' shortfalls together / the `valued` of them in which the account can be valued.
    """

    account_id: int
    number: str
    currency: str
    fx_name: str
    cash_minor: int
    debt_minor: int
    scenarios: tuple[AccountScenario, ...]
    worst: AccountScenario | None
    positions: tuple[MovedPosition, ...]
    shortfall_sum_minor: int
    valued: int
    expected_shortfall_minor: int | None
    not_covered: tuple[str, ...]


@dataclass(frozen=True)
class StressReport:
    """The live book at one instant under each scenario, in their order; the first is the prices as they are.

    `not_covered` are scenarios that there is no history for: windows in which no name has a price on both days, and
    falls of the market when no name has a beta. Sums are in `currency`, at the version of the rates `fx_name` (nothing
    where no figure rests on a rate) or at the scenario's own rates.
    """

    at: datetime
    currency: str
    fx_name: str
    accounts: int
    debt_minor: int
    is_exact: bool
    outcomes: tuple[ScenarioOutcome, ...]
    worst_accounts: tuple[AccountWorst, ...]
    not_covered: tuple[str, ...]


@dataclass(frozen=True)
class BandChange:
    """How many accounts more (or, negative, fewer) stand in a band."""

    band: Band
    accounts: int


class MoveKind(StrEnum):
    """What moves: all names alike, all by their beta, what a currency is worth in the others, a sector's names, one."""

    EVERYTHING = "everything"
    MARKET = "market"
    CURRENCY = "currency"
    SECTOR = "sector"
    NAME = "name"


@dataclass(frozen=True)
class MoveEffect:
    """What a move of one group of names changes in the book; differences, moved less today. `bands` is of accounts."""

    kind: MoveKind
    code: str
    market_minor: int
    shortfall_minor: int
    bands: tuple[BandChange, ...]


@dataclass(frozen=True)
class SensitivityReport:
    """The effects of the same small move of everything, of the market, of each currency, of each sector and of each
    name held, in this order, the largest first. Without history there is no effect of the market.
    """

    at: datetime
    currency: str
    fx_name: str
    move_bp: int
    effects: tuple[MoveEffect, ...]


@dataclass(frozen=True)
class ReverseReport:
    """How far all prices must fall, or what `falling` names (a symbol, a sector, a currency, the market), until the
    book's shortfall passes a limit; `fall_bp` is None if no fall does it.

    `loss_before_minor` is the shortfall one basis point before. `accounts` make it up, the largest first. `proxies` are
    names that follow the market like the wildest, because no beta of theirs is known.
    """

    at: datetime
    currency: str
    fx_name: str
    falling: str
    limit_minor: int
    fall_bp: int | None
    loss_minor: int
    loss_before_minor: int
    is_smallest: bool
    proxies: tuple[str, ...]
    accounts: tuple[tuple[str, int], ...]
