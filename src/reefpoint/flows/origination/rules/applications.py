"""How an application moves, which papers it needs, and the version of what decides on it."""

from collections.abc import Collection, Mapping

from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.parties.types import ClientKind, DocumentKind

RULES_VERSION = 2
"""Stored with each pre-screen and decision; a change of what decides them is a new version.

2: nobody is accepted whose names were held against no list.
"""

APPLICATION_STATES = StateTable(
    subject="application",
    initial=ApplicationState.DRAFT,
    moves={
        ApplicationState.DRAFT: frozenset({ApplicationState.SUBMITTED, ApplicationState.WITHDRAWN}),
        ApplicationState.SUBMITTED: frozenset({ApplicationState.IN_REVIEW, ApplicationState.WITHDRAWN}),
        ApplicationState.IN_REVIEW: frozenset(
            {
                ApplicationState.INFO_REQUESTED,
                ApplicationState.ACCEPTED,
                ApplicationState.REFUSED,
                ApplicationState.WITHDRAWN,
            }
        ),
        ApplicationState.INFO_REQUESTED: frozenset(
            {ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW, ApplicationState.WITHDRAWN}
        ),
        ApplicationState.ACCEPTED: frozenset(),
        ApplicationState.REFUSED: frozenset(),
        ApplicationState.WITHDRAWN: frozenset(),
    },
)

EDITABLE = frozenset({ApplicationState.DRAFT, ApplicationState.INFO_REQUESTED})
"""States in which sections can be saved and documents added."""

MAY_BEGIN_AGAIN = frozenset({ApplicationState.REFUSED, ApplicationState.WITHDRAWN})
"""States after which the same person may begin a new application."""

REQUIRED_DOCUMENTS: Mapping[ClientKind, tuple[DocumentKind, ...]] = {
    ClientKind.INDIVIDUAL: (DocumentKind.IDENTITY, DocumentKind.ADDRESS_PROOF, DocumentKind.FUNDS_PROOF),
    ClientKind.INSTITUTION: (
        DocumentKind.INCORPORATION,
        DocumentKind.OWNERSHIP,
        DocumentKind.BOARD_RESOLUTION,
        DocumentKind.FUNDS_PROOF,
    ),
}

UNFIT_DOCUMENTS: Mapping[ClientKind, frozenset[DocumentKind]] = {
    ClientKind.INDIVIDUAL: frozenset(
        {DocumentKind.INCORPORATION, DocumentKind.OWNERSHIP, DocumentKind.BOARD_RESOLUTION}
    ),
    ClientKind.INSTITUTION: frozenset(),
}
"""Papers that a client of a kind cannot have; those who act for an institution show their own."""


def documents_of(kind: ClientKind) -> tuple[DocumentKind, ...]:
    """The documents that a client of this kind can be asked for."""
    return tuple(one for one in DocumentKind if one not in UNFIT_DOCUMENTS[kind])


def missing_documents(kind: ClientKind, documents: Collection[DocumentKind]) -> tuple[DocumentKind, ...]:
    """The documents that still have to be there before a client of this kind is accepted."""
    return tuple(one for one in REQUIRED_DOCUMENTS[kind] if one not in documents)
