"""Loops that Numba compiles, once they have enough to do.

`@kernel` marks a plain loop over arrays. Calls run it interpreted until the process has spent about as much time that
way as Numba takes to start; from then on every call of every kernel runs compiled (from the cache beside the source,
if there is one). So a web request that values one account never waits a second for a compiler, and the watch of a
million accounts never waits for the interpreter; neither ever costs more than twice the better choice. Both forms are
the same function, and the tests hold their bits equal.
"""

from collections.abc import Callable
from typing import ClassVar, Generic, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

INTERPRETED_STEPS = 500_000
"""Loop steps of interpreting (near 2 us each) that cost as much as importing Numba and loading the kernels (1 s)."""


class Kernel(Generic[P, R]):
    """A loop with an interpreted form (`py_func`) and a compiled one (`compiled`); `run` chooses between them."""

    _steps_left: ClassVar[int] = INTERPRETED_STEPS

    def __init__(self, py_func: Callable[P, R]) -> None:
        self.py_func = py_func
        self.__doc__ = py_func.__doc__
        self._compiled: Callable[P, R] | None = None

    @property
    def compiled(self) -> Callable[P, R]:
        """The compiled form; its first use imports Numba."""
        if self._compiled is None:
            from numba import njit  # noqa: PLC0415 - a second of start-up that small books never need

            self._compiled = njit(cache=True, nogil=True)(self.py_func)
        return self._compiled

    def run(self, steps: int, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the loop, which has about `steps` steps to do with these arguments."""
        Kernel._steps_left -= steps
        if Kernel._steps_left < 0:
            return self.compiled(*args, **kwargs)
        with np.errstate(over="ignore"):
            return self.py_func(*args, **kwargs)


def kernel(py_func: Callable[P, R]) -> Kernel[P, R]:
    """Mark a loop over arrays as a kernel: no Python objects inside, figures written to the arrays it is given."""
    return Kernel(py_func)
