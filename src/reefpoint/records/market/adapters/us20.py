"""The closing prices that come with the program: 20 US companies, every session from 1990 to 2022.

`data/us20_provenance.json` says where they come from; `tools/make_us20.py` makes them again.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import resources

from reefpoint.platform.basics.data_files import read_yaml
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.types import InstrumentDraft

_DATA = resources.files("reefpoint.records.market") / "data"


class PackagedDataDamaged(Refusal):
    """The packaged price file is not the one that the program was shipped with."""

    code = "packaged_data_damaged"


def parse_closes(text: str) -> Iterator[tuple[date, dict[str, Decimal]]]:
    """Each session of a wide file with the close of every symbol, in file order."""
    lines = text.splitlines()
    symbols = lines[0].split(",")[1:]
    for line in lines[1:]:
        day, *prices = line.split(",")
        yield date.fromisoformat(day), dict(zip(symbols, map(Decimal, prices), strict=True))


def load_us20(start: date, end: date) -> list[tuple[date, dict[str, Decimal]]]:
    """Closes in dollars by symbol for each session from `start` to `end`, both inclusive, oldest first.

    Adjusted for splits and dividends, so that early figures are not what was quoted then. Raises `PackagedDataDamaged`.
    """
    header, lines = _lines()
    first, last = str(start), str(end)
    wanted = [line for line in lines if first <= line[:10] <= last]
    return list(parse_closes("\n".join([header, *wanted])))


def load_us20_instruments() -> list[InstrumentDraft]:
    """The 20 names with sectors, and the daily share volume that is assumed for want of data."""
    rows = read_yaml(_DATA / "us20_instruments.yaml")
    return [InstrumentDraft(**row) for row in rows["instruments"]]


@lru_cache(maxsize=1)
def _lines() -> tuple[str, tuple[str, ...]]:
    content = (_DATA / "us20_closes.csv.gz").read_bytes()
    expected = json.loads((_DATA / "us20_provenance.json").read_text("utf-8"))["sha256"]
    if hashlib.sha256(content).hexdigest() != expected:
        raise PackagedDataDamaged("The packaged price file was changed. Install the program again.")
    header, *lines = gzip.decompress(content).decode("ascii").splitlines()
    return header, tuple(lines)
