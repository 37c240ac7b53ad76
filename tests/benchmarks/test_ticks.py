"""Candidates that follow a stream of ticks are held to the watch's crossings, and to nothing that never happened."""

import numpy as np
import pytest

from reefpoint.benchmarks.books import SyntheticBook, draw_book
from reefpoint.benchmarks.ticks import (
    Follower,
    PlainState,
    Ticks,
    check_bands,
    check_crossings,
    delta_follower,
    draw_ticks,
    follow_watch,
    numpy_follower,
    open_watch,
)
from reefpoint.benchmarks.timing import WrongAnswer

TICKS = 8_000


@pytest.fixture(scope="module")
def drawn() -> SyntheticBook:
    return draw_book(1_500)


@pytest.fixture(scope="module")
def stream(drawn: SyntheticBook) -> Ticks:
    return draw_ticks(drawn, TICKS, zipf=1.0, drift=-0.3)


def followers(drawn: SyntheticBook, stream: Ticks) -> list[Follower]:
    watch, state = open_watch(drawn), PlainState(drawn)
    return [
        Follower("watch", "Reefpoint", stream, 4_000, lambda ticks: follow_watch(watch, ticks)),
        Follower("delta", "Plain delta", stream, 2_000, delta_follower(state)),
        Follower("numpy", "NumPy", stream, 1_000, numpy_follower(state)),
    ]


def test_all_tell_the_same_crossings_at_their_own_pace(drawn: SyntheticBook, stream: Ticks) -> None:
    all_of_them = followers(drawn, stream)
    for follower in all_of_them:
        for _ in range(2):
            follower.follow()
    check_crossings(all_of_them)
    assert len(all_of_them[0].told()) > 20


def test_a_follower_that_forgets_one_crossing_is_caught(drawn: SyntheticBook, stream: Ticks) -> None:
    ours, delta, _ = followers(drawn, stream)
    ours.follow()
    delta.follow()
    forgetful = Follower("forgetful", "Peer", stream, 2_000, lambda _: delta.told()[1:])
    forgetful.follow()
    with pytest.raises(WrongAnswer, match="forgetful"):
        check_crossings([ours, forgetful])


def test_bands_of_the_watch_stand_with_a_full_valuation(drawn: SyntheticBook, stream: Ticks) -> None:
    watch = open_watch(drawn)
    check_bands(watch, drawn)
    follow_watch(watch, stream)
    check_bands(watch, drawn)
    watch.band[int(np.flatnonzero(watch.band == 0)[0])] = 3
    with pytest.raises(WrongAnswer):
        check_bands(watch, drawn)


def test_ticks_move_by_whole_cents_within_the_days_limits(drawn: SyntheticBook, stream: Ticks) -> None:
    marks = drawn.marks
    assert (stream.price_units % 100 == 0).all()
    assert (stream.price_units >= marks.limit_down_units[stream.name]).all()
    assert (stream.price_units <= marks.limit_up_units[stream.name]).all()
    top = stream.name == drawn.popularity[0]
    assert 0.09 < top.mean() < 0.13, "the most popular name has a ninth of the ticks"
