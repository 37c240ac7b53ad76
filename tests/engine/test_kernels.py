"""Interpreted and compiled are one function: the same bits from both."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.cases import books, lines_tables, marks_tables, prices

from reefpoint.engine import kernel as kernel_module
from reefpoint.engine import valuation
from reefpoint.engine.columns import BookError
from reefpoint.engine.kernel import BLOCK_ROWS, Kernel, in_blocks, kernel, unsigned
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Crossings, Watch

NAMES = 4


def in_both_forms(work: Callable[[], list[np.ndarray]]) -> tuple[list[bytes], list[bytes]]:
    answers = []
    for steps_left in (2**62, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Kernel, "_steps_left", steps_left)
            answers.append([column.tobytes() for column in work()])
    return answers[0], answers[1]


def columns(crossings: Crossings) -> list[np.ndarray]:
    return list(vars(crossings).values())


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_valuation_and_watch(data: st.DataObject) -> None:
    book, marks, lines = data.draw(books(NAMES)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    batch = data.draw(st.lists(st.tuples(st.integers(0, NAMES - 1), prices), min_size=1))

    def work() -> list[np.ndarray]:
        watch = Watch(book, marks, lines)
        watch.decide()
        watch.apply_prices([name for name, _ in batch], [price for _, price in batch])
        crossings = watch.decide()
        return [*vars(value_book(book, marks, lines)).values(), *columns(crossings), *vars(watch.value()).values()]

    interpreted, compiled = in_both_forms(work)
    assert interpreted == compiled


def test_importing_and_using_the_engine_on_one_account_does_not_load_numba() -> None:
    script = """
import sys
from reefpoint.engine import cures, explain, interest, liquidation, watch
from tests.engine.cases import LINES, account_of, column, marks_of
account, marks = account_of([10], debt=9), marks_of([1])
live = watch.Watch(account, marks, LINES)
live.apply_prices([0], [2])
live.decide()
explain.explain_account(account, marks, LINES, limit_bp=1000)
liquidation.plan_sale(account, marks, sellable=column(10), cost_bp=column(5), target_bp=15000)
sys.exit("numba" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": "src:."})


def test_the_interpreter_hands_over_once_it_has_cost_as_much_as_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Kernel(lambda x: x + 1)
    monkeypatch.setattr(Kernel, "_steps_left", 10)
    monkeypatch.setattr(loop, "compiled", lambda x: x + 1000)
    assert [loop.run(6, 0), loop.run(4, 0), loop.run(1, 0)] == [1, 1, 1000]


@kernel
def _squared(x: int) -> int:
    return x * x


@kernel
def _sum_squares(numbers: np.ndarray) -> int:
    total = 0
    for i in range(unsigned(0), unsigned(len(numbers))):
        total += _squared(numbers[i])
    return total


def test_a_kernel_calls_another_in_the_same_form() -> None:
    numbers = np.arange(5)
    assert _sum_squares.py_func(numbers) == _sum_squares.compiled(numbers) == 30


def test_blocks_cover_every_row_once_and_answer_in_order_whatever_the_threads() -> None:
    count = 3 * BLOCK_ROWS + 5
    for threads in (1, 2, 7):
        seen = np.zeros(count, dtype=np.int64)

        def work(first: int, stop: int, seen: np.ndarray = seen) -> int:
            seen[first:stop] += 1
            return first

        assert in_blocks(count, threads, work) == [0, BLOCK_ROWS, 2 * BLOCK_ROWS, 3 * BLOCK_ROWS]
        assert (seen == 1).all()
    assert in_blocks(0, 2, lambda first, stop: first) == []
    with pytest.raises(BookError, match="threads is 0, below 1"):
        in_blocks(1, 0, lambda first, stop: first)


def test_a_fault_in_one_block_is_not_lost() -> None:
    def work(first: int, stop: int) -> None:
        if first:
            raise BookError("quantity", first, "is wrong")

    with pytest.raises(BookError, match="is wrong"):
        in_blocks(2 * BLOCK_ROWS, 2, work)


def test_the_cached_code_of_a_kernel_is_named_after_the_age_of_its_parts_in_other_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = valuation._value_long_only
    assert {Path(file).name for file in whole.files()} == {"valuation.py", "quads.py", "kernel.py"}
    before = whole._with_compiled_parts().__qualname__
    touched = SimpleNamespace(st_mtime_ns=1)
    monkeypatch.setattr(kernel_module.os, "stat", lambda file: touched)
    assert before.startswith("_value_long_only_")
    assert whole._with_compiled_parts().__qualname__ not in {before, "_value_long_only"}
    assert _sum_squares._with_compiled_parts().__qualname__.startswith("_sum_squares_")  # `unsigned` is a part too
    assert _squared._with_compiled_parts().__qualname__ == "_squared"
