"""Loops that Numba compiles, once they have enough to do.

`@kernel` marks a plain loop over arrays. Calls run it interpreted until the process has spent about as much time that
way as Numba takes to start; from then on every call of every kernel runs compiled (from the cache beside the source,
if there is one). So a web request that values one account never waits a second for a compiler, and the watch of a
million accounts never waits for the interpreter; neither ever costs more than twice the better choice. Both forms are
the same function, and the tests hold their bits equal.

A kernel may call another one, on one row or one number: the whole then runs in one form.
"""

import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from importlib import import_module
from types import FunctionType
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar, overload

import numpy as np

from reefpoint.engine.columns import check_whole

P = ParamSpec("P")
R = TypeVar("R")

INTERPRETED_STEPS = 500_000
"""Loop steps of interpreting (near 2 us each) that cost as much as importing Numba and loading the kernels (1 s)."""
BLOCK_ROWS = 16_384
"""Rows of one block of `in_blocks`: a megabyte of columns, and the calls cost 1% of the work."""
THREADS_MAX = 1_024


@cache
def load_numba() -> Any:
    """Numba's `njit`: half a second of start-up that small books never need.

    The first code that Numba makes or loads has it ask whether SciPy brings a BLAS, for `np.dot` and the like, which no
    kernel uses; asking imports scipy.linalg, a third of the time that a process takes to its first valuation. So the
    question is answered with no, once and for Numba alone.
    """
    from numba import njit  # noqa: PLC0415
    from numba.np import linalg  # noqa: PLC0415

    ask, linalg.ensure_blas = linalg.ensure_blas, _refuse_blas
    try:
        import_module("numba.np.arraymath")  # it asks as it is imported
    finally:
        linalg.ensure_blas = ask
    return njit


def _refuse_blas() -> None:
    raise ImportError


class Kernel(Generic[P, R]):
    """A loop with an interpreted form (`py_func`) and a compiled one (`compiled`); `run` chooses between them."""

    _steps_left: ClassVar[int] = INTERPRETED_STEPS

    def __init__(
        self,
        py_func: Callable[P, R],
        *,
        floats_are_whole: bool = False,
        inlined: bool = False,
        counts_references: bool = True,
    ) -> None:
        self.py_func = py_func
        self._counts_references = counts_references
        self._inlined = inlined
        self.__doc__ = py_func.__doc__
        self._fastmath = {"contract", "nsz"} if floats_are_whole else False

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """The compiled form; its first use imports Numba."""
        njit = load_numba()
        # error_model: a division by zero gives infinity as NumPy's does, and no branch guards against an exception
        options: dict[str, Any] = {"fastmath": self._fastmath, "forceinline": self._inlined}
        if not self._counts_references:
            options["_nrt"] = False  # without Numba's run time; not among the options that it documents
        make = njit(cache=True, nogil=True, error_model="numpy", **options)
        compiled: Callable[P, R] = make(self._with_compiled_parts())
        return compiled

    def run(self, steps: int, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the loop, which has about `steps` steps to do with these arguments."""
        return self.form(steps)(*args, **kwargs)

    def form(self, steps: int) -> Callable[P, R]:
        """The form that suits about `steps` steps more: for `in_blocks`, where one choice serves all blocks."""
        Kernel._steps_left -= steps
        return self.compiled if Kernel._steps_left < 0 else self._interpret

    @staticmethod
    def is_interpreted() -> bool:
        """Whether kernels with little to do still run interpreted in this process."""
        return Kernel._steps_left >= 0

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """How an interpreted kernel calls this one as its part."""
        return self.py_func(*args, **kwargs)

    def _interpret(self, *args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.py_func(*args, **kwargs)

    def _with_compiled_parts(self) -> Callable[P, R]:
        """The function, with the compiled form of each kernel that it calls in place of that kernel.

        Numba's cache of compiled code looks at the age of the caller's own file. The ages of the files of the parts go
        into the name that the code is cached under, so that a changed part is never run as it was.
        """
        whole, parts = self.py_func, self._parts()
        assert isinstance(whole, FunctionType)
        linked = {name: part.compiled for name, part in parts.items()}
        function = FunctionType(whole.__code__, {**whole.__globals__, **linked}, whole.__name__, whole.__defaults__)
        others = self.files() - {whole.__code__.co_filename}
        if others:
            ages = sorted((file, os.stat(file).st_mtime_ns) for file in others)
            function.__qualname__ = f"{whole.__name__}_{zlib.crc32(repr(ages).encode()):08x}"
        return function

    def _parts(self) -> "dict[str, Kernel[Any, Any]]":
        assert isinstance(self.py_func, FunctionType)
        names = self.py_func.__globals__
        return {name: names[name] for name in self.py_func.__code__.co_names if isinstance(names.get(name), Kernel)}

    def files(self) -> set[str]:
        """The source files of this kernel and its parts."""
        assert isinstance(self.py_func, FunctionType)
        return {self.py_func.__code__.co_filename}.union(*(part.files() for part in self._parts().values()))


class Part(Kernel[P, R]):
    """A part of kernels whose compiled form is not its own source: `load` gives it, once Numba is loaded."""

    def __init__(self, py_func: Callable[P, R], load: Callable[[], Callable[P, R]]) -> None:
        super().__init__(py_func)
        self._load = load

    @cached_property
    def compiled(self) -> Callable[P, R]:
        return self._load()


def part(load: Callable[[], Callable[..., Any]]) -> Callable[[Callable[P, R]], Part[P, R]]:
    """Mark the interpreted form of a part of kernels; `load` imports or makes what Numba is to call instead."""
    return lambda py_func: Part(py_func, load)


def _load_unsigned() -> Callable[..., Any]:
    compiled: Callable[..., Any] = load_numba()(lambda number: np.uint64(number))  # noqa: PLW0108 - a type has no source
    return compiled


@part(_load_unsigned)
def unsigned(number: Any) -> int:
    """A number >= 0 as an index: a plain int when interpreted, an unsigned one when compiled.

    Numba tests each signed index for being negative (and then counts from the end); that test took a third of the time
    of a full valuation. `range(unsigned(a), unsigned(b))` counts unsigned. Mix with `unsigned(1)`, never with 1: Numba
    adds a signed and an unsigned number as floats.
    """
    return int(number)


@overload
def kernel(py_func: Callable[P, R]) -> Kernel[P, R]: ...
@overload
def kernel(
    *, floats_are_whole: bool = ..., inlined: bool = ..., counts_references: bool = ...
) -> Callable[[Callable[P, R]], Kernel[P, R]]: ...
def kernel(
    py_func: Callable[P, R] | None = None,
    *,
    floats_are_whole: bool = False,
    inlined: bool = False,
    counts_references: bool = True,
) -> Any:
    """Mark a loop over arrays as a kernel: no Python objects inside, figures written to the arrays it is given.

    `floats_are_whole`: every float in it is a whole number below 2^53, so a multiplication and an addition may be fused
    into one instruction without changing a bit. Reordering stays forbidden: it makes LLVM turn loops of some ten
    positions into gathers, a quarter slower.

    `inlined`: a part that is put into its caller before the caller's loop is made into vector instructions. LLVM joins
    other parts only after that: the loop that draws random numbers then takes 23 ns a draw instead of 1.7.

    `counts_references`: without it the kernel may make no array, only borrow those it is passed.
    """
    if py_func is not None:
        return Kernel(py_func)
    return lambda py_func: Kernel(
        py_func, floats_are_whole=floats_are_whole, inlined=inlined, counts_references=counts_references
    )


def in_blocks(count: int, threads: int, work: Callable[[int, int], R], block_rows: int = BLOCK_ROWS) -> list[R]:
    """`work(first, stop)` for each block of rows of 0..count, on so many threads; its answers in order of blocks.

    The threads take one block after another, so one that is slow (accounts are stored by size) holds up no other.
    They run side by side as far as `work` is inside compiled kernels, which leave the interpreter free. What a block
    writes must not depend on other blocks: then nothing depends on the number of threads.
    """
    check_whole("threads", threads, 1, THREADS_MAX)
    blocks = [(first, min(count, first + block_rows)) for first in range(0, count, block_rows)]
    if threads == 1 or len(blocks) <= 1:
        return [work(first, stop) for first, stop in blocks]
    with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
        return list(pool.map(lambda block: work(*block), blocks))
