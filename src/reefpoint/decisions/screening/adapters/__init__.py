"""One file for each publisher's form of a list. Each turns blocks of bytes into entries one by one.

A parser refuses the file at whatever point it sees that it is not whole: what came before it must not be kept.
"""

from collections.abc import Callable, Mapping

from reefpoint.decisions.screening.adapters.files import TAIL_BYTES, ListRefused, Progress
from reefpoint.decisions.screening.adapters.ofac import parse_ofac_csv, parse_ofac_xml
from reefpoint.decisions.screening.adapters.opensanctions import parse_opensanctions_csv
from reefpoint.decisions.screening.adapters.un import parse_un_xml
from reefpoint.decisions.screening.types import Entries, ListBytes, ListShape

Parser = Callable[[ListBytes, ListBytes | None, Progress], Entries]

PARSERS: Mapping[ListShape, Parser] = {
    ListShape.OPENSANCTIONS_CSV: parse_opensanctions_csv,
    ListShape.OFAC_XML: parse_ofac_xml,
    ListShape.OFAC_CSV: parse_ofac_csv,
    ListShape.UN_XML: parse_un_xml,
}

__all__ = ["PARSERS", "TAIL_BYTES", "ListRefused", "Progress"]
