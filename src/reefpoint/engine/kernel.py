"""Loops that Numba compiles, when it pays.

`@kernel` marks a plain loop over arrays. A call with little work runs it interpreted; the first call with much work
imports Numba (about a second of CPU), compiles the loop or takes it from the cache beside the source, and from then
on every call runs compiled. So a web request that values one account never waits for a compiler, and the watch of a
million accounts never waits for an interpreter; both run the same function, and tests hold their bits equal.
"""

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

INTERPRETED_STEPS_MAX = 2_000
"""Loop steps below which the interpreter is used while Numba is not loaded: some 2 us a step, against a second."""


class Kernel(Generic[P, R]):
    """A loop with an interpreted and a compiled form. `run(steps, ...)` chooses between the two."""

    def __init__(self, py_func: Callable[P, R]) -> None:
        self.py_func = py_func
        self.__doc__ = py_func.__doc__
        self._compiled: Callable[P, R] | None = None

    @property
    def compiled(self) -> Callable[P, R]:
        """The compiled form; compiles on first use."""
        if self._compiled is None:
            from numba import njit  # noqa: PLC0415 - a second of start-up that small books never need

            self._compiled = njit(cache=True, nogil=True)(self.py_func)
        return self._compiled

    @property
    def _numba_type_(self) -> Any:
        """Numba's own protocol for a global inside compiled code: lets one kernel call another."""
        return self.compiled._numba_type_  # type: ignore[attr-defined]

    def run(self, steps: int, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call with about `steps` loop steps of work."""
        if self._compiled is None and steps < INTERPRETED_STEPS_MAX:
            with np.errstate(over="ignore"):
                return self.py_func(*args, **kwargs)
        return self.compiled(*args, **kwargs)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """From inside another interpreted kernel."""
        return self.py_func(*args, **kwargs)


def kernel(py_func: Callable[P, R]) -> Kernel[P, R]:
    """Mark a loop over arrays as a kernel: no Python objects inside, figures written to the arrays it is given."""
    return Kernel(py_func)
