"""What a version of a content is known by, and how it moves."""

import hashlib
import json
from datetime import date

from reefpoint.platform.basics.states import StateTable
from reefpoint.platform.publications.types import Content, PublicationState

SHIPPED = "system:shipped"
"""The maker of what comes with the program. Nobody of the desk has checked it, and pages say so."""

SHIPPED_FROM = date(1990, 1, 1)
"""Before any day that a desk or a replay works on."""

STATES = StateTable(
    subject="publication",
    initial=PublicationState.DRAFT,
    moves={PublicationState.DRAFT: frozenset({PublicationState.PUBLISHED})},
)


def fingerprint(content: Content) -> str:
    """The SHA-256 of a content: the same values give the same one, whatever the order of their fields."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
