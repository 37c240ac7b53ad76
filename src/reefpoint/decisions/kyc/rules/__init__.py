"""KYC rules: what a rating table must be, how facts become inputs, and what inputs come to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from reefpoint.decisions.kyc.rules.owners import WHOLE_BP, chart_of, number_rows, ownership_of, stake_of, threshold_of
from reefpoint.decisions.kyc.types import (
    DocumentInput,
    IdentifierInput,
    KycInputs,
    KycProblem,
    Outcome,
    OwnerChart,
    PersonInput,
    Rating,
    RatingTable,
    Reason,
)
from reefpoint.platform.basics.identifiers import read_identifier
from reefpoint.platform.basics.tables.reading import read_table
from reefpoint.platform.basics.tables.table import DecisionTable, HitPolicy, MalformedTable, Row
from reefpoint.records.parties.types import (
    ClientKind,
    DocumentKind,
    DocumentView,
    IdentifierFacts,
    PersonRole,
    ProfileFacts,
)

ORDER = (Rating.LOW, Rating.STANDARD, Rating.HIGH, Rating.PROHIBITED)
FACTORS = frozenset(
    {
        "residence",
        "nationality",
        "is_pep",
        "industry",
        "wealth_source",
        "channel",
        "structure",
        "product",
        "turnover_pct",
        "screening",
    }
)
"""What a scorecard may ask for, and all of it: a factor that the program cannot supply would refer every client."""

SINCE_SCREENING = frozenset({"screening"})
"""Factors that tables published before there were any may leave out; they are replayed without them."""

NOT_LISTED = "not_listed"


def worse(one: Rating, other: Rating) -> Rating:
    """The higher risk of two."""
    return max(one, other, key=ORDER.index)


# Reading what is published


def read_rating_table(content: Mapping[str, Any]) -> RatingTable:
    """A rating table from its published form. Raises `MalformedTable` naming what is wrong with it."""
    scorecard, bands = read_table(_part(content, "scorecard", dict)), read_table(_part(content, "bands", dict))
    _check_scorecard(scorecard)
    _check_columns(bands, {"points"}, {"rating"})
    _check_ratings(bands, "rating")
    months = _part(content, "review_months", dict)
    if set(months) != set(Rating) or not all(_is_whole(count, 1) for count in months.values()):
        raise MalformedTable("review_months", "each rating is reviewed after some months")
    shares = _part(content, "owner_share_bp", dict)
    if "other" not in shares or not all(_is_whole(share, 1, WHOLE_BP) for share in shares.values()):
        raise MalformedTable("owner_share_bp", "shares are basis points of the whole, and `other` is among them")
    documents = {kind: _words("documents", kinds) for kind, kinds in _part(content, "documents", dict).items()}
    if set(documents) != set(ClientKind):
        raise MalformedTable("documents", "both kinds of client need documents")
    if odd := sorted({kind for kinds in documents.values() for kind in kinds} - set(DocumentKind)):
        raise MalformedTable("documents", "{name!r} is not a kind of document", name=odd[0])
    industries = {name: _words("industries", words) for name, words in _part(content, "industries", dict).items()}
    wealth = _words("wealth_order", _part(content, "wealth_order", list))
    for place, named, column in (
        ("industries", {*industries, NOT_LISTED}, "industry"),
        ("wealth_order", set(wealth), "wealth_source"),
    ):
        choices = next(entry.choices for entry in scorecard.inputs if entry.name == column)
        if unmatched := sorted(named ^ set(choices)):
            raise MalformedTable(f"{place}, {unmatched[0]}", "it and {name} name the same classes", name=column)
    counts = {name: _part(content, name, int) for name in ("change_days", "owners_simple_max", "expiring_days")}
    if low := [name for name, count in counts.items() if not _is_whole(count, 1)]:
        raise MalformedTable(low[0], "it is a whole number above zero")
    return RatingTable(
        scorecard=scorecard,
        bands=bands,
        review_months={Rating(rating): count for rating, count in months.items()},
        change_days=counts["change_days"],
        owner_share_bp=shares,
        owners_simple_max=counts["owners_simple_max"],
        documents=documents,
        expiring_days=counts["expiring_days"],
        wealth_order=wealth,
        industries=industries,
    )


def _words(place: str, values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not values or not all(isinstance(word, str) and word for word in values):
        raise MalformedTable(place, "it is a list of words")
    return tuple(values)


def _check_scorecard(table: DecisionTable) -> None:
    given = {column.name for column in table.inputs}
    _check_columns(
        table, set(FACTORS if given & SINCE_SCREENING else FACTORS - SINCE_SCREENING), {"points", "floor", "en", "zh"}
    )
    _check_ratings(table, "floor")
    if table.policy is not HitPolicy.COLLECT_SUM:
        raise MalformedTable("scorecard, policy", "points are added up over the factors")
    if any(column.name == "points" and column.low != 0 for column in table.outputs):
        raise MalformedTable("scorecard, points", "they are never negative: no factor makes up for another")
    if odd := [row.id for row in table.rows if not row.then["en"] or not row.then["zh"]]:
        raise MalformedTable(f"row {odd[0]}", "its reason is missing in one of the languages")


def _check_columns(table: DecisionTable, inputs: set[str], outputs: set[str]) -> None:
    if odd := sorted(inputs ^ {column.name for column in table.inputs}):
        raise MalformedTable(f"{table.name}, {odd[0]}", "the inputs are {names}", names=", ".join(sorted(inputs)))
    if odd := sorted(outputs ^ {column.name for column in table.outputs}):
        raise MalformedTable(f"{table.name}, {odd[0]}", "the outcomes are {names}", names=", ".join(sorted(outputs)))


def _check_ratings(table: DecisionTable, name: str) -> None:
    if set(next(column.choices for column in table.outputs if column.name == name)) != set(Rating):
        raise MalformedTable(f"{table.name}, {name}", "it is one of the ratings")


def _is_whole(value: object, low: int, high: int = 10**6) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _part(data: Mapping[str, Any], key: str, kind: type) -> Any:
    if key not in data or not isinstance(data[key], kind) or isinstance(data[key], bool):
        raise MalformedTable(key, "it is missing or cannot stand here")
    return data[key]


# From facts to inputs


def gather(
    table: RatingTable,
    *,
    profile: ProfileFacts | None,
    kind: ClientKind,
    is_on_portal: bool,
    screening: str,
    identifiers: Sequence[IdentifierFacts],
    documents: Sequence[DocumentView],
    on: date,
) -> KycInputs:
    """The inputs of an assessment on a day. Names and numbers are looked at here and left behind.

    `screening` is the client's standing with the lists: `never`, `clear`, `open_hits`, `exposed` or `confirmed`.
    """
    persons = _persons(profile, identifiers) if profile else ()
    country = (profile.nationality if kind is ClientKind.INSTITUTION else profile.residence) if profile else ""
    return KycInputs(
        on=on,
        kind=kind.value,
        country=country,
        factors=_factors(table, profile, kind, is_on_portal, persons) | _asked(table, screening),
        persons=persons,
        identifiers=tuple(_identifier_inputs(identifiers, on)),
        documents=tuple(
            DocumentInput(document.id, document.kind.value, document.expires_on)
            for document in documents
            if document.erased_at is None
        ),
    )


def _factors(
    table: RatingTable,
    profile: ProfileFacts | None,
    kind: ClientKind,
    is_on_portal: bool,
    persons: tuple[PersonInput, ...],
) -> dict[str, str | int | bool | None]:
    if profile is None:
        return dict.fromkeys(sorted(FACTORS - SINCE_SCREENING))
    return {
        "residence": profile.residence or None,
        "nationality": profile.nationality or None,
        "is_pep": profile.is_pep_declared,
        "industry": industry_of(table, f"{profile.occupation} {profile.employer_or_industry}"),
        "wealth_source": next((one for one in table.wealth_order if one in profile.sources_of_wealth), None),
        "channel": "remote" if is_on_portal else "in_person",
        "structure": "natural_person"
        if kind is ClientKind.INDIVIDUAL
        else structure_of(table, profile.nationality, persons),
        "product": "margin_loan",
        "turnover_pct": turnover_pct(profile.expected_turnover_minor, profile.net_worth_minor),
    }


def _asked(table: RatingTable, screening: str) -> dict[str, str | int | bool | None]:
    """The standing with the lists, for tables that ask for it."""
    return {"screening": screening} if any(one.name == "screening" for one in table.scorecard.inputs) else {}


def industry_of(table: RatingTable, text: str) -> str | None:
    """The class of a trade by the words that name it; None when nothing was said. Latin words match whole."""
    said = text.casefold().strip()
    if not said:
        return None
    for name, words in table.industries.items():
        for word in words:
            if re.search(rf"\b{re.escape(word)}", said) if word.isascii() else word in said:
                return name
    return NOT_LISTED


def structure_of(table: RatingTable, country: str, persons: Sequence[PersonInput]) -> str | None:
    """How an institution is owned: opaque when an owner who counts may be unnamed; None when no owner is named."""
    found = ownership_of(table, country, persons)
    if not found.owners and not found.companies:
        return None
    if found.unnamed_bp >= found.threshold_bp or found.named_bp > WHOLE_BP:
        return "opaque"
    is_simple = found.owners + found.companies <= table.owners_simple_max and not found.companies
    return "simple" if is_simple else "layered"


def draw_owners(table: RatingTable, profile: ProfileFacts, identifiers: Sequence[IdentifierFacts]) -> OwnerChart:
    """Who stands behind an institution by its profile, with the arithmetic and what is missing or wrong."""
    persons = _persons(profile, identifiers)
    problems = tuple(_ownership_problems(table, profile.nationality, persons))
    return chart_of(table, profile.nationality, persons, profile.related_persons, problems)


def turnover_pct(turnover_minor: int | None, net_worth_minor: int | None) -> int | None:
    """Expected yearly turnover for each 100 of net worth, rounded up; None when it cannot be said."""
    if turnover_minor is None or net_worth_minor is None or net_worth_minor <= 0 or turnover_minor < 0:
        return None
    return -(-turnover_minor * 100 // net_worth_minor)


def _persons(profile: ProfileFacts, identifiers: Sequence[IdentifierFacts]) -> tuple[PersonInput, ...]:
    known = {(entry.role, entry.name) for entry in identifiers if entry.identifier.number.strip()}
    return tuple(
        PersonInput(
            role=PersonRole.HOLDING.value if person.is_company else person.role.value,
            share_bp=person.share_bp,
            is_identified=(person.role, person.name) in known
            and person.birth_on is not None
            and bool(person.nationality),
            party=person.party,
            held_in=person.held_in,
            nationality=person.nationality,
        )
        for person in profile.related_persons
    )


def _identifier_inputs(identifiers: Sequence[IdentifierFacts], on: date) -> Iterator[IdentifierInput]:
    counts: dict[str, int] = {}
    for entry in identifiers:
        subject = "client"
        if entry.role is not None:
            counts[entry.role.value] = counts.get(entry.role.value, 0) + 1
            subject = f"{entry.role.value}:{counts[entry.role.value]}"
        draft = entry.identifier
        reading = read_identifier(
            draft.kind.value,
            draft.number,
            on=on,
            birth_on=entry.birth_or_incorporated_on,
            expires_on=draft.expires_on,
        )
        yield IdentifierInput(subject, draft.kind.value, tuple(problem.code for problem in reading.problems))


# What inputs come to


def assess(table: RatingTable, inputs: KycInputs) -> Outcome:
    """The rating with its reasons, and everything that is missing or wrong.

    A missing factor never counts as zero: there is no rating, and a person must look (I61).
    """
    known, missing = table.scorecard.decide_known(inputs.factors)
    is_institution = inputs.kind == ClientKind.INSTITUTION
    found = ownership_of(table, inputs.country, inputs.persons) if is_institution else None
    reasons = tuple(_reason(row) for row in known.rows)
    if found is not None:
        reasons = _with_owners(table, inputs, reasons)
    points = sum(reason.points for reason in reasons)
    floor = Rating(table.bands.decide({"points": points}).word("rating"))
    for reason in reasons:
        floor = worse(floor, reason.floor)
    return Outcome(
        rating=None if missing else floor,
        floor=floor,
        points=points,
        reasons=reasons,
        missing=missing,
        problems=tuple(_problems(table, inputs)),
        ownership=found,
    )


def _reason(row: Row, subject: str = "") -> Reason:
    return Reason(
        factor=row.group,
        row=row.id,
        points=int(str(row.then["points"])),
        floor=Rating(str(row.then["floor"])),
        en=str(row.then["en"]),
        zh=str(row.then["zh"]),
        subject=subject,
    )


def _with_owners(table: RatingTable, inputs: KycInputs, reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons, with the nationality of whoever counts among the owners where it says more than the client's own."""
    threshold = threshold_of(table, inputs.country)
    stakes = stake_of(inputs.persons)
    owners: list[Reason] = []
    for person, party, subject in number_rows(inputs.persons):
        counts = person.role == PersonRole.OWNER and stakes.shares.get(party, 0) * WHOLE_BP >= threshold
        if counts and person.nationality:
            known, _ = table.scorecard.decide_known({"nationality": person.nationality})
            owners += [_reason(row, subject) for row in known.rows if set(row.cells) == {"nationality"}]

    def weight(reason: Reason) -> tuple[int, int]:
        return reason.points, ORDER.index(reason.floor)

    worst = max(owners, key=weight, default=None)
    return tuple(
        worst if worst is not None and reason.factor == worst.factor and weight(worst) > weight(reason) else reason
        for reason in reasons
    )


def _problems(table: RatingTable, inputs: KycInputs) -> Iterator[KycProblem]:
    yield from _identifier_problems(inputs)
    yield from _document_problems(table, inputs)
    if inputs.kind == ClientKind.INSTITUTION:
        yield from _ownership_problems(table, inputs.country, inputs.persons)


def _identifier_problems(inputs: KycInputs) -> Iterator[KycProblem]:
    if not any(entry.subject == "client" for entry in inputs.identifiers):
        yield KycProblem("no_identifier", "client")
    for entry in inputs.identifiers:
        for code in entry.problems:
            yield KycProblem(code, entry.subject, entry.kind)


def _document_problems(table: RatingTable, inputs: KycInputs) -> Iterator[KycProblem]:
    soon = inputs.on + timedelta(days=table.expiring_days)
    for kind in table.documents[inputs.kind]:
        ends = [entry.expires_on for entry in inputs.documents if entry.kind == kind]
        last = max((end for end in ends if end is not None), default=None)
        if not ends:
            yield KycProblem("document_missing", f"document:{kind}")
        elif None in ends or last is None:
            continue
        elif last < inputs.on:
            yield KycProblem("document_expired", f"document:{kind}", last.isoformat())
        elif last <= soon:
            yield KycProblem("document_expires_soon", f"document:{kind}", last.isoformat(), is_blocking=False)


def _ownership_problems(table: RatingTable, country: str, persons: Sequence[PersonInput]) -> Iterator[KycProblem]:
    found = ownership_of(table, country, persons)
    stakes = stake_of(persons)
    subjects = {0: "owners"}
    told: set[int] = set()
    for person, party, subject in number_rows(persons):
        subjects.setdefault(party, subject)
        owns = person.role in (PersonRole.OWNER, PersonRole.HOLDING)
        if owns and person.share_bp is None:
            yield KycProblem("share_missing", subject)
        if owns and person.held_in is None:
            yield KycProblem("held_in_unknown", subject)
        counts = not owns or stakes.shares.get(party, 0) * WHOLE_BP >= found.threshold_bp
        if counts and not person.is_identified and party not in told:
            told.add(party)
            yield KycProblem("person_not_identified", subject)
    for link in sorted(stakes.loops):
        yield KycProblem("ownership_loop", subjects[link.owner])
    for party in sorted(stakes.over_whole - {0}):
        yield KycProblem("shares_over_whole", subjects[party])
    if found.named_bp > WHOLE_BP:
        yield KycProblem("shares_over_whole", "owners", str(found.named_bp))
    elif found.unnamed_bp >= found.threshold_bp:
        yield KycProblem("owner_may_be_missing", "owners", str(found.unnamed_bp))
    elif found.unnamed_bp:
        yield KycProblem("rest_below_threshold", "owners", str(found.unnamed_bp), is_blocking=False)
    roles = {person.role for person in persons}
    for role in (PersonRole.LEGAL_REPRESENTATIVE, PersonRole.SIGNATORY):
        if role not in roles:
            yield KycProblem("person_missing", role.value)
    if not found.at_threshold and not roles & {PersonRole.DIRECTOR, PersonRole.LEGAL_REPRESENTATIVE}:
        yield KycProblem("nobody_in_control", "owners")


SENTENCES: Mapping[str, str] = {
    "no_identifier": "No identifier is on record.",
    "document_missing": "This document is not on file.",
    "document_expired": "This document has expired.",
    "document_expires_soon": "This document expires soon.",
    "share_missing": "The share of this owner is not known.",
    "person_not_identified": "This person is not identified: identifier, date of birth and nationality are needed.",
    "held_in_unknown": "The company in which this share is held is not named, or two have its name.",
    "ownership_loop": "This company owns a part of itself over others; that part counts for nobody.",
    "shares_over_whole": "The shares come to more than the whole.",
    "owner_may_be_missing": "An owner who must be identified may be missing: too much of the whole is not named.",
    "rest_below_threshold": "A part of the whole is not named; nobody in it can reach the threshold.",
    "person_missing": "Nobody is named in this part.",
    "nobody_in_control": "No owner reaches the threshold, so somebody who manages must be identified; nobody is.",
}
"""What each problem says; those of identifiers are in `platform.basics.identifiers`."""


# When to look again


def next_review_on(
    table: RatingTable,
    outcome: Outcome,
    *,
    rating: Rating | None,
    previous: Rating | None,
    previous_review_on: date | None,
    is_change: bool,
    on: date,
    later: date,
) -> date:
    """The day of the next review; `later` is the day that the rating alone would give.

    A client without a rating is looked at today. After a change of circumstance that moved the rating, or that left
    something to put right, a person looks within `change_days`; one that moved nothing leaves the date as it was.
    """
    if rating is None:
        return on
    if not is_change:
        return later
    matters = rating is not previous or any(problem.is_blocking for problem in outcome.problems)
    if matters:
        return min(later, on + timedelta(days=table.change_days), previous_review_on or later)
    return previous_review_on or later


# Storing


def inputs_to_json(inputs: KycInputs) -> dict[str, Any]:
    """Inputs as JSON values."""
    plain = asdict(inputs)
    plain["on"] = inputs.on.isoformat()
    for entry in plain["documents"]:
        entry["expires_on"] = entry["expires_on"].isoformat() if entry["expires_on"] else None
    return plain


def inputs_from_json(data: Mapping[str, Any]) -> KycInputs:
    """Inputs from JSON values."""
    return KycInputs(
        on=date.fromisoformat(data["on"]),
        kind=data["kind"],
        country=data["country"],
        factors=data["factors"],
        persons=tuple(PersonInput(**entry) for entry in data["persons"]),
        identifiers=tuple(
            IdentifierInput(entry["subject"], entry["kind"], tuple(entry["problems"])) for entry in data["identifiers"]
        ),
        documents=tuple(
            DocumentInput(
                entry["document_id"],
                entry["kind"],
                date.fromisoformat(entry["expires_on"]) if entry["expires_on"] else None,
            )
            for entry in data["documents"]
        ),
    )
