"""Assessing names: a haircut is the worst of law, house table, list and model, written down with all of them."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.collateral import rules
from reefpoint.decisions.collateral.models import Assessment, NameAssessment
from reefpoint.decisions.collateral.selectors import assumptions
from reefpoint.decisions.collateral.selectors.house import HOUSE, LISTS, accepts, read_house, read_lists
from reefpoint.decisions.collateral.selectors.model import propose_haircuts
from reefpoint.decisions.collateral.types import HAIRCUT_MAX_BP, EligibilityList, HaircutProposal
from reefpoint.engine.haircuts import HaircutPolicy
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.publications.selectors import in_force
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.market.selectors.instruments import list_instruments, list_listings
from reefpoint.records.market.selectors.prices import latest_prices
from reefpoint.records.market.types import ListingView
from reefpoint.records.products.selectors import get_rule_pack
from reefpoint.records.products.types import Pack

Explained = dict[str, object]
_PPM = 1_000_000


class NothingToAssess(Refusal):
    """An assessment of no name, or of one that is not listed."""

    code = "nothing_to_assess"


@transaction.atomic
def assess_names(
    *,
    actor: Actor,
    on: date,
    at: datetime,
    instrument_ids: Collection[int] | None = None,
    policy: HaircutPolicy | None = None,
    paths: int = assumptions.PATHS,
    seed: int = 1,
) -> int:
    """Assess these names (all, by default) as of a day. Returns the assessment's id; it puts nothing in force.

    Raises `NothingToAssess`, `NotEnoughHistory`, `RunRefused`, and `RulePackNotFound` for listings of a jurisdiction
    whose rules are not on record.
    """
    require(actor, "collateral.assess")
    policy = policy or HaircutPolicy()
    every = {one.id: one for one in list_instruments()}
    chosen = sorted(every if instrument_ids is None else set(instrument_ids))
    if not chosen or not set(chosen) <= set(every):
        raise NothingToAssess("Choose at least one name that is listed.")
    house_view = use_publication(kind=HOUSE, on=on, at=at)
    lists_view = in_force(LISTS, on)
    assert house_view.id is not None, "what is used is on record"
    house = read_house(house_view.id)
    lists = {one.tier: one for one in read_lists(lists_view.id)}
    listings = list_listings(on)
    places = {rules.JURISDICTIONS.get(every[one].venue, "") for one in chosen} - {""}
    packs = {place: get_rule_pack(place) for place in sorted(places)}
    report = propose_haircuts(at=at, policy=policy, paths=paths, seed=seed)
    proposals = {one.instrument_id: one for one in report.proposals}
    prices = latest_prices(as_of=at)
    assessment = Assessment.objects.create(
        on=on,
        at=at,
        maker=actor.ref,
        house_id=house_view.id,
        lists_id=lists_view.id,
        packs={place: pack.version for place, pack in packs.items()},
        parameters={**asdict(policy), "paths": paths, "seed": seed},
        assumptions=list(report.assumptions),
    )
    rows = []
    for instrument_id in chosen:
        instrument, listing = every[instrument_id], listings[instrument_id]
        price = prices.get(instrument_id)
        parts = {
            "regulation": _regulation(listing, packs, on),
            "house": {
                **rules.house_part(house, instrument, listing, price.price_units if price else None),
                "version": house_view.version,
            },
            "model": _model(proposals[instrument_id], listing, house.unmodelled_bp),
            "list": _list(lists, lists_view.version, instrument.symbol, on),
        }
        asked = {name: _bp(part) for name, part in parts.items()}
        listed = {"effective_on": listing.effective_on.isoformat() if listing.effective_on else None}
        rows.append(
            NameAssessment(
                assessment=assessment,
                instrument_id=instrument_id,
                regulation_bp=asked["regulation"],
                house_bp=asked["house"],
                model_bp=asked["model"],
                list_bp=asked["list"],
                haircut_bp=max(asked.values()),
                explanation={**parts, "listing": {**listed, "source": listing.source}},
            )
        )
    NameAssessment.objects.bulk_create(rows)
    record(
        actor=actor,
        action="collateral.assess",
        subject=f"collateral_assessment:{assessment.pk}",
        inputs={"names": len(rows), "house_version": house_view.version, "on": on},
        at=at,
    )
    return assessment.pk


def _bp(part: Explained) -> int:
    bp = part["haircut_bp"]
    assert isinstance(bp, int)
    return bp


def _regulation(listing: ListingView, packs: Mapping[str, Pack], on: date) -> Explained:
    place = rules.JURISDICTIONS.get(listing.venue, "")
    if place not in packs:
        return {"haircut_bp": HAIRCUT_MAX_BP, "jurisdiction": place, "is_missing": True, "rules": []}
    found = rules.legal_haircut(listing, packs[place], on)
    return {
        "haircut_bp": found.haircut_bp,
        "jurisdiction": place,
        "pack_version": packs[place].version,
        "is_missing": found.is_missing,
        "rules": [
            {
                "id": rule.id,
                "name": rule.name,
                "name_zh": rule.name_zh,
                "haircut_bp": rules.rule_bp(rule),
                "source": rule.source,
                "article": rule.article,
                "evidence": rule.evidence,
            }
            for rule in found.rules
        ],
    }


def _model(proposal: HaircutProposal, listing: ListingView, unmodelled_bp: int) -> Explained:
    known: Explained = {
        "returns": proposal.returns,
        "is_own_history": proposal.is_own_history,
        "shares": proposal.shares,
        "daily_volume": listing.daily_volume,
        "is_volume_assumed": listing.is_volume_assumed,
        "shares_issued": listing.shares_issued,
        "limit_bp": listing.limit_bp,
        "why_not": proposal.why_not,
    }
    if proposal.parts is None or proposal.proposed_bp is None:
        return {"haircut_bp": unmodelled_bp, **known}
    parts = {
        f"{name}_ppm": round(getattr(proposal.parts, name) * _PPM)
        for name in ("volatility", "liquidity", "concentration", "gap")
    }
    return {
        "haircut_bp": proposal.proposed_bp,
        **known,
        "days": proposal.parts.days,
        "historical_ppm": round(proposal.parts.historical * _PPM),
        "ewma_ppm": round(proposal.parts.ewma * _PPM),
        **parts,
        "rounding_ppm": proposal.proposed_bp * 100 - sum(parts.values()),
    }


def _list(lists: dict[str, EligibilityList], version: int, symbol: str, on: date) -> Explained:
    is_listed = not lists or accepts(lists, symbol, on)
    return {
        "haircut_bp": 0 if is_listed else HAIRCUT_MAX_BP,
        "is_listed": is_listed,
        "version": version if lists else None,
    }
