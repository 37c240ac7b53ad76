"""Shares as people type them: a name and a number a line."""

from django.utils.translation import gettext as _

from reefpoint.records.market.selectors import list_instruments

LINES_MAX = 50


class LotsUnreadable(ValueError):
    """A line that is no name and number; the message says which, in the reader's language."""


def parse_lots(text: str) -> list[tuple[int, int]]:
    """(instrument id, shares) of each line. Raises `LotsUnreadable`."""
    ids = {one.symbol: one.id for one in list_instruments()}
    lots: dict[int, int] = {}
    lines = [line.strip() for line in text.replace("\x00", "").splitlines() if line.strip()]
    if not lines or len(lines) > LINES_MAX:
        raise LotsUnreadable(_("Write one to fifty lines, each a name and a number: AAPL 100."))
    for line in lines:
        symbol, _space, number = line.partition(" ")
        number = number.replace(",", "").strip()
        if symbol.upper() not in ids or not (number.isascii() and number.isdigit()) or not 0 < len(number) < 10:
            raise LotsUnreadable(_("This line is no name and number: %(line)s") % {"line": line[:40]})
        instrument_id = ids[symbol.upper()]
        if instrument_id in lots:
            raise LotsUnreadable(_("This name stands twice: %(name)s") % {"name": symbol.upper()})
        lots[instrument_id] = int(number)
    return list(lots.items())
