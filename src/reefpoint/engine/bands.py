"""The lines of a scheme, and the band in which an account stands against them.

A ratio is assets / debt in basis points, rounded down. As lines are whole basis points, `floor(r) < line` is the same
decision as `assets * 10,000 < line * debt`: comparing the rounded ratio is exact.

An account is under a line when its ratio is less than the line; a ratio equal to the line still holds it.
It gets worse at once and better only when its ratio reaches the line plus the scheme's hysteresis, so a price that
swings around a line by a hair changes the band once.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from reefpoint.engine.columns import BP, BookError, Int8s, Int64s, UInt16s, check_column, check_range, count_rows
from reefpoint.engine.kernel import kernel, unsigned

RATIO_NO_DEBT = int(np.iinfo(np.int64).max)
"""The ratio of an account that owes nothing: above every line."""
RATIO_UNKNOWN = -1
"""The ratio of an account that cannot be valued."""
LINE_BP_MAX = 1_000_000
RUN_ROWS = 256
"""Rows that are looked at together: whether they stand under the same terms."""


class Band(IntEnum):
    """How an account stands, milder to worse; UNKNOWN when it cannot be valued."""

    UNKNOWN = -1
    SAFE = 0
    WARNING = 1
    CALL = 2
    CLOSE_OUT = 3


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of each scheme version ("terms"), one row each; all int64[T] in basis points of assets / debt.

    Refused with `BookError` unless 10,000 < close_out < call < warning, cure >= call and hysteresis >= 0.
    """

    warning_bp: Int64s
    call_bp: Int64s
    close_out_bp: Int64s
    cure_bp: Int64s
    hysteresis_bp: Int64s

    def __post_init__(self) -> None:
        shape = (count_rows("close_out_bp", self.close_out_bp),)
        for name in ("warning_bp", "call_bp", "close_out_bp", "cure_bp", "hysteresis_bp"):
            check_column(name, getattr(self, name), np.int64, shape)
        check_range("close_out_bp", self.close_out_bp, BP + 1, LINE_BP_MAX)
        check_range("cure_bp", self.cure_bp, BP + 1, LINE_BP_MAX)
        check_range("warning_bp", self.warning_bp, BP + 1, LINE_BP_MAX)
        check_range("hysteresis_bp", self.hysteresis_bp, 0, LINE_BP_MAX)
        for name, low, high_name, high in (
            ("close_out_bp", self.close_out_bp, "call_bp", self.call_bp - 1),
            ("call_bp", self.call_bp, "warning_bp", self.warning_bp - 1),
            ("call_bp", self.call_bp, "cure_bp", self.cure_bp),
        ):
            if (low > high).any():
                row = int(np.flatnonzero(low > high)[0])
                raise BookError(name, row, f"is {low[row]}, too high for {high_name} = {getattr(self, high_name)[row]}")

    @classmethod
    def of(cls, *, warning_bp: int, call_bp: int, close_out_bp: int, cure_bp: int, hysteresis_bp: int = 0) -> "Lines":
        """A table of one row, for a book under one scheme."""
        rows = (np.array([bp], dtype=np.int64) for bp in (warning_bp, call_bp, close_out_bp, cure_bp, hysteresis_bp))
        return cls(*rows)

    def __len__(self) -> int:
        return len(self.close_out_bp)

    @cached_property
    def table(self) -> Int64s:
        """int64[T, 4] for the kernels: warning, call, close-out (the order of `Band`), hysteresis."""
        columns = (self.warning_bp, self.call_bp, self.close_out_bp, self.hysteresis_bp)
        return np.ascontiguousarray(np.stack(columns, axis=1))


@kernel
def band_by_lines(first: int, stop: int, ratio_bp: Int64s, terms: UInt16s, table: Int64s, band: Int8s) -> None:
    """band[row] of rows first..stop by the lines alone. `table` as in `Lines.table`.

    Rows side by side under the same terms are compared with the same three lines in vector registers: a fifth of the
    time of looking the lines up for each row. In a book sorted by size such runs are long.
    """
    row, end = unsigned(first), unsigned(stop)
    while row < end:
        until = min(end, row + unsigned(RUN_ROWS))
        term, differs = terms[row], 0
        for i in range(row, until):
            differs |= terms[i] ^ term
        warning, call, close_out = table[term, 0], table[term, 1], table[term, 2]
        for i in range(row, until):
            if differs:
                term = terms[i]
                warning, call, close_out = table[term, 0], table[term, 1], table[term, 2]
            ratio = ratio_bp[i]
            band[i] = int(ratio < warning) + int(ratio < call) + int(ratio < close_out) - 4 * int(ratio < 0)
        row = until


@kernel
def _step_rows(rows: Int64s, ratio_bp: Int64s, terms: UInt16s, table: Int64s, band: Int8s) -> None:
    """Move `band[row]` to where `ratio_bp[row]` puts it, for each of `rows`. Band -1 before means no memory."""
    for i in range(len(rows)):
        row = rows[i]
        ratio = ratio_bp[row]
        if ratio < 0:
            band[row] = -1
            continue
        term = terms[row]
        before = band[row]
        now = 0
        for worse in range(1, 4):
            line = table[term, worse - 1]
            if ratio < line or (worse <= before and ratio < line + table[term, 3]):
                now = worse
        band[row] = now


def step_bands(ratio_bp: Int64s, terms: UInt16s, lines: Lines, previous: Int8s | None = None) -> Int8s:
    """The band of each account from its ratio, int8[A] of `Band` values.

    `previous` int8[A] is the band before, for the hysteresis; without it, or where it is UNKNOWN, there is no memory
    and the lines decide alone. `ratio_bp` int64[A] as in `Valuation`; `terms` uint16[A] rows of `lines`. Raises
    `BookError` for columns of other types or lengths, and for terms or bands that there are not.
    """
    accounts = (count_rows("ratio_bp", ratio_bp),)
    check_column("ratio_bp", ratio_bp, np.int64, accounts)
    check_column("terms", terms, np.uint16, accounts)
    check_range("terms", terms, 0, len(lines) - 1)
    if previous is not None:
        check_column("previous", previous, np.int8, accounts)
        check_range("previous", previous, min(Band), max(Band))
    band = np.full(accounts, Band.UNKNOWN, dtype=np.int8) if previous is None else previous.copy()
    _step_rows.run(4 * len(band), np.arange(len(band)), ratio_bp, terms, lines.table, band)
    return band
