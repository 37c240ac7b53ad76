"""Pools are never lent beyond their commitment, whoever asks and however often."""

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from tests.records.rails import AT, DAY, DESK, RailsDesk, make_rails_desk

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.ledger.selectors import balance_minor
from reefpoint.records.ledger.services import OtherCurrency
from reefpoint.records.treasury.models import FundingPool, PaperBankEntry, PoolMovement
from reefpoint.records.treasury.selectors import PoolNotFound, get_pool, list_pools, verify_treasury
from reefpoint.records.treasury.services import (
    ConflictingMovement,
    PoolExhausted,
    PoolRefused,
    ThirdPartyMoney,
    allocate,
    change_pool,
    fund_pool,
    name_pool_origin,
    open_pool,
    release,
)
from reefpoint.records.treasury.types import PoolOrigin


def open_reef(committed_minor: int = 1_000_000, currency: str = "USD") -> int:
    return open_pool(
        actor=DESK,
        code="reef",
        name="Reef Fund",
        currency=currency,
        committed_minor=committed_minor,
        cost_bp=300,
        at=AT,
    )


def lend(desk: RailsDesk, amount_minor: int, key: str, pool_code: str = "reef", jurisdiction: str = "US") -> None:
    allocate(
        actor=DESK,
        pool_code=pool_code,
        account_id=desk.hurt,
        jurisdiction=jurisdiction,
        amount_minor=amount_minor,
        key=key,
        at=AT,
    )


def give_back(desk: RailsDesk, amount_minor: int, key: str) -> None:
    release(actor=DESK, pool_code="reef", account_id=desk.hurt, amount_minor=amount_minor, key=key, at=AT)


def test_a_pool_is_opened_once_with_its_ledger_accounts(desk: RailsDesk) -> None:
    assert open_reef() == open_reef()
    (pool,) = list_pools()
    assert (pool.code, pool.available_minor, pool.cost_bp) == ("reef", 1_000_000, 300)
    assert balance_minor("pool_capital:reef") == 0
    with pytest.raises(PoolRefused):
        open_reef(committed_minor=2_000_000)
    with pytest.raises(PoolNotFound):
        get_pool("ghost")


def test_a_pool_without_a_commitment_abroad_or_opened_by_an_outsider_is_refused(desk: RailsDesk) -> None:
    with pytest.raises(PoolRefused):
        open_reef(committed_minor=0)
    with pytest.raises(OtherCurrency, match="kept in USD: nothing can be opened in HKD"):
        open_reef(currency="HKD")
    with pytest.raises(PermissionRefused):
        open_pool(
            actor=Actor(ref="user:9", name="Outsider"),
            code="reef",
            name="Reef",
            currency="USD",
            committed_minor=1,
            cost_bp=1,
            at=AT,
        )
    assert not FundingPool.objects.exists()


def test_funding_reaches_bank_and_books_once(desk: RailsDesk) -> None:
    open_reef()
    journals = {
        fund_pool(actor=DESK, pool_code="reef", amount_minor=500_000, reference="FUND-1", on=DAY, at=AT)
        for _ in range(2)
    }
    assert len(journals) == 1
    assert balance_minor("pool_capital:reef") == balance_minor("bank:settlement") == 500_000
    assert PaperBankEntry.objects.get().amount_minor == 500_000


def test_i48_a_pool_is_lent_to_the_last_cent_and_not_beyond(desk: RailsDesk) -> None:
    open_reef()
    lend(desk, 999_999, "loan-1")
    lend(desk, 1, "loan-2")
    with pytest.raises(PoolExhausted):
        lend(desk, 1, "loan-3")
    assert get_pool("reef").available_minor == 0
    assert PoolMovement.objects.count() == 2
    give_back(desk, 400_000, "repay-1")
    lend(desk, 400_000, "loan-3")
    assert verify_treasury() == []


def test_i41_same_key_twice_moves_once_and_other_content_is_refused(desk: RailsDesk) -> None:
    open_reef()
    for _ in range(2):
        lend(desk, 300, "loan-1")
        give_back(desk, 100, "loan-1")  # a release has keys of its own
    assert get_pool("reef").lent_minor == 200
    with pytest.raises(ConflictingMovement):
        lend(desk, 301, "loan-1")
    with pytest.raises(PoolRefused):
        lend(desk, 300, "loan-1", pool_code="ghost")
    for nothing in (0, -1):
        with pytest.raises(PoolRefused):
            lend(desk, nothing, "nothing")
    assert get_pool("reef").lent_minor == 200


def test_more_than_was_lent_is_not_taken_back(desk: RailsDesk) -> None:
    open_reef()
    lend(desk, 100, "loan-1")
    with pytest.raises(PoolRefused):
        give_back(desk, 101, "repay-1")
    assert get_pool("reef").lent_minor == 100
    assert PoolMovement.objects.count() == 1


def test_i48_the_database_refuses_what_the_services_would_not_do(desk: RailsDesk) -> None:
    open_reef()
    with pytest.raises(IntegrityError), transaction.atomic():
        FundingPool.objects.update(lent_minor=1_000_001)
    lend(desk, 5, "loan-1")
    for change in (lambda: PoolMovement.objects.update(amount_minor=6), lambda: PoolMovement.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_verify_names_a_pool_whose_movements_do_not_add_up(desk: RailsDesk) -> None:
    open_reef()
    lend(desk, 5, "loan-1")
    FundingPool.objects.update(lent_minor=6)
    (finding,) = verify_treasury()
    assert (finding.check, finding.subject) == ("treasury.pool", "pool:reef")


@pytest.mark.django_db(transaction=True)
def test_i48_fifty_drawdowns_at_once_never_lend_more_than_is_committed() -> None:
    desk = make_rails_desk()
    open_reef(committed_minor=1_000)
    outcomes: list[str] = []

    def draw(number: int) -> Callable[[], None]:
        def run() -> None:
            try:
                lend(desk, 70, f"loan-{number}")
                outcomes.append("lent")
            except PoolExhausted:
                outcomes.append("refused")
            finally:
                connection.close()

        return run

    threads = [threading.Thread(target=draw(number)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("lent"), outcomes.count("refused")) == (14, 36)
    assert get_pool("reef").lent_minor == 980 == 70 * PoolMovement.objects.count()


def put_under_chinese_rules() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE products_rulepack DISABLE TRIGGER USER")
        cursor.execute("UPDATE products_rulepack SET jurisdiction = 'CN'")


def test_in_mainland_china_only_own_or_lawfully_raised_money_is_lent(desk: RailsDesk) -> None:
    open_reef()
    lend(desk, 100, "us")
    for origin in (None, PoolOrigin.THIRD_PARTY):
        if origin is not None:
            name_pool_origin(actor=DESK, pool_code="reef", origin=origin, evidence="the funders' agreement", at=AT)
        with pytest.raises(ThirdPartyMoney) as refused:
            lend(desk, 100, "cn", jurisdiction="CN")
        assert refused.value.code == "cn.refuse.r04"
    assert list(PoolMovement.objects.values_list("key", flat=True)) == ["us"]
    with pytest.raises(PoolRefused, match="shows whose money"):
        name_pool_origin(actor=DESK, pool_code="reef", origin=PoolOrigin.OWN, evidence=" ", at=AT)
    name_pool_origin(actor=DESK, pool_code="reef", origin=PoolOrigin.OWN, evidence="audited accounts 2019", at=AT)
    lend(desk, 100, "cn", jurisdiction="CN")


def test_the_database_refuses_others_money_under_chinese_rules_whoever_writes(desk: RailsDesk) -> None:
    open_reef()
    put_under_chinese_rules()
    with pytest.raises(IntegrityError, match=r"cn\.refuse\.r04"), transaction.atomic():
        lend(desk, 100, "cn")
    name_pool_origin(actor=DESK, pool_code="reef", origin=PoolOrigin.RAISED, evidence="bond prospectus", at=AT)
    lend(desk, 100, "cn", jurisdiction="CN")


def test_a_pools_limit_may_not_fall_under_what_is_lent(desk: RailsDesk) -> None:
    open_reef()
    lend(desk, 400_000, "first")
    wrong: tuple[tuple[dict[str, object], str], ...] = (
        ({"committed_minor": 399_999}, "committed_minor"),
        ({"cost_bp": 10_001}, "cost_bp"),
        ({"name": " "}, "name"),
        ({"reason": " "}, "reason"),
    )
    terms: dict[str, object] = {"name": "Reef", "committed_minor": 400_000, "cost_bp": 250, "reason": "the funders"}
    for change, field in wrong:
        with pytest.raises(PoolRefused) as refused:
            change_pool(actor=DESK, pool_code="reef", at=AT, **{**terms, **change})  # type: ignore[arg-type]
        assert refused.value.facts["field"] == field
    assert get_pool("reef").committed_minor == 1_000_000
    change_pool(actor=DESK, pool_code="reef", at=AT, **terms)  # type: ignore[arg-type]
    changed = get_pool("reef")
    assert (changed.name, changed.committed_minor, changed.cost_bp, changed.available_minor) == (
        "Reef",
        400_000,
        250,
        0,
    )
    with pytest.raises(PoolNotFound):
        change_pool(actor=DESK, pool_code="none", at=AT, **terms)  # type: ignore[arg-type]
    with pytest.raises(PoolRefused, match="letters, digits"):
        open_pool(actor=DESK, code="a b", name="x", currency="USD", committed_minor=1, cost_bp=0, at=AT)
