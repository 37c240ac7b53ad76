"""A client's own account on the portal: what is theirs, how far prices may fall, what it costs and what is asked."""

from dataclasses import replace

import pytest
from tests.desk import SYSTEM, TUESDAY, Desk, close, noon
from tests.surfaces.portal.conftest import Applicant, NewApplicant

from reefpoint.decisions.margin.services.snapshots import snapshot_margin
from reefpoint.flows.operations.services.clock import set_desk_clock
from reefpoint.records.parties.models import Client
from reefpoint.records.products.selectors import load_demo_schemes

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


def test_a_call_for_what_the_names_ask_is_told_though_no_line_is_crossed(offered: Desk, borrower: Applicant) -> None:
    terms = next(draft.terms for draft in load_demo_schemes() if draft.code == "STANDARD")
    scheme = offered.publish_scheme("NAMED", replace(terms, maintenances_bp=(("AAPL", 4_500),)))
    account_id = offered.open_account({"AAPL": 1_000}, 50_000_00, scheme=scheme)
    assert "Until your shares ask for more of your own money" in borrower.text(f"accounts/{account_id}/")
    offered.prices(TUESDAY, AAPL="90", JPM="100", KO="50")
    snapshot_margin(actor=SYSTEM, on=TUESDAY, at=close(TUESDAY))
    offered.drain()
    set_desk_clock(close(TUESDAY))
    shown = borrower.text(f"accounts/{account_id}/")
    assert "You are asked to act" in shown
    assert "500.00 USD" in shown


def test_an_account_of_somebody_else_is_none(offered: Desk, borrower: Applicant, applicant: NewApplicant) -> None:
    assert borrower.get(f"accounts/{offered.healthy}/").status_code == 404
    assert applicant("Nobody").get(f"accounts/{offered.near}/").status_code == 404
