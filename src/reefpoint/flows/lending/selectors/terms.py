"""A contract's terms as data: the scheme's, the price, and the key facts worked out by the engine for this client."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from reefpoint.decisions.credit.rules.conditions import condition_words
from reefpoint.decisions.credit.selectors.conditions import binding_conditions
from reefpoint.decisions.pricing.types import QuoteView
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.origination.selectors.overview import interest_minor, overview_of, overview_of_account
from reefpoint.flows.origination.types.overview import Overview, OverviewLineName
from reefpoint.platform.basics.money import percent
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.contracts.types import (
    CollateralTerm,
    ConditionTerm,
    ContractTerms,
    FeeTerm,
    KeyFacts,
    LineTerms,
    Outcome,
    RatePart,
    RateTerms,
    RenewalTerms,
)
from reefpoint.records.products.types import Fee, FeeBasis, FeeMoment, RateKind, SchemeTerms, VersionView

YEAR_DAYS = 365
MONTH_DAYS = 30


def build_terms(
    row: CreditRequest, version: VersionView, priced: QuoteView, *, on: date, at: datetime
) -> ContractTerms:
    """What a request's contract says, with the quoted rate in place of the list rate."""
    version = _at_quote(version, priced)
    shares = {lot.instrument.symbol: lot.quantity for lot in row.lots.select_related("instrument").order_by("id")}
    seen = overview_of(version=version, holdings=shares, loan_minor=row.amount_minor, on=on, at=at)
    lent = _Lent(row.amount_minor, row.amount_minor, on, row.tenor_days, FeeMoment.DRAWDOWN)
    return replace(_terms(version, priced, seen, lent, on), conditions=_conditions(row.decision_id))


def build_renewal_terms(
    renewal: RenewalTerms,
    *,
    account: AccountFacts,
    limit_minor: int,
    version: VersionView,
    priced: QuoteView,
    begins_on: date,
    on: date,
    at: datetime,
) -> ContractTerms:
    """What the agreement that renews a loan from its old maturity on says, on the account's live portfolio."""
    version = _at_quote(version, priced)
    seen = overview_of_account(version=version, account=account, on=on, at=at)
    lent = _Lent(renewal.principal_minor, limit_minor, begins_on, priced.tenor_days, FeeMoment.RENEWAL)
    bound = _conditions(account.decision_id)
    return replace(_terms(version, priced, seen, lent, on), renewal=renewal, conditions=bound)


@dataclass(frozen=True)
class _Lent:
    """What is lent from a day on for so many days; `moment` is the one whose fees it bears once."""

    principal_minor: int
    limit_minor: int
    begins_on: date
    tenor_days: int
    moment: FeeMoment

    @property
    def ends_on(self) -> date:
        return self.begins_on + timedelta(days=self.tenor_days)

    def times(self, fee: Fee, days: int) -> int:
        """How often a fee falls due in so many days, if everything is drawn and kept."""
        if fee.moment is self.moment:
            return 1
        return -(-days // MONTH_DAYS) if fee.moment is FeeMoment.MONTH_END else 0


def _at_quote(version: VersionView, priced: QuoteView) -> VersionView:
    return replace(version, terms=replace(version.terms, rate_bp=priced.rate_bp))


def _terms(version: VersionView, priced: QuoteView, seen: Overview, lent: _Lent, on: date) -> ContractTerms:
    terms = version.terms
    fees = tuple(_fee(fee, lent) for fee in terms.fees)
    last_day = lent.begins_on if lent.moment is FeeMoment.RENEWAL else lent.ends_on
    return ContractTerms(
        jurisdiction=terms.rule_pack,
        currency=terms.currency,
        scheme_code=version.scheme_code,
        scheme_name=version.scheme_name,
        scheme_name_zh=version.scheme_name_zh,
        scheme_version=version.version,
        limit_minor=lent.limit_minor,
        starts_on=lent.begins_on,
        ends_on=lent.ends_on,
        sign_by=min(max(priced.valid_until.date(), on), last_day),
        rate=_rate(terms, priced),
        fees=fees,
        lines=LineTerms(
            initial_bp=terms.initial_bp,
            withdrawal_bp=terms.withdrawal_bp,
            warning_bp=terms.warning_bp,
            cure_bp=terms.cure_bp,
            call_bp=terms.call_bp,
            close_out_bp=terms.close_out_bp,
            target_bp=terms.target_bp,
        ),
        call_deadline_sessions=terms.call_deadline_sessions,
        liquidation_rule=terms.liquidation_rule.value,
        liquidation_order=terms.liquidation_order.value,
        payment_order=tuple(due.value for due in terms.payment_order),
        concentration_cap_bp=terms.concentration_cap_bp,
        haircut_notice_sessions=terms.haircut_notice_sessions,
        is_early_repayment_allowed=terms.is_early_repayment_allowed,
        early_repayment_fee_bp=sum(fee.rate_bp for fee in terms.fees_at(FeeMoment.EARLY_REPAYMENT)),
        renewals_max=terms.renewals_max,
        renewal_min_ratio_bp=terms.renewal_min_ratio_bp,
        grace_days=terms.grace_days,
        collateral=_collateral(seen),
        key_facts=_key_facts(seen, terms, lent, fees),
        group_cap_bp=terms.group_cap_bp,
    )


def _conditions(decision_id: int | None) -> tuple[ConditionTerm, ...]:
    """What the credit was approved on, but for what two people have waived; nothing where no decision was taken."""
    said = (condition_words(one) for one in (binding_conditions(decision_id) if decision_id is not None else ()))
    return tuple(ConditionTerm(words.en, words.zh) for words in said)


def _rate(terms: SchemeTerms, priced: QuoteView) -> RateTerms:
    is_fixed = terms.rate_kind is RateKind.FIXED
    return RateTerms(
        kind=terms.rate_kind.value,
        rate_bp=priced.rate_bp,
        penalty_rate_bp=terms.penalty_rate_bp,
        day_count=terms.day_count.value,
        parts=tuple(RatePart(part.code, part.words, part.words_zh, part.bp) for part in priced.parts),
        floor_bp=None if is_fixed else terms.rate_floor_bp,
        cap_bp=None if is_fixed else terms.rate_cap_bp,
        reset_days=None if is_fixed else terms.rate_reset_days,
        notice_days=None if is_fixed else terms.rate_notice_days,
    )


def _fee(fee: Fee, lent: _Lent) -> FeeTerm:
    days = min(lent.tenor_days, YEAR_DAYS)
    return FeeTerm(
        code=fee.code,
        name=fee.name,
        name_zh=fee.name_zh,
        moment=fee.moment.value,
        basis=fee.basis.value,
        amount_minor=fee.amount_minor if fee.basis is FeeBasis.FLAT else 0,
        rate_bp=fee.rate_bp if fee.basis is FeeBasis.SHARE else 0,
        least_minor=fee.least_minor,
        most_minor=fee.most_minor or None,
        first_year_minor=fee.charge_minor(lent.principal_minor) * lent.times(fee, days),
    )


def _collateral(seen: Overview) -> tuple[CollateralTerm, ...]:
    return tuple(
        CollateralTerm(
            symbol=one.symbol,
            name=one.name,
            name_zh=one.name_zh or one.name,
            quantity=one.quantity,
            price_units=one.price_units,
            value_minor=one.value_minor,
            haircut_bp=one.haircut_bp,
            lendable_minor=one.lendable_minor,
            call_price_units=one.call_price_units,
            close_out_price_units=one.close_out_price_units,
            call_alone_units=one.call_alone_units,
            close_out_alone_units=one.close_out_alone_units,
            sold_quantity=one.sold_quantity,
            sold_minor=one.sold_minor,
        )
        for one in seen.holdings
    )


def _key_facts(seen: Overview, terms: SchemeTerms, lent: _Lent, fees: Sequence[FeeTerm]) -> KeyFacts:
    first_days, lent_minor = min(lent.tenor_days, YEAR_DAYS), lent.principal_minor
    interest_first = interest_minor(lent_minor, terms, first_days)
    interest_whole = interest_minor(lent_minor, terms, lent.tenor_days)
    fees_first = sum(fee.first_year_minor for fee in fees)
    fees_whole = sum(fee.charge_minor(lent_minor) * lent.times(fee, lent.tenor_days) for fee in terms.fees)
    worst = min(seen.outcomes, key=lambda one: one.change_bp)
    fall_bp = seen.requirement_fall_bp
    return KeyFacts(
        at=seen.at,
        value_minor=seen.value_minor,
        cash_minor=seen.cash_minor,
        loan_minor=seen.loan_minor,
        own_minor=seen.own_minor,
        ratio_bp=seen.ratio_bp,
        fall_to_call_bp=seen.line(OverviewLineName.CALL).fall_bp,
        fall_to_close_out_bp=seen.line(OverviewLineName.CLOSE_OUT).fall_bp,
        call_minor=seen.call_minor,
        sold_minor=seen.sold_minor,
        interest_day_minor=interest_minor(lent_minor, terms, 1),
        interest_first_year_minor=interest_first,
        fees_first_year_minor=fees_first,
        cost_first_year_minor=interest_first + fees_first,
        cost_whole_term_minor=interest_whole + fees_whole,
        outcomes=tuple(Outcome(one.change_bp, one.own_minor, one.result_minor) for one in seen.outcomes),
        worst_change_bp=worst.change_bp,
        worst_owed_minor=max(-worst.own_minor, 0),
        worst_loss_minor=-worst.result_minor,
        maintenance_minor=seen.requirement_minor,
        maintenance_names=tuple(f"{one.symbol} {percent(terms.maintenance_bp(one.symbol))}" for one in seen.holdings),
        fall_to_maintenance_bp=None if fall_bp is None else max(fall_bp, 0),
    )
