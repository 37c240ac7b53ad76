"""The proof of the market records names what is wrong; racing writers leave one effect; the packaged data is whole."""

import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest
from django.db import connection
from tests.records.market.conftest import FEED, MONDAY, OLIVIA, RAVI, TUESDAY, close_of, record, tick

from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.events.models import Event
from reefpoint.records.market.adapters import us20
from reefpoint.records.market.models import Price, PriceBatch
from reefpoint.records.market.selectors import (
    find_instrument,
    get_instrument,
    latest_prices,
    list_held,
    load_us20,
    load_us20_instruments,
    sessions,
    verify_market,
)
from reefpoint.records.market.services import (
    add_instruments,
    confirm_held_price,
    import_price_file,
    resume_instrument,
    suspend_instrument,
)

LATER = close_of(TUESDAY) + timedelta(hours=1)


@pytest.fixture
def unguarded(db: None) -> Iterator[None]:
    """A time in which triggers sleep, as a careless superuser could arrange."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("RESET session_replication_role")


def tamper(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_sound_records_have_no_findings(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), tick("BBB", "0"), key="monday")
    record(tick("AAA", "60", TUESDAY), key="tuesday", on=TUESDAY)
    confirm_held_price(actor=RAVI, held_id=list_held()[0].id, at=LATER, reason="seen")
    assert verify_market() == []


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("DELETE FROM market_rejectedrow", "market.batch_lines"),
        ("DELETE FROM market_heldprice", "market.batch_lines"),
        ("UPDATE market_pricebatch SET accepted = 7 WHERE key = 'monday'", "market.batch_lines"),
        ("UPDATE market_price SET price_units = 1 WHERE price_units = 600000", "market.confirmed_price"),
        ("DROP TRIGGER market_price_append_only ON market_price", "database.guard"),
        ("ALTER TABLE market_heldprice DISABLE TRIGGER market_heldprice_decided_once", "database.guard"),
    ],
)
def test_i64_what_was_tampered_with_is_named(
    names: dict[str, int], unguarded: None, statement: str, check: str
) -> None:
    record(tick("AAA", "100"), tick("BBB", "0"), key="monday")
    record(tick("AAA", "60", TUESDAY), key="tuesday", on=TUESDAY)
    confirm_held_price(actor=RAVI, held_id=list_held()[0].id, at=LATER, reason="seen")
    tamper("SET CONSTRAINTS ALL IMMEDIATE")
    tamper(statement)
    assert {finding.check for finding in verify_market()} == {check}


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads of their own; an expected refusal is its own result."""

    def run(call: Callable[[], object]) -> object:
        try:
            return call()
        except Refusal as refusal:
            return type(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def traded(transactional_db: None) -> dict[str, int]:
    drafts = [draft for draft in load_us20_instruments() if draft.symbol in {"AAPL", "AMD"}]
    return add_instruments(actor=FEED, drafts=drafts, at=close_of(MONDAY))


def test_i41_eight_racing_deliveries_of_one_batch_are_one_effect(traded: dict[str, int]) -> None:
    results = at_once(*[lambda: record(tick("AAPL", "300"), key="monday")] * 8)
    assert len({result.batch_id for result in results}) == 1
    assert sorted(result.is_repeat for result in results) == [False] + [True] * 7
    assert (PriceBatch.objects.count(), Price.objects.count()) == (1, 1)


def test_i04_two_sources_racing_for_one_instant_leave_one_price_and_one_question(traded: dict[str, int]) -> None:
    at_once(lambda: record(tick("AAPL", "300"), key="a"), lambda: record(tick("AAPL", "301"), key="b", source="feed-b"))
    assert (Price.objects.count(), len(list_held())) == (1, 1)


def test_i02_two_people_confirming_at_once_make_one_price(traded: dict[str, int]) -> None:
    record(tick("AMD", "50"), key="monday")
    record(tick("AMD", "35", TUESDAY), key="tuesday", on=TUESDAY)
    held_id = list_held()[0].id

    def confirm(actor: object) -> Callable[[], int]:
        return lambda: confirm_held_price(actor=actor, held_id=held_id, at=LATER, reason="seen")

    results = at_once(confirm(OLIVIA), confirm(RAVI))
    assert InvalidTransition in results
    assert Price.objects.filter(price_units=350_000).count() == 1
    assert verify_market() == []


def test_i18_a_suspension_is_told_once_and_ends(names: dict[str, int]) -> None:
    instrument_id = names["AAA"]
    for _ in range(2):
        suspend_instrument(actor=FEED, instrument_id=instrument_id, reason="halt", at=close_of(MONDAY))
    assert get_instrument(instrument_id).is_suspended
    resume_instrument(actor=FEED, instrument_id=instrument_id, reason="trading", at=close_of(TUESDAY))
    assert not find_instrument("AAA").is_suspended
    assert Event.objects.filter(name="market.instrument_suspension_changed").count() == 2


def test_listing_again_changes_nothing(names: dict[str, int]) -> None:
    drafts = load_us20_instruments()
    first = add_instruments(actor=FEED, drafts=drafts, at=close_of(MONDAY))
    assert add_instruments(actor=FEED, drafts=drafts, at=close_of(TUESDAY)) == first
    assert len(first) == 20


# The packaged data


def test_the_packaged_file_is_the_one_its_provenance_describes() -> None:
    data = resources.files("reefpoint.records.market") / "data"
    content = (data / "us20_closes.csv.gz").read_bytes()
    provenance = json.loads((data / "us20_provenance.json").read_text("utf-8"))
    lines = gzip.decompress(content).decode("ascii").splitlines()
    assert hashlib.sha256(content).hexdigest() == provenance["sha256"]
    assert (len(lines) - 1, lines[1][:10], lines[-1][:10]) == (
        provenance["sessions"],
        provenance["first"],
        provenance["last"],
    )
    assert sorted(lines[0].split(",")[1:]) == provenance["symbols"]
    assert [draft.symbol for draft in load_us20_instruments()] == provenance["symbols"]


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [(date(2020, 1, 2), date(2020, 6, 30), 125), (date(2008, 9, 2), date(2009, 3, 31), 146)],
)
@pytest.mark.django_db
def test_the_two_crashes_are_there_session_by_session(start: date, end: date, count: int) -> None:
    closes = load_us20(start, end)
    assert [on for on, _ in closes] == sessions("XNYS", start, end)
    assert len(closes) == count
    assert all(len(prices) == 20 and min(prices.values()) > 0 for _, prices in closes)


def test_a_known_close_of_the_crash() -> None:
    ((on, prices),) = load_us20(date(2020, 3, 23), date(2020, 3, 23))
    assert (on, prices["XOM"]) == (date(2020, 3, 23), Decimal("26.336"))


def test_days_outside_the_file_are_no_days() -> None:
    assert load_us20(date(2023, 1, 1), date(2023, 12, 31)) == []


def test_a_damaged_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("data")
    for name in ("us20_closes.csv.gz", "us20_provenance.json"):
        (folder / name).write_bytes((us20._DATA / name).read_bytes())
    (folder / "us20_closes.csv.gz").write_bytes(gzip.compress(b"Date,AAPL\n2020-01-02,1\n"))
    monkeypatch.setattr(us20, "_DATA", folder)
    us20._lines.cache_clear()
    with pytest.raises(us20.PackagedDataDamaged):
        load_us20(date(2020, 1, 2), date(2020, 1, 2))
    monkeypatch.undo()
    us20._lines.cache_clear()


def test_a_day_of_the_packaged_file_is_imported_as_a_wide_file(db: None, tmp_path: Path) -> None:
    add_instruments(actor=FEED, drafts=load_us20_instruments(), at=close_of(MONDAY))
    ((_, prices),) = load_us20(MONDAY, MONDAY)
    path = tmp_path / "monday.csv"
    path.write_text(",".join(["date", *prices]) + "\n" + ",".join([str(MONDAY), *map(str, prices.values())]) + "\n")
    result = import_price_file(actor=FEED, path=path, source="us20", at=close_of(MONDAY))
    assert (result.accepted, result.held, result.rejected) == (20, 0, 0)
    assert len(latest_prices()) == 20


def test_pandas_is_imported_at_the_first_question_about_a_calendar_and_not_before() -> None:
    code = (
        "import sys, django; django.setup();"
        "import reefpoint.config.wiring, reefpoint.records.market.services;"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
