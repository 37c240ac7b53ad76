"""When clients belong together: what shared things weigh, alone and added up, and the groups that follow."""

from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reefpoint.decisions.relations import rules
from reefpoint.decisions.relations.types import Value

KINDS = sorted(rules.WEIGHT_BP)


def value(kind: str, number: int) -> Value:
    return kind, number.to_bytes(4, "big")


@pytest.mark.parametrize(
    "kind", ["bank_account", "attorney", "identifier", "device", "phone", "email", "signatory", "owner"]
)
def test_one_shared_thing_of_a_strong_kind_links_two_clients(kind: str) -> None:
    assert rules.find_groups({value(kind, 1): [7, 3]}) == [(3, 7)]


@pytest.mark.parametrize(
    ("kinds", "weight_bp"),
    [
        (["address"], 4_000),
        (["ip_day"], 2_000),
        (["address", "address"], 6_400),
        (["address", "ip_day"], 5_200),
        (["address"] + ["ip_day"] * 4, 7_542),
        (["address"] + ["ip_day"] * 5, 8_033),
        (["ip_day"] * 7, 7_902),
        (["ip_day"] * 8, 8_322),
        (["phone", "address"], 8_800),
        (["bank_account", "ip_day"], 10_000),
        ([], 0),
        (["horoscope"], 0),
    ],
)
def test_weights_add_up_as_independent_signs_rounded_down(kinds: list[str], weight_bp: int) -> None:
    assert rules.combined_bp(kinds) == weight_bp


def test_an_address_alone_links_nobody_and_an_address_with_five_days_on_one_line_does() -> None:
    address = {value("address", 1): [1, 2]}
    days = {value("ip_day", day): [1, 2] for day in range(5)}
    assert rules.find_groups(address) == []
    assert rules.find_groups({**address, **dict(list(days.items())[:4])}) == []
    assert rules.find_groups({**address, **days}) == [(1, 2)]


def test_weak_signs_of_different_pairs_do_not_add_up() -> None:
    days = {value("ip_day", day): [1, 2 + day % 2] for day in range(8)}
    assert rules.find_groups(days) == []


def test_an_office_tower_links_nobody_but_a_phone_of_many_does() -> None:
    tower = list(range(1, rules.COMMON_HOLDERS_MAX + 2))
    addresses = {value("address", number): tower for number in range(4)}
    assert rules.find_groups(addresses) == []
    assert rules.find_groups({key: clients[:-1] for key, clients in addresses.items()}) == [tuple(tower[:-1])]
    assert rules.find_groups({value("phone", 1): tower}) == [tuple(tower)]


def test_whoever_is_outside_counts_as_a_holder_and_is_not_grouped() -> None:
    crowd = list(range(1, rules.COMMON_HOLDERS_MAX + 2))
    addresses = {value("address", number): crowd for number in range(4)}
    assert rules.find_groups(addresses, within={1, 2}) == []
    assert rules.find_groups({value("phone", 1): [1, 2, 9]}, within={1, 2}) == [(1, 2)]


def test_a_chain_is_one_group() -> None:
    holders = {
        value("phone", 1): [1, 2],
        value("email", 1): [2, 3],
        value("device", 1): [3, 4],
        value("owner", 1): [8, 9],
    }
    assert rules.find_groups(holders) == [(1, 2, 3, 4), (8, 9)]


sharing = st.dictionaries(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 5).map(lambda number: number.to_bytes(4, "big"))),
    st.lists(st.integers(1, 12), min_size=2, max_size=6, unique=True),
    max_size=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sharing)
def test_two_clients_are_in_one_group_if_and_only_if_links_of_the_line_connect_them(
    holders: dict[Value, list[int]],
) -> None:
    clients = {one for found in holders.values() for one in found}
    linked = {
        frozenset((link.first_id, link.second_id))
        for link in rules.find_links(holders, clients)
        if link.weight_bp >= rules.LINK_BP
    }
    reach = {one: {one} for one in clients}
    for _ in clients:
        for pair in linked:
            both = set().union(*(reach[one] for one in pair))
            for one in pair:
                reach[one] |= both
    grouped = {frozenset(pair) for members in rules.find_groups(holders) for pair in combinations(members, 2)}
    assert grouped == {frozenset(pair) for pair in combinations(clients, 2) if pair[1] in reach[pair[0]]}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sharing, st.randoms())
def test_the_order_in_which_things_are_read_changes_nothing(holders: dict[Value, list[int]], random: object) -> None:
    shuffled = list(holders.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rules.find_groups({key: found[::-1] for key, found in shuffled}) == rules.find_groups(holders)


def test_a_group_goes_on_as_the_one_most_of_its_members_were_in() -> None:
    old = {1: 10, 2: 10, 3: 10, 4: 20, 5: 20}
    assert rules.name_groups(old, [(1, 2, 3, 4, 5)]) == [(10, (1, 2, 3, 4, 5))]
    assert rules.name_groups(old, [(1, 2), (3, 4, 5)]) == [(10, (1, 2)), (20, (3, 4, 5))]
    assert rules.name_groups(old, [(6, 7)]) == [(None, (6, 7))]
    assert rules.name_groups({1: 10, 2: 10, 3: 10, 4: 10}, [(1, 2), (3, 4)]) == [(10, (1, 2)), (None, (3, 4))]


def test_no_regrouping_lifts_a_limit() -> None:
    assert rules.inherited_limit([500, 300]) == 300
    assert rules.inherited_limit([]) is None


@pytest.mark.parametrize(("amount", "is_refused"), [(100, False), (101, True)])
def test_a_drawdown_up_to_the_limit_passes_and_one_cent_more_does_not(amount: int, *, is_refused: bool) -> None:
    if is_refused:
        with pytest.raises(rules.GroupLimitExceeded):
            rules.check_group_limit(debt_minor=900, amount_minor=amount, limit_minor=1_000)
    else:
        rules.check_group_limit(debt_minor=900, amount_minor=amount, limit_minor=1_000)
