"""Each kind of damage to a finished book has a finding with a name."""

import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker
from tests.desk import HALF_DAY, SYSTEM, TUESDAY, WEDNESDAY, close, make_desk

from reefpoint.decisions.margin.models import MarginCall
from reefpoint.flows.liquidation.models import Liquidation
from reefpoint.flows.operations.selectors.verify import CHECKS, verify_state
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.audit.services import anchor_seals, seal
from reefpoint.platform.basics.findings import Finding
from reefpoint.records.accounts.selectors.positions import quantities_held
from reefpoint.records.execution.models import Fill
from reefpoint.records.execution.services import reconcile_broker, settle_broker
from reefpoint.records.ledger.models import Journal
from reefpoint.records.ledger.services import seal_ledger
from reefpoint.records.treasury.adapters.paper_bank import PaperBank

AT = close(HALF_DAY)


def seal_all(do_seal: Callable[..., int], rows: int) -> None:
    """Seal so many rows; a transaction of another test on the same server may hold the horizon back for a while."""
    deadline = time.monotonic() + 60
    while (rows := rows - do_seal(at=AT)) > 0:
        assert time.monotonic() < deadline, "the horizon never passed"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def _finished_book(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A book in which a call was opened, overtaken by the close-out line, and its account sold; sealed."""
    with django_db_blocker.unblock():
        desk = make_desk()
        desk.prices(TUESDAY, AAPL="78", JPM="100", KO="50")
        desk.prices(WEDNESDAY, AAPL="71", JPM="100", KO="50")
        desk.prices(HALF_DAY, AAPL="71", JPM="100", KO="50")
        desk.sell_out(HALF_DAY)
        assert MarginCall.objects.get().state == "superseded"
        assert Liquidation.objects.get().state == "completed"
        assert Fill.objects.exists()
        settle_broker(actor=SYSTEM, on=HALF_DAY, at=AT, bank=PaperBank())
        reconcile_broker(actor=SYSTEM, on=HALF_DAY, books=quantities_held(), at=AT)
        seal_all(seal, Entry.objects.count())
        seal_all(seal_ledger, Journal.objects.count())
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def book(_finished_book: None, db: None) -> None:
    """The finished book; what a test does to it is rolled back."""


def findings() -> list[Finding]:
    return [finding for check in CHECKS.values() for finding in check(AT)]


@pytest.mark.django_db(transaction=True)
def test_an_empty_desk_holds() -> None:
    seen: dict[str, int] = {}
    assert verify_state(at=AT, on_check=seen.__setitem__) == []
    assert seen == dict.fromkeys(CHECKS, 0)


def test_a_finished_book_holds(book: None) -> None:
    assert findings() == []


DAMAGE = {
    "a balance": ("UPDATE ledger_balance SET credit_minor = credit_minor + 1 WHERE sign = -1", "ledger.balance"),
    "a posting changed": (
        "UPDATE ledger_posting SET amount_minor = amount_minor + 1 WHERE id = (SELECT min(id) FROM ledger_posting)",
        "ledger_journal.chain",
    ),
    "a posting removed": (
        "DELETE FROM ledger_posting WHERE id = (SELECT max(id) FROM ledger_posting)",
        "ledger_journal.chain",
    ),
    "a journal backdated": (
        "UPDATE ledger_journal SET posted_at = posted_at - interval '1 day' WHERE kind = 'repayment'",
        "ledger_journal.chain",
    ),
    "an audit entry changed": (
        "UPDATE audit_entry SET reason = 'all was well' WHERE action = 'margin.open_call'",
        "audit_entry.chain",
    ),
    "an audit entry removed": ("DELETE FROM audit_entry WHERE action = 'margin.open_call'", "audit_entry.chain"),
    "two audit entries reordered": (
        """
        WITH pair AS (SELECT min(id) AS one, max(id) AS other FROM audit_entry)
        UPDATE audit_entry SET id = one + other - id + 1000000 FROM pair WHERE id IN (one, other);
        UPDATE audit_entry SET id = id - 1000000 WHERE id > 1000000
        """,
        "audit_entry.chain",
    ),
    "a seal changed": ("UPDATE audit_seal SET hash = sha256('x') WHERE number = 1", "audit_entry.chain"),
    "a guard taken away": ("ALTER TABLE audit_entry DISABLE TRIGGER USER", "database.guard"),
    "a position": ("UPDATE accounts_position SET quantity = quantity + 1", "accounts.position"),
    "a loan": (
        "UPDATE accounts_loan SET principal_minor = principal_minor - 1 WHERE state = 'open'",
        "accounts.principal",
    ),
    "a margin state's figure": ("UPDATE margin_marginstate SET assets_minor = assets_minor + 1", "margin.revaluation"),
    "a margin state's band": ("UPDATE margin_marginstate SET band = 2", "margin.revaluation"),
    "a margin state removed": ("DELETE FROM margin_marginstate", "margin.state"),
    "a call in a state that it did not come to": (
        "UPDATE margin_margincall SET state = 'cured'",
        "margin.call_history",
    ),
    "a call in a state that is not": (
        """
        ALTER TABLE margin_margincall DROP CONSTRAINT call_state_known;
        UPDATE margin_margincall SET state = 'forgiven'
        """,
        "margin.call_history",
    ),
    "a liquidation in a state that it did not come to": (
        "UPDATE liquidation_liquidation SET state = 'cancelled'",
        "liquidation.history",
    ),
    "a dead letter": (
        "UPDATE events_delivery SET state = 'dead', done_at = NULL WHERE consumer = 'margin.notify'",
        "events.delivery",
    ),
    "an event that waits": (
        "UPDATE events_delivery SET state = 'pending', done_at = NULL WHERE consumer = 'margin.watch'",
        "events.delivery",
    ),
    "a fill that is not booked": ("UPDATE execution_fill SET booked_at = NULL", "execution.booking"),
    "a fill at another price": ("UPDATE execution_fill SET price_units = price_units + 1", "execution.fill"),
    "an approval of something else": ("UPDATE access_approval SET payload = '{}'", "access.approval_payload"),
    "a notice that never left": (
        "UPDATE notifications_notice SET state = 'queued', attempts = 0, delivered_at = NULL, evidence = '{}'",
        "notifications.undelivered",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named(book: None, kind: str) -> None:
    sql, name = DAMAGE[kind]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        assert cursor.rowcount, "nothing was damaged"
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert name in {finding.check for finding in findings()}


def test_an_anchor_outlives_the_seal(book: None) -> None:
    anchor_seals(settings.ANCHOR_FILE, at=AT)
    assert findings() == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM audit_seal")
    assert {finding.check for finding in findings()} == {"audit_entry.anchor", "ledger_journal.anchor"}
