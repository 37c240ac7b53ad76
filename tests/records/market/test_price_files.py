"""Price files in both layouts: refused whole with the reason named, or judged row by row with nothing lost."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.records.market.conftest import FEED, MONDAY, close_of, record, tick

from reefpoint.records.market.models import PriceBatch
from reefpoint.records.market.selectors import get_batch, latest_prices
from reefpoint.records.market.services import PriceBatchConflict, PriceFileRefused, import_price_file, parse_price_file
from reefpoint.records.market.services.files import FILE_BYTES_MAX
from reefpoint.records.market.services.prices import record_lines
from reefpoint.records.market.types import BatchResult, Reason

FIXTURE_IS_READ_ONLY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


def load(folder: Path, content: str | bytes, *, key: str | None = None, name: str = "prices.csv") -> BatchResult:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_price_file(actor=FEED, path=path, source="file", at=close_of(MONDAY), key=key)


def test_a_long_file_is_judged_row_by_row(names: dict[str, int], tmp_path: Path) -> None:
    record(tick("AAA", "100", MONDAY - timedelta(days=3)), key="friday", on=MONDAY - timedelta(days=3))
    result = load(
        tmp_path,
        """date,symbol,price,currency
2020-02-24,AAA,99,USD
2020-02-24,AAA,99,USD
2020-02-24,BBB,0,USD
2020-02-24,BBB,-3,USD
2020-02-24,BBB,NaN,USD
2020-02-24,BBB,,USD
2020-02-21,BBB,41,USD
2020-02-24,BBB,41,EUR
2020-02-24,ZZZ,41,USD
24/02/2020,BBB,41,USD
2020-02-24,BBB,41
2020-02-24,BBB,forty,USD

2020-02-24,BBB,41,USD
""",
    )
    assert (result.accepted, result.held, result.rejected, result.lines) == (2, 0, 11, 13)
    assert [(row.row_number, row.reason) for row in get_batch(result.batch_id).rejected_rows] == [
        (3, Reason.DUPLICATE_ROW),
        (4, Reason.ZERO_PRICE),
        (5, Reason.NEGATIVE_PRICE),
        (6, Reason.NOT_A_NUMBER),
        (7, Reason.MISSING_PRICE),
        (8, Reason.WRONG_DATE),
        (9, Reason.WRONG_CURRENCY),
        (10, Reason.UNKNOWN_SYMBOL),
        (11, Reason.MALFORMED_DATE),
        (12, Reason.WRONG_COLUMNS),
        (13, Reason.MALFORMED_PRICE),
    ]
    prices = latest_prices()
    assert (prices[names["AAA"]].price_units, prices[names["BBB"]].price_units) == (990_000, 410_000)
    assert prices[names["AAA"]].at == close_of(MONDAY)


def test_a_wide_file_makes_a_line_of_each_cell(names: dict[str, int], tmp_path: Path) -> None:
    result = load(tmp_path, "date,AAA,BBB,ZZZ\n2020-02-24,100,,5\n2020-02-21,1,2,3\n")
    assert (result.accepted, result.held, result.rejected) == (1, 0, 5)
    assert [(row.row_number, row.reason) for row in get_batch(result.batch_id).rejected_rows[:2]] == [
        (2, Reason.MISSING_PRICE),
        (2, Reason.UNKNOWN_SYMBOL),
    ]


def test_a_long_file_may_name_the_instant(names: dict[str, int], tmp_path: Path) -> None:
    result = load(
        tmp_path,
        "date,time,symbol,price,currency\n"
        "2020-02-24,2020-02-24T10:00:00-05:00,AAA,100,USD\n2020-02-24,2020-02-24T10:00:00,BBB,41,USD\n",
    )
    assert (result.accepted, result.rejected) == (1, 1)
    assert latest_prices()[names["AAA"]].at.hour == 15


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("date,symbol,currency\n2020-02-24,AAA,USD\n", "column price"),
        ("symbol,price,currency\nAAA,100,USD\n", "column date"),
        ("date,symbol,price\n2020-02-24,AAA,100\n", "column currency"),
        ("AAA,BBB\n100,41\n", "column date"),
        ("date,price,symbol,price,currency\n", "two columns named price"),
        ("", "column"),
        (b"\xff\xfe\x00d", "UTF-8"),
        ('date,AAA\n2020-02-24,"100' + "1" * 200_000 + '"\n', "not CSV"),
    ],
    ids=["no price", "no date", "no currency", "wide without date", "twice", "empty", "encoding", "huge cell"],
)
def test_a_file_that_cannot_be_read_is_refused_by_name_and_leaves_nothing(
    names: dict[str, int], tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(PriceFileRefused, match=words):
        load(tmp_path, content)
    assert PriceBatch.objects.count() == 0


def test_i69_an_oversized_or_missing_file_is_refused(names: dict[str, int], tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    for name, words in (("big.csv", "bytes"), ("none.csv", "cannot be read")):
        with pytest.raises(PriceFileRefused, match=words):
            import_price_file(actor=FEED, path=tmp_path / name, source="file", at=close_of(MONDAY))


def test_i41_the_same_file_twice_is_one_effect(names: dict[str, int], tmp_path: Path) -> None:
    content = "date,symbol,price,currency\n2020-02-24,AAA,100,USD\n"
    first, again = load(tmp_path, content), load(tmp_path, content, name="copy.csv")
    assert (first.batch_id, again.is_repeat) == (again.batch_id, True)
    with pytest.raises(PriceBatchConflict):
        load(tmp_path, content.replace("100", "101"), key=PriceBatch.objects.get().key)


def test_a_file_from_a_spreadsheet_with_a_mark_at_its_start_is_read(names: dict[str, int], tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeffDate,Symbol,Price,Currency\r\n2020-02-24,AAA,100,USD\r\n").accepted == 1


cells = st.one_of(
    st.sampled_from(["AAA", "BBB", "ZZZ", "USD", "EUR", "2020-02-24", "2020-02-25", "100", "0", "-1", "nan", "1e400"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters='"\r\n'), max_size=12),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
)
prices = st.one_of(
    st.decimals(min_value="90", max_value="110", places=2).map(str),
    st.sampled_from(["0", "-5", "nan", "inf", "", "1e3", "10000", "0.5", "abc", "１０", "\x00", "=2*3"]),
)
rows = st.one_of(
    st.tuples(
        st.sampled_from(["2020-02-24", "2020-02-24", "2020-02-22", "2019-02-24", "tomorrow"]),
        st.sampled_from(["AAA", "AAA", "BBB", "ZZZ"]),
        prices,
        st.sampled_from(["USD", "USD", "EUR"]),
    ).map(list),
    st.lists(cells, min_size=1, max_size=6),
)


@given(st.lists(rows, max_size=12))
@FIXTURE_IS_READ_ONLY
def test_i14_of_any_lines_none_is_lost_and_none_is_believed_without_reason(
    names: dict[str, int], lines: list[list[str]]
) -> None:
    """Whatever the lines hold: accepted + held + rejected is their number, and what is accepted lies in the band."""
    number = PriceBatch.objects.count()
    if not number:
        friday = MONDAY - timedelta(days=3)
        record(tick("AAA", "100", friday), tick("BBB", "100", friday), key="friday", on=friday)
    content = "\n".join(["date,symbol,price,currency", *(",".join(line) for line in lines)])
    try:
        parsed = parse_price_file(content.encode())
    except PriceFileRefused:
        return
    result = record_lines(
        actor=FEED,
        source="fuzz",
        key=f"fuzz:{number}",
        content_hash=str(number),
        lines=parsed,
        on=MONDAY,
        at=close_of(MONDAY),
    )
    assert result.lines == len(parsed)
    view = get_batch(result.batch_id)
    assert (len(view.held_prices), len(view.rejected_rows)) == (result.held, result.rejected)
    for price in latest_prices().values():
        assert 800_000 < price.price_units < 1_200_000
