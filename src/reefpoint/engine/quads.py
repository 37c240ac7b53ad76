"""Four sums side by side: an account's market value, lending value and requirement (and one to spare) at once.

The four figures of a name stand together in 32 bytes, and a position adds quantity * figures to four sums: one load
and one fused multiply-add on a 256-bit register. Numba makes four scalar ones of it (LLVM's own pass that would join
them is switched off in Numba, because it has compiled wrongly), and they take 1.4 times as long for three figures on
10 million positions, 1.8 times while the book fits the cache (measured). So this type stands beside Numba's: each
operation is written twice, as Python and as LLVM's portable vector instruction; a machine without such registers
splits them.

Figures are whole numbers and sums stay below 2^53, so both forms, and any order of adding, give the same bits.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from reefpoint.engine.columns import Float64s
from reefpoint.engine.kernel import part

Quad: TypeAlias = tuple[float, float, float, float]
WIDTH = 4


@cache
def _instructions() -> dict[str, Callable[..., Any]]:
    """The compiled forms. Loads Numba."""
    from llvmlite import ir  # noqa: PLC0415
    from numba import types  # noqa: PLC0415
    from numba.core import cgutils  # noqa: PLC0415
    from numba.extending import intrinsic, models, register_model  # noqa: PLC0415

    vector = ir.VectorType(ir.DoubleType(), WIDTH)
    index, word = ir.IntType(32), ir.IntType(64)
    undefined = ir.Constant(vector, ir.Undefined)

    class QuadType(types.Type):
        pass

    @register_model(QuadType)
    class QuadModel(models.PrimitiveModel):
        def __init__(self, manager: Any, type_: Any) -> None:
            super().__init__(manager, type_, vector)  # type: ignore[no-untyped-call]

    quad = QuadType("Quad")

    @intrinsic
    def no_quad(typing_context: Any) -> Any:
        return quad(), lambda context, builder, signature, arguments: ir.Constant(vector, [0.0] * WIDTH)

    @intrinsic
    def add_quad(typing_context: Any, sums: Any, quantity: Any, figures: Any, table: Any, row: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            before, held, tables, at_table, at_row = arguments
            array = context.make_array(figures)(context, builder, tables)
            _, rows, _ = cgutils.unpack_tuple(builder, array.shape, 3)  # type: ignore[no-untyped-call]
            # two steps, so that the first, which is the same for all of an account, leaves the loop
            of_table = builder.gep(array.data, [builder.mul(at_table, builder.mul(rows, ir.Constant(word, WIDTH)))])
            address = builder.gep(of_table, [builder.mul(at_row, ir.Constant(word, WIDTH))])
            row_figures = builder.load(builder.bitcast(address, vector.as_pointer()), align=8)
            alone = builder.insert_element(undefined, held, ir.Constant(index, 0))
            all_held = builder.shuffle_vector(alone, undefined, ir.Constant(ir.VectorType(index, WIDTH), [0] * WIDTH))
            # `contract` lets LLVM fuse the two where the machine has the instruction
            value = builder.fmul(all_held, row_figures, flags=("contract",))
            return builder.fadd(before, value, flags=("contract",))

        return quad(quad, types.float64, figures, types.uint64, types.uint64), generate

    @intrinsic
    def add_quads(typing_context: Any, sums: Any, more: Any) -> Any:
        return quad(quad, quad), lambda context, builder, signature, arguments: builder.fadd(*arguments)

    @intrinsic
    def unpack_quad(typing_context: Any, sums: Any) -> Any:
        signature = types.UniTuple(types.float64, WIDTH)(quad)  # type: ignore[no-untyped-call]

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            numbers = [builder.extract_element(arguments[0], ir.Constant(index, lane)) for lane in range(WIDTH)]
            return context.make_tuple(builder, signature.return_type, numbers)

        return signature, generate

    @intrinsic
    def is_quad_below(typing_context: Any, sums: Any, limit: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            alone = builder.insert_element(undefined, arguments[1], ir.Constant(index, 0))
            limits = builder.shuffle_vector(alone, undefined, ir.Constant(ir.VectorType(index, WIDTH), [0] * WIDTH))
            lanes = builder.bitcast(builder.fcmp_ordered("<", arguments[0], limits), ir.IntType(WIDTH))
            return builder.icmp_unsigned("==", lanes, ir.Constant(ir.IntType(WIDTH), 2**WIDTH - 1))

        return types.boolean(quad, types.float64), generate

    return {
        "is_quad_below": is_quad_below,
        "no_quad": no_quad,
        "add_quad": add_quad,
        "add_quads": add_quads,
        "unpack_quad": unpack_quad,
    }


@part(lambda: _instructions()["no_quad"])
def no_quad() -> Quad:
    """Four sums of nothing."""
    return 0.0, 0.0, 0.0, 0.0


@part(lambda: _instructions()["add_quad"])
def add_quad(sums: Quad, quantity: float, figures: Float64s, table: int, row: int) -> Quad:
    """sums + quantity * figures[table, row], for C-ordered figures, float64[T, N, 4]; the numbers are unsigned."""
    first, second, third, fourth = figures[table, row].tolist()
    held = float(quantity)
    return sums[0] + held * first, sums[1] + held * second, sums[2] + held * third, sums[3] + held * fourth


@part(lambda: _instructions()["add_quads"])
def add_quads(sums: Quad, more: Quad) -> Quad:
    """sums + more."""
    return sums[0] + more[0], sums[1] + more[1], sums[2] + more[2], sums[3] + more[3]


@part(lambda: _instructions()["unpack_quad"])
def unpack_quad(sums: Quad) -> Quad:
    """The four sums as plain numbers."""
    return sums


@part(lambda: _instructions()["is_quad_below"])
def is_quad_below(sums: Quad, limit: float) -> bool:
    """Whether each of the four sums is below a limit; NaN is not."""
    return all(total < limit for total in sums)
