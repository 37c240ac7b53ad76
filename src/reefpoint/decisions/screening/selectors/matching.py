"""A name against the entries in force: trigrams find candidates, the pair scorer puts them in order."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from django.db import connection

from reefpoint.decisions.screening.models import Entry
from reefpoint.decisions.screening.rules import hits as rules
from reefpoint.decisions.screening.rules.names import NameForms, name_forms
from reefpoint.decisions.screening.rules.scores import quick_score, score_names
from reefpoint.decisions.screening.types import Basis, EntryKind, EntryView, ListedName, Match, NameScore
from reefpoint.platform.database.bulk import array_literal


def find_matches(
    name: str,
    *,
    birth_on: date | None = None,
    country: str | None = None,
    limit: int = 10,
    threshold: float = rules.TRIGRAM_THRESHOLD,
) -> list[Match]:
    """The entries in force that this name is most like, the likest first; a match is not yet a hit.

    `threshold` is the trigram likeness from which on a listed name is looked at. Birth date and country are told beside
    the score and break ties; they do not change it. A few queries, whatever the size of the lists.
    """
    forms = name_forms(name)
    best = best_by_entry(forms, find_candidates(forms, threshold=threshold))
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[
        : 2 * limit if birth_on or country else limit
    ]
    entries = load_entries([entry_id for entry_id, _ in ranked])
    matches = [
        make_match(
            entries[entry_id],
            forms,
            name_no=name_no,
            birth_on=birth_on,
            countries=(country,) if country else (),
        )
        for entry_id, (_, name_no) in ranked
    ]
    matches.sort(key=lambda match: (-match.score.score_bp, match.birth.rank, match.country.rank, match.entry.id))
    return matches[:limit]


Candidate = tuple[int, int, str, str]
"""A name on a list that may be the one: (entry id, name number, key, characters)."""

_CANDIDATES = "SELECT entry_id, name_no, key, hanzi FROM screening_candidates(%s::text[], %s::text[], %s, %s, %s)"


def find_candidates(
    forms: Sequence[NameForms], *, threshold: float = rules.TRIGRAM_THRESHOLD, at_most: int = rules.CANDIDATES_MAX
) -> list[Candidate]:
    """Names on the lists that may be this one: of Chinese names those that sound the same, of others those spelt alike.

    A Chinese name is also looked for among names that are none, where it may stand beside a Western given name. One
    query a form.
    """
    found: dict[Candidate, None] = {}
    with connection.cursor() as cursor:
        for form in forms:
            sounds = array_literal(sorted({key.sound for key in form.keys if key.sound}))
            keys = array_literal(sorted({key.latin for key in form.keys}))
            cursor.execute(_CANDIDATES, [keys, sounds, threshold, rules.SINO_THRESHOLD, at_most])
            found |= dict.fromkeys(cursor.fetchall())
    return list(found)


def best_by_entry(forms: Sequence[NameForms], candidates: Collection[Candidate]) -> dict[int, tuple[int, int]]:
    """For each entry among the candidates the best score and the number of the name that gave it."""
    best: dict[int, tuple[int, bool, int]] = {}
    for entry_id, name_no, key, hanzi in candidates:
        words = tuple(key.split(" "))
        score_bp = max(quick_score(form, words, hanzi) for form in forms)
        found = (score_bp, bool(hanzi), -name_no)  # of equal scores the one by characters, then the first name
        if entry_id not in best or found > best[entry_id]:
            best[entry_id] = found
    return {entry_id: (score_bp, -negative) for entry_id, (score_bp, _, negative) in best.items()}


def make_match(
    entry: EntryView,
    forms: Sequence[NameForms],
    *,
    name_no: int,
    birth_on: date | None,
    countries: Collection[str],
) -> Match:
    """A match with its parts and evidence, for one name of an entry."""
    theirs = entry.names[name_no].text
    scored = [(score_names(ours, other), ours) for ours in forms for other in name_forms(theirs)]
    score, form = max(scored, key=lambda pair: (pair[0].score_bp, pair[0].basis is Basis.WRITTEN))
    birth = rules.compare_births(birth_on, entry.births)
    return Match(
        entry=entry,
        ours=form.text,
        theirs=theirs,
        score=score,
        birth=birth,
        country=rules.compare_countries(countries, entry.countries),
        is_hit=rules.is_hit(score.score_bp, birth),
    )


def best_score(ours: str, theirs: str) -> NameScore | None:
    """How alike two written names are; None if one of them is in no script that is read. No query."""
    scores = [score_names(one, other) for one in name_forms(ours) for other in name_forms(theirs)]
    return max(scores, key=lambda score: score.score_bp, default=None)


def load_entries(entry_ids: Collection[int]) -> dict[int, EntryView]:
    """Entries by id, in one query. Plain SQL: every name that is looked up waits for it."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [array_literal(sorted(entry_ids))])
        return {row[0]: _entry(row[:-1], json.loads(row[-1])) for row in cursor.fetchall()}


_ENTRIES = """
SELECT id, source, reference, kind, programmes, note, since_version_id, until_version_id,
       jsonb_build_array(names, births, countries)
  FROM screening_entry WHERE id = ANY (%s::bigint[])
"""


def entry_view(row: Entry) -> EntryView:
    """An entry as others see it."""
    return _entry(
        (
            row.pk, row.source, row.reference, row.kind, row.programmes, row.note,
            row.since_version_id, row.until_version_id,
        ),
        (row.names, row.births, row.countries),
    )  # fmt: skip


def _entry(
    plain: tuple[int, str, str, str, str, str, int, int | None],
    lists: tuple[Iterable[tuple[str, bool]], Iterable[str], Iterable[str]],
) -> EntryView:
    entry_id, source, reference, kind, programmes, note, since, until = plain
    names, births, countries = lists
    return EntryView(
        id=entry_id,
        source=source,
        reference=reference,
        kind=EntryKind(kind),
        names=tuple(ListedName(text, is_weak) for text, is_weak in names),
        births=tuple(births),
        countries=tuple(countries),
        programmes=programmes,
        note=note,
        since_version=since,
        until_version=until,
    )
