"""The synthetic book: the same on every machine, and of the shape that it says it has."""

from dataclasses import fields
from hashlib import sha256

import numpy as np

from reefpoint.benchmarks.books import NAMES, draw_book, normals, popularity_shares, uniforms
from reefpoint.engine.valuation import value_book

ACCOUNTS = 2_000
GOLDEN = "f71ce8e95dcee0e2a0e77a59b8afd491098a368990a2754d2c0e22c456259e51"


def fingerprint(accounts: int, **shape: float) -> str:
    drawn = draw_book(accounts, **shape)  # type: ignore[arg-type]
    digest = sha256()
    for record in (drawn.book, drawn.marks):
        for field in fields(record):
            digest.update(getattr(record, field.name).astype(np.int64).tobytes())
    return digest.hexdigest()


def test_the_book_of_a_seed_never_changes() -> None:
    assert fingerprint(ACCOUNTS) == GOLDEN


def test_another_seed_or_popularity_is_another_book() -> None:
    assert len({fingerprint(200), fingerprint(200, seed=1), fingerprint(200, zipf=0.6)}) == 3


def test_the_accounts_of_a_small_book_are_in_the_larger_one() -> None:
    def accounts(count: int) -> set[tuple[int, int, int]]:
        book = draw_book(count).book
        held = np.diff(book.start)
        return set(zip(book.cash_units.tolist(), book.debt_units.tolist(), held.tolist(), strict=True))

    assert accounts(300) < accounts(900)


def test_every_account_holds_some_names_each_once_and_owes() -> None:
    drawn = draw_book(ACCOUNTS)
    book = drawn.book
    held = np.diff(book.start)
    assert held.min() >= 1
    assert abs(held.mean() - 10) < 0.5
    assert (np.diff(held) >= 0).all(), "accounts are stored by size"
    for row in range(0, ACCOUNTS, 100):
        names = book.instrument[book.positions(row)]
        assert (names[1:] > names[:-1]).all()
    assert book.debt_units.min() > 0
    assert (book.quantity % 100 == 0).all()


def test_ratios_spread_over_all_bands() -> None:
    drawn = draw_book(ACCOUNTS)
    valued = value_book(drawn.book, drawn.marks, drawn.lines)
    assert valued.ratio_bp.min() >= 12_000
    assert valued.ratio_bp.max() <= 50_000
    assert (np.bincount(valued.band, minlength=4) > 10).all()
    assert 0.04 < (valued.band > 0).mean() < 0.10


def test_the_most_popular_name_is_held_by_over_half_of_the_accounts() -> None:
    drawn = draw_book(ACCOUNTS)
    holders = np.bincount(drawn.book.instrument, minlength=NAMES)
    assert holders.argmax() == drawn.popularity[0]
    assert 0.5 < holders.max() / ACCOUNTS < 0.62


def test_uniforms_are_counters_so_that_a_longer_stream_begins_with_the_shorter() -> None:
    assert (uniforms(7, "a", 10) == uniforms(7, "a", 1_000)[:10]).all()
    assert (uniforms(7, "a", 10) != uniforms(7, "b", 10)).all()


def test_draws_have_the_moments_of_their_distributions() -> None:
    flat, bell = uniforms(7, "flat", 200_000), normals(7, "bell", 200_000)
    assert abs(flat.mean() - 0.5) < 0.003
    assert abs(flat.var() - 1 / 12) < 0.001
    assert abs(bell.mean()) < 0.01
    assert abs(bell.var() - 1) < 0.02


def test_popularity_ends_in_one_and_falls_by_rank() -> None:
    shares = popularity_shares(NAMES, 1.0)
    assert shares[-1] == 1
    weight = np.diff(shares, prepend=0)
    assert np.isclose(weight[0] / weight[9], 10)
