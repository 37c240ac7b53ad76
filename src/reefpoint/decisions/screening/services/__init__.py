"""What screening does: takes in lists, holds names and clients against them, has hits resolved by two people."""

from reefpoint.decisions.screening.adapters import ListRefused
from reefpoint.decisions.screening.rules.hits import FILE_BYTES_MAX, SECOND_BYTES_MAX
from reefpoint.decisions.screening.services.clients import (
    NothingToScreen,
    rescreen_all,
    screen_client,
    screen_name,
    screen_unscreened,
)
from reefpoint.decisions.screening.services.hits import decide_hit, propose_resolution, withdraw_proposal
from reefpoint.decisions.screening.services.lists import load_list, load_received, receive_list

__all__ = [
    "FILE_BYTES_MAX",
    "SECOND_BYTES_MAX",
    "ListRefused",
    "NothingToScreen",
    "decide_hit",
    "load_list",
    "load_received",
    "propose_resolution",
    "receive_list",
    "rescreen_all",
    "screen_client",
    "screen_name",
    "screen_unscreened",
    "withdraw_proposal",
]
