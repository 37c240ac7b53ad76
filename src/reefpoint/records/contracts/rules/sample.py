"""A contract of nobody, to look at a template with: 50,000 dollars against 1,000 shares at 100.00."""

from dataclasses import replace
from datetime import UTC, date, datetime

from reefpoint.records.contracts.rules.paper import Paper, Parties
from reefpoint.records.contracts.types import (
    CollateralTerm,
    ContractTerms,
    Disclosure,
    FeeTerm,
    KeyFacts,
    Language,
    LineTerms,
    Outcome,
    RatePart,
    RateTerms,
    RenewalTerms,
    Template,
)

_AT = datetime(2019, 11, 25, 17, tzinfo=UTC)

_FACTS = KeyFacts(
    at=_AT,
    value_minor=100_000_00,
    cash_minor=0,
    loan_minor=50_000_00,
    own_minor=50_000_00,
    ratio_bp=20_000,
    fall_to_call_bp=2_000,
    fall_to_close_out_bp=2_750,
    call_minor=2_941_18,
    sold_minor=22_500_00,
    interest_day_minor=10_28,
    interest_first_year_minor=3_750_00,
    fees_first_year_minor=250_00,
    cost_first_year_minor=4_000_00,
    cost_whole_term_minor=2_100_00,
    outcomes=(
        Outcome(-5_000, -4_000_00, -54_000_00),
        Outcome(0, 46_000_00, -4_000_00),
        Outcome(5_000, 96_000_00, 46_000_00),
    ),
    worst_change_bp=-6_000,
    worst_owed_minor=10_000_00,
    worst_loss_minor=60_000_00,
    maintenance_minor=25_000_00,
    maintenance_names=("AAPL 25.00%",),
    fall_to_maintenance_bp=3_333,
)

SAMPLE_TERMS = ContractTerms(
    jurisdiction="US",
    currency="USD",
    scheme_code="STANDARD",
    scheme_name="Standard",
    scheme_name_zh="标准方案",
    scheme_version=1,
    limit_minor=50_000_00,
    starts_on=date(2019, 11, 26),
    ends_on=date(2020, 5, 24),
    sign_by=date(2019, 12, 2),
    rate=RateTerms(
        kind="fixed",
        rate_bp=750,
        penalty_rate_bp=1_100,
        day_count="ACT/365",
        parts=(
            RatePart("base", "Cost of money", "资金成本", 500),
            RatePart("grade", "Grade B", "B级", 150),
            RatePart("margin", "Margin", "利润", 100),
        ),
        cap_bp=1_600,
    ),
    fees=(
        FeeTerm("drawdown", "Drawdown fee", "提款费", "drawdown", "share", rate_bp=50, first_year_minor=250_00),
        FeeTerm("late", "Late notice", "逾期通知费", "late", "flat", amount_minor=25_00),
    ),
    lines=LineTerms(
        initial_bp=18_000,
        withdrawal_bp=20_000,
        warning_bp=17_500,
        cure_bp=17_000,
        call_bp=16_000,
        close_out_bp=14_500,
        target_bp=17_000,
    ),
    call_deadline_sessions=2,
    liquidation_rule="approval",
    liquidation_order="most_liquid",
    payment_order=("fees", "penalty", "interest", "principal"),
    concentration_cap_bp=10_000,
    haircut_notice_sessions=5,
    is_early_repayment_allowed=True,
    early_repayment_fee_bp=0,
    renewals_max=2,
    renewal_min_ratio_bp=18_000,
    grace_days=3,
    collateral=(
        CollateralTerm(
            symbol="AAPL",
            name="Apple",
            name_zh="苹果",
            quantity=1_000,
            price_units=100_0000,
            value_minor=100_000_00,
            haircut_bp=3_000,
            lendable_minor=70_000_00,
            call_price_units=80_0000,
            close_out_price_units=72_5000,
            call_alone_units=80_0000,
            close_out_alone_units=72_5000,
            sold_quantity=310,
            sold_minor=22_500_00,
        ),
    ),
    key_facts=_FACTS,
)


RENEWED_TERMS = replace(
    SAMPLE_TERMS,
    starts_on=date(2019, 12, 20),
    ends_on=date(2020, 6, 17),
    fees=(
        *(replace(fee, first_year_minor=0) for fee in SAMPLE_TERMS.fees),
        FeeTerm("renewal", "Renewal fee", "展期费", "renewal", "share", rate_bp=50, first_year_minor=250_00),
    ),
    renewal=RenewalTerms(
        amends_id=None,
        amends=("CT-000000",),
        loan_number="N-000000",
        number=1,
        principal_minor=50_000_00,
        old_rate_bp=700,
        fee_minor=250_00,
        carried_minor=102_80,
    ),
)
"""The same loan, renewed for half a year."""


def sample_paper(
    template: Template,
    version: int,
    disclosures: tuple[Disclosure, ...],
    language: Language,
    *,
    is_renewal: bool = False,
) -> Paper:
    """The sample under a template, of a contract or of its renewal."""
    return Paper(
        number="CT-000000",
        dated_on=_AT.date(),
        language=language,
        parties=Parties("The Lender LLC", "NY-1", "Wang Fang", "王芳", "C-000000"),
        terms=RENEWED_TERMS if is_renewal else SAMPLE_TERMS,
        template=template,
        template_version=version,
        disclosures=disclosures,
    )
