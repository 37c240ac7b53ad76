"""What a group may owe together: refused at the drawdown, counted over all members, never passed by two at once."""

import threading
from datetime import date

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from tests.decisions.relations.kin import share
from tests.desk import MONDAY, Desk, noon

from reefpoint.decisions.relations.models import GroupLimit
from reefpoint.decisions.relations.rules import GroupLimitExceeded, LimitRefused
from reefpoint.decisions.relations.selectors import get_group, get_group_page, list_groups
from reefpoint.decisions.relations.services import ReasonMissing, require_group_limit, set_group_limit
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.records.accounts.selectors.accounts import load_debts

AT = noon(MONDAY)


def limit(desk: Desk, limit_minor: int | None, *, currency: str = "USD") -> int:
    """The two clients of the desk share a phone and a limit. Returns the group."""
    if get_group(desk.healthy_client) is None:
        share("phone", "p", [desk.healthy_client, desk.near_client], AT)
    group_id = get_group(desk.healthy_client)
    assert group_id is not None
    set_group_limit(
        actor=desk.risk, group_id=group_id, currency=currency, limit_minor=limit_minor, reason="house", at=AT
    )
    return group_id


def draw(desk: Desk, account_id: int, amount_minor: int, on: date = MONDAY) -> int:
    return draw_down(
        actor=desk.operations,
        account_id=account_id,
        amount_minor=amount_minor,
        key=desk.key("loan"),
        on=on,
        at=noon(on),
    )


def owed(desk: Desk) -> int:
    return sum(debt.debt_minor for debt in load_debts([desk.healthy_client, desk.near_client]))


def test_a_drawdown_up_to_the_limit_of_the_group_passes_and_a_cent_more_does_not(desk: Desk) -> None:
    before = owed(desk)
    limit(desk, before + 1_000_00)
    draw(desk, desk.healthy, 999_99)
    with pytest.raises(GroupLimitExceeded) as refused:
        draw(desk, desk.healthy, 2)
    assert "Near" not in refused.value.message
    assert owed(desk) == before + 999_99
    draw(desk, desk.healthy, 1)
    assert owed(desk) == before + 1_000_00


def test_what_others_of_the_group_owe_counts_and_what_strangers_owe_does_not(desk: Desk) -> None:
    before = owed(desk)
    limit(desk, before)
    with pytest.raises(GroupLimitExceeded):
        draw(desk, desk.healthy, 1)
    limit(desk, None)
    draw(desk, desk.healthy, 1)
    assert owed(desk) == before + 1


def test_a_limit_in_another_currency_does_not_bind(desk: Desk) -> None:
    limit(desk, 0, currency="HKD")
    draw(desk, desk.healthy, 1_00)


def test_without_a_limit_a_drawdown_asks_the_database_once(desk: Desk) -> None:
    with CaptureQueriesContext(connection) as queries:
        require_group_limit(client_id=desk.healthy_client, currency="USD", amount_minor=1_00)
    assert len(queries) == 1


def test_a_limit_is_set_by_risk_with_a_reason_and_earlier_ones_stay_on_record(desk: Desk) -> None:
    group_id = limit(desk, 900_000_00)
    limit(desk, 800_000_00)
    assert list(GroupLimit.objects.order_by("id").values_list("limit_minor", "until")) == [
        (900_000_00, AT),
        (800_000_00, None),
    ]
    entry = list_entries(action="relations.set_limit")[0]
    assert (entry.subject, entry.inputs["limit_before_minor"]) == (f"group:{group_id}", 900_000_00)
    for wrong, error in (
        ({"actor": desk.operations, "limit_minor": 1, "reason": "no"}, PermissionRefused),
        ({"actor": desk.risk, "limit_minor": -1, "reason": "no"}, LimitRefused),
        ({"actor": desk.risk, "limit_minor": 1, "reason": " "}, ReasonMissing),
    ):
        with pytest.raises(error):
            set_group_limit(group_id=group_id, currency="USD", at=AT, **wrong)  # type: ignore[arg-type]
    assert GroupLimit.objects.count() == 2


def test_a_groups_page_adds_up_debt_collateral_and_the_largest_name(desk: Desk) -> None:
    group_id = limit(desk, 100_000_00)
    [exposure] = get_group_page(desk.risk, group_id).exposures
    facts = [desk.account(desk.healthy), desk.account(desk.near)]
    assert exposure.accounts == 2
    assert exposure.debt_minor == sum(one.debt_minor for one in facts) == 70_000_00
    assert exposure.collateral_minor == 11_000 * 100_00 + 1_000 * 100_00 + sum(one.cash_minor for one in facts)
    assert exposure.equity_minor == exposure.collateral_minor - exposure.debt_minor
    assert (exposure.top_instrument_id, exposure.top_share_bp) == (desk.instruments["AAPL"], 9_166)
    [row] = list_groups(desk.risk, limited="yes").rows
    assert (row.debt_minor, row.limit_minor, row.used_bp, row.kinds) == (70_000_00, 100_000_00, 7_000, ("phone",))
    assert list_groups(desk.risk, limited="over").count == 0
    assert list_groups(desk.risk, text="near").count == 1
    assert list_groups(desk.risk, text="nobody").count == 0


@pytest.mark.django_db(transaction=True)
def test_two_accounts_of_one_group_that_draw_at_once_do_not_pass_its_limit_together(live_desk: Desk) -> None:
    desk = live_desk
    room = 10_000_00
    before = owed(desk)
    limit(desk, before + room)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def race(account_id: int) -> None:
        try:
            start.wait()
            draw(desk, account_id, room)
            outcomes.append("drawn")
        except GroupLimitExceeded:
            outcomes.append("refused")
        finally:
            connections.close_all()

    second = desk.open_account({"AAPL": 5_000}, 0, client_id=desk.near_client, commitment_minor=room)
    threads = [threading.Thread(target=race, args=[account_id]) for account_id in (desk.healthy, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["drawn", "refused"]
    assert owed(desk) == before + room
