"""I64: whoever changes, removes, adds or reorders a sealed row is found, and the row is named."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from reefpoint.platform.audit.models import Entry, Seal
from reefpoint.platform.audit.selectors import list_entries, verify_anchors, verify_audit
from reefpoint.platform.audit.services import anchor_seals, record, seal
from reefpoint.platform.basics.actors import system_actor

AT = datetime(2020, 3, 2, 15, 0, tzinfo=UTC)
DESK = system_actor("tests")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(200)]


@transaction.atomic
def note(count: int = 3) -> list[int]:
    return [
        record(actor=DESK, action="tests.note", subject=f"thing:{n}", reason="why", inputs={"n": n, "at": AT}, at=AT)
        for n in range(count)
    ]


def seal_all(rows: int, at: datetime = AT) -> None:
    """Seal so many rows; a transaction of another test on the same server may hold the horizon back for a while."""
    deadline = time.monotonic() + 150
    while (rows := rows - seal(at=at)) > 0:
        assert time.monotonic() < deadline, "the horizon never passed"
        time.sleep(0.05)


def tamper(*statements: str) -> None:
    """What a superuser with bad intent does: switch the guards off, change history, switch them on."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)


def named() -> list[tuple[str, str]]:
    return [(finding.subject, finding.message) for finding in verify_audit()]


def test_an_untouched_log_has_no_finding_and_is_sealed_once() -> None:
    note(3)
    seal_all(3)
    assert seal(at=AT) == 0
    note(2)
    seal_all(2, at=AT + timedelta(days=1))
    assert Seal.objects.count() == 2
    assert verify_audit() == []


def test_entries_are_listed_newest_first_and_by_what_they_are_about() -> None:
    ids = note(3)
    assert [entry.id for entry in list_entries()] == ids[::-1]
    assert [entry.id for entry in list_entries(before_id=ids[2], limit=1)] == [ids[1]]
    (entry,) = list_entries(subject="thing:1", actor=DESK.ref, action="tests.note", since=AT)
    assert (entry.inputs["n"], entry.reason, entry.at) == (1, "why", AT)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET reason = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
def test_the_database_refuses_to_change_an_entry(statement: str) -> None:
    note(1)
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "column",
    [
        "at = at + interval '1 microsecond'",
        "actor = 'x'",
        "action = 'x'",
        "subject = 'x'",
        "reason = ''",
        "inputs = '{}'",
        "recorded_at = recorded_at - interval '1 second'",
    ],
)
def test_i64_a_changed_row_is_named(column: str) -> None:
    ids = note(3)
    seal_all(3)
    tamper(f"UPDATE audit_entry SET {column} WHERE id = {ids[1]}")
    assert named() == [(f"audit_entry:{ids[1]}", "the row was changed after it was sealed")]


def test_i64_a_removed_row_is_named() -> None:
    ids = note(3)
    seal_all(3)
    tamper(f"DELETE FROM audit_entry WHERE id = {ids[2]}")
    assert named() == [(f"audit_entry:{ids[2]}", "the row was removed after it was sealed")]


def test_i64_reordered_rows_are_named() -> None:
    ids = note(3)
    seal_all(3)
    tamper(
        f"UPDATE audit_entry SET id = -1 WHERE id = {ids[0]}",
        f"UPDATE audit_entry SET id = {ids[0]} WHERE id = {ids[1]}",
        f"UPDATE audit_entry SET id = {ids[1]} WHERE id = -1",
    )
    assert [subject for subject, _ in named()] == [f"audit_entry:{ids[0]}", f"audit_entry:{ids[1]}"]


def test_i64_a_row_slipped_into_sealed_history_is_named() -> None:
    ids = note(2)
    seal_all(2)
    note(1)
    tamper(f"UPDATE audit_entry SET xid = (SELECT xid FROM audit_entry WHERE id = {ids[0]}) WHERE id = {ids[1] + 1}")
    assert named() == [(f"audit_entry:{ids[1] + 1}", "the row was slipped into sealed history")]


def test_i64_a_changed_or_removed_seal_is_named() -> None:
    for day in range(3):
        note(1)
        seal_all(1, at=AT + timedelta(days=day))
    tamper("UPDATE audit_seal SET sealed_at = now() WHERE number = 2")
    assert named() == [("audit_entry.seal:2", "the seal was changed")]
    tamper("DELETE FROM audit_seal WHERE number = 2")
    assert ("audit_entry.seal:3", "the seal does not follow from the one before") in named()


def test_i64_history_rewritten_with_its_seals_differs_from_its_anchor(tmp_path: Path) -> None:
    anchors = tmp_path / "home" / "anchors.jsonl"
    ids = note(3)
    seal_all(3)
    assert anchor_seals(anchors, at=AT) == 1
    assert anchor_seals(anchors, at=AT) == 0
    assert verify_anchors(anchors) == []
    tamper(f"UPDATE audit_entry SET actor = 'user:9' WHERE id = {ids[1]}", "DELETE FROM audit_seal")
    seal_all(3)
    assert verify_audit() == []
    assert [finding.subject for finding in verify_anchors(anchors)] == ["audit_entry.seal:1"]


def test_a_disabled_guard_is_named() -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only")
        assert named() == [("audit_entry", "the trigger audit_entry_append_only is missing or disabled")]
        transaction.set_rollback(True)


def test_seals_do_not_depend_on_the_session_time_zone() -> None:
    note(2)
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Shanghai'")
        seal_all(2)
        cursor.execute("SET TIME ZONE 'UTC'")
    assert verify_audit() == []


def test_a_row_committed_late_with_a_low_id_is_sealed_all_the_same() -> None:
    """Sealing up to the last id would lose it: the row comes to light below rows that were sealed before."""
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            note(1)
            written.set()
            may_commit.wait(10)
        connection.close()

    slow = in_thread(write_slowly)
    written.wait(10)
    note(2)
    assert seal(at=AT) == 0  # the slow transaction is older than what came after it
    may_commit.set()
    slow.join()
    seal_all(3)
    assert verify_audit() == []


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_sealing_beside_many_writers_loses_no_row() -> None:
    def write() -> None:
        for _ in range(40):
            with transaction.atomic():
                note(2)
        connection.close()

    writers = [in_thread(write) for _ in range(4)]
    sealed = 0
    while any(writer.is_alive() for writer in writers):
        sealed += seal(at=AT)
    seal_all(320 - sealed)
    assert sum(len(block.row_ids) for block in Seal.objects.all()) == Entry.objects.count() == 320
    assert verify_audit() == []
