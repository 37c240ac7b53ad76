"""Every page on a desk with something in every room: what it costs does not grow with the desk."""

import logging
from collections.abc import Iterator, Mapping

import pytest
from pytest_django.fixtures import Settings

from reefpoint.benchmarks.full_desk import OPENS_AT, found_full_desk, grow_full_desk
from reefpoint.benchmarks.page_costs import PageCost, measure_all
from reefpoint.benchmarks.pages import table_of
from reefpoint.flows.operations.selectors.verify import CHECKS

FEW, MANY = 30, 60
QUERIES_MAX = 40
DEARER: Mapping[str, int] = {
    "console:application": 55,
    "console:today": 55,
}
"""Pages that gather more than most, from so many rooms, with the cap of each."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Addresses that take no GET would each be a line of the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.django_db
def test_no_page_asks_more_queries_of_a_desk_three_times_as_large_and_it_proves(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    originals = found_full_desk()
    grow_full_desk(originals, FEW)
    small = {one.address: one for one in measure_all(originals, rounds=0)}
    grow_full_desk(originals, MANY)
    assert [finding for check in CHECKS.values() for finding in check(OPENS_AT)] == []
    large = {one.address: one for one in measure_all(originals, rounds=0)}
    assert len(large) > 140
    assert {at: (small[at].queries, one.queries) for at, one in large.items() if _grew(small[at], one)} == {}
    assert {at: one.queries for at, one in large.items() if one.queries > DEARER.get(one.name, QUERIES_MAX)} == {}
    assert table_of(list(large.values()), 6_000, 90).listing[0][1] == "queries"


def _grew(before: PageCost, after: PageCost) -> bool:
    return after.queries > before.queries
