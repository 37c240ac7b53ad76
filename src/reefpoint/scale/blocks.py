"""The book cut into blocks of accounts, and the files from which a lost block is loaded again."""

import itertools
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from reefpoint.engine.book import Book

VERSION = 1


class BlockError(ValueError):
    """A block file that is damaged or of another version."""


def cut_rows(book: Book, count: int) -> list[slice]:
    """The account rows of `count` blocks: neighbours, together all rows, with about the same work in each.

    The work of an account is taken as its positions and one. Blocks may be empty when there are few accounts.
    """
    if count < 1:
        raise ValueError(f"a book cannot be cut into {count} blocks")
    work = book.start.astype(np.int64) + np.arange(book.account_count + 1)
    edges = np.searchsorted(work, np.arange(1, count) * int(work[-1]) // count)
    bounds = [0, *edges.tolist(), book.account_count]
    return [slice(begin, end) for begin, end in itertools.pairwise(bounds)]


def cut_book(book: Book, count: int) -> list[Book]:
    """The book as `count` books, cut as `cut_rows` says; positions are views of the book's own."""
    return [take_rows(book, rows) for rows in cut_rows(book, count)]


def take_rows(book: Book, rows: slice) -> Book:
    """The accounts of a range of rows as a book."""
    start = book.start[rows.start : rows.stop + 1]
    held = slice(int(start[0]), int(start[-1]))
    return Book(
        start - start[0],
        book.instrument[held],
        book.quantity[held],
        book.cash_units[rows],
        book.debt_units[rows],
        book.terms[rows],
    )


@dataclass(frozen=True)
class BlockFile:
    """A block in a file. Calling it loads the block, so it is a source for `scale/workers.py` and `scale/ticks.py`."""

    path: Path

    def __call__(self) -> Book:
        """The block; `BlockError` when the file is not one, `BookError` when its columns contradict each other."""
        try:
            with np.load(self.path, allow_pickle=False) as kept:
                version = int(kept["version"])
                columns = {field.name: kept[field.name] for field in fields(Book)}
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise BlockError(f"{self.path} is damaged: {error}") from error
        if version != VERSION:
            raise BlockError(f"{self.path} is of version {version}, this program reads version {VERSION}")
        return Book(**columns)

    def save(self, block: Book) -> None:
        """Write the block to the disk; a file that is there is replaced when the new one is whole."""
        draft = self.path.with_name(f"{self.path.name}.draft")
        columns = {field.name: getattr(block, field.name) for field in fields(Book)}
        with draft.open("wb") as file:
            np.savez(file, version=np.int64(VERSION), **columns)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.path)


def save_blocks(blocks: Sequence[Book], folder: Path) -> list[BlockFile]:
    """One file a block in `folder`, which is made if need be; in the blocks' order."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [BlockFile(folder / f"block-{number:05d}.npz") for number in range(len(blocks))]
    for file, block in zip(files, blocks, strict=True):
        file.save(block)
    return files
