"""What a proof of the state reports: one named fact that is not as it must be."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """`check` names the rule (`ledger.balance`), `subject` the row, `message` says what was found and expected."""

    check: str
    subject: str
    message: str
