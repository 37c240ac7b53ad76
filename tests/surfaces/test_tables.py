"""The table widget: what the reader asks in the address is what the server answers."""

import csv
import io
from dataclasses import dataclass

import pytest
from django.http import QueryDict
from django.test import RequestFactory

from reefpoint.surfaces.web.tables import Choice, Column, Table


@dataclass(frozen=True)
class Row:
    number: str
    name: str
    debt_minor: int | None
    band: int
    currency: str = "USD"


TABLE = Table(
    key="accounts",
    columns=(
        Column("number", "Account", "code"),
        Column("name", "Client"),
        Column("debt_minor", "Debt", "money", unit="USD", is_summed=True),
        Column("band", "Band", "band"),
    ),
    sort="-debt_minor",
    choices=(Choice("band", "Band", (("0", "Safe"), ("2", "Call"))),),
    empty="No account yet",
)
ROWS = [
    Row("M-1", "Ann Lee", 100, 0),
    Row("M-2", "李明", 300, 2),
    Row("M-3", "=2+3", None, 0),
    Row("M-4", "Bo", 200, 2),
    Row("M-5", "佐藤", 50, 1, "JPY"),
]


def read(query: str) -> list[str]:
    found = TABLE.find_in(ROWS, TABLE.read(QueryDict(query)))
    return [row.number for row in found.rows]


def test_rows_come_in_the_asked_order_and_unknown_values_last() -> None:
    assert read("") == ["M-2", "M-4", "M-1", "M-5", "M-3"]
    assert read("sort=debt_minor") == ["M-5", "M-1", "M-4", "M-2", "M-3"]
    assert read("sort=-number") == ["M-5", "M-4", "M-3", "M-2", "M-1"]


def test_filters_narrow_and_sums_follow_the_filter() -> None:
    found = TABLE.find_in(ROWS, TABLE.read(QueryDict("band=2")))
    assert (found.count, found.sums) == (2, {"debt_minor": 500})
    assert read("q=李") == ["M-2"]
    assert read("q=nobody") == []


@pytest.mark.parametrize("query", ["sort=password", "page=0", "page=x", "page=²", "page=-3", "band=9", "q=%00"])
def test_nonsense_in_the_address_is_ignored(query: str) -> None:
    wanted = TABLE.read(QueryDict(query))
    assert wanted.sort == "debt_minor"
    assert wanted.page == 1
    assert wanted.chosen == {"band": ""}


def test_csv_holds_everything_filtered_with_plain_numbers_and_no_formula() -> None:
    wanted = TABLE.read(QueryDict("format=csv&sort=number"))
    request = RequestFactory().get("/")
    answer = TABLE.answer(request, wanted, TABLE.find_in(ROWS, wanted), "unused.html", {})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="accounts.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["Account", "Client", "Debt (USD)", "Band"]
    assert rows[2] == ["M-2", "李明", "3.00", "Call"]
    assert rows[3] == ["M-3", "'=2+3", "", "Safe"]
    assert rows[5][2] == "50"  # yen have no cents


def test_a_second_page_knows_the_way_back_and_keeps_the_filter() -> None:
    many = [Row(f"M-{i:03}", "x", i, 0) for i in range(120)]
    request = RequestFactory().get("/?page=2&band=0")
    wanted = TABLE.read(request.GET)
    drawn = TABLE.draw(request, wanted, TABLE.find_in(many, wanted))
    assert (drawn.first, drawn.last, drawn.found.count) == (51, 100, 120)
    assert drawn.previous_address == "?page=1&band=0"
    assert drawn.next_address == "?page=3&band=0"


def test_a_reader_chooses_columns_and_the_first_one_stays() -> None:
    wanted = TABLE.read(QueryDict("show=band&show=nonsense"))
    assert [column.key for column in TABLE.columns_for(wanted)] == ["number", "band"]
    assert TABLE.columns_for(TABLE.read(QueryDict(""))) == TABLE.columns
