"""Files of lists: what is read of them, and what is refused."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from reefpoint.decisions.screening.adapters import PARSERS, ListRefused
from reefpoint.decisions.screening.types import EntryDraft, EntryKind, ListBytes, ListedName, ListShape

LISTS = Path(__file__).with_name("lists")
CSV, SDN, SDN_CSV, ALT, UN = ("targets.simple.csv", "sdn.xml", "sdn.csv", "alt.csv", "consolidated.xml")
FILES = {ListShape.OPENSANCTIONS_CSV: CSV, ListShape.OFAC_XML: SDN, ListShape.OFAC_CSV: SDN_CSV, ListShape.UN_XML: UN}


@dataclass
class Read:
    entries: list[EntryDraft]
    published_on: date | None = None


def blocks(content: bytes, size: int) -> ListBytes:
    """A file in blocks of so many bytes."""
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return ListBytes(len(content), content[-16:], lambda: iter(parts))


def read(shape: ListShape, content: bytes | None = None, second: bytes = b"", size: int = 1_000) -> Read:
    content = (LISTS / FILES[shape]).read_bytes() if content is None else content
    entries = PARSERS[shape](blocks(content, size), blocks(second, size) if second else None, lambda *_: None)
    found = Read([])
    while True:
        try:
            found.entries.append(next(entries))
        except StopIteration as end:
            found.published_on = end.value
            return found


@pytest.mark.parametrize("shape", list(ListShape))
def test_the_blocks_in_which_a_file_comes_change_nothing_of_what_is_read(shape: ListShape) -> None:
    whole = read(shape, size=1_000_000)
    assert [read(shape, size=size) for size in (1, 7, 64)] == [whole] * 3


def test_the_opensanctions_form_is_read() -> None:
    parsed = read(ListShape.OPENSANCTIONS_CSV)
    assert [entry.reference for entry in parsed.entries] == ["mu-1", "mu-2", "mu-3", "mu-4", "mu-5"]
    assert parsed.published_on == date(2026, 10, 21)
    first, third = parsed.entries[0], parsed.entries[2]
    assert first.names == (ListedName("Li Ming"), ListedName("李明"), ListedName("Ming Lee"))
    assert (first.kind, first.births, first.countries) == (EntryKind.PERSON, ("1971-03-12",), ("cn",))
    assert third.births == ("1958-07",)
    assert third.countries == ("ru", "by")
    assert parsed.entries[4].kind is EntryKind.VESSEL


def test_the_ofac_xml_form_is_read() -> None:
    parsed = read(ListShape.OFAC_XML)
    person, company, ship = parsed.entries
    assert parsed.published_on == date(2026, 11, 20)
    assert person.names == (
        ListedName("Tariq Walid AL-SUWAIDI"),
        ListedName("Tarek SWEIDI"),
        ListedName("THE HERON", is_weak=True),
    )
    assert (person.births, person.countries, person.programmes) == (("1961-03-12", "1962"), ("ae",), "MADEUP, SECOND")
    assert (company.kind, company.countries) == (EntryKind.ORGANISATION, ("kp",))
    assert ship.kind is EntryKind.VESSEL


def test_the_ofac_csv_form_is_read_with_its_other_names() -> None:
    parsed = read(ListShape.OFAC_CSV, second=(LISTS / ALT).read_bytes())
    assert parsed.entries[0].names == (ListedName("Tariq Walid AL-SUWAIDI"), ListedName("Tarek SWEIDI"))
    assert (parsed.entries[0].births, parsed.entries[0].countries) == (("1961-03-12", "1962"), ("ae",))
    assert parsed.entries[1].kind is EntryKind.ORGANISATION


def test_the_un_form_is_read() -> None:
    person, entity = read(ListShape.UN_XML).entries
    assert person.names == (
        ListedName("SHAN XIONGXIN"),
        ListedName("單雄信"),
        ListedName("Dan Xiongxin"),
        ListedName("The Spear", is_weak=True),
    )
    assert (person.births, person.countries) == (("1970", "1972"), ("cn",))
    assert person.programmes == "Made up MUi.001"
    assert (entity.kind, entity.countries) == (EntryKind.ORGANISATION, ("ye",))


@pytest.mark.parametrize("shape", list(ListShape))
def test_a_file_cut_off_anywhere_is_refused(shape: ListShape) -> None:
    whole = (LISTS / FILES[shape]).read_bytes().rstrip(b"\x1a\n ")
    begin = whole.index(b"\n") + 2
    cuts = [end for end in range(begin, len(whole), 11) if whole[end - 1 : end] != b"\n"]
    assert len(cuts) > 5
    for end in cuts:
        with pytest.raises(ListRefused):
            read(shape, whole[:end])


def test_an_ofac_file_that_counts_itself_wrong_is_not_whole() -> None:
    content = (LISTS / SDN).read_bytes().replace(b"<Record_Count>3<", b"<Record_Count>18000<")
    with pytest.raises(ListRefused, match="18000"):
        read(ListShape.OFAC_XML, content)


HOSTILE = {
    "a billion laughs": b'<!DOCTYPE sdnList [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><sdnList>&b;</sdnList>',
    "an outside file": b'<!DOCTYPE sdnList [<!ENTITY x SYSTEM "file:///etc/passwd">]><sdnList>&x;</sdnList>',
    "a document type": b'<!DOCTYPE sdnList SYSTEM "http://evil.test/x.dtd"><sdnList/>',
    "an unknown entity": b"<sdnList><sdnEntry>&unknown;</sdnEntry></sdnList>",
    "another root": b"<html><body>Moved</body></html>",
    "a page of a proxy": b"Service unavailable",
    "nested without end": b"<sdnList>" + b"<sdnEntry>" * 100_000,
    "one endless text": b"<sdnList><sdnEntry><uid>" + b"9" * 3_000_000 + b"</uid></sdnEntry></sdnList>",
    "no entry": b"<sdnList></sdnList>",
    "no name": b"<sdnList><sdnEntry><uid>1</uid></sdnEntry></sdnList>",
    "no id": b"<sdnList><sdnEntry><lastName>X</lastName></sdnEntry></sdnList>",
    "an unknown encoding": b'<?xml version="1.0" encoding="no-such"?><sdnList/>',
    "nothing": b"  \n ",
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_i69_hostile_xml_is_refused(content: bytes) -> None:
    for shape in (ListShape.OFAC_XML, ListShape.UN_XML):
        with pytest.raises(ListRefused):
            read(shape, content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b,c\n1,2,3\n",
        b"\xff\xfe\x00",
        b"id,schema,name,aliases,birth_date,countries\n1,Person,X,,\n",
        b'id,schema,name,aliases,birth_date,countries\n1,Person,"X,,,\n',
        b"id,schema,name,aliases,birth_date,countries\n1,Person,,,,\n",
        b"id,schema,name,aliases,birth_date,countries\n1,Person," + b"x" * 5_000 + b",,,\n",
        b"id,schema,name,aliases,birth_date,countries\n1\x00,Person,X,,,\n",
    ],
)
def test_i69_a_csv_that_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(ListRefused):
        read(ListShape.OPENSANCTIONS_CSV, content)
