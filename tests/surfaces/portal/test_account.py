"""A client's own account on the portal: what is theirs, how far prices may fall, what it costs and what is asked."""

import pytest
from tests.desk import TUESDAY, Desk, noon
from tests.surfaces.portal.conftest import Applicant, NewApplicant

from reefpoint.flows.operations.services.clock import set_desk_clock
from reefpoint.records.parties.models import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def borrower(offered: Desk, applicant: NewApplicant) -> Applicant:
    """The client of the account that is near its lines, on the portal."""
    near = applicant("Near")
    Client.objects.filter(id=offered.near_client).update(portal_user_id=near.user_id)
    return near


def test_a_client_reads_what_is_theirs_and_how_far_prices_may_fall(offered: Desk, borrower: Applicant) -> None:
    assert f'href="/portal/accounts/{offered.near}/"' in borrower.text("")
    shown = borrower.text(f"accounts/{offered.near}/")
    assert "50,000.00" in shown
    assert "How far prices may fall, all together" in shown
    assert "Interest a day" in shown
    assert "What is asked" not in shown


def test_a_call_is_shown_with_its_sum_its_deadline_and_the_ways_out(offered: Desk, borrower: Applicant) -> None:
    offered.prices(TUESDAY, AAPL="78")
    set_desk_clock(noon(TUESDAY))
    [call] = offered.calls(offered.near)
    assert "See what is asked of you" in borrower.text("")
    shown = borrower.text(f"accounts/{offered.near}/")
    assert "You are asked to act" in shown
    assert f"{call.amount_minor / 100:,.2f}" in shown
    assert f"{call.deadline_at:%Y-%m-%d %H:%M}" in shown
    assert "Or repay" in shown


def test_an_account_of_somebody_else_is_none(offered: Desk, borrower: Applicant, applicant: NewApplicant) -> None:
    assert borrower.get(f"accounts/{offered.healthy}/").status_code == 404
    assert applicant("Nobody").get(f"accounts/{offered.near}/").status_code == 404
