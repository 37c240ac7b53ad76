"""One tile of scenarios in SIMD registers, written in LLVM's instructions.

A tile is `ROW_BYTES` of scenarios: 64 in float64, 128 in float32, as a table [S, lanes] with the scenarios' prices of
one instrument side by side. An account's assets under all scenarios of the tile are eight 64-byte registers: each
position is one broadcast quantity and eight multiply-adds from memory, and nothing is stored until the account ends.
Written as a Numba loop over a row buffer the same work takes two to three times as long (measured), because every
position loads and stores the buffer. The vector types are LLVM's portable ones: a machine without 512-bit registers
splits them.

Each step stands twice: as a plain function (what an interpreter runs: `stress_tile.py_func`) and as the instructions
that replace it in compiled code. In float64 every figure is an integer below 2^53, so both forms, any order of adding
and any fusing of multiply and add give the same bits. Importing this module loads Numba.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

from reefpoint.engine.columns import Int32s, Int64s
from reefpoint.engine.kernel import load_numba

load_numba()

ROW_BYTES = 512
"""Bytes of one instrument's prices in a tile."""
VECTOR_BYTES = 64
VECTORS = ROW_BYTES // VECTOR_BYTES
DEBT_BITS = 53
"""Sums of debt are packed with the count of accounts: `count << 53 | debt`, one 64-bit add for both."""
COUNT_MAX = 2 ** (63 - DEBT_BITS) - 1
"""Accounts that a packed sum may count before it is emptied."""
SUM_MAX = 2**52
"""Debt that sums may hold before they are emptied: half of what float64 adds exactly, so that float32's rounding of a
debt cannot reach it."""


Floats = npt.NDArray[np.floating[Any]]


def value_lanes(
    instrument: npt.NDArray[np.unsignedinteger[Any]],
    quantity: npt.NDArray[np.signedinteger[Any]],
    first: int | np.uint64,
    stop: int | np.uint64,
    table: Floats,
    cash: float,
    edges: Floats,
    row: int,
    worst: float,
    assets: Floats,
) -> int:
    """Write assets[lane] = cash + sum of quantity * table[instrument, lane] over the positions first..stop.

    The answer is a set of bits: bit e when any lane is under edges[row, e]; bit 8 + e when any lane is not; bit 16 when
    any lane is under `worst`.
    """
    lanes = np.full(len(assets), cash, dtype=table.dtype)
    for position in range(int(first), int(stop)):
        lanes += table.dtype.type(quantity[position]) * table[instrument[position]]
    assets[:] = lanes
    answer = 0
    for edge in range(4):
        answer |= int((lanes < edges[row, edge]).any()) << edge
        answer |= int((lanes >= edges[row, edge]).any()) << (8 + edge)
    return answer | int((lanes < worst).any()) << 16


def add_where_under(assets: Floats, edge: float, packed: int, sums: Int64s) -> None:
    """sums[lane] += packed where assets[lane] < edge."""
    sums[assets < edge] += packed


def add_shortfall(assets: Floats, debt: float, sums: npt.NDArray[np.float64]) -> float:
    """sums[lane] += max(0, debt - assets[lane]); returns what was added to all lanes together."""
    short = np.maximum(debt - assets, 0).astype(np.float64)
    sums += short
    return float(short.sum())


class _Lanes:
    """Builds vector instructions on rows of `ROW_BYTES` of an array's `element`s, `size` bytes each."""

    def __init__(self, context: Any, builder: Any, array: Any) -> None:
        self.context, self.builder = context, builder
        self.element = context.get_value_type(array.dtype)
        self.size = array.dtype.bitwidth // 8
        self.count = VECTOR_BYTES // self.size
        self.vector = ir.VectorType(self.element, self.count)
        self.mask = ir.IntType(self.count)

    def pointer(self, array: Any, value: Any) -> Any:
        """The address of an array's first element."""
        return self.context.make_array(array)(self.context, self.builder, value).data

    def splat(self, scalar: Any) -> Any:
        """A vector with the same value in each lane."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        first = ir.Constant(ir.VectorType(ir.IntType(32), self.count), [0] * self.count)
        return self.builder.shuffle_vector(one, undefined, first)

    def at(self, pointer: Any, offset: Any, vector: Any = None) -> Any:
        """The address of the vector that begins `offset` elements after `pointer`."""
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), (vector or self.vector).as_pointer())

    def fold(self, comparison: str, vectors: list[Any]) -> Any:
        """Lane by lane, the least ("<") or the greatest (">") of the vectors."""
        while len(vectors) > 1:
            pairs = zip(vectors[::2], vectors[1::2], strict=True)
            vectors = [self.builder.select(self.builder.fcmp_ordered(comparison, a, b), a, b) for a, b in pairs]
        return vectors[0]

    def bit_if(self, mask: Any, unless: int, bit: int) -> Any:
        """`1 << bit` as int64 if the lanes' comparisons, seen as one number, are not `unless`; else 0."""
        word = ir.IntType(64)
        differs = self.builder.icmp_unsigned(
            "!=", self.builder.bitcast(mask, self.mask), ir.Constant(self.mask, unless)
        )
        return self.builder.shl(self.builder.zext(differs, word), ir.Constant(word, bit))


def _word(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


@intrinsic
def _value_lanes(  # type: ignore[no-untyped-def]
    typing_context, instrument, quantity, first, stop, table, cash, warning, call, close_out, debt, worst, assets
):
    element = table.dtype
    signature = types.int64(
        instrument, quantity, types.uint64, types.uint64, table, *(element,) * 6, assets
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = _Lanes(context, builder, table)
        names = lanes.pointer(instrument, arguments[0])
        shares = lanes.pointer(quantity, arguments[1])
        first, stop = arguments[2], arguments[3]
        rows = lanes.pointer(table, arguments[4])
        edges, worst = arguments[6:10], arguments[10]
        result = lanes.pointer(assets, arguments[11])
        row_length = VECTORS * lanes.count

        initial = lanes.splat(arguments[5])
        before = builder.block
        loop, after = builder.append_basic_block("positions"), builder.append_basic_block("valued")
        builder.cbranch(builder.icmp_unsigned("<", first, stop), loop, after)

        builder.position_at_end(loop)
        position = builder.phi(first.type)
        position.add_incoming(first, before)
        sums = [builder.phi(lanes.vector) for _ in range(VECTORS)]
        for total in sums:
            total.add_incoming(initial, before)
        name = builder.zext(builder.load(builder.gep(names, [position])), first.type)
        held = lanes.splat(builder.sitofp(builder.load(builder.gep(shares, [position])), lanes.element))
        row = builder.mul(name, _word(row_length))
        added = []
        for index, total in enumerate(sums):
            price = builder.load(lanes.at(rows, builder.add(row, _word(index * lanes.count))), align=lanes.size)
            # `contract` lets LLVM fuse the two where the machine has the instruction
            value = builder.fmul(held, price, flags=("contract",))
            added.append(builder.fadd(total, value, flags=("contract",)))
        following = builder.add(position, _word(1))
        position.add_incoming(following, loop)
        for total, grown in zip(sums, added, strict=True):
            total.add_incoming(grown, loop)
        builder.cbranch(builder.icmp_unsigned("<", following, stop), loop, after)

        builder.position_at_end(after)
        final = []
        for grown in added:
            total = builder.phi(lanes.vector)
            total.add_incoming(initial, before)
            total.add_incoming(grown, loop)
            final.append(total)
        for index, total in enumerate(final):
            builder.store(total, lanes.at(result, _word(index * lanes.count)), align=lanes.size)
        # no sum across lanes: the least and greatest of the eight registers meet each edge as masks
        least, greatest = lanes.fold("<", final), lanes.fold(">", final)
        answer = _word(0)
        every_lane = 2**lanes.count - 1
        for bit, edge in enumerate(edges):
            line = lanes.splat(edge)
            any_under = lanes.bit_if(builder.fcmp_ordered("<", least, line), 0, bit)
            any_not = lanes.bit_if(builder.fcmp_ordered("<", greatest, line), every_lane, 8 + bit)
            answer = builder.or_(answer, builder.or_(any_under, any_not))
        is_worse = lanes.bit_if(builder.fcmp_ordered("<", least, lanes.splat(worst)), 0, 16)
        return builder.or_(answer, is_worse)

    return signature, generate


@intrinsic
def _add_where_under(typing_context, assets, edge, packed, sums):  # type: ignore[no-untyped-def]
    signature = types.void(assets, assets.dtype, types.int64, sums)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = _Lanes(context, builder, assets)
        values, totals = lanes.pointer(assets, arguments[0]), lanes.pointer(sums, arguments[3])
        line = lanes.splat(arguments[1])
        words = ir.VectorType(ir.IntType(64), lanes.count)
        undefined = ir.Constant(words, ir.Undefined)
        one = builder.insert_element(undefined, arguments[2], ir.Constant(ir.IntType(32), 0))
        packed = builder.shuffle_vector(
            one, undefined, ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count)
        )
        for index in range(VECTORS):
            offset = _word(index * lanes.count)
            value = builder.load(lanes.at(values, offset), align=lanes.size)
            place = lanes.at(totals, offset, words)
            is_under = builder.fcmp_ordered("<", value, line)
            added = builder.select(is_under, packed, ir.Constant(words, [0] * lanes.count))
            builder.store(builder.add(builder.load(place, align=8), added), place, align=8)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _add_shortfall(typing_context, assets, debt, sums):  # type: ignore[no-untyped-def]
    signature = types.float64(assets, assets.dtype, sums)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = _Lanes(context, builder, assets)
        values, totals = lanes.pointer(assets, arguments[0]), lanes.pointer(sums, arguments[2])
        debt, nothing = lanes.splat(arguments[1]), ir.Constant(lanes.vector, [0.0] * lanes.count)
        doubles = ir.VectorType(ir.DoubleType(), lanes.count)
        added = None
        for index in range(VECTORS):
            offset = _word(index * lanes.count)
            value = builder.load(lanes.at(values, offset), align=lanes.size)
            short = builder.select(builder.fcmp_ordered("<", value, debt), builder.fsub(debt, value), nothing)
            short = short if lanes.size == 8 else builder.fpext(short, doubles)
            place = lanes.at(totals, offset, doubles)
            builder.store(builder.fadd(builder.load(place, align=8), short), place, align=8)
            added = short if added is None else builder.fadd(added, short)
        total = ir.Constant(ir.DoubleType(), 0.0)
        for lane in range(lanes.count):
            total = builder.fadd(total, builder.extract_element(added, ir.Constant(ir.IntType(32), lane)))
        return total

    return signature, generate


@overload(value_lanes, inline="always")
def _compiled_value_lanes(  # type: ignore[no-untyped-def]
    instrument, quantity, first, stop, table, cash, edges, row, worst, assets
):
    def compiled(instrument, quantity, first, stop, table, cash, edges, row, worst, assets):  # type: ignore[no-untyped-def]
        return _value_lanes(  # type: ignore[call-arg]
            instrument,
            quantity,
            first,
            stop,
            table,
            cash,
            edges[row, 0],
            edges[row, 1],
            edges[row, 2],
            edges[row, 3],
            worst,
            assets,
        )

    return compiled


@overload(add_where_under, inline="always")
def _compiled_add_where_under(assets, edge, packed, sums):  # type: ignore[no-untyped-def]
    def compiled(assets, edge, packed, sums):  # type: ignore[no-untyped-def]
        _add_where_under(assets, edge, packed, sums)  # type: ignore[call-arg]

    return compiled


@overload(add_shortfall, inline="always")
def _compiled_add_shortfall(assets, debt, sums):  # type: ignore[no-untyped-def]
    def compiled(assets, debt, sums):  # type: ignore[no-untyped-def]
        return _add_shortfall(assets, debt, sums)  # type: ignore[call-arg]

    return compiled


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros that begin on a cache line: a vector that straddles two of them is loaded at half speed."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.zeros(size + VECTOR_BYTES, dtype=np.uint8)
    skip = -room.ctypes.data % VECTOR_BYTES
    return room[skip : skip + size].view(dtype).reshape(shape)


@njit(cache=True, nogil=True, error_model="numpy")
def stress_tile(
    first: int,
    stop: int,
    start: Int32s,
    instrument: npt.NDArray[np.unsignedinteger[Any]],
    quantity: npt.NDArray[np.signedinteger[Any]],
    cash: Floats,
    debt: Int64s,
    edges: Floats,
    is_apart: npt.NDArray[np.bool_],
    table: Floats,
    scenario: int,
    width: int,
    assets: Floats,
    under: Int64s,
    short: npt.NDArray[np.float64],
    counts: Int64s,
    debts: Int64s,
    shortfall: Int64s,
    worst_assets: Floats,
    worst_scenario: Int32s,
    shortfall_sum: Int64s,
) -> None:
    """Accounts first..stop under the scenarios scenario..scenario + width of one tile.

    - `cash` [A] and `edges` [A, 4] (the least assets that hold the warning, call and close-out line, and the debt) in
      the dtype of `table` [S, lanes]; `debt` int64[A], at most SUM_MAX / lanes. All are whole numbers, and the caller
      sees to it that float64 holds every account's assets exactly. Accounts with `is_apart` are left out.
    - `assets` [lanes], `under` int64[3, lanes] and `short` float64[lanes] are scratch, the last two all zeros
    - added to: `counts`, `debts` int64[3, lanes] of accounts under each line, `shortfall` int64[lanes], and per account
      `shortfall_sum` int64[A]; lowered to: `worst_assets` [A] with its `worst_scenario` int32[A]

    Lanes past `width` must repeat the last scenario; what they count is of no account.
    """
    lanes = table.shape[1]
    counted, owed = 0, np.int64(0)
    every_lane = np.zeros((2, 3), dtype=np.int64)  # accounts and debt under a line in all lanes
    for row in range(np.uint64(first), np.uint64(stop)):  # unsigned, as in `kernel.unsigned`
        if is_apart[row]:
            continue
        held = np.uint64(start[row]), np.uint64(start[row + np.uint64(1)])
        answer = value_lanes(
            instrument, quantity, held[0], held[1], table, cash[row], edges, row, worst_assets[row], assets
        )
        if answer & 65536:
            for lane in range(width):
                if assets[lane] < worst_assets[row]:
                    worst_assets[row] = assets[lane]
                    worst_scenario[row] = scenario + lane
        if not answer & 1:
            continue
        if counted == COUNT_MAX or owed + debt[row] > SUM_MAX:
            _empty(under, short, counts, debts, shortfall)
            counted, owed = 0, np.int64(0)
        counted += 1
        owed += debt[row]
        for line in range(3):
            if (answer >> line) & 1 and (answer >> (8 + line)) & 1:
                add_where_under(assets, edges[row, line], (np.int64(1) << DEBT_BITS) | debt[row], under[line])
            elif (answer >> line) & 1:
                every_lane[0, line] += 1
                every_lane[1, line] += debt[row]
        if answer & 8:
            repeated = (lanes - width) * max(edges[row, 3] - assets[lanes - 1], 0)
            shortfall_sum[row] += np.int64(add_shortfall(assets, edges[row, 3], short) - repeated)
    _empty(under, short, counts, debts, shortfall)
    for line in range(3):
        counts[line] += every_lane[0, line]
        debts[line] += every_lane[1, line]


@njit(cache=True, nogil=True)
def _empty(under: Int64s, short: npt.NDArray[np.float64], counts: Int64s, debts: Int64s, shortfall: Int64s) -> None:
    """Move the packed sums, which are near what 64 bits hold, to the int64 totals."""
    for line in range(3):
        for lane in range(under.shape[1]):
            counts[line, lane] += under[line, lane] >> DEBT_BITS
            debts[line, lane] += under[line, lane] & (2**DEBT_BITS - 1)
            under[line, lane] = 0
    for lane in range(len(short)):
        shortfall[lane] += np.int64(short[lane])
        short[lane] = 0
