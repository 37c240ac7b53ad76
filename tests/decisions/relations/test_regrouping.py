"""Groups follow what clients share, change by change; the same as from scratch, whatever the order."""

import random

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.decisions.relations.kin import AT, digest_of, give, later, make_clients, share, take
from tests.desk import SYSTEM

from reefpoint.decisions.relations import rules
from reefpoint.decisions.relations.models import Exclusion, Group, GroupLimit, HeldValue, Membership
from reefpoint.decisions.relations.selectors import get_group, load_groups, load_holders, load_members, verify_relations
from reefpoint.decisions.relations.services import (
    AlreadyExcluded,
    ReasonMissing,
    end_exclusion,
    exclude_value,
    regroup_all,
    regroup_client,
    set_group_limit,
)
from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.events.models import Delivery
from reefpoint.platform.events.selectors import pending_count
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.parties.services import record_trait
from reefpoint.records.parties.types import TraitKind

pytestmark = pytest.mark.django_db

THINGS = [(kind, f"{kind}-{number}") for kind in ("phone", "bank_account", "address", "ip_day") for number in range(4)]
THINGS += [("ip_day", f"day-{number}") for number in range(8)]
RISK = Actor("user:1", "Risk", frozenset({"relations.set_limit", "relations.view"}), 1)
COMPLIANCE = Actor("user:2", "Compliance", frozenset({"relations.exclude", "relations.view"}), 2)


def groups() -> set[tuple[int, ...]]:
    return set(load_members(set(load_groups().values())).values())


def test_two_who_share_a_phone_are_a_group_until_one_has_another() -> None:
    one, two, three = make_clients(3)
    share("phone", "p", [one, two])
    assert groups() == {(one, two)}
    assert get_group(three) is None
    take(one, "phone", "p", later(1))
    regroup_client(actor=SYSTEM, client_id=one, at=later(1))
    assert groups() == set()
    group = Group.objects.get()
    assert (group.formed_at, group.ended_at) == (AT, later(1))
    assert set(Membership.objects.values_list("client_id", "since", "until")) == {
        (one, AT, later(1)),
        (two, AT, later(1)),
    }
    assert list(HeldValue.objects.filter(client_id=one).values_list("since", "until")) == [(AT, later(1))]


def test_a_change_that_says_nothing_new_writes_nothing() -> None:
    one, two = make_clients(2)
    share("phone", "p", [one, two])
    before = (Membership.objects.count(), Group.objects.count(), len(list_entries(action="relations.regroup")))
    assert regroup_client(actor=SYSTEM, client_id=one, at=later(1)).moved == 0
    assert regroup_all(actor=SYSTEM, at=later(2)).moved == 0
    assert (Membership.objects.count(), Group.objects.count(), len(list_entries(action="relations.regroup"))) == before


@pytest.mark.parametrize("seed", range(6))
def test_change_by_change_equals_from_scratch(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "COMMON_HOLDERS_MAX", 3)
    chance = random.Random(seed)
    clients = make_clients(10)
    had: set[tuple[int, str, str]] = set()
    for step in range(120):
        client_id, (kind, thing) = chance.choice(clients), chance.choice(THINGS)
        if (client_id, kind, thing) in had and chance.random() < 0.6:
            take(client_id, kind, thing, later(step))
            had.discard((client_id, kind, thing))
        else:
            give(client_id, kind, thing, later(step))
            had.add((client_id, kind, thing))
        if chance.random() < 0.1:
            _toggle_exclusion(chance, kind, thing, step)
        regroup_client(actor=SYSTEM, client_id=client_id, at=later(step))
        assert groups() == set(rules.find_groups(load_holders())), f"step {step}"
    assert verify_relations() == []
    assert regroup_all(actor=SYSTEM, at=later(500)).moved == 0


def _toggle_exclusion(chance: random.Random, kind: str, thing: str, step: int) -> None:
    standing = Exclusion.objects.filter(until=None).order_by("id").first()
    if standing is not None and chance.random() < 0.5:
        end_exclusion(actor=COMPLIANCE, exclusion_id=standing.pk, reason="it counts", at=later(step))
        return
    if HeldValue.objects.filter(kind=kind, digest=digest_of(thing), until=None).exists():
        try:
            with transaction.atomic():
                exclude_value(actor=COMPLIANCE, kind=kind, digest=digest_of(thing), reason="an office", at=later(step))
        except AlreadyExcluded:
            pass


def test_from_scratch_takes_over_what_no_event_told() -> None:
    clients = make_clients(6)
    for client_id in clients[:3]:
        give(client_id, "device", "tablet")
    assert {finding.check for finding in verify_relations()} == {"relations.values"}
    done = regroup_all(actor=SYSTEM, at=AT)
    assert (done.values_added, done.groups_formed, done.moved) == (3, 1, 3)
    assert groups() == {tuple(clients[:3])}
    assert verify_relations() == []


def test_the_proof_names_a_group_that_was_tampered_with() -> None:
    one, two, three = make_clients(3)
    share("phone", "p", [one, two])
    Membership.objects.create(group_id=get_group(one), client_id=three, since=AT)
    assert [finding.check for finding in verify_relations()] == ["relations.groups", "relations.groups"]


def test_when_groups_meet_the_larger_goes_on_and_the_lower_limit_holds() -> None:
    small, large = make_clients(2, "small"), make_clients(3, "large")
    share("phone", "s", small)
    share("phone", "l", large)
    limits = {get_group(small[0]): 300_00, get_group(large[0]): 500_00}
    for group_id, limit_minor in limits.items():
        assert group_id is not None
        set_group_limit(
            actor=RISK, group_id=group_id, currency="USD", limit_minor=limit_minor, reason="a start", at=later(1)
        )
    kept = get_group(large[0])
    share("bank_account", "b", [small[0], large[0]], later(2))
    assert load_groups() == dict.fromkeys([*small, *large], kept)
    assert list(GroupLimit.objects.filter(until=None).values_list("group_id", "limit_minor")) == [(kept, 300_00)]


def test_when_a_group_breaks_apart_each_part_keeps_the_limit() -> None:
    clients = make_clients(4)
    share("phone", "p", clients[:2])
    share("email", "e", clients[2:])
    share("owner", "o", [clients[1], clients[2]])
    group_id = get_group(clients[0])
    assert group_id is not None
    set_group_limit(actor=RISK, group_id=group_id, currency="USD", limit_minor=100_00, reason="a start", at=later(1))
    take(clients[1], "owner", "o", later(2))
    regroup_client(actor=SYSTEM, client_id=clients[1], at=later(2))
    assert len(groups()) == 2
    live = GroupLimit.objects.filter(until=None).order_by("group_id")
    assert list(live.values_list("group_id", "limit_minor")) == [
        (get_group(clients[0]), 100_00),
        (get_group(clients[2]), 100_00),
    ]


def test_an_excluded_thing_links_nobody_until_it_counts_again() -> None:
    clients = make_clients(3)
    share("phone", "adviser", clients)
    exclusion_id = exclude_value(
        actor=COMPLIANCE, kind="phone", digest=digest_of("adviser"), reason="an adviser's phone", at=later(1)
    )
    assert groups() == set()
    (entry,) = list_entries(action="relations.exclude")
    assert (entry.actor, entry.reason, entry.inputs["holders"]) == ("user:2", "an adviser's phone", 3)
    assert "adviser" not in str(entry.inputs)
    end_exclusion(actor=COMPLIANCE, exclusion_id=exclusion_id, reason="he lied", at=later(2))
    assert groups() == {tuple(clients)}
    assert verify_relations() == []


def test_an_exclusion_needs_a_reason_a_holder_and_the_right() -> None:
    clients = make_clients(2)
    share("phone", "p", clients)
    digest = digest_of("p")
    with pytest.raises(ReasonMissing):
        exclude_value(actor=COMPLIANCE, kind="phone", digest=digest, reason="  ", at=AT)
    with pytest.raises(PermissionRefused):
        exclude_value(actor=RISK, kind="phone", digest=digest, reason="no", at=AT)
    with pytest.raises(NotFound):
        exclude_value(actor=COMPLIANCE, kind="phone", digest=b"\x00", reason="no", at=AT)
    assert Exclusion.objects.count() == 0
    assert groups() == {tuple(clients)}


def test_the_database_holds_what_must_never_be() -> None:
    one, two = make_clients(2)
    share("phone", "p", [one, two])
    group_id = get_group(one)
    other = Group.objects.create(size=2, formed_at=AT)
    for wrong in (
        lambda: Membership.objects.create(group=other, client_id=one, since=AT),
        lambda: Group.objects.filter(id=group_id).update(size=1),
        lambda: Membership.objects.filter(client_id=one).update(group=other),
        lambda: Membership.objects.all().delete(),
        lambda: GroupLimit.objects.create(
            group=other, currency="USD", limit_minor=-1, reason="r", set_by="user:1", since=AT
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


def test_a_change_asks_the_database_the_same_whatever_the_number_of_clients() -> None:
    def counted(client_id: int, thing: str) -> int:
        give(client_id, "phone", thing)
        with CaptureQueriesContext(connection) as queries:
            regroup_client(actor=SYSTEM, client_id=client_id, at=later(1))
        return len(queries)

    few = make_clients(3, "few")
    share("phone", "f", few[:2])
    before = counted(few[2], "f")
    many = make_clients(40, "many")
    for client_id in many[:39]:
        give(client_id, "phone", "m")
    regroup_all(actor=SYSTEM, at=AT)
    assert counted(many[39], "m") == before


def test_a_device_that_two_clients_use_links_them_once_the_news_is_carried() -> None:
    one, two = make_clients(2)
    for client_id in (one, two, two):
        record_trait(client_id=client_id, kind=TraitKind.DEVICE, value="d3v1c3-0123456789", at=AT)
    assert get_group(one) is None
    dispatch_once("worker")
    assert groups() == {(one, two)}
    assert pending_count() == 0
    assert Delivery.objects.filter(consumer="relations.regroup").count() == 2
