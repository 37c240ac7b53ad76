"""Make the packaged price file from the skfolio wheel, which is read as an archive and never imported.

    pip download --no-deps skfolio==1.12.2 -d build/wheels
    .venv/bin/python tools/make_us20.py build/wheels/skfolio-1.12.2-py3-none-any.whl

The file is the wheel's own, byte for byte, so that its hash can be compared with the source; its licence goes along.
What is checked on the way: both hashes, sessions without a gap, and every cell a positive plain number.
"""

import argparse
import gzip
import hashlib
import json
import sys
import zipfile
from pathlib import Path

from reefpoint.records.market.adapters.exchange_calendar import load_exchange_calendar
from reefpoint.records.market.adapters.us20 import parse_closes
from reefpoint.records.market.rules import read_price

PACKAGE, VERSION = "skfolio", "1.12.2"
WHEEL_SHA256 = "2d324c62a4188dc0b62a713f8d5cea177e208a5b45987e3d3f204dd56d3a669b"
MEMBER = "skfolio/datasets/data/sp500_dataset.csv.gz"
MEMBER_SHA256 = "ee21cac28befb1d0a739a9ceb22184f995394726aa0cfde9a21941d1ac04ac0d"
LICENCE_MEMBER = "skfolio-1.12.2.dist-info/licenses/LICENSE"
DATA = Path(__file__).resolve().parent.parent / "src/reefpoint/records/market/data"


def main() -> None:
    """Take the wheel's path, write the data file and its provenance."""
    parser = argparse.ArgumentParser(description="Make the packaged price file from the skfolio wheel.")
    parser.add_argument("wheel", type=Path, help="path of the wheel")
    wheel = parser.parse_args().wheel
    expect_hash(wheel.read_bytes(), WHEEL_SHA256, str(wheel))
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(MEMBER)
        licence = archive.read(LICENCE_MEMBER)
    expect_hash(content, MEMBER_SHA256, MEMBER)
    facts = check_closes(content)
    provenance = {
        "content": "closing prices, adjusted for splits and dividends, of 20 large companies listed in the US",
        "source_package": PACKAGE,
        "source_version": VERSION,
        "source_wheel_sha256": WHEEL_SHA256,
        "source_member": MEMBER,
        "sha256": MEMBER_SHA256,
        "licence": "The package is BSD-3-Clause (us20_licence.txt), copyright (c) 2023-2026 The skfolio developers. "
        "Prices are facts.",
        "how_made": "tools/make_us20.py: the member of the wheel, byte for byte; hashes, sessions and cells checked.",
        **facts,
    }
    (DATA / "us20_closes.csv.gz").write_bytes(content)
    (DATA / "us20_provenance.json").write_text(json.dumps(provenance, indent=2) + "\n", "utf-8")
    (DATA / "us20_licence.txt").write_bytes(licence)
    sys.stdout.write(f"{facts['sessions']} sessions, {facts['first']} to {facts['last']}\n")


def expect_hash(content: bytes, expected: str, name: str) -> None:
    """Stop unless the content is what this program was written for."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        sys.exit(f"{name} has the SHA-256 {found}, not {expected}")


def check_closes(content: bytes) -> dict[str, object]:
    """Stop at a gap in the sessions or a cell that is no price; tell what the file spans."""
    closes = list(parse_closes(gzip.decompress(content).decode("ascii")))
    days = [day for day, _ in closes]
    if days != load_exchange_calendar("XNYS").between(days[0], days[-1]):
        sys.exit("the dates are not the sessions of the exchange")
    bad = [
        (day, symbol)
        for day, prices in closes
        for symbol, price in prices.items()
        if type(read_price(price)) is not int
    ]
    if bad:
        sys.exit(f"no price on {bad[0][0]} for {bad[0][1]}")
    return {
        "symbols": sorted(closes[0][1]),
        "first": days[0].isoformat(),
        "last": days[-1].isoformat(),
        "sessions": len(days),
    }


if __name__ == "__main__":
    main()
