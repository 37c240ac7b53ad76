"""What other house rules, or other lists of accepted names, would change before anybody publishes them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from reefpoint.decisions.collateral import rules
from reefpoint.decisions.collateral.selectors.assessments import latest_names
from reefpoint.decisions.collateral.selectors.caps import house_uses
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.selectors.house import HOUSE, accepts, lists_in_force, read_house
from reefpoint.decisions.collateral.types import HAIRCUT_MAX_BP, NameView
from reefpoint.decisions.margin.selectors.collateral_effects import find_haircut_effect, find_house_effect
from reefpoint.decisions.margin.types import HousePreview, NameChange
from reefpoint.platform.publications.selectors import in_force
from reefpoint.records.market.selectors import latest_prices, list_instruments, list_listings


def preview_house(content: Mapping[str, Any], on: date, *, at: datetime) -> HousePreview:
    """What these house rules would change on a day. Raises `MalformedTable`.

    The model's part is that of each name's last assessment; for a name without one the house's part stands alone.
    """
    old, new = read_house(in_force(HOUSE, on).id), rules.read_house(content)
    instruments, listings, prices, assessed = (
        list_instruments(),
        list_listings(on),
        latest_prices(as_of=at),
        latest_names(),
    )
    changes = []
    for one in instruments:
        price = prices[one.id].price_units if one.id in prices else None
        parts = [_bp(rules.house_part(house, one, listings[one.id], price)) for house in (old, new)]
        found = assessed.get(one.id)
        before = replace(found, house_bp=parts[0]) if found else None
        if found and not _is_modelled(found):
            before = replace(found, house_bp=parts[0], model_bp=old.unmodelled_bp)
            found = replace(found, model_bp=new.unmodelled_bp)
        changes.append(
            NameChange(
                one.id,
                one.symbol,
                parts[0],
                parts[1],
                _worst(before) if before else parts[0],
                _worst(replace(found, house_bp=parts[1])) if found else parts[1],
            )
        )
    suspended = find_house_effect(new, on, at=at) if any(one.is_suspended for one in instruments) else None
    uses = [use for use in house_uses(new.caps, on, at=at) if use.is_over]
    return _preview(changes, on, at=at, suspended=suspended, over=uses)


def preview_lists(content: Mapping[str, Any], on: date, *, at: datetime) -> HousePreview:
    """What these lists of accepted names would change on a day. Raises `MalformedTable`.

    A name off the desk's own list is cut wholly by the assessment that follows; lists of tiers only refuse purchases.
    """
    old, new = lists_in_force(on), {one.tier: one for one in rules.read_lists(content)}
    assessed, now = latest_names(), haircuts_in_force(on)
    changes = []
    for one in list_instruments():
        parts = [0 if not lists or accepts(lists, one.symbol, on) else HAIRCUT_MAX_BP for lists in (old, new)]
        found = assessed.get(one.id)
        rest = _worst(replace(found, list_bp=0)) if found else now.get(one.id, 0)
        changes.append(NameChange(one.id, one.symbol, parts[0], parts[1], max(rest, parts[0]), max(rest, parts[1])))
    return _preview(changes, on, at=at)


def _preview(changes: list[NameChange], on: date, *, at: datetime, **more: Any) -> HousePreview:
    moved = tuple(
        one
        for one in changes
        if one.part_before_bp != one.part_after_bp or one.haircut_before_bp != one.haircut_after_bp
    )
    targets = {one.instrument_id: one.haircut_after_bp for one in moved}
    return HousePreview(moved, find_haircut_effect(targets, at=at), **more)


def _worst(name: NameView) -> int:
    return max(name.regulation_bp, name.house_bp, name.model_bp, name.list_bp)


def _is_modelled(name: NameView) -> bool:
    return "days" in name.explanation["model"]


def _bp(part: Mapping[str, object]) -> int:
    bp = part["haircut_bp"]
    assert isinstance(bp, int)
    return bp
