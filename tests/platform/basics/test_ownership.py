"""Owners looked through companies in between: exact, over all paths, and never more than the whole."""

from fractions import Fraction
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from reefpoint.platform.basics.ownership import Link, look_through, paths_of, share_bp

CLIENT, FIRM, TOP, ANN, BOB = range(5)


def test_a_share_in_a_share_is_their_product() -> None:
    found = look_through([Link(ANN, FIRM, 6_000), Link(FIRM, CLIENT, 5_000)], companies={FIRM})
    assert found.shares == {FIRM: Fraction(1, 2), ANN: Fraction(3, 10)}
    assert found.gaps == {CLIENT: Fraction(1, 2), FIRM: Fraction(1, 5)}
    assert found.undetermined == Fraction(7, 10)


def test_several_paths_of_one_person_add_up_and_are_told_one_by_one() -> None:
    links = [
        Link(ANN, CLIENT, 1_000),
        Link(ANN, FIRM, 5_000),
        Link(FIRM, CLIENT, 4_000),
        Link(TOP, FIRM, 5_000),
        Link(ANN, TOP, 10_000),
        Link(BOB, CLIENT, 5_000),
    ]
    found = look_through(links, companies={FIRM, TOP})
    assert (share_bp(found.shares[ANN]), share_bp(found.shares[BOB]), found.undetermined) == (5_000, 5_000, 0)
    paths, has_more = paths_of(links, ANN, most=5)
    assert [[link.share_bp for link in path] for path in paths] == [[1_000], [5_000, 4_000], [10_000, 5_000, 4_000]]
    assert (has_more, paths_of(links, ANN, most=2)[1]) == (False, True)


def test_a_circle_counts_for_nobody_and_stays_undetermined_whatever_the_order() -> None:
    links = [Link(FIRM, CLIENT, 10_000), Link(TOP, FIRM, 6_000), Link(FIRM, TOP, 5_000), Link(ANN, TOP, 5_000),
             Link(BOB, FIRM, 4_000)]  # fmt: skip
    answers = [look_through(order, companies={FIRM, TOP}) for order in permutations(links)]
    assert answers.count(answers[0]) == 120
    assert answers[0].loops == {Link(TOP, FIRM, 6_000), Link(FIRM, TOP, 5_000)}
    assert (answers[0].shares[BOB], answers[0].undetermined, answers[0].shares[ANN]) == (
        Fraction(2, 5),
        Fraction(3, 5),
        0,
    )
    assert look_through([Link(FIRM, FIRM, 10_000)], companies={FIRM}).undetermined == 1


def test_owners_of_more_than_the_whole_are_named() -> None:
    assert look_through([Link(ANN, FIRM, 6_000), Link(BOB, FIRM, 4_001)], companies={FIRM}).over_whole == {FIRM}


@st.composite
def structures(draw: st.DrawFn) -> tuple[list[Link], set[int]]:
    """Companies 1..n without circles, people above them, no company's owners over the whole."""
    companies = draw(st.integers(0, 6))
    links = []
    for owned in range(companies + 1):
        left = 10_000
        for owner in draw(st.lists(st.integers(owned + 1, companies + 4), max_size=4, unique=True)):
            share = draw(st.integers(0, left))
            left -= share
            links.append(Link(owner, owned, share))
    return links, set(range(1, companies + 1))


@given(structures(), st.randoms())
def test_people_and_the_undetermined_part_always_come_to_the_whole(case: tuple[list[Link], set[int]], luck) -> None:  # type: ignore[no-untyped-def]
    links, companies = case
    found = look_through(links, companies=companies)
    people = {party: share for party, share in found.shares.items() if party not in companies}
    assert sum(people.values()) + found.undetermined == 1
    assert all(0 <= share <= 1 for share in found.shares.values())
    mixed = list(links)
    luck.shuffle(mixed)
    assert look_through(mixed, companies=companies) == found
    for party, share in people.items():
        paths, _ = paths_of(mixed, party, most=10_000)
        products = [Fraction(1)] * len(paths)
        for number, path in enumerate(paths):
            for link in path:
                products[number] *= Fraction(link.share_bp, 10_000)
        assert sum(products, Fraction(0)) == share
