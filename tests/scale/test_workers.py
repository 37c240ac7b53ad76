"""Blocks on Ray workers: the figures of one process to the last bit, also when a worker dies in the middle of a run."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ray", reason="the extra `scale` is not installed")

from tests.engine.cases import LINES
from tests.scale.cases import NAMES, book_of_the_day

from reefpoint.engine.bands import Band
from reefpoint.engine.book import Marks
from reefpoint.engine.columns import BookError
from reefpoint.engine.scenarios import Scenarios
from reefpoint.engine.stress import StressResult, stress_book
from reefpoint.engine.valuation import Valuation, value_book
from reefpoint.scale.blocks import cut_book, cut_rows, save_blocks, take_rows
from reefpoint.scale.workers import PER_ACCOUNT, BlockLost, BlockWorkers, exact_sum, local_ray

pytestmark = pytest.mark.slow
BOOK, MARKS = book_of_the_day()


@pytest.fixture(scope="module")
def workers(ray_folder: Path) -> Iterator[BlockWorkers]:
    """The book in two unequal blocks, each with its worker."""
    edge = cut_rows(BOOK, 3)[0].stop
    blocks = [take_rows(BOOK, slice(0, edge)), take_rows(BOOK, slice(edge, BOOK.account_count))]
    workers = BlockWorkers(save_blocks(blocks, ray_folder / "blocks"), MARKS, LINES)
    yield workers
    workers.close()


def scenarios(count: int = 40) -> Scenarios:
    shock = np.random.default_rng(3).uniform(0.5, 1.1, (count, NAMES))
    prices = np.maximum((MARKS.price_units * shock).astype(np.int64), 1)
    prices[7, 5] = 0
    return Scenarios(tuple(f"s{number}" for number in range(count)), prices)


def assert_same(one: Valuation | StressResult, other: Valuation | StressResult) -> None:
    for field in fields(one):
        got, expected = getattr(one, field.name), getattr(other, field.name)
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected, err_msg=field.name)


def test_valuation_over_blocks_is_that_of_one_process(workers: BlockWorkers) -> None:
    prices = scenarios().price_units[7].copy()
    single = value_book(BOOK, replace(MARKS, price_units=prices), LINES)
    figures = workers.value(prices, accounts=True)
    assert figures.valuation is not None
    assert_same(figures.valuation, single)
    assert figures.totals["assets_units"] == sum(single.assets_units.tolist())
    for band in Band:
        of_band = single.band == band
        assert figures.band_accounts[band + 1] == of_band.sum()
        assert figures.band_debt_units[band + 1] == sum(BOOK.debt_units[of_band].tolist())
    assert figures.band_accounts[0] > 0
    assert workers.value(prices).valuation is None


def test_stress_over_blocks_is_that_of_one_process(workers: BlockWorkers) -> None:
    single = stress_book(BOOK, MARKS, LINES, scenarios())
    assert_same(workers.stress(scenarios(), accounts=True), single)
    assert_same(workers.stress(scenarios()), replace(single, **{n: getattr(single, n)[:0] for n in PER_ACCOUNT}))


def test_worker_killed_in_the_middle_of_a_stress_run_is_replaced_and_no_bit_changes(workers: BlockWorkers) -> None:
    single = stress_book(BOOK, MARKS, LINES, scenarios())
    before = workers.pids()
    os.kill(before[1], signal.SIGSTOP)  # so it has surely not answered when it is killed
    threading.Timer(0.5, os.kill, (before[1], signal.SIGKILL)).start()
    assert_same(workers.stress(scenarios(), accounts=True), single)
    after = workers.pids()
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_new_marks_reach_all_blocks_and_stay_after_a_loss(workers: BlockWorkers) -> None:
    stale = replace(MARKS, is_stale=np.ones(NAMES, dtype=bool))
    try:
        workers.replace_marks(stale, LINES)
        os.kill(workers.pids()[0], signal.SIGKILL)
        figures = workers.value(MARKS.price_units)
        assert figures.totals["lendable_units"] == exact_sum(value_book(BOOK, stale, LINES).lendable_units)
    finally:
        workers.replace_marks(MARKS, LINES)


def test_what_the_engine_refuses_is_raised_here(workers: BlockWorkers, ray_folder: Path) -> None:
    with pytest.raises(BookError, match="price_units"):
        workers.value(MARKS.price_units[:-1].copy())
    with pytest.raises(BookError, match=r"price_units\[0\]"):
        workers.value(-MARKS.price_units)
    with pytest.raises(BookError, match="instruments"):
        workers.stress(Scenarios(("short",), np.ones((1, NAMES - 1), dtype=np.int64)))
    few = Marks(*(getattr(MARKS, field.name)[..., :-1].copy() for field in fields(Marks)))
    narrow = BlockWorkers(save_blocks([BOOK], ray_folder / "narrow"), few, LINES)
    with pytest.raises(BookError, match=f"instrument.* is {NAMES - 1}, above {NAMES - 2}"):
        narrow.value(few.price_units)
    narrow.close()


def test_block_that_cannot_be_loaded_again_is_named(workers: BlockWorkers, ray_folder: Path) -> None:
    with pytest.raises(ValueError, match="5 blocks need as many cores, Ray has 4"):
        BlockWorkers([lambda: BOOK] * 5, MARKS, LINES)
    files = save_blocks(cut_book(BOOK, 2), ray_folder / "doomed")
    doomed = BlockWorkers(files, MARKS, LINES, tries=2)
    pids = doomed.pids()
    files[1].path.unlink()
    os.kill(pids[1], signal.SIGKILL)
    with pytest.raises(BlockLost, match=r"block 1 was lost 2 times.*(?s:.)*FileNotFoundError") as lost:
        doomed.value(MARKS.price_units)
    assert lost.value.block == 1
    doomed.close()


def test_worker_that_does_not_answer_in_time_counts_as_lost(ray_folder: Path) -> None:
    silent = BlockWorkers(save_blocks([BOOK], ray_folder / "silent"), MARKS, LINES, tries=1)
    pid = silent.pids()[0]
    os.kill(pid, signal.SIGSTOP)
    silent._seconds_max = 0.5
    with pytest.raises(BlockLost, match="no answer in"):
        silent.stress(scenarios())
    os.kill(pid, signal.SIGKILL)
    silent.close()


def test_folder_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most 40 bytes"), local_ray(tmp_path / ("deep" * 10), workers=1):
        pass


def test_sums_are_exact_where_int64_would_overflow() -> None:
    column = np.full(1_000, 2**62, dtype=np.int64)
    assert exact_sum(column) == 1_000 * 2**62
    assert exact_sum(-column - 1) == -1_000 * (2**62 + 1)
