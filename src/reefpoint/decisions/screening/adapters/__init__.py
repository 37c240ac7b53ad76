"""One file for each publisher's form of a list. Each turns bytes into entries, or refuses the whole file."""

from collections.abc import Callable, Mapping

from reefpoint.decisions.screening.adapters.files import ListRefused, Progress
from reefpoint.decisions.screening.adapters.ofac import parse_ofac_csv, parse_ofac_xml
from reefpoint.decisions.screening.adapters.opensanctions import parse_opensanctions_csv
from reefpoint.decisions.screening.adapters.un import parse_un_xml
from reefpoint.decisions.screening.types import ListShape, ParsedList

Parser = Callable[[bytes, bytes, Progress], ParsedList]

PARSERS: Mapping[ListShape, Parser] = {
    ListShape.OPENSANCTIONS_CSV: parse_opensanctions_csv,
    ListShape.OFAC_XML: parse_ofac_xml,
    ListShape.OFAC_CSV: parse_ofac_csv,
    ListShape.UN_XML: parse_un_xml,
}

__all__ = ["PARSERS", "ListRefused", "Progress"]
