"""Rows in bulk arrive as they were, whatever their texts hold, by COPY and by arrays alike."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from reefpoint.platform.database.bulk import insert_columns, next_ids

COLUMNS = {"id": "bigint", "words": "text", "told_on": "date", "is_so": "boolean"}
AWKWARD = ("", "\\N", "NULL", "{a,b}", 'say "so"', "a\tb\nc\rd\\e", "\\.", "'%s'", "您好")
ROWS = [
    *((number, words, date(2020, 1, 2), number % 2 == 0) for number, words in enumerate(AWKWARD)),
    (100, None, None, None),
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE told (id bigserial PRIMARY KEY, words text, told_on date, is_so boolean)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE told")


def rows() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, words, told_on, is_so FROM told ORDER BY id")
        return list(cursor.fetchall())


@pytest.mark.parametrize(
    "options", [{}, {"update_on": "id"}, {"ignore_on": ("id",)}], ids=["plain", "update", "ignore"]
)
def test_rows_arrive_as_they_were(options: dict[str, str]) -> None:
    assert insert_columns("told", COLUMNS, ROWS, **options) == len(ROWS)
    assert rows() == ROWS


def test_a_column_that_says_the_same_in_every_row_is_in_every_row() -> None:
    same = [(number, "a\tb", date(2020, 1, 2), None) for number in range(3)]
    insert_columns("told", COLUMNS, same)
    assert rows() == same


def test_a_row_that_is_there_is_refused_with_all_that_came_with_it() -> None:
    insert_columns("told", COLUMNS, ROWS[:1])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_columns("told", COLUMNS, [(200, "new", None, None), ROWS[0]])
    assert rows() == ROWS[:1]


def test_ids_are_told_before_their_rows_are_written() -> None:
    first = next_ids("told", 3)
    assert first == [1, 2, 3]
    assert next_ids("told", 1) == [4]
