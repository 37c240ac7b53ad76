"""Sweeps over what the desk's own services note: nothing missed, nothing twice, nothing rewritten."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from time import sleep

import pytest
from django.db import connection, transaction
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.monitoring.models import Activity, Alert, Restriction, RuleVersion, Undecided, Watermark
from reefpoint.decisions.monitoring.rules.judging import replay
from reefpoint.decisions.monitoring.selectors.restrictions import WithdrawalBlocked, list_restrictions
from reefpoint.decisions.monitoring.selectors.rules import load_in_force
from reefpoint.decisions.monitoring.selectors.verify import verify_monitoring
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.services.restrictions import (
    RestrictionNotFound,
    block_withdrawals,
    release_restriction,
)
from reefpoint.decisions.monitoring.services.rules import install_typologies
from reefpoint.decisions.monitoring.services.sweeping import judge_clients, sweep
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind, Counterparty
from reefpoint.flows.servicing.services.cash import receive_deposit, withdraw_cash
from reefpoint.platform.access.services import PermissionRefused, ReasonNeeded
from reefpoint.records.ledger.selectors import available_minor
from reefpoint.records.ledger.types import client_cash
from reefpoint.records.parties.services import record_profile
from reefpoint.records.parties.types import ClientKind, ProfileDraft

AT = noon(MONDAY)
STORED = (
    "expression",
    "triggers",
    "parameters",
    "pivot",
    "cooldown_days",
    "mode",
    "consequence",
    "sources",
)


@pytest.fixture
def watched(desk: Desk) -> Desk:
    """The desk with all typologies live."""
    install_typologies(actor=SYSTEM, at=AT)
    return desk


def deposits(client_id: int, *amounts: int, first: datetime = AT, word: str = "d") -> list[ActivityDraft]:
    return [
        ActivityDraft(
            kind=ActivityKind.DEPOSIT,
            key=f"{word}:{number}",
            client_id=client_id,
            at=first + timedelta(days=number),
            amount_minor=amount * 100,
        )
        for number, amount in enumerate(amounts)
    ]


Chore = Callable[[Callable[[], object]], AbstractContextManager[None]]


@pytest.fixture
def chore() -> Chore:
    """Another connection does a deed and commits it when the block is left."""

    @contextmanager
    def doing(deed: Callable[[], object]) -> Iterator[None]:
        begun, may_end = Event(), Event()

        def work() -> None:
            try:
                with transaction.atomic():
                    deed()
                    begun.set()
                    assert may_end.wait(10)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(work)
            assert begun.wait(10)
            try:
                yield
            finally:
                may_end.set()
                done.result()

    return doing


def sweep_all(at: datetime = AT) -> int:
    """Sweep until nothing waits; returns how many alerts that raised.

    Transactions of other databases of the server hold a sweep back, too.
    """
    alerts = 0
    for _ in range(1000):
        alerts += sweep(at=at).alerts
        if not waiting():
            return alerts
        sleep(0.02)
    raise AssertionError("activities still wait")


def waiting() -> int:
    with connection.cursor() as cursor:
        below = Watermark.objects.values_list("below_xid", flat=True).first() or 0
        cursor.execute("SELECT count(*) FROM monitoring_activity WHERE xid >= %s::text::xid8", [below])
        return int(cursor.fetchone()[0])


def events_of(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events_event WHERE name = %s", [name])
        return int(cursor.fetchone()[0])


def raised(code: str) -> list[Alert]:
    return list(Alert.objects.filter(rule__code=code).order_by("id"))


def test_services_note_what_clients_do_in_the_order_they_did_it(watched: Desk) -> None:
    kinds = list(Activity.objects.filter(account_id=watched.near).order_by("id").values_list("kind", flat=True))
    assert kinds == ["securities_in", "deposit", "drawdown", "withdrawal"]


def test_a_sweep_judges_what_is_new_and_a_second_one_finds_nothing(live_desk: Desk) -> None:
    install_typologies(actor=SYSTEM, at=AT)
    with transaction.atomic():
        note_activities(deposits(live_desk.near_client, 9_000, 9_500, 8_800))
    assert sweep_all(AT + timedelta(days=3)) == 1
    assert [alert.client_id for alert in raised("structuring")] == [live_desk.near_client]
    again = sweep(at=AT + timedelta(days=3))
    assert (again.activities, again.alerts) == (0, 0)


def test_a_sweep_that_is_killed_is_made_again_and_tells_once(live_desk: Desk) -> None:
    install_typologies(actor=SYSTEM, at=AT)
    with transaction.atomic():
        note_activities(deposits(live_desk.near_client, 9_000, 9_500, 8_800))
    with transaction.atomic():
        assert sweep_all() == 1
        transaction.set_rollback(True)
    assert raised("structuring") == []
    assert Watermark.objects.count() == 0
    assert sweep_all() == 1


def test_an_activity_that_commits_after_a_later_one_is_not_passed_over(live_desk: Desk, chore: Chore) -> None:
    install_typologies(actor=SYSTEM, at=AT)
    early, *later = deposits(live_desk.near_client, 9_000, 9_500, 8_800)
    with chore(lambda: note_activities([early])):
        with transaction.atomic():
            note_activities(later)
        assert sweep(at=AT).alerts == 0
    assert sweep_all() == 1
    assert sweep(at=AT).activities == 0


def test_what_comes_late_is_judged_as_of_its_time_and_rewrites_nothing(watched: Desk) -> None:
    client = watched.near_client
    first, late, *others = deposits(client, 9_000, 9_500, 8_800, 9_100, 500)
    note_activities([first, *others])
    judge_clients(since={client: AT}, at=AT)
    (alert,) = raised("structuring")
    before = Alert.objects.filter(id=alert.pk).values().get()
    note_activities([late])
    judge_clients(since={client: late.at}, at=AT)
    assert raised("structuring") == [alert]
    assert Alert.objects.filter(id=alert.pk).values().get() == before
    assert alert.inputs == {"near_deposits_7d": 3, "near_deposits_7d_minor": 2_690_000}


def test_what_comes_late_raises_the_alert_that_was_missed(watched: Desk) -> None:
    client = watched.near_client
    first, late, last = deposits(client, 9_000, 9_500, 8_800)
    note_activities([first, last])
    judge_clients(since={client: AT}, at=AT)
    assert raised("structuring") == []
    note_activities([late])
    judge_clients(since={client: late.at}, at=AT)
    assert [alert.at for alert in raised("structuring")] == [last.at]


def test_an_alert_is_told_once_within_its_cool_down_though_every_activity_is_judged(watched: Desk) -> None:
    client = watched.near_client
    note_activities(deposits(client, *[9_000] * 16))
    judge_clients(since={client: AT}, at=AT)
    assert [alert.at for alert in raised("structuring")] == [AT + timedelta(days=2)]
    note_activities(deposits(client, 9_000, first=AT + timedelta(days=16), word="later"))
    judge_clients(since={client: AT + timedelta(days=16)}, at=AT)
    assert [alert.at for alert in raised("structuring")] == [AT + timedelta(days=2), AT + timedelta(days=16)]


def test_a_version_judges_the_days_on_which_it_is_in_force_and_shadow_tells_nobody(watched: Desk) -> None:
    version = RuleVersion.objects.get(rule__code="structuring")
    stored = {field: getattr(version, field) for field in STORED}
    RuleVersion.objects.create(
        rule=version.rule, version=2, state="approved", effective_from=AT.date() + timedelta(days=20), made_by="t",
        made_at=AT, **stored | {"mode": "shadow"},
    )  # fmt: skip
    client = watched.near_client
    note_activities(deposits(client, 9_000, 9_500, 8_800))
    note_activities(deposits(client, 9_000, 9_500, 8_800, first=AT + timedelta(days=30), word="e"))
    result = judge_clients(since={client: AT}, at=AT)
    found = [(alert.rule_version.version, alert.mode) for alert in raised("structuring")]
    assert found == [(1, "live"), (2, "shadow")]
    assert (result.alerts, result.shadow) == (1, 1)
    assert events_of("monitoring.alert_raised") == 1


def test_i61_a_rule_that_turns_on_a_missing_fact_waits_for_a_person(watched: Desk) -> None:
    client = watched.near_client
    note_activities(deposits(client, 60_000))
    judge_clients(since={client: AT}, at=AT)
    assert raised("abnormal_inflow") == []
    waiting = Undecided.objects.get(rule__code="abnormal_inflow", client_id=client)
    assert (waiting.missing, waiting.times) == ("declared_liquid_minor", 1)


def test_i60_every_stored_alert_is_judged_again_from_what_it_holds(watched: Desk) -> None:
    client = watched.near_client
    note_activities(deposits(client, 9_000, 9_500, 8_800))
    note_activities(
        [replace(one, key=f"w{one.key}", kind=ActivityKind.WITHDRAWAL) for one in deposits(client, *[49_000] * 3)]
    )
    judge_clients(since={client: AT}, at=AT)
    versions = {one.version_id: one.read for one in load_in_force()}
    alerts = list(Alert.objects.all())
    assert {alert.rule.code for alert in alerts} == {"structuring", "limit_hugging", "rapid_in_out"}
    assert all(replay(versions[alert.rule_version_id], alert.inputs) for alert in alerts)
    assert verify_monitoring() == []


def stranger(name: str = "Somebody Else", number: str = "999") -> Counterparty:
    return Counterparty(name=name, account_number=number)


def has_profile(desk: Desk, client_id: int, name: str) -> None:
    draft = ProfileDraft(kind=ClientKind.INDIVIDUAL, name=name)
    record_profile(actor=desk.operations, client_id=client_id, draft=draft, reason="application", at=AT)


def pay_in(desk: Desk, payer: Counterparty | None, amount_minor: int = 5_000_00) -> None:
    receive_deposit(
        actor=desk.operations, account_id=desk.near, amount_minor=amount_minor, bank_reference=desk.key("pay"),
        on=MONDAY, at=AT, payer=payer,
    )  # fmt: skip


def free_cash(desk: Desk) -> int:
    return available_minor(client_cash(desk.account(desk.near).number))


def test_the_cash_of_a_third_party_is_held_until_a_person_releases_it(watched: Desk) -> None:
    has_profile(watched, watched.near_client, "Near Chen")
    before = free_cash(watched)
    pay_in(watched, stranger())
    assert watched.account(watched.near).cash_minor == before + 5_000_00
    assert free_cash(watched) == before
    (held,) = list_restrictions(SYSTEM, client_id=watched.near_client)
    with pytest.raises(PermissionRefused):
        release_restriction(actor=watched.operations, restriction_id=held.id, reason="a friend", at=AT)
    with pytest.raises(ReasonNeeded):
        release_restriction(actor=watched.risk, restriction_id=held.id, reason=" ", at=AT)
    assert free_cash(watched) == before
    release_restriction(actor=watched.risk, restriction_id=held.id, reason="Papers of the gift seen.", at=AT)
    assert free_cash(watched) == before + 5_000_00
    with pytest.raises(RestrictionNotFound):
        release_restriction(actor=watched.risk, restriction_id=held.id, reason="Again.", at=AT)


def test_the_clients_own_cash_is_free_at_once(watched: Desk) -> None:
    has_profile(watched, watched.near_client, "Near Chen")
    before = free_cash(watched)
    pay_in(watched, stranger("CHEN, Near"))
    assert free_cash(watched) == before + 5_000_00
    assert Alert.objects.count() == 0


def test_i61_the_cash_of_a_payer_who_cannot_be_compared_is_held_for_a_person(watched: Desk) -> None:
    before = free_cash(watched)
    pay_in(watched, stranger())
    assert Alert.objects.count() == 0
    assert Undecided.objects.filter(rule__code="third_party_deposit", missing="payer_score_bp").count() == 1
    assert free_cash(watched) == before
    (held,) = list_restrictions(SYSTEM, client_id=watched.near_client)
    assert (held.kind, held.amount_minor, held.alert_id) == ("hold", 5_000_00, None)
    assert held.reason == "cannot be judged: payer_score_bp is missing"
    assert (
        list_restrictions(SYSTEM, restriction_id=held.id) == list_restrictions(SYSTEM, is_without_alert=True) == [held]
    )
    assert list_restrictions(SYSTEM, limit=0) == []
    release_restriction(actor=watched.risk, restriction_id=held.id, reason="The bank's papers seen.", at=AT)
    judge_clients(since={watched.near_client: AT}, at=AT)
    assert free_cash(watched) == before + 5_000_00


def test_i61_a_payer_named_by_the_account_alone_is_held_too(watched: Desk) -> None:
    before = free_cash(watched)
    pay_in(watched, stranger(name=""))
    assert free_cash(watched) == before


@pytest.mark.parametrize("payer", [None, Counterparty(name="", country="KP")])
def test_a_deposit_without_a_stated_payer_is_free(watched: Desk, payer: Counterparty | None) -> None:
    before = free_cash(watched)
    pay_in(watched, payer)
    judge_clients(since={watched.near_client: AT}, at=AT)
    assert free_cash(watched) == before + 5_000_00
    assert list_restrictions(SYSTEM, client_id=watched.near_client) == []


def test_a_payer_in_a_high_risk_country_is_told(watched: Desk) -> None:
    pay_in(watched, Counterparty(name="", country="KP"))
    judge_clients(since={watched.near_client: AT}, at=AT)
    assert [alert.inputs for alert in raised("high_risk_country")] == [{"country": "KP"}]


def test_a_blocked_client_is_paid_nothing_and_the_block_outlives_the_refusal(watched: Desk) -> None:
    pay_in(watched, None)
    block_withdrawals(actor=watched.risk, client_id=watched.near_client, reason="A call from the client's son.", at=AT)
    before = free_cash(watched)
    with pytest.raises(WithdrawalBlocked):
        withdraw(watched)
    assert free_cash(watched) == before
    (block,) = list_restrictions(SYSTEM, client_id=watched.near_client)
    release_restriction(actor=watched.risk, restriction_id=block.id, reason="Called back on the old number.", at=AT)
    withdraw(watched)
    assert free_cash(watched) == before - 100_00


def withdraw(desk: Desk, payee: Counterparty | None = None, at: datetime = AT) -> None:
    withdraw_cash(
        actor=desk.operations, account_id=desk.near, amount_minor=100_00, key=desk.key("w"), on=MONDAY, at=at,
        payee=payee,
    )  # fmt: skip


def test_a_payment_to_a_new_account_after_a_changed_phone_is_stopped_and_the_block_stays(live_desk: Desk) -> None:
    install_typologies(actor=SYSTEM, at=AT)
    pay_in(live_desk, None)
    with transaction.atomic():
        note_activities(
            [
                ActivityDraft(
                    kind=ActivityKind.CONTACT_CHANGE, key="c", client_id=live_desk.near_client,
                    at=AT - timedelta(hours=3),
                )
            ]
        )  # fmt: skip
    before = free_cash(live_desk)
    with pytest.raises(WithdrawalBlocked):
        withdraw(live_desk, stranger())
    assert free_cash(live_desk) == before
    assert [alert.rule.code for alert in Alert.objects.all()] == ["takeover_cash_out"]
    assert Restriction.objects.filter(kind="block", released_at=None).count() == 1
    assert not Activity.objects.filter(kind="withdrawal", amount_minor=100_00).exists()


def test_i61_a_payee_without_an_account_after_a_changed_phone_is_stopped_for_a_person(watched: Desk) -> None:
    pay_in(watched, None)
    change = ActivityDraft(
        kind=ActivityKind.CONTACT_CHANGE, key="c", client_id=watched.near_client, at=AT - timedelta(hours=3)
    )
    note_activities([change])
    before = free_cash(watched)
    with pytest.raises(WithdrawalBlocked):
        withdraw(watched, stranger(number=""))
    assert free_cash(watched) == before
    (block,) = list_restrictions(SYSTEM, client_id=watched.near_client)
    assert (block.kind, block.reason) == ("block", "cannot be judged: payee_is_new is missing")


def test_an_unnamed_account_long_after_any_change_is_paid(watched: Desk) -> None:
    pay_in(watched, None)
    before = free_cash(watched)
    withdraw(watched, stranger(number=""))
    assert free_cash(watched) == before - 100_00
