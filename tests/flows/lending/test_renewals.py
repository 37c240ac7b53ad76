"""Maturities: reminded once each, renewed by live ratio and terms, moved by a record that stays."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from tests.desk import MONDAY, Desk, noon

from reefpoint.flows.lending.models import MaturityReminder, Renewal
from reefpoint.flows.lending.services.renewals import (
    CannotRenew,
    RenewalOver,
    accept_renewal,
    check_renewal,
    decline_renewal,
    offer_renewal,
    remind_of_maturities,
)
from reefpoint.flows.lending.types import RenewalBar, RenewalState
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.accounts.models import Loan, LoanExtension
from reefpoint.records.accounts.selectors import list_loans
from reefpoint.records.accounts.types import LoanFacts
from reefpoint.records.products.selectors import published_version

AT = noon(MONDAY)


def loan_of(desk: Desk, account_id: int) -> LoanFacts:
    return list_loans(account_id)[0]


def reminders(loan_id: int) -> list[int]:
    return list(MaturityReminder.objects.filter(loan_id=loan_id).order_by("id").values_list("days_before", flat=True))


def test_a_client_is_reminded_once_at_each_of_the_days_before(desk: Desk) -> None:
    loan = loan_of(desk, desk.healthy)
    Loan.objects.exclude(id=loan.id).update(matures_on=loan.matures_on + timedelta(days=900))
    for left, expected in (
        (31, []),
        (30, [30]),
        (30, [30]),
        (20, [30]),
        (14, [30, 14]),
        (2, [30, 14, 7]),
        (1, [30, 14, 7, 1]),
    ):
        on = loan.matures_on - timedelta(days=left)
        remind_of_maturities(on=on, at=noon(on))
        assert reminders(loan.id) == expected
    letters = Notice.objects.filter(about=f"loan:{loan.id}")
    assert letters.count() == 4
    assert loan.matures_on.isoformat() in letters[0].body


def test_after_days_away_only_the_nearest_reminder_is_sent(desk: Desk) -> None:
    loan = loan_of(desk, desk.healthy)
    Loan.objects.exclude(id=loan.id).update(matures_on=loan.matures_on + timedelta(days=900))
    on = loan.matures_on - timedelta(days=3)
    assert remind_of_maturities(on=on, at=noon(on)) == 1
    assert sorted(reminders(loan.id)) == [7, 14, 30]
    assert Notice.objects.filter(about=f"loan:{loan.id}").count() == 1


def test_a_safe_loan_is_renewed_and_its_maturity_moved_by_a_record_that_stays(desk: Desk) -> None:
    loan = loan_of(desk, desk.healthy)
    renewal_id = offer_renewal(
        actor=desk.manager, loan_id=loan.id, tenor_days=90, rate_bp=loan.rate_bp, on=MONDAY, at=AT
    )
    with pytest.raises(RenewalOver):
        accept_renewal(actor=desk.manager, renewal_id=renewal_id, rate_bp=loan.rate_bp - 1, on=MONDAY, at=AT)
    for _ in range(2):
        accept_renewal(actor=desk.manager, renewal_id=renewal_id, rate_bp=loan.rate_bp, on=MONDAY, at=AT)
    assert loan_of(desk, desk.healthy).matures_on == loan.matures_on + timedelta(days=90)
    extension = LoanExtension.objects.get(loan_id=loan.id)
    assert (extension.old_matures_on, extension.number) == (loan.matures_on, 1)
    assert Renewal.objects.get(id=renewal_id).state == RenewalState.DONE
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LoanExtension.objects.update(new_matures_on=loan.matures_on + timedelta(days=900))


def test_a_ratio_under_the_terms_stops_a_renewal_even_between_offer_and_yes(desk: Desk) -> None:
    loan = loan_of(desk, desk.healthy)
    renewal_id = offer_renewal(
        actor=desk.manager, loan_id=loan.id, tenor_days=90, rate_bp=loan.rate_bp, on=MONDAY, at=AT
    )
    required = published_version("STANDARD", MONDAY).terms.renewal_min_ratio_bp
    near = loan_of(desk, desk.near)
    desk.prices(MONDAY, AAPL="82")
    found = check_renewal(actor=desk.risk, loan_id=near.id, on=MONDAY, at=AT)
    assert found.ratio_bp is not None
    assert (RenewalBar.RATIO_TOO_LOW in found.bars) == (found.ratio_bp < required)
    Loan.objects.filter(id=loan.id).update(matures_on=MONDAY - timedelta(days=1))
    with pytest.raises(CannotRenew) as refused:
        accept_renewal(actor=desk.manager, renewal_id=renewal_id, rate_bp=loan.rate_bp, on=MONDAY, at=AT)
    assert RenewalBar.MATURED in refused.value.bars
    assert not LoanExtension.objects.exists()


def test_a_renewal_turned_down_leaves_the_loan_as_it_is(desk: Desk) -> None:
    loan = loan_of(desk, desk.healthy)
    renewal_id = offer_renewal(
        actor=desk.manager, loan_id=loan.id, tenor_days=90, rate_bp=loan.rate_bp, on=MONDAY, at=AT
    )
    decline_renewal(actor=desk.manager, renewal_id=renewal_id, at=AT)
    with pytest.raises(RenewalOver):
        accept_renewal(actor=desk.manager, renewal_id=renewal_id, rate_bp=loan.rate_bp, on=MONDAY, at=AT)
    assert loan_of(desk, desk.healthy).matures_on == loan.matures_on
