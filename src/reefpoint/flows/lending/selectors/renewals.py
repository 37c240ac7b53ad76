"""Loans near their maturity, whether they can be renewed, and their renewals, for the desk and for their clients."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from reefpoint.decisions.credit.rules.conditions import standing_words
from reefpoint.decisions.credit.selectors.conditions import account_figures, list_renewal_standings
from reefpoint.decisions.margin.selectors.calls import has_open_call
from reefpoint.decisions.margin.selectors.standing import Sheet, is_enforced, load_sheet, measure_on
from reefpoint.decisions.margin.types import Standing
from reefpoint.decisions.pricing.selectors.quotes import quoted_rates
from reefpoint.decisions.suitability.services import require_suitable
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import Renewal
from reefpoint.flows.lending.selectors.defaults import newest_defaults
from reefpoint.flows.lending.selectors.loans import find_visible_loan
from reefpoint.flows.lending.types import (
    MaturingLoan,
    MaturityStage,
    RenewalBar,
    RenewalCondition,
    RenewalEligibility,
    RenewalState,
    RenewalView,
)
from reefpoint.flows.servicing.services.opening import LENDING
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.loans import (
    count_extensions,
    find_loans_maturing,
    list_extensions,
    list_loans_of_client,
)
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, LoanState, OwnedLoan
from reefpoint.records.contracts.selectors import states_of
from reefpoint.records.contracts.types import ContractState
from reefpoint.records.ledger.selectors import available_minor
from reefpoint.records.ledger.types import client_cash
from reefpoint.records.parties.selectors.clients import find_own_client, require_open_for_business
from reefpoint.records.parties.services import require_licence
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.types import FeeMoment, VersionState

PAST, NEAR, SOON = "past", "near", "soon"
SOON_DAYS = 7


class RenewalNotFound(NotFound):
    """No renewal, or no loan, has this id, or it is not this person's to see."""


# Eligibility


def check_renewal(actor: Actor, loan_id: int, *, on: date, at: datetime) -> RenewalEligibility:
    """Whether a loan can be renewed now, from the account's live ratio and the scheme's terms, with every bar.

    For its client and for staff. Raises `RenewalNotFound`.
    """
    owned = _owned(actor, loan_id)
    loan, account = owned.loan, get_account(owned.loan.account_id)
    version = get_version(account.scheme_version_id)
    terms = version.terms
    used = count_extensions([loan_id]).get(loan_id, 0)
    fee_minor = terms.charges_minor(FeeMoment.RENEWAL, loan.principal_minor)
    sheet = load_sheet([version.id], at=at)
    held = {holding.instrument_id for holding in account.holdings}
    suspended = {one.id: one.symbol for one in sheet.instruments if one.is_suspended and one.id in held}
    bearing = replace(account, fees_minor=account.fees_minor + fee_minor)
    free = replace(bearing, holdings=tuple(one for one in account.holdings if one.instrument_id not in suspended))
    standing, without = measure_on(sheet, [bearing, free])
    ratio_bp, ratio_without_bp = _ratio(standing), _ratio(without)
    unpaid_minor = account.interest_minor + account.fees_minor
    cash_minor = available_minor(client_cash(account.number))
    required_bp = terms.renewal_min_ratio_bp
    is_low = ratio_bp is not None and ratio_bp < required_bp
    first_day = rules.first_renewal_day(loan.matures_on)
    conditions = _conditions(account, sheet, bearing, standing, on)
    bars = {
        RenewalBar.MATURED: loan.state is not LoanState.OPEN or on > loan.matures_on,
        RenewalBar.TOO_EARLY: on < first_day,
        RenewalBar.NO_RENEWALS_LEFT: used >= terms.renewals_max,
        RenewalBar.OPEN_CALL: has_open_call(account.id),
        RenewalBar.BEING_SOLD: is_enforced(account.id),
        RenewalBar.NOT_VALUED: standing.is_unknown,
        RenewalBar.RATIO_TOO_LOW: is_low,
        RenewalBar.SUSPENDED_NAMES: bool(suspended)
        and not is_low
        and (ratio_without_bp is None or ratio_without_bp < required_bp),
        RenewalBar.INTEREST_DUE: account.interest_minor > 0
        and not terms.roll_over_allowed
        and unpaid_minor > cash_minor,
        RenewalBar.ACCOUNT_NOT_ACTIVE: account.status is not AccountStatus.ACTIVE,
        RenewalBar.CLIENT_NOT_OPEN: _is_refused(lambda: require_open_for_business(account.client_id)),
        RenewalBar.UNSUITABLE: _is_refused(
            lambda: require_suitable(
                client_id=account.client_id, scheme_code=version.scheme_code, on=on, terms=version.terms
            )
        ),
        RenewalBar.NO_LICENCE: _is_refused(
            lambda: require_licence(jurisdiction=terms.rule_pack, activity=LENDING, on=on, at=at)
        ),
        RenewalBar.SCHEME_WITHDRAWN: version.state is not VersionState.PUBLISHED,
        RenewalBar.CONDITION_NOT_MET: any(one.stands in {"not_met", "unknown"} for one in conditions),
    }
    return RenewalEligibility(
        loan_id=loan_id,
        bars=tuple(bar for bar, stands in bars.items() if stands),
        ratio_bp=ratio_bp,
        required_ratio_bp=required_bp,
        suspended=tuple(sorted(suspended.values())),
        ratio_without_bp=ratio_without_bp,
        unpaid_minor=unpaid_minor,
        cash_minor=cash_minor,
        carries_interest=terms.roll_over_allowed,
        fee_minor=fee_minor,
        renewals_used=used,
        renewals_max=terms.renewals_max,
        first_day=first_day,
        matures_on=loan.matures_on,
        tenor_days_max=terms.tenor_days,
        conditions=conditions,
    )


def _conditions(
    account: AccountFacts, sheet: Sheet, bearing: AccountFacts, standing: Standing, on: date
) -> tuple[RenewalCondition, ...]:
    """What the credit decision binds a renewal to, by the account as it would be with the fee."""
    if account.decision_id is None:
        return ()
    found = list_renewal_standings(
        account.decision_id,
        lambda reviewed_on: account_figures(sheet, bearing, standing, on=on, reviewed_on=reviewed_on),
    )
    said = [(one, standing_words(one)) for one in found]
    return tuple(RenewalCondition(one.condition.code, words.en, words.zh, one.stands) for one, words in said)


def _ratio(standing: Standing) -> int | None:
    return None if standing.is_unknown else standing.ratio_bp


def _is_refused(check: Callable[[], object]) -> bool:
    try:
        check()
    except Refusal:
        return True
    return False


def _owned(actor: Actor, loan_id: int) -> OwnedLoan:
    owned = find_visible_loan(actor, loan_id)
    if owned is None:
        raise RenewalNotFound("There is no such loan, or it is not yours to see.")
    return owned


# Loans


def find_maturing(
    actor: Actor,
    *,
    on: date,
    when: str = "",
    renewal: str = "",
    text: str = "",
    order: str = "matures_on",
    offset: int = 0,
    limit: int = 50,
) -> Listing[MaturingLoan]:
    """Open loans in scope that can be renewed by their date, or are past it, earliest first.

    `when` is `past`, `near` (not past), `soon` (within a week) or empty for both; `renewal` is the state of a live
    renewal, or `none`. Raises `ValueError` for an order that loans do not have.
    """
    require(actor, "lending.view")
    live = Renewal.objects.filter(state__in=rules.LIVE_RENEWALS)
    only = None
    if renewal and renewal != "none":
        only = list(live.filter(state=renewal).values_list("loan_id", flat=True))
    days = SOON_DAYS if when == SOON else rules.OFFER_OPENS_DAYS
    found = find_loans_maturing(
        actor,
        since=on if when in {NEAR, SOON} else None,
        until=on - timedelta(days=1) if when == PAST else on + timedelta(days=days),
        only=only,
        without=list(live.values_list("loan_id", flat=True)) if renewal == "none" else (),
        text=text,
        order=order,
        offset=offset,
        limit=limit,
    )
    return Listing(_maturing(found.rows, on), found.count)


def list_own_loans(actor: Actor, *, on: date) -> list[MaturingLoan]:
    """The open loans of the client who asks, earliest maturity first."""
    own = find_own_client(actor)
    return [] if own is None else _maturing(list_loans_of_client(own.id), on)


def get_maturing(actor: Actor, loan_id: int, *, on: date) -> MaturingLoan:
    """One loan on its way to its maturity, for its client or for staff. Raises `RenewalNotFound`."""
    return _maturing([_owned(actor, loan_id)], on)[0]


def _maturing(owned: Iterable[OwnedLoan], on: date) -> list[MaturingLoan]:
    owned = list(owned)
    ids = [one.loan.id for one in owned]
    used, newest, defaults = count_extensions(ids), _newest(ids), newest_defaults(ids)
    versions = {version_id: get_version(version_id) for version_id in {one.scheme_version_id for one in owned}}
    rows = []
    for one in owned:
        loan, owner, version = one.loan, one.owner, versions[one.scheme_version_id]
        terms = version.terms
        rows.append(
            MaturingLoan(
                loan_id=loan.id,
                number=loan.number,
                account_id=owner.account_id,
                account_number=owner.number,
                client_id=owner.client_id,
                client_number=owner.client_number,
                client_name=owner.client_name,
                client_name_zh=owner.client_name_zh,
                scheme_code=version.scheme_code,
                currency=one.currency,
                principal_minor=loan.principal_minor,
                rate_bp=loan.rate_bp,
                matures_on=loan.matures_on,
                days_left=(loan.matures_on - on).days,
                stage=rules.maturity_stage(loan.matures_on, terms.grace_days, on)
                if loan.state is LoanState.OPEN
                else MaturityStage.RUNNING,
                grace_until=loan.matures_on + timedelta(days=terms.grace_days),
                penalty_rate_bp=terms.penalty_rate_bp,
                renewals_used=used.get(loan.id, 0),
                renewals_max=terms.renewals_max,
                renewal=newest.get(loan.id),
                default=defaults.get(loan.id),
            )
        )
    return rows


def _newest(loan_ids: Collection[int]) -> dict[int, RenewalView]:
    rows = Renewal.objects.filter(loan_id__in=loan_ids).order_by("loan_id", "-id").distinct("loan_id")
    return {view.loan_id: view for view in _views(rows.select_related("loan"))}


# Renewals


def get_renewal(actor: Actor, renewal_id: int) -> RenewalView:
    """One renewal, for its client or for staff in scope. Raises `RenewalNotFound`."""
    row = Renewal.objects.select_related("loan").filter(id=renewal_id).first()
    if row is not None:
        _owned(actor, row.loan_id)
        return _views([row])[0]
    raise RenewalNotFound("There is no such renewal, or it is not yours to see.")


def list_renewals(actor: Actor, loan_id: int) -> list[RenewalView]:
    """Every renewal of a loan, newest first."""
    _owned(actor, loan_id)
    return _views(Renewal.objects.filter(loan_id=loan_id).select_related("loan").order_by("-id"))


def find_renewal_of_contract(contract_id: int) -> RenewalView | None:
    """The renewal whose agreement this is, for a page that its reader may see."""
    row = Renewal.objects.filter(contract_id=contract_id).select_related("loan").first()
    return None if row is None else _views([row])[0]


def _views(rows: Iterable[Renewal]) -> list[RenewalView]:
    rows = list(rows)
    rates = quoted_rates([row.quote_id for row in rows if row.quote_id and row.state == RenewalState.OFFERED])
    return [
        RenewalView(
            id=row.pk,
            loan_id=row.loan_id,
            loan_number=row.loan.number,
            account_id=row.loan.account_id,
            client_id=row.client_id,
            state=RenewalState(row.state),
            number=row.number,
            old_matures_on=row.old_matures_on,
            new_matures_on=row.new_matures_on,
            tenor_days=(row.new_matures_on - row.old_matures_on).days,
            rate_bp=rates.get(row.quote_id or 0, row.rate_bp),
            quote_id=row.quote_id or 0,
            contract_id=row.contract_id,
            asked_at=row.asked_at,
            offered_at=row.offered_at,
            offered_by=row.offered_by,
            valid_until=row.valid_until,
            accepted_at=row.accepted_at,
            client_signed_at=row.client_signed_at,
            fee_minor=row.fee_minor,
            carried_minor=row.carried_minor,
            ended_at=row.ended_at,
            end_reason=row.end_reason,
        )
        for row in rows
    ]


def verify_renewals() -> list[Finding]:
    """Each renewal that is done has its agreement in force and moved its loan's maturity as it said; no other has."""
    rows = list(Renewal.objects.filter(contract_id__isnull=False).order_by("id"))
    states = states_of([row.contract_id or 0 for row in rows])
    moved = {(one.loan_id, one.number): one for one in list_extensions([row.loan_id for row in rows])}
    findings = []
    for row in rows:
        is_done, is_in_force = (
            row.state == RenewalState.DONE,
            states.get(row.contract_id or 0) is ContractState.IN_FORCE,
        )
        if is_done is not is_in_force:
            words = f"it is {row.state}, its agreement is {states.get(row.contract_id or 0)}"
            findings.append(Finding("lending.renewal", f"renewal:{row.pk}", words))
        move = moved.get((row.loan_id, row.number))
        if is_done and (move is None or move.new_matures_on != row.new_matures_on):
            words = f"it is done, and its loan's maturity did not move to {row.new_matures_on}"
            findings.append(Finding("lending.renewal", f"renewal:{row.pk}", words))
    return findings
