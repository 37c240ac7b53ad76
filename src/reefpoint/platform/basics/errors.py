"""Expected refusals: a named answer that a client could read, never a traceback."""

from reefpoint.platform.basics.sentences import Sentence


class Refusal(Exception):
    """A request that the desk declines. Nothing was changed.

    Subclass it beside the function that raises it. `code` is stable for programs; `words` say what was wrong and what
    to do, as a client could read it, with each figure named in braces and given by its name:
    `NoSuchCase("There is no case {case_id}.", case_id=case_id)`. Surfaces say it in the reader's language, so the
    words stand where it is raised as one literal, and `tools/messages.py` gathers them.
    """

    code = "refused"

    def __init__(self, words: str | Sentence, /, **facts: object) -> None:
        given = words if isinstance(words, Sentence) else Sentence(words)
        self.sentence = Sentence(given.words, {**given.figures, **facts})
        self.message = str(self.sentence)
        self.facts = facts
        super().__init__(self.message)


class InvalidTransition(Refusal):
    """A state change that its state table does not hold."""

    code = "invalid_transition"


class NotFound(Refusal):
    """A record that does not exist, or that this person may not know to exist (I66)."""

    code = "not_found"
