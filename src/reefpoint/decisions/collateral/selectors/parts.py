"""What law and the house's table ask of a listing, as it is or as it would be."""

from dataclasses import replace
from datetime import date, datetime

from reefpoint.decisions.collateral import rules
from reefpoint.decisions.collateral.selectors.house import HOUSE, read_house
from reefpoint.platform.publications.selectors import in_force
from reefpoint.records.market.selectors import get_instrument, latest_prices
from reefpoint.records.market.types import ListingDraft, ListingView
from reefpoint.records.products.selectors import list_rule_packs


def asked_of(listing: ListingView, on: date, *, at: datetime) -> tuple[int | None, int]:
    """The haircuts (bp) that law and the house's table ask of a listing on a day; None where no pack is on record."""
    instrument = get_instrument(listing.instrument_id)
    price = latest_prices(as_of=at).get(listing.instrument_id)
    house = rules.house_part(
        read_house(in_force(HOUSE, on).id), instrument, listing, price.price_units if price else None
    )
    house_bp = house["haircut_bp"]
    assert isinstance(house_bp, int)
    place = rules.JURISDICTIONS.get(listing.venue, "")
    pack = next((one for one in list_rule_packs() if one.jurisdiction == place), None)
    return (None if pack is None else rules.legal_haircut(listing, pack, on).haircut_bp), house_bp


def with_facts(listing: ListingView, facts: ListingDraft, assumed_volume: int) -> ListingView:
    """A listing as it would be with these facts."""
    return replace(
        listing,
        kind=facts.kind,
        board=facts.board,
        has_risk_warning=facts.has_risk_warning,
        is_index_member=facts.is_index_member,
        is_pe_excluded=facts.is_pe_excluded,
        limit_bp=facts.limit_bp,
        daily_volume=assumed_volume if facts.daily_volume is None else facts.daily_volume,
        is_volume_assumed=facts.daily_volume is None,
        shares_issued=facts.shares_issued,
        issuer=facts.issuer,
        source=facts.source,
        effective_on=facts.effective_on,
    )
