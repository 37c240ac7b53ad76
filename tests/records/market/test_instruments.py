"""Instruments on record: put there, changed and delisted by two people, and what was true when."""

from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.db import IntegrityError, connection, transaction
from tests.desk import MONDAY, SYSTEM, Desk, make_desk, noon

from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import approve
from reefpoint.platform.imports.selectors import list_bad_rows
from reefpoint.platform.imports.services import receive_file, run_import
from reefpoint.records.market.models import Instrument, InstrumentRecord
from reefpoint.records.market.selectors import find_instrument, get_instrument, list_listings, verify_market
from reefpoint.records.market.selectors.register import entry_on, instrument_history, trading_history, was_suspended
from reefpoint.records.market.services import resume_instrument, suspend_instrument
from reefpoint.records.market.services.instruments import InstrumentDelisted, change_lot, terms_of
from reefpoint.records.market.services.listings import ListingRefused
from reefpoint.records.market.services.register import (
    CHANGE,
    InstrumentRefused,
    ask_delisting,
    ask_new_instruments,
    change_instruments,
    record_approved_instruments,
)
from reefpoint.records.market.types import InstrumentDraft, InstrumentKind, ListingDraft, NewInstrument

AT = noon(MONDAY)
DRAFT = InstrumentDraft("0700.HK", "Tencent", "腾讯", "Communication", 20_000_000, "HKD", "XHKG", 100, 2_500)
NEW = NewInstrument(DRAFT, ListingDraft(MONDAY, "HKEX list of securities", kind=InstrumentKind.SHARE, issuer="TENCENT"))


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def agree(desk: Desk, approval_id: int) -> None:
    """The risk officer says yes, and what follows is done."""
    waiting = Approval.objects.get(id=approval_id)
    approve(actor=desk.risk, approval_id=approval_id, payload_hash=waiting.payload_hash, at=AT)
    desk.drain()
    record_approved_instruments(actor=SYSTEM, approval_id=approval_id, at=AT)


def test_i63_a_new_name_is_on_record_with_its_facts_once_a_second_person_has_agreed(desk: Desk) -> None:
    before = Instrument.objects.count()
    approval_id = ask_new_instruments(actor=desk.operations, new=[NEW], reason="a client asked", at=AT)
    assert Instrument.objects.count() == before
    agree(desk, approval_id)
    found = find_instrument("0700.HK")
    assert (found.currency, found.venue, found.lot_size, found.price_band_bp) == ("HKD", "XHKG", 100, 2_500)
    assert list_listings(MONDAY)[found.id].issuer == "TENCENT"
    [only] = instrument_history(found.id)
    assert (only.recorded_by, only.checked_by, only.reason) == (desk.operations.ref, desk.risk.ref, "a client asked")
    with pytest.raises(InstrumentRefused):
        ask_new_instruments(actor=desk.operations, new=[NEW], reason="again", at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        InstrumentRecord.objects.create(
            instrument_id=found.id, at=AT, name="x", lot_size=1, price_band_bp=1, assumed_daily_volume=0,
            recorded_by="user:1", checked_by="user:1",
        )  # fmt: skip
    assert verify_market() == []


WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"symbol": "tencent"}, "symbol"),
    ({"symbol": "AAPL"}, "symbol"),
    ({"currency": "XXX"}, "currency"),
    ({"venue": "MOON"}, "venue"),
    ({"name": " "}, "name"),
    ({"lot_size": 0}, "lot_size"),
    ({"price_band_bp": 10_001}, "price_band_bp"),
    ({"assumed_daily_volume": -1}, "assumed_daily_volume"),
)


def test_what_cannot_be_an_instrument_is_refused_by_field(desk: Desk) -> None:
    for wrong, name in WRONG:
        draft = replace(DRAFT, **wrong)  # type: ignore[arg-type]
        with pytest.raises(InstrumentRefused) as refused:
            ask_new_instruments(actor=desk.operations, new=[replace(NEW, draft=draft)], reason="why", at=AT)
        assert refused.value.facts["field"] == name
    unsourced = replace(NEW, facts=ListingDraft(MONDAY, ""))
    with pytest.raises(ListingRefused):
        ask_new_instruments(actor=desk.operations, new=[unsourced], reason="why", at=AT)
    assert not Approval.objects.filter(kind=CHANGE).exists()


def test_a_name_and_its_lot_change_at_once_and_what_figures_rest_on_waits(desk: Desk) -> None:
    apple = desk.instruments["AAPL"]
    before = terms_of(get_instrument(apple))
    after = replace(before, name="Apple Inc.", price_band_bp=1_500)
    outcome = change_instruments(actor=desk.operations, changes=[(apple, after)], reason="renamed", at=AT)
    assert (get_instrument(apple).name, get_instrument(apple).price_band_bp) == ("Apple Inc.", before.price_band_bp)
    assert outcome.approval_id is not None
    change_lot(actor=desk.operations, instrument_id=apple, lot_size=10, reason="the exchange", at=AT)
    agree(desk, outcome.approval_id)
    assert terms_of(get_instrument(apple)) == replace(after, lot_size=10)
    again = change_instruments(
        actor=desk.operations, changes=[(apple, replace(after, lot_size=10))], reason="again", at=AT
    )
    assert (again.recorded, again.approval_id) == ((), None)
    assert [one.terms.lot_size for one in instrument_history(apple)] == [10, 10, 1, 1]
    assert verify_market() == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE market_instrument SET lot_size = 7 WHERE id = %s", [apple])
    assert [one.check for one in verify_market()] == ["market.instrument_record"]


def test_a_delisted_name_is_not_traded_until_it_is_listed_again(desk: Desk) -> None:
    apple = desk.instruments["AAPL"]
    with pytest.raises(InstrumentRefused):
        ask_delisting(actor=desk.operations, instrument_id=apple, on=date(2030, 1, 1), reason="why", at=AT)
    agree(desk, ask_delisting(actor=desk.operations, instrument_id=apple, on=MONDAY, reason="merged", at=AT))
    assert (get_instrument(apple).delisted_on, get_instrument(apple).is_suspended) == (MONDAY, True)
    with pytest.raises(InstrumentDelisted):
        resume_instrument(actor=desk.operations, instrument_id=apple, reason="by mistake", at=AT)
    agree(desk, ask_delisting(actor=desk.operations, instrument_id=apple, on=None, reason="a mistake", at=AT))
    resume_instrument(actor=desk.operations, instrument_id=apple, reason="traded", at=AT)
    assert (get_instrument(apple).delisted_on, get_instrument(apple).is_suspended) == (None, False)


def test_what_was_true_on_a_day_is_told_of_lot_and_trading(desk: Desk) -> None:
    apple, start = desk.instruments["AAPL"], instrument_history(desk.instruments["AAPL"])[0].at
    day = start.date()
    change_lot(actor=desk.operations, instrument_id=apple, lot_size=5, reason="split", at=start + timedelta(days=3))
    suspend_instrument(actor=desk.operations, instrument_id=apple, reason="news", at=start + timedelta(days=1))
    resume_instrument(actor=desk.operations, instrument_id=apple, reason="read", at=start + timedelta(days=4))
    records, [stretch] = instrument_history(apple), trading_history(apple)
    assert (stretch.reason, stretch.resumed_because, stretch.recorded_by) == ("news", "read", desk.operations.ref)
    lots = [entry_on(records, day + timedelta(days=days)) for days in (-1, 0, 2, 3)]
    assert [one and one.terms.lot_size for one in lots] == [None, 1, 1, 5]
    assert [was_suspended([stretch], day + timedelta(days=days)) for days in (0, 1, 3, 4)] == [False, True, True, False]


def test_a_file_asks_for_new_names_and_changes_and_gives_back_what_is_wrong(desk: Desk) -> None:
    rows = (
        "symbol,name,name_zh,currency,venue,lot_size,price_band_percent,effective_on,source,kind\n"
        "9988.HK,Alibaba,阿里巴巴,HKD,XHKG,100,15,2019-11-25,HKEX list,share\n"
        "AAPL,Apple Inc.,,,,,,,,\n"
        "JPM,,,,,,30,,,\n"
        "JPM,,,,,,31,,,\n"
        "BAD1,No venue,,USD,,1,20,2019-11-25,list,share\n"
        "AAPL2,Odd,,XXX,XNYS,0,0,soon,list,stone\n"
        "MSFT2,Moon,,USD,MOON,1,20,2019-11-25,list,share\n"
    ).encode()
    import_id, _known = receive_file(
        actor=desk.operations, kind="instruments", file_name="names.csv", pieces=BytesIO(rows), on=MONDAY, at=AT
    )
    run_import(import_id=import_id, at=AT)
    assert get_instrument(desk.instruments["AAPL"]).name == "Apple Inc."
    asked = {one["symbol"]: one for waiting in list_pending(desk.risk) for one in waiting.payload["instruments"]}
    assert set(asked) == {"9988.HK", "JPM"}
    assert (asked["9988.HK"]["after"]["currency"], asked["JPM"]["after"]) == ("HKD", {"price_band_bp": 3_000})
    bad = {
        one.line: [(found.code, found.column) for found in one.problems]
        for one in list_bad_rows(desk.operations, import_id)
    }
    assert bad == {
        5: [("symbol_twice", "symbol")],
        6: [("missing", "venue")],
        7: [
            ("unknown_currency", "currency"), ("not_a_lot", "lot_size"), ("not_a_percentage", "price_band_percent"),
            ("not_a_date", "effective_on"), ("not_an_option", "kind"),
        ],
        8: [("not_possible", "venue")],
    }  # fmt: skip
