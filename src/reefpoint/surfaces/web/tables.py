"""Tables: one widget for every list. Sorting, filters, pages and sums happen on the server, in the page's address.

A `Table` says what the columns are. A view reads the reader's wishes from the query (`Wanted`), asks a selector for
that part of the rows, and answers with the page, or with the whole filtered list as CSV.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import Promise

from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.surfaces.web.figures import CENT_DIGITS
from reefpoint.surfaces.web.sentences import told
from reefpoint.surfaces.web.streams import csv_answer
from reefpoint.surfaces.web.templatetags.figures import band_word, state_word

Words = str | Promise
PAGE_ROWS = 50
EXPORT_ROWS_MAX = 1_000_000
NUMERIC = frozenset({"money", "quantity", "price", "percent"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    """One column: `key` is the row's attribute and the sort key; `kind` says how to print it.

    Kinds: text, code, money (minor units of the row's `currency`, else cents), quantity, price (1e-4), percent (bp),
    day, instant, band, state, told (a sentence on record, said in the reader's language), and `custom`, which includes
    `template` with `row` and is in a CSV only with `exported`, its text of a row. `link` gives the address that the
    cell leads to.
    """

    key: str
    title: Words
    kind: str = "text"
    unit: Words = ""
    is_sortable: bool = True
    is_summed: bool = False
    is_wide_only: bool = False
    is_name: bool = False
    link: Callable[[Any], str] | None = None
    template: str = ""
    exported: Callable[[Any], str] | None = None

    @property
    def is_number(self) -> bool:
        return self.kind in NUMERIC


@dataclass(frozen=True)
class Choice:
    """A filter with a few values: `options` are (value, words)."""

    key: str
    title: Words
    options: tuple[tuple[str, Words], ...]


@dataclass(frozen=True)
class Wanted:
    """What the reader asked of a table.

    `chosen` has each filter, empty for all; `shown` the columns, empty for all; `limit` is a page, or all for CSV.
    """

    sort: str
    is_descending: bool
    page: int
    text: str
    chosen: dict[str, str]
    shown: frozenset[str]
    is_export: bool

    @property
    def order(self) -> str:
        """The sort key, with a minus when descending."""
        return f"-{self.sort}" if self.is_descending else self.sort

    @property
    def offset(self) -> int:
        return 0 if self.is_export else (self.page - 1) * PAGE_ROWS

    @property
    def limit(self) -> int:
        return EXPORT_ROWS_MAX if self.is_export else PAGE_ROWS


@dataclass(frozen=True)
class Heading:
    """A column head as drawn: the address that sorts by it, and how it is sorted now."""

    column: Column
    address: str
    direction: str


@dataclass(frozen=True)
class Drawn:
    """A table ready for its template."""

    table: "Table"
    columns: tuple[Column, ...]
    wanted: Wanted
    found: Listing[Any]
    headings: Sequence[Heading]
    first: int
    last: int
    previous_address: str
    next_address: str
    export_address: str
    is_filtered: bool


@dataclass(frozen=True)
class Table:
    """A list as readers know it. `sort` is the default order, with a minus for descending."""

    key: str
    columns: tuple[Column, ...]
    sort: str
    empty: Words
    empty_help: Words = ""
    choices: tuple[Choice, ...] = ()
    search: Words = ""
    row_id: Callable[[Any], str] | None = None

    def read(self, query: QueryDict) -> Wanted:
        """The reader's wishes from the address; what makes no sense there is ignored."""
        sort = query.get("sort", self.sort)
        if sort.lstrip("-") not in {column.key for column in self.columns if column.is_sortable}:
            sort = self.sort
        page = query.get("page", "1")
        chosen = {
            choice.key: query.get(choice.key, "")
            if query.get(choice.key) in {value for value, _ in choice.options}
            else ""
            for choice in self.choices
        }
        return Wanted(
            sort=sort.lstrip("-"),
            is_descending=sort.startswith("-"),
            page=max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
            text=query.get("q", "").strip()[:100],
            chosen=chosen,
            shown=frozenset(query.getlist("show")) & {column.key for column in self.columns},
            is_export=query.get("format") == "csv",
        )

    def columns_for(self, wanted: Wanted) -> tuple[Column, ...]:
        """The columns the reader wants to see; the first one, by which a row is opened, always is."""
        if not wanted.shown:
            return self.columns
        return tuple(column for column in self.columns if column is self.columns[0] or column.key in wanted.shown)

    def find_in(self, rows: Iterable[Any], wanted: Wanted) -> Listing[Any]:
        """Filter, sort, sum and cut a short list that is wholly in memory."""
        kept = [row for row in rows if self._matches(row, wanted)]
        order = wanted.sort
        present = [row for row in kept if getattr(row, order) is not None]
        present.sort(key=lambda row: getattr(row, order), reverse=wanted.is_descending)
        ordered = present + [row for row in kept if getattr(row, order) is None]
        sums = {
            column.key: sum(getattr(row, column.key) or 0 for row in kept)
            for column in self.columns
            if column.is_summed
        }
        return Listing(ordered[wanted.offset : wanted.offset + wanted.limit], len(kept), sums)

    def _matches(self, row: Any, wanted: Wanted) -> bool:
        if any(value and str(getattr(row, key)) != value for key, value in wanted.chosen.items()):
            return False
        if not wanted.text:
            return True
        needle = wanted.text.casefold()
        return any(
            needle in str(getattr(row, column.key)).casefold()
            for column in self.columns
            if column.kind in {"text", "code"}
        )

    def draw(self, request: HttpRequest, wanted: Wanted, found: Listing[Any]) -> Drawn:
        """Everything the table's template needs."""
        headings = []
        columns = self.columns_for(wanted)
        for column in columns:
            direction = ""
            if column.key == wanted.sort:
                direction = "descending" if wanted.is_descending else "ascending"
            turned = f"-{column.key}" if direction == "ascending" else column.key
            headings.append(Heading(column, _address(request, sort=turned, page=""), direction))
        last = min(wanted.offset + len(found.rows), found.count)
        return Drawn(
            table=self,
            columns=columns,
            wanted=wanted,
            found=found,
            headings=headings,
            first=min(wanted.offset + 1, found.count),
            last=last,
            previous_address=_address(request, page=str(wanted.page - 1)) if wanted.page > 1 else "",
            next_address=_address(request, page=str(wanted.page + 1)) if last < found.count else "",
            export_address=_address(request, format="csv", page=""),
            is_filtered=bool(wanted.text or any(wanted.chosen.values())),
        )

    def answer(
        self, request: HttpRequest, wanted: Wanted, found: Listing[Any], template: str, context: Mapping[str, object]
    ) -> HttpResponse:
        """The page with this table in it as `table`, or the filtered list as CSV."""
        if wanted.is_export:
            return self.export(found.rows, self.columns_for(wanted))
        return render(request, template, {**context, "table": self.draw(request, wanted, found)})

    def export(self, rows: Iterable[Any], shown: tuple[Column, ...] = ()) -> HttpResponse:
        """Rows as CSV in UTF-8 with plain numbers. Text that a spreadsheet would run as a formula is quoted."""
        return csv_answer(self._lines(rows, shown), f"{self.key}.csv")

    def _lines(self, rows: Iterable[Any], shown: tuple[Column, ...]) -> Iterator[str]:
        columns = [column for column in shown or self.columns if column.kind != "custom" or column.exported]
        heads = [f"{column.title} ({column.unit})" if column.unit else str(column.title) for column in columns]
        yield "\ufeff" + _csv_line(heads)
        for row in rows:
            yield _csv_line([_csv_cell(column, row) for column in columns])


def _address(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for key, value in changes.items():
        if value:
            query[key] = value
        else:
            query.pop(key, None)
    return f"?{query.urlencode()}"


def minor_digits_of(row: object) -> int:
    """Decimals of a row's sums: its currency's, and those of cents where it names none."""
    return MINOR_DIGITS.get(str(getattr(row, "currency", "")), CENT_DIGITS)


def _csv_line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _csv_cell(column: Column, row: object) -> object:
    value = column.exported(row) if column.exported else getattr(row, column.key)
    if value is None:
        return ""
    if isinstance(value, int) and column.is_number:
        digits = {"money": minor_digits_of(row), "percent": 2, "price": 4, "quantity": 0}[column.kind]
        return Decimal(value).scaleb(-digits)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if column.kind == "band":
        return band_word(value)
    if column.kind == "state":
        return state_word(value)
    words = told(str(value)) if column.kind == "told" else str(value)
    return f"'{words}" if words.startswith(FORMULA_STARTS) else words
