"""What the slack index holds: the columns of the live book, the same by instrument, and the state of each account.

`slack.py` says what the index is and why it is right.
"""

from typing import Any, NamedTuple, TypeAlias

from reefpoint.engine.columns import Instruments, Int8s, Int32s, Int64s, Quantities, UInt16s, UInt32s
from reefpoint.engine.kernel import kernel

# Kernels here allocate nothing but the list of crossings, so they borrow what they are passed. By itself Numba counts
# references, atomically, to every array of every tuple at each call: 2.0 us instead of 0.7 for a tick that touches
# nobody, 0.5 us more for each account that is valued.
step = kernel(inlined=True, counts_references=False)
loop = kernel(counts_references=False)

Whole: TypeAlias = Any
"""A whole number: an int or a NumPy scalar when interpreted, an int64 when compiled."""

CLASS_COUNT = 7
LAST = CLASS_COUNT - 1
CLASS_BITS, IS_DUE, IS_PARKED, IS_EXACT = 7, 8, 16, 32
"""`place` of an account: its class; to be valued at the next decision; parked; exact."""
DUE, STAMP, PROBE, TAIL, MOVES_LEFT, SWEEPS, TOUCHES, WARM = range(8)
"""`counters`: accounts due; number of the batch; of the probe; entries used; moves left; work done; nothing of use."""


class Rows(NamedTuple):
    """The live book's columns, by account and by position."""

    start: Int32s
    size: Int32s
    instrument: Instruments
    quantity: Quantities
    cash: Int64s
    debt: Int64s
    terms: UInt16s
    band: Int8s


class Columns(NamedTuple):
    """The same positions by instrument. Those of name s are `start[s]`..`bound[s, LAST]`, with room up to `end[s]`.

    Entries of class c end at `bound[s, c]`, where those of the next class begin. `account` and `quantity` (0 for exact
    accounts) belong to an entry; `position` is its row position, and `entry` the entry of a row position.
    """

    start: Int64s
    end: Int64s
    bound: Int64s
    account: UInt32s
    quantity: Quantities
    position: UInt32s
    entry: UInt32s


class State(NamedTuple):
    """By account: `place` int8, `slack` int64[2A] (below, above). By class: `envelope` int64[C, S, 2], `is_moved` and
    `positions` int64[C]. By name: `price`, `limit_down`, `limit_up`, `seen` (batch that last named it), `moved` (list),
    `stretch` (of its envelopes, in basis points). `due` lists accounts; `lines` is the table of `Lines`; `counters` as
    named above."""

    place: Int8s
    slack: Int64s
    due: Int32s
    envelope: Int64s
    is_moved: Int64s
    positions: Int64s
    price: Int64s
    limit_down: Int64s
    limit_up: Int64s
    seen: Int64s
    moved: Int64s
    stretch: Int64s
    lines: Int64s
    counters: Int64s
