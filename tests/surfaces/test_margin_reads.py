"""What the margin pages read: right figures, the reader's scope alone, and a fixed number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.surfaces.conftest import CLOSE, DAYS, SYSTEM, Book, Desk, open_borrower

from reefpoint.decisions.margin.selectors.pages import get_account_page, get_board, get_call, list_accounts, list_calls
from reefpoint.decisions.margin.types import Band, CallState
from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import actor_for
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.records.market.selectors import get_feed_health


@pytest.fixture
def manager(book: Book) -> Actor:
    return actor_for(User.objects.get(id=book.desk.manager_id))


def test_the_board_counts_debt_and_accounts_by_band(book: Book) -> None:
    board = get_board(SYSTEM)
    assert {row.band: (row.accounts, row.debt_minor) for row in board.bands if row.accounts} == {
        Band.CALL: (1, 40_000_00),
        Band.SAFE: (1, 20_000_00),
    }
    assert [row.account_id for row in board.worst] == [book.own_account_id, book.other_account_id]
    assert [(row.symbol, row.share_bp, row.holders) for row in board.concentration] == [("AAPL", 10_000, 2)]
    assert sum(count for bucket in board.histogram for _, count in bucket.by_band) == 2


def test_an_account_in_call_shows_its_terms_distances_and_cures(book: Book) -> None:
    page = get_account_page(SYSTEM, book.own_account_id, at=CLOSE)
    [position] = page.positions
    assert page.standing.ratio_bp == 15_137
    assert page.band is Band.CALL
    assert position.quantity * position.price_units == 1_000 * 605_500
    assert position.value_minor == 60_550_00
    assert position.lendable_minor == 60_550_00 * (10_000 - position.haircut_bp) // 10_000
    assert page.next_line is not None
    assert (page.next_line.band, page.next_line.line_bp, page.next_line.fall_bp) == (Band.CLOSE_OUT, 14_500, 421)
    assert page.cures is not None
    assert page.cures.repay_minor == 4_382_36
    assert page.open_call is not None
    assert get_call(SYSTEM, page.open_call.id)[0].state is CallState.OPEN


def test_i66_a_manager_reads_the_own_clients_alone(book: Book, manager: Actor) -> None:
    assert [row.account_id for row in list_accounts(manager).rows] == [book.own_account_id]
    assert get_board(manager).accounts == 1
    assert list_calls(manager).count == 1
    with pytest.raises(NotFound):
        get_account_page(manager, book.other_account_id, at=CLOSE)


def test_lists_filter_sort_and_sum(book: Book) -> None:
    assert list_accounts(SYSTEM).sums["debt_minor"] == 60_000_00
    assert [row.account_id for row in list_accounts(SYSTEM, order="-ratio_bp").rows] == [
        book.other_account_id,
        book.own_account_id,
    ]
    assert list_accounts(SYSTEM, text="王芳").count == 1
    assert list_accounts(SYSTEM, band="2").count == 1
    assert list_accounts(SYSTEM, status="closed").count == 0
    with pytest.raises(KeyError):
        list_accounts(SYSTEM, order="password")


def test_the_number_of_queries_does_not_grow_with_the_accounts(book: Book) -> None:
    def counted() -> dict[str, int]:
        found = {}
        for name, read in (("board", get_board), ("accounts", list_accounts), ("calls", list_calls)):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                read(SYSTEM)
            found[name] = len(queries)
        return found

    before = counted()
    for number in range(8):
        open_borrower(book.desk, book.desk.own_client_id, shares=1_000, debt_minor=(20_000 + 2_500 * number) * 100)
    assert counted() == before
    assert all(count <= 14 for count in before.values()), before


def test_feed_health_counts_names_by_the_state_of_their_price(desk: Desk) -> None:
    health = get_feed_health()
    assert (health.fresh, health.stale, health.missing) == (1, 1, 0)
    assert health.oldest_on == DAYS[1]
