"""One file per bank. The paper bank is the one there is."""

from reefpoint.records.treasury.adapters.paper_bank import PaperBank
from reefpoint.records.treasury.types import Bank


def settlement_bank() -> Bank:
    """The bank where the desk's settlement account is kept."""
    return PaperBank()
