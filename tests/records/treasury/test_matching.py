"""The matching passes, on any mixture of lines and entries."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reefpoint.platform.basics.breaks import BreakClass, age_bucket, business_days_old
from reefpoint.records.treasury.rules import match_lines
from reefpoint.records.treasury.types import MatchMethod, OpenBankLine, OpenBookEntry

DAY = date(2020, 3, 12)
SESSIONS = [DAY + timedelta(days=offset) for offset in range(-40, 10) if (DAY + timedelta(days=offset)).weekday() < 5]

REFERENCES = st.sampled_from(["A", "B", "C", "D", ""])
AMOUNTS = st.sampled_from([-500, -100, 50, 100, 150, 100_000, 100_090])
DAYS = st.integers(-30, 0).map(lambda offset: DAY + timedelta(days=offset))
LINES = st.lists(st.tuples(REFERENCES.filter(bool), AMOUNTS, DAYS), max_size=12).map(
    lambda rows: [OpenBankLine(n, reference, amount, on, on) for n, (reference, amount, on) in enumerate(rows)]
)
ENTRIES = st.lists(st.tuples(REFERENCES, AMOUNTS, DAYS), max_size=12).map(
    lambda rows: [OpenBookEntry(n, reference, amount, on) for n, (reference, amount, on) in enumerate(rows)]
)


@given(LINES, ENTRIES)
def test_i47_every_line_and_entry_is_in_exactly_one_pair_or_one_break(
    lines: list[OpenBankLine], entries: list[OpenBookEntry]
) -> None:
    matching = match_lines(lines, entries, on=DAY, sessions=SESSIONS)
    paired_lines = [pair.line.line_id for pair in matching.pairs]
    paired_entries = [pair.entry.posting_id for pair in matching.pairs]
    of_rest = [item for item in matching.breaks if not (item.line and item.line.line_id in set(paired_lines))]
    lone_lines = [item.line.line_id for item in of_rest if item.line]
    lone_entries = [item.entry.posting_id for item in of_rest if item.entry]
    assert sorted(paired_lines + lone_lines) == list(range(len(lines)))
    assert sorted(paired_entries + lone_entries) == list(range(len(entries)))


@given(LINES, ENTRIES)
def test_breaks_explain_the_whole_difference(lines: list[OpenBankLine], entries: list[OpenBookEntry]) -> None:
    matching = match_lines(lines, entries, on=DAY, sessions=SESSIONS)
    difference = sum(entry.amount_minor for entry in entries) - sum(line.amount_minor for line in lines)
    assert sum(item.amount_minor for item in matching.breaks) == difference


@given(LINES, ENTRIES, st.randoms())
def test_i28_the_order_of_arrival_does_not_matter(
    lines: list[OpenBankLine], entries: list[OpenBookEntry], chance: object
) -> None:
    straight = match_lines(lines, entries, on=DAY, sessions=SESSIONS)
    chance.shuffle(lines)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    chance.shuffle(entries)  # type: ignore[attr-defined] # as above
    assert match_lines(lines, entries, on=DAY, sessions=SESSIONS) == straight


def test_the_surer_pass_goes_first() -> None:
    lines = [OpenBankLine(1, "A", 95, DAY, DAY), OpenBankLine(2, "A", 100, DAY, DAY)]
    entries = [OpenBookEntry(1, "A", 100, DAY), OpenBookEntry(2, "A", 90, DAY)]
    pairs = match_lines(lines, entries, on=DAY, sessions=SESSIONS).pairs
    assert [(pair.line.line_id, pair.entry.posting_id, pair.method) for pair in pairs] == [
        (2, 1, MatchMethod.REFERENCE_AND_AMOUNT),
        (1, 2, MatchMethod.REFERENCE),
    ]


def test_an_amount_alone_pairs_only_within_the_window() -> None:
    entry = OpenBookEntry(1, "", 100, DAY - timedelta(days=6))
    assert match_lines([OpenBankLine(1, "X", 100, DAY, DAY)], [entry], on=DAY, sessions=SESSIONS).pairs == ()


def test_an_amount_alone_never_overrules_a_reference_that_the_other_side_knows() -> None:
    line = OpenBankLine(1, "A", 500, DAY, DAY)
    entries = [OpenBookEntry(1, "A", 90_000, DAY), OpenBookEntry(2, "B", 500, DAY)]
    matching = match_lines([line], entries, on=DAY, sessions=SESSIONS)
    assert matching.pairs == ()
    assert [(item.kind, item.amount_minor) for item in matching.breaks] == [
        (BreakClass.AMOUNT, 89_500),
        (BreakClass.TIMING, 500),
    ]
    lines = [OpenBankLine(1, "B", 90_000, DAY, DAY), OpenBankLine(2, "A", 500, DAY, DAY)]
    assert match_lines(lines, [OpenBookEntry(1, "B", 500, DAY)], on=DAY, sessions=SESSIONS).pairs == ()


def test_ages_fall_into_their_buckets() -> None:
    assert business_days_old(SESSIONS, date(2020, 3, 6), date(2020, 3, 9)) == 1  # over a weekend
    assert [age_bucket(days) for days in (0, 1, 2, 3, 4, 7, 8, 30, 31, 400)] == [
        "0-1",
        "0-1",
        "2-3",
        "2-3",
        "4-7",
        "4-7",
        "8-30",
        "8-30",
        ">30",
        ">30",
    ]
