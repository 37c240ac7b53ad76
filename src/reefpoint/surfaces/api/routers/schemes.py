"""Lending schemes: versions, drafts, publication, comparison and play over past prices."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema, Status
from pydantic import AfterValidator, Field

from reefpoint.decisions.margin.types import CallCause
from reefpoint.engine.interest import PRINCIPAL_MINOR_MAX
from reefpoint.flows.lending.selectors.affected import find_withdrawal_effect
from reefpoint.flows.lending.services.withdrawals import ask_scheme_withdrawal
from reefpoint.insight.simulation.rules.files import CALENDARS, FILE_BYTES_MAX, PriceFile, read_prices
from reefpoint.insight.simulation.selectors import simulate
from reefpoint.insight.simulation.types import (
    CallEnd,
    Conduct,
    HaircutChange,
    Happenings,
    RateChange,
    SaleCause,
    SimulationRun,
    Source,
    Suspension,
)
from reefpoint.platform.access.services import require
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.products.rules import terms_from_json, terms_to_json
from reefpoint.records.products.selectors import (
    compare_versions,
    find_problems,
    get_terms,
    get_version,
    list_bounds,
    list_schemes,
)
from reefpoint.records.products.services import draft_scheme_version, request_publication, request_tier
from reefpoint.records.products.types import Bound, Fee, SchemeDraft, SchemeTerms, VersionState, VersionView
from reefpoint.surfaces.api.base import Caller, Id, In, Made, SafeText, answers, check_text, now, router, today
from reefpoint.surfaces.web.sentences import said

schemes = router("schemes")


class SchemeVersionOut(Schema):
    """A version with its terms. Money in minor units, rates and lines in basis points."""

    id: int
    scheme_id: int
    scheme_code: str
    scheme_name: str
    scheme_name_zh: str
    tier: int
    version: int
    state: VersionState
    effective_from: date
    published_at: datetime | None
    maker: str
    checker: str
    terms: dict[str, Any]


class SchemeOut(Schema):
    """A scheme with all its versions, the newest first."""

    id: int
    code: str
    name: str
    name_zh: str
    tier: int
    versions: list[SchemeVersionOut]


class SchemeIn(In):
    """The next version of a scheme, and the scheme itself where its code is new."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_-]{1,23}$")]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    name_zh: Annotated[str, Field(max_length=120)] = ""
    tier: Annotated[int, Field(ge=1, le=99)] = 1
    effective_from: date
    terms: dict[str, Any]


class TermsProblem(Schema):
    """Why terms could not be published."""

    field: str
    rule: str
    message: str


class PublicationReason(In):
    """What changes and why, for the second person."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class WithdrawalReason(In):
    """Why a version is offered no longer."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class WithdrawalEffectOut(Schema):
    """Whom a withdrawal touches. `asks` have no price yet; `loans` keep their terms and are not touched.

    `next_version` would be offered in its place, null without any.
    """

    asks: int
    quotes: int
    offers: int
    signed: int
    loans: int
    next_version: int | None


class TierIn(In):
    """Another tier for a scheme, and why."""

    tier: Annotated[int, Field(ge=1, le=99)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class TermChangeOut(Schema):
    """A term that differs: what it was and what it is, null where it was not there."""

    field: str
    before: Any
    after: Any


Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9.]{1,12}$")]


class PlayedRateIn(In):
    """A day on which the desk would tell the client of a new rate."""

    on: date
    rate_bp: Annotated[int, Field(ge=0, le=10_000)]


class PlayedHaircutIn(In):
    """A day on which the desk would put a haircut in force for a name; it comes with notice and in steps."""

    on: date
    symbol: Symbol
    haircut_bp: Annotated[int, Field(ge=0, le=10_000)]


class PlayedSuspensionIn(In):
    """A name that does not trade from `since` until `until`, on which it trades again; null is never."""

    symbol: Symbol
    since: date
    until: date | None = None


class PlayIn(In):
    """A loan to play. Either `version_id` or `terms` says under which terms.

    With the source `file`, `prices` is a CSV of closes on the sessions of `venue`: `date,AAA,BBB`, then one day a line.
    """

    version_id: Id | None = None
    terms: dict[str, Any] | None = None
    holdings: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=12)], Annotated[int, Field(ge=1, le=10**9)]],
        Field(min_length=1, max_length=30),
    ]
    loan_minor: Annotated[int, Field(ge=1, le=PRINCIPAL_MINOR_MAX)]
    since: date
    until: date
    source: Source = Source.PACKAGED
    conduct: Conduct = Conduct.SILENT
    rates: Annotated[list[PlayedRateIn], Field(max_length=100, default_factory=list)]
    haircuts: Annotated[list[PlayedHaircutIn], Field(max_length=100, default_factory=list)]
    suspensions: Annotated[list[PlayedSuspensionIn], Field(max_length=100, default_factory=list)]
    prices: Annotated[str, Field(max_length=FILE_BYTES_MAX), AfterValidator(check_text)] = ""
    venue: Literal["XNYS", "XHKG", "XSHG", "XSHE"] = "XNYS"


class PlayedCall(Schema):
    """A call of the play."""

    opened_on: date
    cause: CallCause
    ratio_bp: int
    amount_minor: int
    deadline_on: date
    end: CallEnd
    ended_on: date | None


class PlayedSale(Schema):
    """A forced sale of the play. `cost_minor` is slippage and the broker's fee."""

    on: date
    cause: SaleCause
    symbol: str
    quantity: int
    price_units: int
    value_minor: int
    cost_minor: int
    ratio_before_bp: int
    ratio_after_bp: int | None


class PlayedDay(Schema):
    """The account at a close."""

    on: date
    market_minor: int
    cash_minor: int
    debt_minor: int
    lendable_minor: int
    ratio_bp: int | None
    band: int
    rate_bp: int
    held_back: list[str]


class PlayedRate(Schema):
    """A new rate: told on a day, in force from another; null where the terms let no rate move."""

    told_on: date
    effective_on: date | None
    rate_bp: int


class PlayedStep(Schema):
    """A haircut from a day on."""

    effective_on: date
    haircut_bp: int


class PlayedHaircut(Schema):
    """A change of a haircut with the steps in which it came."""

    on: date
    symbol: str
    haircut_bp: int
    steps: list[PlayedStep]


class PlayOut(Schema):
    """What the loan came to. Money in minor units."""

    currency: str
    loan_minor: int
    most_minor: int
    start_minor: int
    client_end_minor: int
    lender_end_minor: int
    interest_minor: int
    fees_minor: int
    sale_cost_minor: int
    cost_minor: int
    sold_minor: int
    shortfall_minor: int
    lowest_ratio_bp: int | None
    calls: list[PlayedCall]
    sales: list[PlayedSale]
    rates: list[PlayedRate]
    haircuts: list[PlayedHaircut]
    days: list[PlayedDay]


def _version(view: VersionView) -> SchemeVersionOut:
    return SchemeVersionOut(**{**vars(view), "terms": terms_to_json(view.terms)})


@schemes.get("", response=answers(list[SchemeOut]))
def list_all(request: Caller) -> list[SchemeOut]:
    """Every scheme by code, with all its versions."""
    require(request.auth, "schemes.view")
    return [
        SchemeOut(
            id=one.id,
            code=one.code,
            name=one.name,
            name_zh=one.name_zh,
            tier=one.tier,
            versions=[_version(version) for version in one.versions],
        )
        for one in list_schemes()
    ]


@schemes.post("", response=answers(Made, 201))
def draft(request: Caller, scheme: SchemeIn) -> Status[Made]:
    """Keep the next version of a scheme as a draft. Its terms never change; other terms are another draft."""
    made = draft_scheme_version(
        actor=request.auth,
        draft=SchemeDraft(scheme.code, scheme.name, scheme.name_zh, terms_from_json(scheme.terms), scheme.tier),
        effective_from=scheme.effective_from,
        at=now(),
    )
    return Status(201, Made(id=made))


@schemes.post("/check", response=answers(list[TermsProblem]))
def check(request: Caller, scheme: SchemeIn) -> list[TermsProblem]:
    """Why these terms could not be published; an empty list if they could. Nothing is kept."""
    require(request.auth, "schemes.view")
    found = find_problems(terms_from_json(scheme.terms), scheme.effective_from)
    return [TermsProblem(field=one.field, rule=one.rule, message=said(one.message)) for one in found]


@schemes.get("/bounds/{jurisdiction}", response=answers(list[Bound]))
def read_bounds(request: Caller, jurisdiction: SafeText, on: date | None = None) -> list[Bound]:
    """What the newest loaded rules of a jurisdiction ask of terms on a day, today by default."""
    require(request.auth, "schemes.view")
    return list_bounds(jurisdiction, on or today())


@schemes.get("/versions/{version_id}", response=answers(SchemeVersionOut))
def read_version(request: Caller, version_id: Id) -> SchemeVersionOut:
    """One version with its terms."""
    require(request.auth, "schemes.view")
    return _version(get_version(version_id))


@schemes.get("/versions/{version_id}/differences/{other_id}", response=answers(list[TermChangeOut]))
def compare(request: Caller, version_id: Id, other_id: Id) -> list[TermChangeOut]:
    """Every term that differs from the first version to the second."""
    require(request.auth, "schemes.view")
    return [
        TermChangeOut(field=change.field, before=_plain(change.before), after=_plain(change.after))
        for change in compare_versions(version_id, other_id)
    ]


def _plain(value: object) -> object:
    if isinstance(value, Fee):
        return vars(value)
    return [str(one) for one in value] if isinstance(value, tuple) else value


@schemes.post("/versions/{version_id}/publication", response=answers(Made, 201))
def ask(request: Caller, version_id: Id, asked: PublicationReason) -> Status[Made]:
    """Ask a second person to publish a draft. Answers with the approval's id."""
    made = request_publication(actor=request.auth, version_id=version_id, reason=asked.reason, at=now())
    return Status(201, Made(id=made))


@schemes.get("/versions/{version_id}/withdrawal", response=answers(WithdrawalEffectOut))
def preview_withdrawal(request: Caller, version_id: Id) -> WithdrawalEffectOut:
    """Whom it would touch to offer a version no longer."""
    require(request.auth, "schemes.view")
    return WithdrawalEffectOut(**vars(find_withdrawal_effect(version_id, on=today(), at=now())))


@schemes.post("/versions/{version_id}/withdrawal", response=answers(Made, 201))
def withdraw(request: Caller, version_id: Id, given: WithdrawalReason) -> Status[Made]:
    """Ask a second person to offer a published version no longer. Answers with the approval's id."""
    made = ask_scheme_withdrawal(actor=request.auth, version_id=version_id, reason=given.reason, on=today(), at=now())
    return Status(201, Made(id=made))


@schemes.post("/{scheme_id}/tier", response=answers(Made, 201))
def ask_tier(request: Caller, scheme_id: Id, given: TierIn) -> Status[Made]:
    """Ask a second person to give a scheme another tier. Answers with the approval's id."""
    made = request_tier(actor=request.auth, scheme_id=scheme_id, tier=given.tier, reason=given.reason, at=now())
    return Status(201, Made(id=made))


@schemes.post("/simulation", response=answers(PlayOut))
def play(request: Caller, asked: PlayIn) -> PlayOut:
    """Play one loan over past prices by the desk's own rules. Nothing is written."""
    require(request.auth, "schemes.view")
    happenings = Happenings(
        rates=tuple(RateChange(one.on, one.rate_bp) for one in asked.rates),
        haircuts=tuple(HaircutChange(one.on, one.symbol, one.haircut_bp) for one in asked.haircuts),
        suspensions=tuple(Suspension(one.symbol, one.since, one.until) for one in asked.suspensions),
    )
    run = simulate(
        _terms(asked),
        asked.holdings,
        asked.loan_minor,
        asked.since,
        asked.until,
        source=asked.source,
        conduct=asked.conduct,
        happenings=happenings,
        file=_file(asked) if asked.source is Source.FILE else None,
    )
    return _played(run)


def _file(asked: PlayIn) -> PriceFile:
    return read_prices(asked.prices, asked.venue, get_calendar(CALENDARS[asked.venue]))


def _terms(asked: PlayIn) -> SchemeTerms:
    if asked.version_id is not None:
        return get_terms(asked.version_id)
    return terms_from_json(asked.terms or {})


def _played(run: SimulationRun) -> PlayOut:
    return PlayOut(
        currency=run.currency,
        loan_minor=run.loan_minor,
        most_minor=run.most_minor,
        start_minor=run.start_minor,
        client_end_minor=run.client_end_minor,
        lender_end_minor=run.lender_end_minor,
        interest_minor=run.interest_minor,
        fees_minor=run.fees_minor,
        sale_cost_minor=run.sale_cost_minor,
        cost_minor=run.cost_minor,
        sold_minor=run.sold_minor,
        shortfall_minor=run.shortfall_minor,
        lowest_ratio_bp=run.lowest_ratio_bp,
        calls=[PlayedCall(**vars(call)) for call in run.calls],
        sales=[PlayedSale(**vars(sale)) for sale in run.sales],
        rates=[PlayedRate(**vars(one)) for one in run.rates],
        haircuts=[
            PlayedHaircut(**{**vars(one), "steps": [PlayedStep(**vars(step)) for step in one.steps]})
            for one in run.haircuts
        ],
        days=[PlayedDay(**{**vars(day), "band": int(day.band), "held_back": list(day.held_back)}) for day in run.days],
    )
