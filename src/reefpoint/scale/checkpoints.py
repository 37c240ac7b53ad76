"""The checkpoint of a watcher: where it stood, so that a successor need not begin with the first tick of the day.

A checkpoint is only a shortcut. The record of what was decided is the stream of crossings; a successor reads on there
from wherever the checkpoint ends, and without one from the beginning.
"""

import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from reefpoint.engine.columns import BookError, Int8s, Int64s, check_column

VERSION = 1


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or of another book: remove the file, and the stream is read from the beginning."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state after tick message `sequence`.

    `told_sequence` is the last message that the partition had told in the stream of crossings; `price_units` int64[S];
    `band` int8[A] of `Band`.
    """

    sequence: int
    told_sequence: int
    price_units: Int64s
    band: Int8s


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint to the disk, and only then let it take the place of the one before."""
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("wb") as file:
        np.savez(file, version=np.int64(VERSION), **asdict(checkpoint))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def load_checkpoint(path: Path, *, accounts: int, instruments: int) -> Checkpoint | None:
    """The checkpoint of a book of this size; None when there is none. `CheckpointError` when it cannot be used."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            version = int(kept["version"])
            checkpoint = Checkpoint(
                int(kept["sequence"]), int(kept["told_sequence"]), kept["price_units"], kept["band"]
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    if version != VERSION:
        raise CheckpointError(f"{path} is of version {version}, this program reads version {VERSION}")
    try:
        check_column("price_units", checkpoint.price_units, np.int64, (instruments,))
        check_column("band", checkpoint.band, np.int8, (accounts,))
    except BookError as error:
        raise CheckpointError(f"{path} is of another book: {error}") from error
    return checkpoint
