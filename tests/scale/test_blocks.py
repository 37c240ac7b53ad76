"""Cutting a book, block files and checkpoints: nothing is lost, and what is damaged says so."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.cases import books

from reefpoint.engine.book import Book
from reefpoint.engine.columns import BookError
from reefpoint.scale.blocks import BlockError, BlockFile, cut_book, cut_rows, save_blocks
from reefpoint.scale.checkpoints import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint


def same(one: Book, other: Book) -> bool:
    return all(
        getattr(one, field.name).dtype == getattr(other, field.name).dtype
        and np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Book)
    )


@given(books(names=6, accounts_max=9), st.integers(1, 12))
def test_blocks_are_the_accounts_of_the_book_in_their_order(book: Book, count: int) -> None:
    blocks = cut_book(book, count)
    assert len(blocks) == count
    accounts = [block.account(row) for block in blocks for row in range(block.account_count)]
    assert len(accounts) == book.account_count
    assert all(same(account, book.account(row)) for row, account in enumerate(accounts))


def test_blocks_have_about_the_same_work() -> None:
    held = np.repeat([1, 50], [5_000, 100])
    start = np.concatenate(([0], np.cumsum(held))).astype(np.int32)
    none, positions = np.zeros(5_100, dtype=np.int64), int(start[-1])
    book = Book(
        start,
        np.concatenate([np.arange(one, dtype=np.uint16) for one in held]),
        np.ones(positions, dtype=np.int32),
        none,
        none,
        none.astype(np.uint16),
    )
    work = [block.position_count + block.account_count for block in cut_book(book, 4)]
    assert max(work) - min(work) <= 2 * 51
    with pytest.raises(ValueError, match="0 blocks"):
        cut_rows(book, 0)


def test_block_is_loaded_as_it_was_saved_and_damage_is_named(tmp_path: Path) -> None:
    book = Book(
        np.array([0, 2, 3], dtype=np.int32),
        np.array([0, 1, 1], dtype=np.uint16),
        np.array([100, 200, -300], dtype=np.int32)[:3].clip(0),
        np.array([5, 6]),
        np.array([7, 8]),
        np.array([0, 0], dtype=np.uint16),
    )
    files = save_blocks(cut_book(book, 2), tmp_path / "blocks")
    assert same(files[1](), book.account(1))
    whole = files[0].path.read_bytes()
    for damaged in (b"", whole[:-40], whole[: len(whole) // 2], b"x" + whole[1:]):
        files[0].path.write_bytes(damaged)
        with pytest.raises(BlockError, match="block-00000"):
            files[0]()
    with pytest.raises(FileNotFoundError):
        BlockFile(tmp_path / "none.npz")()


def test_block_with_columns_that_contradict_each_other_is_refused(tmp_path: Path) -> None:
    one = np.array([0], dtype=np.int64)
    columns = {"cash_units": one, "debt_units": -1 - one, "terms": one.astype(np.uint16)}
    none = {"instrument": np.empty(0, np.uint16), "quantity": np.empty(0, np.int32)}
    np.savez(tmp_path / "bad.npz", version=1, start=np.zeros(2, np.int32), **none, **columns)
    with pytest.raises(BookError, match="debt_units"):
        BlockFile(tmp_path / "bad.npz")()


def test_checkpoint_is_loaded_as_it_was_saved_unless_damaged_or_of_another_book(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    assert load_checkpoint(path, accounts=3, instruments=2) is None
    save_checkpoint(path, Checkpoint(7, 5, np.array([10, 20]), np.array([0, -1, 3], dtype=np.int8)))
    kept = load_checkpoint(path, accounts=3, instruments=2)
    assert kept is not None
    assert (kept.sequence, kept.told_sequence) == (7, 5)
    assert (kept.price_units.tolist(), kept.band.tolist()) == ([10, 20], [0, -1, 3])
    with pytest.raises(CheckpointError, match="another book"):
        load_checkpoint(path, accounts=4, instruments=2)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-10], b"x" + whole[1:]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(path, accounts=3, instruments=2)
