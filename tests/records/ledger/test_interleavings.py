"""I42 and I41 under concurrency: threads with real transactions, and random interleavings against a plain model."""

import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.records.ledger.books import AT, DAY, DESK, deposit, open_chart, post

from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.ledger.models import HoldResolution, Journal
from reefpoint.records.ledger.selectors import available_minor, balance_as_of, balances, list_entries, verify_ledger
from reefpoint.records.ledger.services import (
    AlreadyReversed,
    HoldEnded,
    InsufficientBalance,
    capture_hold,
    close_book_day,
    open_book_day,
    place_hold,
    post_journals,
    release_hold,
    reverse_journal,
    snapshot_balances,
)
from reefpoint.records.ledger.types import JournalDraft, Line

CASH = ("client_cash:M-1", "client_cash:M-2")


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run all of them at the same moment, each on its own connection; results, or the refusals that came instead."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            barrier.wait(10)
            return work()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(60)
class TestThreads:
    def test_i41_one_key_on_many_threads_is_one_effect_and_one_answer(self) -> None:
        open_chart()
        ids = at_once([lambda: deposit("d1", 100)] * 8)
        assert len(set(ids)) == 1
        assert balances(CASH[:1]) == {CASH[0]: 100}

    def test_i42_many_withdrawals_at_once_never_take_more_than_there_is(self) -> None:
        open_chart()
        deposit("d1", 500)
        results = at_once([lambda n=n: post(f"w{n}", Line(CASH[0], "bank:settlement", 100)) for n in range(8)])
        assert sum(isinstance(result, InsufficientBalance) for result in results) == 3
        assert balances(CASH[:1]) == {CASH[0]: 0}
        assert verify_ledger() == []

    def test_i42_batches_over_the_same_accounts_in_opposite_orders_do_not_deadlock(self) -> None:
        open_chart()
        codes = ["bank:settlement", "broker:clearing", "income:fees", "suspense", "cost:funding", "income:interest"]

        def batch(seed: int) -> list[JournalDraft]:
            chance = random.Random(seed)
            return [
                JournalDraft(kind="mix", key=f"{seed}:{n}", lines=(Line(*chance.sample(codes, 2), seed + n + 1),))
                for n in range(20)
            ]

        def post_all(seed: int) -> None:
            for step in range(5):
                post_journals(actor=DESK, drafts=batch(100 * seed + step), effective_on=DAY, at=AT)

        assert at_once([lambda seed=seed: post_all(seed) for seed in range(6)]) == [None] * 6
        assert Journal.objects.count() == 600
        assert verify_ledger() == []

    def test_i04_duplicated_and_reordered_postings_on_threads_end_in_the_same_books(self) -> None:
        open_chart()
        deposit("start", 10_000)
        keys = list(range(20))

        def deliver(seed: int) -> None:
            for key in random.Random(seed).sample(keys * 2, len(keys) * 2):
                post(f"k{key}", Line(CASH[0], CASH[1], key + 1))

        assert at_once([lambda seed=seed: deliver(seed) for seed in range(4)]) == [None] * 4
        assert balances(CASH) == {CASH[0]: 10_000 - 210, CASH[1]: 210}
        assert sorted(entry.change_minor for entry in list_entries(CASH[1], limit=None)) == [key + 1 for key in keys]

    def test_i41_a_session_killed_in_mid_batch_leaves_nothing_and_the_retry_posts_each_key_once(self) -> None:
        open_chart()
        deposit("k0", 1)

        def drafts(count: int) -> list[JournalDraft]:
            line = Line("bank:settlement", CASH[0], 1)
            return [JournalDraft(kind="deposit", key=f"k{n}", lines=(line,)) for n in range(count)]

        def post_and_die() -> None:
            with transaction.atomic():
                post_journals(actor=DESK, drafts=drafts(50)[1:], effective_on=DAY, at=AT)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        with pytest.raises(OperationalError):
            post_and_die()
        connection.close()
        assert balances(CASH[:1]) == {CASH[0]: 1}
        post_journals(actor=DESK, drafts=drafts(100)[1:], effective_on=DAY, at=AT)
        assert balances(CASH[:1]) == {CASH[0]: 100}
        assert verify_ledger() == []

    def test_a_hold_has_one_end_whoever_wins_the_race(self) -> None:
        open_chart()
        deposit("d1", 100)
        place_hold(actor=DESK, code=CASH[0], amount_minor=100, key="h1", at=AT, reason="race")

        def capture() -> int:
            lines = [Line(CASH[0], "bank:settlement", 100)]
            return capture_hold(actor=DESK, key="h1", kind="withdrawal", lines=lines, effective_on=DAY, at=AT)

        def release() -> None:
            release_hold(actor=DESK, key="h1", at=AT)

        results = at_once([capture, release] * 3)
        was_captured = HoldResolution.objects.get().is_captured
        assert sum(isinstance(result, HoldEnded) for result in results) == 3
        assert available_minor(CASH[0]) == (0 if was_captured else 100)
        assert verify_ledger() == []

    def test_i46_a_journal_is_reversed_once_whoever_wins_the_race(self) -> None:
        open_chart()
        journal = deposit("d1", 100)

        def reverse(key: str) -> int:
            return reverse_journal(actor=DESK, journal_id=journal, reason="race", effective_on=DAY, at=AT, key=key)

        results = at_once([lambda n=n: reverse(f"undo{n}") for n in range(5)])
        assert sum(isinstance(result, AlreadyReversed) for result in results) == 4
        assert balances(CASH[:1]) == {CASH[0]: 0}


STEPS = st.tuples(st.sampled_from(["in", "out", "across", "hold", "end"]), st.sampled_from(CASH), st.integers(1, 300))


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
@given(scripts=st.lists(st.lists(STEPS, max_size=8), min_size=2, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_i42_any_scripts_run_at_once_leave_balances_that_equal_their_entries(
    scripts: list[list[tuple[str, str, int]]],
) -> None:
    """Whatever the threads do to each other, what was accepted adds up, on every date, and no floor is broken."""
    run = uuid.uuid4().hex
    open_chart()

    def play(name: str, script: list[tuple[str, str, int]]) -> None:
        held: list[str] = []
        for number, (step, code, amount) in enumerate(script):
            key, on = f"{run}:{name}:{number}", DAY + timedelta(days=amount % 3)
            other = next(cash for cash in CASH if cash != code)
            lines = {
                "in": Line("bank:settlement", code, amount),
                "out": Line(code, "bank:settlement", amount),
                "across": Line(code, other, amount),
            }
            with suppress(InsufficientBalance):
                if step == "hold":
                    place_hold(actor=DESK, code=code, amount_minor=amount, key=key, at=AT, reason="script")
                    held.append(key)
                elif step == "end" and held:
                    release_hold(actor=DESK, key=held.pop(), at=AT)
                elif step in lines:
                    post(key, lines[step], on=on)

    at_once([lambda name=str(n), script=script: play(name, script) for n, script in enumerate(scripts)])
    assert verify_ledger() == []
    for code in CASH:
        entries = list_entries(code, limit=None)
        assert available_minor(code) >= 0
        for days in range(3):
            on = DAY + timedelta(days=days)
            assert balance_as_of(code, on) == sum(entry.change_minor for entry in entries if entry.effective_on <= on)


class Books(RuleBasedStateMachine):
    """The ledger beside a plain dictionary: after any steps both say the same, on every date."""

    @initialize()
    def open_books(self) -> None:
        open_chart()
        self.day = DAY
        open_book_day(actor=DESK, on=self.day, at=AT)
        self.cash = dict.fromkeys(CASH, 0)
        self.holds: dict[str, tuple[str, int]] = {}
        self.journals: dict[str, tuple[int, str, int]] = {}
        self.closed: dict[object, dict[str, int]] = {}
        self.step = 0

    def key(self) -> str:
        self.step += 1
        return f"k{self.step}"

    def available(self, code: str) -> int:
        return self.cash[code] - sum(amount for held, amount in self.holds.values() if held == code)

    def attempt(self, *, is_allowed: bool, work: Callable[[], int]) -> int | None:
        """Do it if the model allows it; otherwise see it refused."""
        if is_allowed:
            return work()
        with pytest.raises(InsufficientBalance):
            work()
        return None

    @rule(code=st.sampled_from(CASH), amount=st.integers(1, 1_000))
    def pay_in(self, code: str, amount: int) -> None:
        key = self.key()
        journal = post(key, Line("bank:settlement", code, amount), on=self.day)
        assert post(key, Line("bank:settlement", code, amount), on=self.day) == journal
        self.journals[key] = (journal, code, amount)
        self.cash[code] += amount

    @rule(code=st.sampled_from(CASH), amount=st.integers(1, 1_000))
    def pay_out(self, code: str, amount: int) -> None:
        key = self.key()
        lines = [Line(code, "bank:settlement", amount)]
        if self.attempt(is_allowed=self.available(code) >= amount, work=lambda: post(key, *lines, on=self.day)):
            self.cash[code] -= amount

    @rule(code=st.sampled_from(CASH), amount=st.integers(1, 1_000))
    def hold(self, code: str, amount: int) -> None:
        key = self.key()
        placed = self.attempt(
            is_allowed=self.available(code) >= amount,
            work=lambda: place_hold(actor=DESK, code=code, amount_minor=amount, key=key, at=AT, reason="model"),
        )
        if placed:
            self.holds[key] = (code, amount)

    @rule(share=st.integers(1, 100), is_captured=st.booleans())
    def end_oldest_hold(self, share: int, is_captured: bool) -> None:
        if not self.holds:
            return
        key, (code, amount) = next(iter(self.holds.items()))
        del self.holds[key]
        if not is_captured:
            release_hold(actor=DESK, key=key, at=AT)
            return
        used = max(1, amount * share // 100)
        lines = [Line(code, "bank:settlement", used)]
        capture_hold(actor=DESK, key=key, kind="withdrawal", lines=lines, effective_on=self.day, at=AT)
        self.cash[code] -= used

    @rule()
    def reverse_oldest_payment(self) -> None:
        if not self.journals:
            return
        key, (journal, code, amount) = next(iter(self.journals.items()))
        undone = self.attempt(
            is_allowed=self.available(code) >= amount,
            work=lambda: reverse_journal(
                actor=DESK, journal_id=journal, reason="model", effective_on=self.day, at=AT, key=f"undo:{key}"
            ),
        )
        if undone:
            del self.journals[key]
            self.cash[code] -= amount

    @rule(is_kept=st.booleans())
    def end_day(self, is_kept: bool) -> None:
        close_book_day(actor=DESK, on=self.day, at=AT)
        if is_kept:
            snapshot_balances(self.day)
        self.closed[self.day] = dict(self.cash)
        self.day += timedelta(days=1)
        open_book_day(actor=DESK, on=self.day, at=AT)

    @invariant()
    def says_what_the_model_says(self) -> None:
        if not hasattr(self, "cash"):
            return
        assert balances(CASH) == self.cash
        assert {code: available_minor(code) for code in CASH} == {code: self.available(code) for code in CASH}

    def teardown(self) -> None:
        for on, kept in self.closed.items():
            assert {code: balance_as_of(code, on) for code in CASH} == kept  # type: ignore[arg-type] # dates are keys
        assert verify_ledger() == []


@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_i42_any_sequence_of_steps_leaves_the_books_as_a_plain_model_has_them() -> None:
    class OneTransactionEach(Books):
        def __init__(self) -> None:
            super().__init__()
            self.atomic = transaction.atomic()
            self.atomic.__enter__()

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                transaction.set_rollback(True)
                self.atomic.__exit__(None, None, None)

    machine = OneTransactionEach.TestCase
    machine.settings = settings(
        max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    machine("runTest").runTest()
