"""The house's rules and lists in force, who is accepted by them, and what a suspended name is still worth."""

from datetime import date
from functools import lru_cache

from reefpoint.decisions.collateral import rules
from reefpoint.decisions.collateral.adapters.shipped import read_shipped_house, read_shipped_lists
from reefpoint.decisions.collateral.rules import NotEligible
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.types import EligibilityList, HouseRules, ListDifference
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.publications.selectors import get_published, in_force, list_versions, shipped
from reefpoint.platform.publications.types import Content, PublicationKind, PublicationState
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.market.selectors.instruments import get_instrument, list_instruments

PUBLISH = "collateral.publish"


class VersionNotFound(NotFound):
    """The lists have no such published version."""


LONG_AGO_SESSIONS = 10_000
"""For a name of which nobody knows since when it is suspended: longer than any row of a table tells apart."""


def _check_house(content: object) -> None:
    rules.read_house(content)  # type: ignore[arg-type]  # it refuses what is no map


def _check_lists(content: object) -> None:
    rules.read_lists(content)  # type: ignore[arg-type]  # it refuses what is no map


HOUSE = PublicationKind(
    name="collateral.house", right=PUBLISH, approval=PUBLISH, check=_check_house, shipped=read_shipped_house
)
LISTS = PublicationKind(
    name="collateral.lists", right=PUBLISH, approval=PUBLISH, check=_check_lists, shipped=read_shipped_lists
)


def read_content(content: Content) -> HouseRules:
    """House rules that may not be on record yet. Raises `MalformedTable`."""
    return rules.read_house(content)


@lru_cache(maxsize=64)
def read_house(publication_id: int | None) -> HouseRules:
    """The house's rules of a publication, read once a process; None is what was shipped."""
    return rules.read_house((shipped(HOUSE) if publication_id is None else get_published(publication_id)).content)


@lru_cache(maxsize=64)
def read_lists(publication_id: int | None) -> tuple[EligibilityList, ...]:
    """The lists of a publication, read once a process; None is what was shipped."""
    return rules.read_lists((shipped(LISTS) if publication_id is None else get_published(publication_id)).content)


def published_house(on: date) -> HouseRules | None:
    """The rules that two people of the desk put in force; None while there are only those that were shipped."""
    found = in_force(HOUSE, on)
    return None if found.is_shipped else read_house(found.id)


def lists_in_force(on: date) -> dict[str, EligibilityList]:
    """The lists of a day, by tier; empty while the desk has published none."""
    return {one.tier: one for one in read_lists(in_force(LISTS, on).id)}


def accepts(lists: dict[str, EligibilityList], symbol: str, on: date, tier: str = "") -> bool:
    """Whether these lists take a name: the desk's own, and that of the tier where it has one."""
    return all(lists[key].accepts(symbol, on) for key in {"", tier} if key in lists)


def is_eligible(instrument_id: int, on: date, tier: str = "") -> bool:
    """Whether the desk accepts a name on a day, for schemes of a tier. Everything while no list is published."""
    lists = lists_in_force(on)
    return not lists or accepts(lists, get_instrument(instrument_id).symbol, on, tier)


def require_eligible(instrument_id: int, on: date, tier: str = "") -> None:
    """Refuse a name that the desk does not accept on a day. Raises `NotEligible`."""
    if not is_eligible(instrument_id, on, tier):
        symbol = get_instrument(instrument_id).symbol
        raise NotEligible(
            "{symbol} is not on the list of accepted collateral on {on}.",
            instrument_id=instrument_id,
            on=on,
            symbol=symbol,
        )


def valuation_cuts(on: date) -> dict[int, int]:
    """How much (bp) the last price of each suspended name is cut on a day, by instrument id; none without a policy."""
    suspended = [one for one in list_instruments() if one.is_suspended]
    house = published_house(on) if suspended else None
    return {} if house is None else cuts_under(house, on)


def cuts_under(house: HouseRules, on: date) -> dict[int, int]:
    """The same under given rules, whether they are in force or not."""
    cuts = {}
    for one in list_instruments():
        if not one.is_suspended:
            continue
        if one.suspended_at is None:
            cut = rules.cut_after(house, LONG_AGO_SESSIONS)
        else:
            cut = rules.suspension_cut_bp(house, get_calendar(one.venue), one.suspended_at.date(), on)
        if cut:
            cuts[one.id] = cut
    return cuts


def compare_list_versions(before: int, after: int) -> list[ListDifference]:
    """What differs between two published versions of the lists. Raises `VersionNotFound`."""
    published = {one.version: one for one in list_versions(LISTS) if one.state is PublicationState.PUBLISHED}
    if missing := {before, after} - set(published):
        raise VersionNotFound("There is no published version {version} of the lists.", version=min(missing))
    symbols = {one.id: one.symbol for one in list_instruments()}
    first, second = published[before], published[after]
    cuts_before, cuts_after = (
        {symbols[one]: cut for one, cut in haircuts_in_force(version.effective_from).items()}
        for version in (first, second)
    )
    return rules.compare_lists(read_lists(first.id), read_lists(second.id), cuts_before, cuts_after)
