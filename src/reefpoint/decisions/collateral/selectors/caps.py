"""Concentration: how much of an issuer, a board or a name an account and the whole desk hold, and what is the most."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from reefpoint.decisions.collateral.rules import CapReached, NotEligible
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.selectors.house import accepts, lists_in_force, published_house
from reefpoint.decisions.collateral.selectors.model import own_haircuts
from reefpoint.decisions.collateral.types import NO_CAPS, Caps, CapUse
from reefpoint.platform.basics.money import held_minor, percent
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts.selectors.positions import holdings_by_pool
from reefpoint.records.execution.selectors import open_buy_quantities
from reefpoint.records.market.selectors.instruments import get_instrument, list_instruments, list_listings
from reefpoint.records.market.selectors.prices import latest_prices
from reefpoint.records.products.selectors import get_terms, get_version

BP = 10_000


@dataclass(frozen=True)
class _Held:
    """What the whole desk holds of a name: shares, and price units lent against them."""

    quantity: int
    lendable_units: int


def house_uses(caps: Caps, on: date, *, at: datetime, adding: Mapping[int, int] | None = None) -> list[CapUse]:
    """How much of each name the desk holds or has ordered against the house's caps, `adding` to some; by symbol."""
    adding = adding or {}
    instruments = list_instruments()
    listings, prices, desk_bp = list_listings(on), latest_prices(as_of=at), haircuts_in_force(on)
    own = own_haircuts(instruments, on)
    shares: dict[int, int] = {one.id: adding.get(one.id, 0) for one in instruments}
    for _, instrument_id, quantity in holdings_by_pool():
        shares[instrument_id] += quantity
    for (_, instrument_id), quantity in open_buy_quantities().items():
        shares[instrument_id] += quantity
    held = {}
    for one in instruments:
        haircut_bp = max(min(own.get(one.id, [0])), desk_bp.get(one.id, 0))
        units = shares[one.id] * prices[one.id].price_units if one.id in prices else 0
        held[one.id] = _Held(shares[one.id], units * (BP - haircut_bp) // BP)
    whole = sum(one.lendable_units for one in held.values())
    uses = []
    for one in sorted(instruments, key=lambda one: one.symbol):
        found = held[one.id]
        if caps.house_share_bp is not None:
            used = -(-found.lendable_units * BP // whole) if whole else 0
            uses.append(CapUse("house_share", one.id, one.symbol, used, caps.house_share_bp))
        if caps.house_volume_days is not None and found.quantity:
            volume = listings[one.id].daily_volume
            days = -(-found.quantity * 100 // volume) if volume else None
            uses.append(CapUse("house_volume", one.id, one.symbol, days, caps.house_volume_days * 100))
    return uses


def account_uses(caps: Caps, values_minor: Mapping[int, int], assets_minor: int, on: date) -> list[CapUse]:
    """How much of an account's assets lies in one issuer or on one board, against the caps; names by instrument id."""
    listings = list_listings(on)
    issuers: dict[str, int] = {}
    boards: dict[str, int] = {}
    for instrument_id, value in values_minor.items():
        listing = listings[instrument_id]
        if listing.issuer:
            issuers[listing.issuer] = issuers.get(listing.issuer, 0) + value
        boards[listing.board] = boards.get(listing.board, 0) + value
    uses = []
    if caps.issuer_bp is not None:
        uses += [CapUse("issuer", None, name, _share(v, assets_minor), caps.issuer_bp) for name, v in issuers.items()]
    uses += [
        CapUse("board", None, board, _share(boards.get(board, 0), assets_minor), cap_bp)
        for board, cap_bp in caps.boards_bp.items()
        if board in boards
    ]
    return sorted(uses, key=lambda use: (use.kind, use.name))


def _share(value: int, whole: int) -> int:
    """The part in basis points, rounded up; all of it where there is nothing else."""
    return -(-value * BP // whole) if whole > 0 else BP


def require_purchase(
    *,
    account_id: int,
    instrument_id: int,
    quantity: int,
    values_minor: Mapping[int, int],
    assets_minor: int,
    scheme_version_id: int,
    at: datetime,
) -> None:
    """Refuse to buy a name that is not accepted, or beyond a cap of issuer, board or house.

    `values_minor` and `assets_minor` are the account after the purchase, `quantity` what is bought; what the account
    and the house have ordered and not got yet counts as held. Raises `NotEligible`, `CapReached`.
    """
    on = at.date()
    lists, caps = lists_in_force(on), _caps(on, scheme_version_id)
    if not lists and caps.is_empty:
        return
    symbol = get_instrument(instrument_id).symbol
    if lists and not accepts(lists, symbol, on, _tier(scheme_version_id)):
        raise NotEligible(
            "{symbol} is not on the list of accepted collateral on {on}.",
            instrument_id=instrument_id,
            symbol=symbol,
            on=on,
        )
    if caps.is_empty:
        return
    listing = list_listings(on)[instrument_id]
    values = _with_ordered(account_id, values_minor, at)
    for use in account_uses(caps, values, assets_minor, on):
        if use.is_over and use.name in {listing.issuer, listing.board}:
            what = Sentence("of the issuer") if use.kind == "issuer" else Sentence("of the board")
            raise CapReached(
                "After this purchase names {what} {name} would be {used} of the account; at most {most} may be.",
                cap=use.kind,
                what=what,
                name=use.name,
                used=percent(use.used or 0),
                most=percent(use.cap),
            )
    for use in house_uses(caps, on, at=at, adding={instrument_id: quantity}):
        if use.is_over and use.instrument_id == instrument_id:
            raise CapReached(
                "{symbol} cannot be bought now: {problem}.", cap=use.kind, symbol=symbol, problem=_over(use)
            )


def _with_ordered(account_id: int, values_minor: Mapping[int, int], at: datetime) -> dict[int, int]:
    """The values of an account's names with what it has ordered and not got yet, at prices of now."""
    values = dict(values_minor)
    ordered = {one: many for (_, one), many in open_buy_quantities([account_id]).items()}
    if ordered:
        prices, currencies = latest_prices(as_of=at), {one.id: one.currency for one in list_instruments()}
        for one, many in ordered.items():
            if one in prices:
                values[one] = values.get(one, 0) + held_minor(many * prices[one].price_units, currencies[one])
    return values


def _caps(on: date, scheme_version_id: int) -> Caps:
    """The house's caps of a day, with the harder of its own and the scheme's for one issuer."""
    house = published_house(on)
    caps = NO_CAPS if house is None else house.caps
    group_bp = get_terms(scheme_version_id).group_cap_bp
    if group_bp >= (BP if caps.issuer_bp is None else caps.issuer_bp):
        return caps
    return replace(caps, issuer_bp=group_bp)


def _tier(scheme_version_id: int) -> str:
    return str(get_version(scheme_version_id).tier)


def names_without_credit(
    instrument_ids: Collection[int], *, scheme_version_id: int, at: datetime
) -> dict[int, Sentence]:
    """Those of these names on which no new credit is given, with why: not accepted, or too much of it in the house."""
    on = at.date()
    lists, house = lists_in_force(on), published_house(on)
    if not lists and (house is None or house.caps.is_empty):
        return {}
    tier = _tier(scheme_version_id)
    symbols = {one.id: one.symbol for one in list_instruments() if one.id in set(instrument_ids)}
    found = {
        one: Sentence("{symbol} is not on the list of accepted collateral", {"symbol": symbol})
        for one, symbol in symbols.items()
        if lists and not accepts(lists, symbol, on, tier)
    }
    if house is not None and not house.caps.is_empty:
        for use in house_uses(house.caps, on, at=at):
            if use.is_over and use.instrument_id in symbols:
                found.setdefault(
                    use.instrument_id, Sentence("{name}: {problem}", {"name": use.name, "problem": _over(use)})
                )
    return found


def _over(use: CapUse) -> Sentence:
    if use.kind == "house_share":
        return Sentence(
            "{used} of what the desk lends on lies in it, and at most {most} may",
            {"used": percent(use.used or 0), "most": percent(use.cap)},
        )
    if use.used is None:
        return Sentence("it does not trade, and the desk holds some")
    return Sentence(
        "the desk holds {days:.1f} days of its volume, and at most {most} may be held",
        {"days": use.used / 100, "most": use.cap // 100},
    )
