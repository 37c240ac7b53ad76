"""Expected refusals: a named answer that a client could read, never a traceback."""


class Refusal(Exception):
    """A request that the desk declines. Nothing was changed.

    Subclass it beside the function that raises it. `code` is stable for programs; the message says what was
    wrong and what to do, in words a client could read.
    """

    code = "refused"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class InvalidTransition(Refusal):
    """A state change that its state table does not hold."""

    code = "invalid_transition"


class NotFound(Refusal):
    """A record that does not exist, or that this person may not know to exist (I66)."""

    code = "not_found"
