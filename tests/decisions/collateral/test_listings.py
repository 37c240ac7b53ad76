"""Facts of listings: what haircuts rest on takes a second person, by form and by file alike."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import SecondPersonNeeded, approve
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.imports.services import receive_file, run_import
from reefpoint.records.market.models import ListingFacts
from reefpoint.records.market.selectors.instruments import list_listings, listing_history
from reefpoint.records.market.services.listings import (
    ListingNeedsSecondPerson,
    ListingRefused,
    change_listings,
    record_approved_listings,
    record_listing,
)
from reefpoint.records.market.types import Board, ListingDraft, ListingOutcome

AT = noon(MONDAY)
PLAIN = ListingDraft(MONDAY, "the exchange's list", issuer="APPLE")


def change(desk: Desk, facts: ListingDraft) -> ListingOutcome:
    return change_listings(
        actor=desk.operations, changes=[(desk.instruments["AAPL"], facts)], reason="the monthly review", at=AT
    )


def test_an_issuer_is_recorded_at_once_and_the_same_again_is_nothing(desk: Desk) -> None:
    [record_id] = change(desk, PLAIN).recorded
    assert list_listings(MONDAY)[desk.instruments["AAPL"]].issuer == "APPLE"
    assert change(desk, PLAIN) == ListingOutcome((), None)
    [only] = listing_history(desk.instruments["AAPL"])
    assert (only.id, only.recorded_by, only.checked_by) == (record_id, desk.operations.ref, "")


def test_i63_what_haircuts_rest_on_waits_for_a_second_person_and_is_recorded_as_approved(desk: Desk) -> None:
    warned = replace(PLAIN, has_risk_warning=True, board=Board.STAR)
    outcome = change(desk, warned)
    assert (outcome.recorded, ListingFacts.objects.count()) == ((), 0)
    with pytest.raises(ListingNeedsSecondPerson):
        record_listing(actor=desk.operations, instrument_id=desk.instruments["AAPL"], facts=warned, at=AT)
    approval = Approval.objects.get(id=outcome.approval_id)
    with pytest.raises(SecondPersonNeeded):
        approve(actor=desk.operations, approval_id=approval.pk, payload_hash=approval.payload_hash, at=AT)
    approve(actor=desk.risk, approval_id=approval.pk, payload_hash=approval.payload_hash, at=AT)
    desk.drain()
    record_approved_listings(actor=SYSTEM, approval_id=approval.pk, at=AT)
    [only] = listing_history(desk.instruments["AAPL"])
    assert only.facts == warned
    assert (only.recorded_by, only.checked_by) == (desk.operations.ref, desk.risk.ref)
    with pytest.raises(IntegrityError), transaction.atomic():
        ListingFacts.objects.create(
            instrument_id=desk.instruments["JPM"], recorded_at=AT, recorded_by="user:1", checked_by="user:1",
            effective_on=MONDAY, kind="share", board="main", has_risk_warning=False, is_index_member=False,
            is_pe_excluded=False, source="x",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"limit_bp": 10_001}, "limit_bp"),
        ({"shares_issued": 0}, "shares_issued"),
        ({"daily_volume": -1}, "daily_volume"),
    ],
)
def test_facts_that_cannot_be_are_refused_by_field(desk: Desk, wrong: dict[str, int], name: str) -> None:
    with pytest.raises(ListingRefused) as refused:
        change(desk, replace(PLAIN, **wrong))
    assert refused.value.facts["field"] == name
    assert not Entry.objects.filter(action="instruments.record_listing").exists()


def test_a_file_records_what_is_harmless_asks_once_for_the_rest_and_gives_back_what_is_wrong(desk: Desk) -> None:
    change(desk, replace(PLAIN, effective_on=date(2019, 11, 1)))
    rows = (
        b"symbol,effective_on,source,limit_percent,has_risk_warning,issuer\n"
        b"AAPL,2019-11-25,vendor,,,APPLE GROUP\nJPM,2019-11-25,vendor,10,yes,\n"
        b"MOON,2019-11-25,vendor,,,\nJPM,2019-11-25,vendor,,,\nAAPL,soon,vendor,0,perhaps,\n"
    )
    import_id, _known = receive_file(
        actor=desk.operations, kind="listings", file_name="facts.csv", pieces=BytesIO(rows), on=MONDAY, at=AT
    )
    run_import(import_id=import_id, at=AT)
    assert [one.facts.issuer for one in listing_history(desk.instruments["AAPL"])] == ["APPLE GROUP", "APPLE"]
    [waiting] = list_pending(desk.risk)
    [only] = waiting.payload["changes"]
    assert (only["symbol"], only["after"]["limit_bp"], only["after"]["has_risk_warning"]) == ("JPM", 1_000, True)
    assert listing_history(desk.instruments["JPM"]) == []
