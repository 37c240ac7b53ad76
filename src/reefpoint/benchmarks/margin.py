"""Full valuation: `value_book` against general engines that give the same five figures of every account.

Every peer gets the layout that suits it best, made before the clock runs: sorted rows, columns of its own type, the
product of price and rate worked out for each name. What is timed is one valuation, from columns to columns. Each peer
stands with its best exact forms, in int64 and in float64 (all sums are integers below 2^53, so float64 is exact too).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.benchmarks.books import SyntheticBook, draw_book
from reefpoint.benchmarks.machine import THREADS
from reefpoint.benchmarks.peers import OURS, absent, is_installed, open_chdb, open_duckdb
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Answer, Candidate, measure
from reefpoint.engine.columns import BP, Int64s
from reefpoint.engine.valuation import Valuation, value_book

DATABASES = ("DuckDB", "Polars", "chDB")
FIGURES = ("assets_units", "lendable_units", "requirement_units", "ratio_bp", "band")


@dataclass(frozen=True, eq=False)
class Rows:
    """The book as plain rows, int64: a position's owner, name and quantity; a name's price and its two products with a
    rate; an account's cash and debt; the three lines, mildest first.
    """

    owner: Int64s
    name: Int64s
    quantity: Int64s
    start: Int64s
    price: Int64s
    lends: Int64s
    needs: Int64s
    cash: Int64s
    debt: Int64s
    lines: tuple[int, int, int]

    @classmethod
    def of(cls, drawn: SyntheticBook) -> "Rows":
        book, marks = drawn.book, drawn.marks
        warning, call, close_out, _ = drawn.lines.table[0].tolist()
        return cls(
            book.account_of_position.astype(np.int64),
            book.instrument.astype(np.int64),
            book.quantity.astype(np.int64),
            book.start.astype(np.int64),
            marks.price_units,
            marks.price_units * (BP - marks.haircut_bp[0]),
            marks.price_units * marks.maintenance_bp[0],
            book.cash_units,
            book.debt_units,
            (warning, call, close_out),
        )


def measure_margin(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Value a book of `accounts` accounts by every engine that is installed."""
    drawn = draw_book(accounts)
    rows = Rows.of(drawn)
    lines = measure([*engine_candidates(drawn), *_peers(rows)], rounds=rounds)
    ours = lines[0]
    touched = _bytes_touched(drawn)
    table = Table(
        "margin",
        "Full exact valuation",
        accounts,
        drawn.book.position_count,
        "one valuation of the whole book",
        lines,
        facts={
            "Outputs of each account": "assets, lendable value, requirement, ratio, band; equal bits from every engine",
            "Bytes read and written once": f"{touched / 1e6:,.1f} MB",
            "Positions a second on one thread": f"{drawn.book.position_count / ours.cpu_s / 1e9:.2f} billion",
        },
        absent=absent("NumPy", "SciPy", *DATABASES),
    )
    figures = {
        "margin.cpu_ms": ours.cpu_s * 1e3,
        "margin.limit": ours.cpu_s / (touched / (machine.read_gb_s * 1e9)),
        "margin.databases": table.least_ratio(*DATABASES),
        "margin.numpy": table.least_ratio("NumPy"),
        "margin.scipy": table.least_ratio("SciPy"),
    }
    return [table.with_figures(figures)]


def engine_candidates(drawn: SyntheticBook) -> Iterator[Candidate]:
    """`value_book` into columns that are there already, as a run that values again and again does; and into new ones,
    whose memory the system must clear first.
    """
    book, marks, lines = drawn.book, drawn.marks, drawn.lines
    filled = Valuation.of_size(book.account_count)
    for name, out, threads in (
        ("value_book, 1 thread", filled, 1),
        (f"value_book, {THREADS} threads", filled, THREADS),
        ("value_book into new columns, 1 thread", None, 1),
    ):
        work = partial(value_book, book, marks, lines, threads=threads, out=out)
        yield Candidate(name, OURS, work, _read_valuation)


def _read_valuation(valuation: Valuation) -> Answer:
    return {name: getattr(valuation, name).copy() for name in FIGURES}


def _bytes_touched(drawn: SyntheticBook) -> int:
    """Columns of the book read once and columns of the valuation written once; the marks stay in the cache."""
    valuation = value_book(drawn.book, drawn.marks, drawn.lines)
    columns = [getattr(record, field.name) for record in (drawn.book, valuation) for field in fields(record)]
    return sum(column.nbytes for column in columns)


def _peers(rows: Rows) -> Iterator[Candidate]:
    yield from numpy_candidates(rows)
    for engine, candidates in (
        ("SciPy", scipy_candidates),
        ("Polars", _polars_candidates),
        ("DuckDB", _duckdb_candidates),
        ("chDB", _chdb_candidates),
    ):
        if is_installed(engine):
            yield from candidates(rows)


def numpy_candidates(rows: Rows) -> Iterator[Candidate]:
    """Take the price of every position, multiply, add up by account."""
    first = rows.start[:-1]
    floats = {name: column.astype(np.float64) for name, column in vars(rows).items() if name in FLOATS}

    def in_int64() -> Answer:
        market, lends, needs = (
            np.add.reduceat(rows.quantity * by_name[rows.name], first)
            for by_name in (rows.price, rows.lends, rows.needs)
        )
        assets = market + rows.cash
        ratio = assets * BP // rows.debt
        return _answer(assets, rows.cash + lends // BP, -(-needs // BP), ratio, _bands(ratio, rows.lines))

    def in_float64() -> Answer:
        market, lends, needs = (
            np.add.reduceat(floats["quantity"] * floats[by_name][rows.name], first)
            for by_name in ("price", "lends", "needs")
        )
        return _finish_floats(market, lends, needs, floats, rows.lines)

    yield Candidate("NumPy take + reduceat, int64", "NumPy", in_int64, dict)
    yield Candidate("NumPy take + reduceat, float64", "NumPy", in_float64, dict)


def scipy_candidates(rows: Rows) -> Iterator[Candidate]:
    """The book as a sparse matrix times the three columns of prices."""
    sparse = import_module("scipy.sparse")
    floats = {name: column.astype(np.float64) for name, column in vars(rows).items() if name in FLOATS}
    shape = (len(rows.cash), len(rows.price))
    holdings = sparse.csr_matrix(
        (floats["quantity"], rows.name.astype(np.int32), rows.start.astype(np.int32)), shape=shape
    )
    by_name = np.stack([floats["price"], floats["lends"], floats["needs"]], axis=1)

    def run() -> Answer:
        sums = holdings @ by_name
        return _finish_floats(sums[:, 0], sums[:, 1], sums[:, 2], floats, rows.lines)

    yield Candidate("SciPy CSR matrix @ (S, 3), float64", "SciPy", run, dict)


FLOATS = ("quantity", "price", "lends", "needs", "cash", "debt")


def _finish_floats(
    market: npt.NDArray[np.float64],
    lends: npt.NDArray[np.float64],
    needs: npt.NDArray[np.float64],
    floats: dict[str, npt.NDArray[np.float64]],
    lines: tuple[int, int, int],
) -> Answer:
    """Whole numbers from exact float64 sums; a quotient here is never close enough to the next one to be rounded up."""
    assets = market + floats["cash"]
    ratio = np.floor(assets * BP / floats["debt"])
    return _answer(assets, np.floor(lends / BP) + floats["cash"], np.ceil(needs / BP), ratio, _bands(ratio, lines))


def _bands(ratio: npt.NDArray[Any], lines: tuple[int, int, int]) -> npt.NDArray[np.int8]:
    warning, call, close_out = lines
    return (ratio < warning).view(np.int8) + (ratio < call).view(np.int8) + (ratio < close_out).view(np.int8)


def _answer(*columns: npt.NDArray[Any]) -> Answer:
    return {name: column.astype(np.int64, copy=False) for name, column in zip(FIGURES, columns, strict=True)}


def _polars_candidates(rows: Rows) -> Iterator[Candidate]:
    pl = import_module("polars")
    positions = {"a": rows.owner.astype(np.uint32), "s": rows.name.astype(np.uint32), "q": rows.quantity}
    names = {"s": np.arange(len(rows.price), dtype=np.uint32), "p": rows.price, "l": rows.lends, "n": rows.needs}
    balances = pl.DataFrame({"a": np.arange(len(rows.cash), dtype=np.uint32), "cash": rows.cash, "debt": rows.debt})
    products = [(pl.col("q") * pl.col(name)).alias(f"sum_{name}") for name in "pln"]
    sums = [pl.col(f"sum_{name}").sum().cast(pl.Int64) for name in "pln"]
    assets, ratio = pl.col("sum_p") + pl.col("cash"), pl.col("ratio_bp")
    figures = [
        assets.alias("assets_units"),
        (pl.col("cash") + pl.col("sum_l") // BP).alias("lendable_units"),
        ((pl.col("sum_n") + (BP - 1)) // BP).alias("requirement_units"),
        (assets * BP // pl.col("debt")).alias("ratio_bp"),
    ]
    band = pl.sum_horizontal([(ratio < line).cast(pl.Int8) for line in rows.lines]).alias("band")

    def read(frame: Any) -> Answer:
        ordered = frame.sort("a")
        return {name: ordered[name].to_numpy() for name in FIGURES}

    for label, dtype in (("int64", pl.Int64), ("float64", pl.Float64)):
        held = pl.DataFrame(positions).with_columns(pl.col("q").cast(dtype), pl.col("a").set_sorted())
        priced = pl.DataFrame(names).with_columns(pl.col("p", "l", "n").cast(dtype))

        def join(held: Any = held, priced: Any = priced) -> Any:
            joined = held.lazy().join(priced.lazy(), on="s").with_columns(products)
            added = joined.group_by("a").agg(sums)
            found = balances.lazy().join(added, on="a").with_columns(figures).with_columns(band)
            return found.select("a", *FIGURES).collect(engine="streaming")

        def gather(held: Any = held, priced: Any = priced) -> Any:
            taken = [
                (pl.col("q") * pl.lit(priced[name]).gather(pl.col("s"))).alias(f"sum_{name}")
                for name in ("p", "l", "n")
            ]
            added = held.with_columns(taken).group_by("a", maintain_order=True).agg(sums)
            found = added.with_columns(balances["cash"], balances["debt"]).with_columns(figures).with_columns(band)
            return found.select("a", *FIGURES)

        yield Candidate(f"Polars join + group_by, streaming, {label}", "Polars", join, read)
        yield Candidate(f"Polars gather + sorted group_by, {label}", "Polars", gather, read)


def _duckdb_candidates(rows: Rows) -> Iterator[Candidate]:
    connection = open_duckdb()
    tables = _arrow_tables(rows)
    for name, table in tables.items():
        connection.register(f"given_{name}", table)
        connection.execute(f"create table {name} as select * from given_{name}")  # noqa: S608 - our own names
    connection.execute("create table positions_f as select a, s, q::double as q from positions")
    connection.execute("create table names_f as select s, p::double p, l::double l, n::double n from names")
    warning, call, close_out = rows.lines

    def run(suffix: str) -> None:
        connection.execute(
            f"""
            create or replace temp table answer as
            select a, assets_units, lendable_units, requirement_units, ratio_bp,
                (ratio_bp < {warning})::tinyint + (ratio_bp < {call})::tinyint + (ratio_bp < {close_out})::tinyint band
            from (
                select a, sum_p + cash assets_units, cash + sum_l // {BP} lendable_units,
                    (sum_n + {BP - 1}) // {BP} requirement_units, (sum_p + cash) * {BP} // debt ratio_bp
                from balances join (
                    select a, sum(q * p)::bigint sum_p, sum(q * l)::bigint sum_l, sum(q * n)::bigint sum_n
                    from positions{suffix} join names{suffix} using (s) group by a
                ) using (a)
            )
            """  # noqa: S608 - our own names
        )

    def read(_: None) -> Answer:
        found = connection.execute("select * from answer order by a").fetchnumpy()
        return {name: np.asarray(found[name]) for name in FIGURES}

    yield Candidate("DuckDB join + group by, int64", "DuckDB", lambda: run(""), read)
    yield Candidate("DuckDB join + group by, float64", "DuckDB", lambda: run("_f"), read)


def _chdb_candidates(rows: Rows) -> Iterator[Candidate]:
    """ClickHouse in process. `any left join`: its `any inner join` keeps one row for each name and loses accounts."""
    session = open_chdb()
    tables = _arrow_tables(rows)
    for name, columns in (
        ("positions", "a UInt32, s UInt32, q Int64"),
        ("names", "s UInt32, p Int64, l Int64, n Int64"),
        ("balances", "a UInt32, cash Int64, debt Int64"),
    ):
        given = tables[name]  # noqa: F841 - found by name through Python(...)
        session.query(f"create table {name} ({columns}) engine=Memory")
        session.query(f"insert into {name} select * from Python(given)")  # noqa: S608 - our own names
    session.query(
        "create table listed engine=Memory as select groupArray(p) p, groupArray(l) l, groupArray(n) n "
        "from (select * from names order by s)"
    )
    session.query(
        "create table answer (a UInt32, assets_units Int64, lendable_units Int64, requirement_units Int64, "
        "ratio_bp Int64, band Int8) engine=Memory"
    )
    warning, call, close_out = rows.lines
    joined = """
        select a, sum(q * p) sum_p, sum(q * l) sum_l, sum(q * n) sum_n
        from positions any left join names using (s) group by a"""
    looked_up = """
        with (select p from listed) as ps, (select l from listed) as ls, (select n from listed) as ns
        select a, sum(q * ps[s + 1]) sum_p, sum(q * ls[s + 1]) sum_l, sum(q * ns[s + 1]) sum_n
        from positions group by a"""

    def run(sums: str) -> None:
        session.query("truncate table answer")
        session.query(
            f"""
            insert into answer
            select a, sum_p + cash as assets, cash + intDiv(sum_l, {BP}), intDiv(sum_n + {BP - 1}, {BP}),
                intDiv(assets * {BP}, debt) as ratio, (ratio < {warning}) + (ratio < {call}) + (ratio < {close_out})
            from ({sums}) added any left join balances using (a)
            """  # noqa: S608 - our own names
        )

    def read(_: None) -> Answer:
        found = session.query("select * from answer order by a", "ArrowTable")
        return {name: found[name].to_numpy() for name in FIGURES}

    yield Candidate("chDB join + group by, int64", "chDB", lambda: run(joined), read)
    yield Candidate("chDB array lookup + group by, int64", "chDB", lambda: run(looked_up), read)


def _arrow_tables(rows: Rows) -> dict[str, Any]:
    """The book as Arrow tables, which DuckDB and chDB read as they are."""
    table = import_module("pyarrow").table
    accounts, names = np.arange(len(rows.cash), dtype=np.uint32), np.arange(len(rows.price), dtype=np.uint32)
    return {
        "positions": table({"a": rows.owner.astype(np.uint32), "s": rows.name.astype(np.uint32), "q": rows.quantity}),
        "names": table({"s": names, "p": rows.price, "l": rows.lends, "n": rows.needs}),
        "balances": table({"a": accounts, "cash": rows.cash, "debt": rows.debt}),
    }
