"""Columns at the door: what a column must be, and the error that names the row where it is not.

Every limit is chosen so that the exact integer arithmetic behind the door cannot overflow an int64:

- money of one account <= `AMOUNT_UNITS_MAX` = 2^49 units (56 billion in the major unit), so that
  `amount * 10,000` (a ratio in basis points) < 2^63, and every sum of terms stays far below 2^53, where float64
  holds integers exactly too;
- one price and one quantity <= 2^40 (110 million a share; a trillion shares): each is exact in float64. Their product
  may pass 2^49: the kernels see it in a float64 sum that runs beside the integer one, and call the account unknown.
"""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Int64s: TypeAlias = npt.NDArray[np.int64]
Int32s: TypeAlias = npt.NDArray[np.int32]
Int8s: TypeAlias = npt.NDArray[np.int8]
UInt16s: TypeAlias = npt.NDArray[np.uint16]
UInt32s: TypeAlias = npt.NDArray[np.uint32]
Float64s: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Instruments: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]
"""Columns of `Marks`: uint16 while they fit, or uint32."""
Quantities: TypeAlias = npt.NDArray[np.signedinteger[Any]]
"""Shares: int32 while they fit, or int64."""

AMOUNT_UNITS_MAX = 2**49
"""Largest cash, debt or asset value of one account, in units of 1e-4."""
PRICE_UNITS_MAX = 2**40
"""Largest price, in units of 1e-4."""
QUANTITY_MAX = 2**40
"""Largest quantity of one position, in shares."""
BP = 10_000
"""Basis points in one."""


class BookError(ValueError):
    """A column that the engine refuses. Nothing was computed.

    `column` names it and `row` is the first bad row, or None when the column as a whole is wrong.
    """

    def __init__(self, column: str, row: int | None, problem: str) -> None:
        where = column if row is None else f"{column}[{row}]"
        super().__init__(f"{where} {problem}")
        self.column = column
        self.row = row
        self.problem = problem

    def __reduce__(self) -> tuple[type["BookError"], tuple[str, int | None, str]]:
        return BookError, (self.column, self.row, self.problem)  # so that it can travel between processes


def count_rows(name: str, values: npt.NDArray[np.generic]) -> int:
    """How many rows a column has, for the others to be held against; refuses what is no array of one dimension."""
    if not isinstance(values, np.ndarray):
        raise BookError(name, None, f"must be a NumPy array, not {type(values).__name__}")
    if values.ndim != 1:
        raise BookError(name, None, f"must have one dimension, not {values.ndim}")
    return len(values)


def check_number(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside low..high (both allowed), NaN, and what is no number."""
    if not (isinstance(value, Real) and low <= value <= high):  # so written that NaN fails
        raise BookError(name, None, f"is {value}, not within {low}..{high}")


def check_whole(name: str, value: int, low: int, high: int) -> None:
    """Refuse a number outside low..high (both allowed), and what is no whole number."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise BookError(name, None, f"is {value!r}, not a whole number")
    if not low <= value <= high:
        raise BookError(name, None, f"is {value}, " + (f"below {low}" if value < low else f"above {high}"))


def check_column(
    name: str,
    values: npt.NDArray[np.generic],
    dtype: type[np.generic],
    shape: tuple[int, ...],
    *wider: type[np.generic],
) -> None:
    """Refuse a column that is not a C-ordered array of exactly this dtype (or one of `wider`) and shape."""
    if not isinstance(values, np.ndarray):
        raise BookError(name, None, f"must be a NumPy array, not {type(values).__name__}")
    if values.dtype not in {np.dtype(one) for one in (dtype, *wider)}:
        allowed = " or ".join(np.dtype(one).name for one in (dtype, *wider))
        raise BookError(name, None, f"must be {allowed}, not {values.dtype.name}")
    if values.shape != shape:
        raise BookError(name, None, f"must have shape {shape}, not {values.shape}")
    if not values.flags.c_contiguous:
        raise BookError(name, None, "must be contiguous")


def check_table(
    name: str, values: npt.NDArray[np.generic], dtype: type[np.generic], dimensions: int
) -> tuple[int, ...]:
    """The shape of a C-ordered array of exactly this dtype and so many dimensions; refuses another."""
    if isinstance(values, np.ndarray) and values.ndim != dimensions:
        raise BookError(name, None, f"must have {dimensions} dimensions, not {values.ndim}")
    check_column(name, values, dtype, np.shape(values))
    return values.shape


def check_range(name: str, values: npt.NDArray[np.integer], low: int, high: int) -> None:
    """Refuse a column with a value outside low..high (both allowed), naming its first bad row.

    For a table of two dimensions the row named is the flat position.
    """
    if values.size == 0 or (low <= values.min() and values.max() <= high):
        return
    row = int(np.flatnonzero((values < low) | (values > high))[0])
    value = values.flat[row]
    raise BookError(name, row, f"is {value}, " + (f"below {low}" if value < low else f"above {high}"))


def int_column(name: str, values: Sequence[int] | npt.NDArray[np.generic]) -> Int64s:
    """Whole numbers as an int64 column. Floats, NaN, booleans, text and overflow are refused, the row named."""
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise BookError(name, None, "must be a flat list of whole numbers") from error
    if array.ndim != 1:
        raise BookError(name, None, f"must have one dimension, not {array.ndim}")
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    if not isinstance(values, np.ndarray) and any(isinstance(value, bool | np.bool_) for value in values):
        row = next(i for i, value in enumerate(values) if isinstance(value, bool | np.bool_))
        raise BookError(name, row, f"is {values[row]!r}, not a whole number of 64 bits")
    if array.dtype == np.int64:
        return np.ascontiguousarray(array)
    if array.dtype.kind == "i":
        return array.astype(np.int64)
    row, value = next(((i, v) for i, v in enumerate(values) if not _is_int64(v)), (0, array[0]))
    if array.dtype.kind == "u" and _is_int64(value):
        return array.astype(np.int64)
    raise BookError(name, row, f"is {value!r}, not a whole number of 64 bits")


def _is_int64(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and -(2**63) <= int(value) < 2**63
