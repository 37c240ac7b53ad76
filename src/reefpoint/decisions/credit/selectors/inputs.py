"""Gathering what a decision is made from, at one instant, so that it can be stored whole."""

from datetime import date, datetime

from reefpoint.decisions.credit.types import (
    CreditAsk,
    CreditInputs,
    CreditPolicy,
    FeatureInput,
    PledgedName,
    ScoreInput,
)
from reefpoint.decisions.kyc.selectors import get_kyc_standing
from reefpoint.decisions.kyc.types import KycState, Rating
from reefpoint.decisions.margin.selectors.standing import Sheet, load_sheet, measure_on
from reefpoint.decisions.relations.selectors.groups import find_limit
from reefpoint.decisions.screening.selectors import get_screening_standing
from reefpoint.decisions.screening.types import Standing as Screened
from reefpoint.decisions.suitability.selectors import judge_terms
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import held_minor
from reefpoint.platform.basics.tables.cells import Value
from reefpoint.records.accounts.selectors.accounts import load_debts
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, Holding
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.parties.selectors.licences import find_licence
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.products.types import VersionView

LENDING = "margin_lending"


class AskRefused(Refusal):
    """An ask that no policy could look at: nothing asked for, another currency, a name that does not exist."""

    code = "ask_refused"


def gather_inputs(
    *,
    actor: Actor,
    client_id: int,
    ask: CreditAsk,
    version: VersionView,
    policy: CreditPolicy,
    features: FeatureInput | None,
    score: ScoreInput | None,
    on: date,
    at: datetime,
) -> CreditInputs:
    """Everything that the policy may ask for. What is not known stays None. Raises `AskRefused`, `ClientNotFound`."""
    terms = version.terms
    if ask.limit_minor <= 0:
        raise AskRefused("The limit asked for must be above zero.")
    if ask.currency != terms.currency:
        raise AskRefused("The scheme lends in {currency}, not in {asked}.", currency=terms.currency, asked=ask.currency)
    client = get_client(actor, client_id)
    kyc, screened = get_kyc_standing(client_id), get_screening_standing(client_id)
    verdict = judge_terms(client_id, ask.scheme_code, terms, on)
    licence = find_licence(jurisdiction=terms.rule_pack, activity=LENDING, on=on, at=at)
    profile = load_profiles([client_id]).get(client_id)
    pledged, lendable = _value(ask, version, at)
    total = sum(name.market_minor or 0 for name in pledged)
    is_valued = bool(pledged) and total > 0 and all(name.market_minor is not None for name in pledged)
    facts: dict[str, Value | None] = {
        "client_status": client.status.value,
        "is_licensed": licence is not None,
        "file": _file_word(kyc.rating, kyc.state, screened.state),
        "kyc_rating": kyc.rating.value if kyc.rating else None,
        "suitability": "suitable" if verdict.is_suitable else "unsuitable",
        "segment": verdict.segment.value,
        "tier": version.tier,
        "grade": score.grade if score else None,
        "trading_years": profile.trading_years if profile else None,
        "concentration_bp": -(-max(name.market_minor or 0 for name in pledged) * 10_000 // total)
        if is_valued
        else None,
    }
    known = features.known if features else {}
    group = find_limit(client_id, ask.currency)
    group_debt = (
        sum(debt.debt_minor for debt in load_debts(group.client_ids) if debt.currency == ask.currency) if group else 0
    )
    return CreditInputs(
        on=on,
        ask=ask,
        scheme_version_id=version.id,
        scheme_limit_minor=terms.limit_minor,
        pledged=pledged,
        lendable_minor=lendable if is_valued else None,
        liquid_assets_minor=profile.liquid_assets_minor if profile and profile.currency == ask.currency else None,
        group_room_minor=None if group is None else group.limit_minor - group_debt,
        facts={name: facts[name] if name in facts else known.get(name) for name in policy.facts},
        score=score,
        standings={
            "kyc_assessment": kyc.assessment_id,
            "licence": licence.id if licence else None,
            "suitability": verdict.code or verdict.offer.value,
            "profile_version": profile.version if profile else None,
            "feature_set": features.set_id if features else None,
            "feature_set_version": features.version if features else None,
            "feature_set_hash": features.content_hash if features else None,
        },
    )


def _file_word(rating: Rating | None, state: KycState, screened: Screened) -> str:
    """How the client's file stands, in one word: which list or which doubt it is must reach nobody here."""
    if rating is Rating.PROHIBITED or screened is Screened.CONFIRMED:
        return "closed"
    return "complete" if state is KycState.RATED and screened is Screened.CLEAR else "in_review"


def _value(ask: CreditAsk, version: VersionView, at: datetime) -> tuple[tuple[PledgedName, ...], int]:
    """The shares offered at current prices under the scheme's terms, and what they would be lent against.

    A name without a current price has no value here; the lending value is that of the engine for such an account.
    """
    sheet = load_sheet([version.id], at=at)
    by_id = {instrument.id: instrument for instrument in sheet.instruments}
    if len({one for one, _ in ask.portfolio}) < len(ask.portfolio):
        raise AskRefused("A name stands twice among the shares offered. Put them together.")
    for instrument_id, quantity in ask.portfolio:
        if instrument_id not in by_id or quantity <= 0:
            raise AskRefused("Each name offered must be one that the desk knows, with a number of shares above zero.")
    names = tuple(
        _pledged(sheet, version, instrument_id, quantity, by_id[instrument_id].symbol, ask.currency)
        for instrument_id, quantity in sorted(ask.portfolio)
    )
    if not names:
        return (), 0
    account = AccountFacts(
        id=0,
        number="",
        client_id=0,
        scheme_version_id=version.id,
        currency=ask.currency,
        status=AccountStatus.ACTIVE,
        change_no=0,
        cash_minor=0,
        principal_minor=0,
        interest_minor=0,
        fees_minor=0,
        holdings=tuple(Holding(name.instrument_id, name.quantity) for name in names),
    )
    return names, measure_on(sheet, [account])[0].lendable_minor


def _pledged(
    sheet: Sheet, version: VersionView, instrument_id: int, quantity: int, symbol: str, currency: str
) -> PledgedName:
    price = sheet.prices.get(instrument_id)
    units = price.price_units if price is not None and not price.is_stale else None
    haircut = int(sheet.marks.haircut_bp[sheet.row[version.id], sheet.column[instrument_id]])
    market = None if units is None else held_minor(units * quantity, currency)
    return PledgedName(instrument_id, symbol, quantity, units, haircut, market)
