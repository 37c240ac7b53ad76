"""State tables: what is not in the table cannot happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Generic, TypeVar

from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.platform.basics.sentences import Sentence

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True)
class StateTable(Generic[S]):
    """The allowed moves of one kind of thing, from each state to its next states."""

    subject: str
    initial: S
    moves: Mapping[S, frozenset[S]]

    def check(self, old: S, new: S) -> None:
        """Raise `InvalidTransition` unless the table allows `old -> new`."""
        if new not in self.moves.get(old, frozenset()):
            raise InvalidTransition(
                "This {subject} is {old} and cannot become {new}.", subject=Sentence(self.subject), old=old, new=new
            )

    def is_walk(self, states: Sequence[S]) -> bool:
        """Whether each of these states follows from the one before it by the table."""
        return all(new in self.moves.get(old, frozenset()) for old, new in pairwise(states))

    def is_final(self, state: S) -> bool:
        return not self.moves.get(state, frozenset())

    @property
    def live(self) -> frozenset[S]:
        """States from which something still can happen."""
        return frozenset(state for state, nexts in self.moves.items() if nexts)
