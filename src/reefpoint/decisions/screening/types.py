"""Lists of sanctioned and exposed people, what a name met on them, and what people made of it."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ListShape(StrEnum):
    """The forms in which lists are published, and which are read here."""

    OPENSANCTIONS_CSV = "opensanctions.csv"
    OFAC_XML = "ofac.xml"
    OFAC_CSV = "ofac.csv"
    UN_XML = "un.xml"


class ListVersionState(StrEnum):
    """A file is received, read, and then in force until the next; or it failed and changed nothing."""

    RECEIVED = "received"
    READING = "reading"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    FAILED = "failed"


class EntryKind(StrEnum):
    PERSON = "person"
    ORGANISATION = "organisation"
    VESSEL = "vessel"
    OTHER = "other"


class HitState(StrEnum):
    """A hit is open until one person proposes what it is and a second one agrees; it lapses when its cause is gone."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLEARED = "cleared"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"


class Outcome(StrEnum):
    """What a hit was found to be: somebody else, or the listed one."""

    CLEARED = "cleared"
    CONFIRMED = "confirmed"


class Basis(StrEnum):
    """On what a name matched: the characters written, the sound of them, or the spelling in Latin letters."""

    WRITTEN = "written"
    SOUND = "sound"
    SPELLING = "spelling"


class PartKind(StrEnum):
    """How one part of a name met its counterpart."""

    EXACT = "exact"
    SIMILAR = "similar"
    INITIAL = "initial"
    SOUND = "sound"
    MISSING = "missing"


class Evidence(StrEnum):
    """What a date of birth or a country says beside the name. `near`: a year off, or day and month turned."""

    SAME = "same"
    NEAR = "near"
    DIFFERENT = "different"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """Order of matches of one score: what agrees first, what contradicts last."""
        return {Evidence.SAME: 0, Evidence.NEAR: 1, Evidence.UNKNOWN: 2, Evidence.DIFFERENT: 3}[self]


class Standing(StrEnum):
    """Where a client stands with the lists."""

    NEVER = "never"
    CLEAR = "clear"
    OPEN_HITS = "open_hits"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class ListedName:
    """One name of an entry. `is_weak`: the list itself calls the alias a weak one."""

    text: str
    is_weak: bool = False


@dataclass(frozen=True)
class EntryDraft:
    """One entry as it stands in a file.

    - `reference`: the publisher's own id of the entry, unique in its list
    - `births`: dates or years of birth (or of founding) as ISO 8601 prefixes: 1961, 1961-03, 1961-03-12
    - `countries`: ISO 3166 alpha-2 in lower case where the list says so, else the list's own words in lower case
    """

    reference: str
    kind: EntryKind
    names: tuple[ListedName, ...]
    births: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    programmes: str = ""
    note: str = ""


@dataclass(frozen=True)
class ListBytes:
    """A file as blocks of bytes, read as often as one likes without holding it. `tail` is its end, a few bytes."""

    size: int
    tail: bytes
    blocks: Callable[[], Iterator[bytes]]


Entries = Generator[EntryDraft, None, date | None]
"""The entries of a file one by one, and at the end the day on which it was published, if it says so."""


@dataclass(frozen=True)
class Part:
    """A part of the screened name beside its counterpart on the list; an empty side is missing there."""

    ours: str
    theirs: str
    kind: PartKind
    similarity_bp: int


@dataclass(frozen=True)
class NameScore:
    """How alike two names are, from 0 to 10,000, on which basis, part by part."""

    score_bp: int
    basis: Basis
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class EntryView:
    """An entry of a list version, as it is or was in force."""

    id: int
    source: str
    reference: str
    kind: EntryKind
    names: tuple[ListedName, ...]
    births: tuple[str, ...]
    countries: tuple[str, ...]
    programmes: str
    note: str
    since_version: int
    until_version: int | None


@dataclass(frozen=True)
class Match:
    """An entry that a name met: how well, which parts, what birth date and country say. `is_hit`: worth a person."""

    entry: EntryView
    ours: str
    theirs: str
    score: NameScore
    birth: Evidence
    country: Evidence
    is_hit: bool


@dataclass(frozen=True)
class PersonFacts:
    """Who is held against the lists: a client (`person_no` 0) or somebody behind one, with every name there is."""

    client_id: int
    person_no: int
    role: str
    names: tuple[str, ...]
    birth_on: date | None
    countries: tuple[str, ...]


@dataclass(frozen=True)
class VersionView:
    """One delivery of a list. `done` of `total` is read so far; `missed_names` are in no script that is read."""

    id: int
    source: str
    number: int
    shape: ListShape
    file_name: str
    content_hash: str
    size_bytes: int
    published_on: date | None
    state: ListVersionState
    problem: str
    entries: int
    added: int
    changed: int
    removed: int
    missed_names: int
    done: int
    total: int
    received_by: str
    received_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class RescreenView:
    """A screening of all clients against what changed in a version."""

    id: int
    version_id: int
    source: str
    number: int
    done: int
    total: int
    hits: int
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class HitView:
    """A client's name that met an entry, with the evidence of that moment and what became of it."""

    id: int
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    role: str
    ours: str
    theirs: str
    score: NameScore
    birth: Evidence
    country: Evidence
    source: str
    entry: EntryView
    names: tuple[str, ...]
    birth_year: int | None
    countries: tuple[str, ...]
    state: HitState
    raised_at: datetime
    outcome: Outcome | None
    proposed_by: str
    proposed_at: datetime | None
    proposal: str
    approval_id: int | None
    decided_by: str
    decided_at: datetime | None
    decision: str

    @property
    def score_bp(self) -> int:
        return self.score.score_bp


@dataclass(frozen=True)
class ScreeningStanding:
    """Where a client stands: `list_versions` are the versions (by source) that the client's names were held against."""

    state: Standing
    screened_at: datetime | None
    list_versions: Mapping[str, int]
