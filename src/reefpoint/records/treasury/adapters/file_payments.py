"""Payments by files: an instruction for each payment in `outbox`, the bank's answers in `inbox`.

A file appears under its name whole or not at all. One that was taken goes to `done`, one that was refused to
`refused`, with the reason beside it. Who may write into the folders is for the machine that shares them to say.
"""

import os
import re
import stat
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from reefpoint.platform.basics.sealed_files import FILE_BYTES_MAX, FileRefused
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.treasury.rules import read_answers, write_instruction
from reefpoint.records.treasury.types import AnswerBatch, BankUnreachable, PaymentInstruction

STATUS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,78}\.status")
FILES_A_TURN = 100


class FilePayments:
    """A bank that exchanges files in one folder."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, instruction: PaymentInstruction) -> None:
        """Put the instruction into the outbox; told again, the file is the same. Raises `BankUnreachable`."""
        try:
            self._write("outbox", f"{instruction.reference}.pay", write_instruction(instruction))
        except OSError as error:
            raise BankUnreachable(f"The outbox cannot be written: {error.strerror}") from error

    def collect(self, references: Collection[str], *, at: datetime) -> Sequence[AnswerBatch]:
        """The status files of the inbox, by name. What is no status file stays where it is."""
        inbox = self.folder / "inbox"
        try:
            names = sorted(entry.name for entry in os.scandir(inbox) if STATUS_NAME.fullmatch(entry.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BankUnreachable(f"The inbox cannot be read: {error.strerror}") from error
        return [_read(inbox / name) for name in names[:FILES_A_TURN]]

    def put_away(self, batch: AnswerBatch, *, refusal: str = "") -> None:
        """Move a status file out of the inbox; a reason goes into a file beside it."""
        place = "refused" if refusal else "done"
        (self.folder / place).mkdir(parents=True, exist_ok=True)
        if refusal:
            self._write(place, f"{batch.source}.reason", refusal.encode() + b"\n")
        (self.folder / "inbox" / batch.source).replace(self.folder / place / batch.source)

    def _write(self, place: str, name: str, content: bytes) -> None:
        target = self.folder / place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{name}.part")
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)


def _read(path: Path) -> AnswerBatch:
    """One status file; what is wrong with it stands in `refusal`. Links and devices are not opened."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return AnswerBatch(
            path.name, refusal=str(Sentence("The file cannot be opened: {trouble}.", {"trouble": error.strerror}))
        )
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return AnswerBatch(path.name, refusal=str(Sentence("This is not a file.")))
        content = file.read(FILE_BYTES_MAX + 1)
    try:
        return AnswerBatch(path.name, read_answers(content))
    except FileRefused as error:
        return AnswerBatch(path.name, refusal=error.message)
