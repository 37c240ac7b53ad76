"""Margin measures and calls as the rest of the desk sees them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from reefpoint.decisions.collateral.types import CapUse
from reefpoint.engine.bands import Band
from reefpoint.records.accounts.types import AccountFacts, FacilityFacts, LoanFacts
from reefpoint.records.products.types import VersionView

__all__ = ["Band", "CallCause", "CallFacts", "CallState", "Cures", "Standing"]


class CallState(StrEnum):
    OPEN = "open"
    CURED = "cured"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class CallCause(StrEnum):
    """What an account was called for: its ratio, under the call line; or equity below the maintenance of its names."""

    LINE = "line"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True)
class PriceCoverage:
    """How much of the value on the book has a current price, and whether that is enough to lend and to sell."""

    coverage_bp: int
    required_bp: int
    is_enough: bool


class Standing(NamedTuple):
    """One account measured at one version of prices. Minor units; `ratio_bp` is None without debt or when unknown."""

    account_id: int
    market_minor: int
    assets_minor: int
    lendable_minor: int
    requirement_minor: int
    debt_minor: int
    ratio_bp: int | None
    band: Band

    @property
    def is_unknown(self) -> bool:
        return self.band is Band.UNKNOWN

    @property
    def equity_minor(self) -> int:
        return self.assets_minor - self.debt_minor

    @property
    def is_short_of_maintenance(self) -> bool:
        """Whether it owes, and its equity is below what its names ask for. Never true of an unknown account."""
        return not self.is_unknown and self.debt_minor > 0 and self.equity_minor < self.requirement_minor


@dataclass(frozen=True)
class Cures:
    """Three ways back to the cure line, each sufficient alone. Minor units, rounded up.

    `sell_minor` is None when selling cannot help.
    """

    add_collateral_minor: int
    repay_minor: int
    sell_minor: int | None


@dataclass(frozen=True)
class CallFacts:
    """One margin call. `requirement_minor` is the maintenance that a call for it asks equity to meet, else None; such a
    call's `call_bp` and `cure_bp` are the ratio at which equity would have met it when the call was opened.
    """

    id: int
    number: str
    account_id: int
    cause: CallCause
    state: CallState
    opened_at: datetime
    opened_on: date
    deadline_at: datetime
    amount_minor: int
    debt_minor: int
    assets_minor: int
    ratio_bp: int
    call_bp: int
    cure_bp: int
    requirement_minor: int | None
    closed_at: datetime | None
    close_reason: str

    @property
    def equity_minor(self) -> int:
        """What was the client's own when the call was opened."""
        return self.assets_minor - self.debt_minor


@dataclass(frozen=True)
class BandRow:
    """All accounts that stand in one band."""

    band: Band
    accounts: int
    debt_minor: int
    assets_minor: int


@dataclass(frozen=True)
class RatioBucket:
    """Accounts whose ratio lies from `from_bp` (included) to `to_bp`, by band; the last bucket has no end."""

    from_bp: int
    to_bp: int | None
    by_band: tuple[tuple[Band, int], ...]


@dataclass(frozen=True)
class WorstRow:
    """One of the accounts nearest to trouble, with its ratio at the end of the latest sessions (`spark`, bp).

    `next_band` is the band under its next line, `fall_bp` how far all its securities may fall to that line, or, with
    `is_maintenance_next`, to where its equity no longer meets the maintenance of its names (negative: it does not now).
    """

    account_id: int
    number: str
    client_name: str
    client_name_zh: str
    band: Band
    ratio_bp: int | None
    debt_minor: int
    next_band: Band | None
    is_maintenance_next: bool
    fall_bp: int | None
    call_bp: int
    spark: tuple[int, ...]


@dataclass(frozen=True)
class DeadlineRow:
    """Open calls that end at one instant; `for_maintenance` of them are not for a line."""

    deadline_at: datetime
    calls: int
    for_maintenance: int
    amount_minor: int


@dataclass(frozen=True)
class ConcentrationRow:
    """What the whole book holds of one name. `share_bp` is of the value of all names."""

    instrument_id: int
    symbol: str
    name: str
    name_zh: str
    value_minor: int
    share_bp: int
    holders: int
    is_stale: bool


@dataclass(frozen=True)
class Board:
    """The book as bands, and what is worst in it."""

    bands: tuple[BandRow, ...]
    debt_minor: int
    assets_minor: int
    accounts: int
    histogram: tuple[RatioBucket, ...]
    worst: tuple[WorstRow, ...]
    deadlines: tuple[DeadlineRow, ...]
    concentration: tuple[ConcentrationRow, ...]
    valued_at: datetime | None


@dataclass(frozen=True)
class AccountRow:
    """One account in a list."""

    account_id: int
    number: str
    client_id: int
    client_name: str
    client_name_zh: str
    scheme_code: str
    status: str
    band: Band
    band_since: datetime
    ratio_bp: int | None
    market_minor: int
    cash_minor: int
    debt_minor: int
    equity_minor: int
    valued_at: datetime
    currency: str


@dataclass(frozen=True)
class CallRow:
    """One call in a list, with whose it is."""

    id: int
    number: str
    account_id: int
    account_number: str
    client_name: str
    client_name_zh: str
    cause: CallCause
    state: CallState
    opened_at: datetime
    deadline_at: datetime
    amount_minor: int
    ratio_bp: int
    cure_bp: int
    ratio_now_bp: int | None
    closed_at: datetime | None
    currency: str


@dataclass(frozen=True)
class PositionRow:
    """One position with its terms: value = quantity * price; lendable = value less the haircut.

    `share_bp` is its part of the account's securities. `price_on` is the session of the price, None without one.
    The haircut is the greater of `own_haircut_bp`, the scheme's, and `desk_haircut_bp`, the desk's in force, if any;
    `last_price_units` is the last price, of which `price_units` may be what policy leaves of a suspended name's.
    All but that one is in the account's currency; the name is quoted in `currency`, of which a unit is worth `rate_e8`
    (1e-8) at the version of the rates `fx_name`: empty where nothing is converted.
    """

    instrument_id: int
    symbol: str
    name: str
    name_zh: str
    quantity: int
    price_units: int
    price_on: date | None
    value_minor: int
    share_bp: int
    haircut_bp: int
    lendable_minor: int
    maintenance_bp: int
    requirement_minor: int
    is_stale: bool
    is_suspended: bool
    is_price_missing: bool
    is_accepted: bool
    own_haircut_bp: int
    desk_haircut_bp: int | None
    last_price_units: int
    currency: str
    rate_e8: int
    fx_name: str

    @property
    def is_desk_haircut(self) -> bool:
        """Whether the desk's haircut is the harder one."""
        return self.desk_haircut_bp is not None and self.desk_haircut_bp > self.own_haircut_bp

    @property
    def is_abroad(self) -> bool:
        """Whether its price is converted to the account's currency."""
        return bool(self.fx_name) or self.rate_e8 != 10**8


@dataclass(frozen=True)
class Distance:
    """How far one line is: percent fall of all securities, and days of limit-down (`limit_bp` a day)."""

    band: Band
    line_bp: int
    fall_bp: int | None
    limit_days: int | None


@dataclass(frozen=True)
class MaintenanceDistance:
    """How far equity is from the maintenance of the names: the ratio at which it just meets it, and the fall of all
    securities until then (None: never). `spare_minor` is equity less maintenance, negative when it is short.
    """

    line_bp: int
    fall_bp: int | None
    spare_minor: int

    @property
    def missing_minor(self) -> int:
        """What has to be paid in or repaid."""
        return max(-self.spare_minor, 0)


@dataclass(frozen=True)
class SnapshotRow:
    """An account at the end of one business day."""

    on: date
    ratio_bp: int | None
    assets_minor: int
    debt_minor: int
    band: Band


@dataclass(frozen=True)
class AccountPage:
    """All that the page of one account says about its margin. Distances run from the mildest line to the hardest."""

    account: AccountFacts
    facility: FacilityFacts
    loans: tuple[LoanFacts, ...]
    scheme: VersionView
    client_name: str
    client_name_zh: str
    client_number: str
    standing: Standing
    band: Band
    band_since: datetime | None
    is_enforced: bool
    valued_at: datetime | None
    positions: tuple[PositionRow, ...]
    distances: tuple[Distance, ...]
    limit_bp: int
    cures: Cures | None
    maintenance: MaintenanceDistance
    snapshots: tuple[SnapshotRow, ...]
    calls: tuple[CallFacts, ...]

    @property
    def lendable_securities_minor(self) -> int:
        """What the positions lend together, each rounded down."""
        return sum(row.lendable_minor for row in self.positions)

    @property
    def next_line(self) -> Distance | None:
        """The nearest line that the account has not crossed."""
        return next((one for one in self.distances if one.band > self.band), None)

    @property
    def open_call(self) -> CallFacts | None:
        return next((call for call in self.calls if call.state is CallState.OPEN), None)


@dataclass(frozen=True)
class SchemeEffect:
    """What a change of collateral does to the accounts of a scheme ("" is the whole book); minor units.

    `over_*` are accounts that owe more than is lent against what they hold, and by how much; `moved` change their band,
    `closed_out` of these go from safe to close-out.
    """

    scheme_code: str
    accounts: int
    debt_minor: int
    lendable_before_minor: int
    lendable_after_minor: int
    over_before: int
    over_after: int
    over_before_minor: int
    over_after_minor: int
    moved: int
    closed_out: int


@dataclass(frozen=True)
class EffectRow:
    """One of the accounts that a change hits hardest."""

    account_id: int
    number: str
    scheme_code: str
    debt_minor: int
    lendable_before_minor: int
    lendable_after_minor: int
    band_before: Band
    band_after: Band


@dataclass(frozen=True)
class CollateralEffect:
    """What a change of collateral does to the book: by scheme, in all, by bands, and whom it hits hardest."""

    schemes: tuple[SchemeEffect, ...]
    total: SchemeEffect
    moves: tuple[tuple[Band, Band, int], ...]
    worst: tuple[EffectRow, ...]


@dataclass(frozen=True)
class NameChange:
    """One name whose haircut other house rules or lists would change, in basis points.

    `part_*` is what these rules themselves ask of it; `haircut_*` the worst of all parts, as last assessed and then.
    """

    instrument_id: int
    symbol: str
    part_before_bp: int
    part_after_bp: int
    haircut_before_bp: int
    haircut_after_bp: int


@dataclass(frozen=True)
class HousePreview:
    """What house rules or lists would change: names, the book after the assessment that follows, and what is at once.

    `suspended` is the effect of valuing suspended names by them; `over` are names over a cap of the house by them.
    """

    names: tuple[NameChange, ...]
    effect: CollateralEffect
    suspended: CollateralEffect | None = None
    over: tuple[CapUse, ...] = ()
