"""Who owns an institution, looked through the companies in between, and which part of it nobody is named behind."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction

from reefpoint.decisions.kyc.types import (
    KycProblem,
    OwnerChart,
    OwnerPath,
    OwnerRow,
    Ownership,
    OwnerStep,
    PersonInput,
    RatingTable,
)
from reefpoint.platform.basics.ownership import TARGET, Link, LookThrough, look_through, paths_of, share_bp
from reefpoint.records.parties.types import PersonFacts, PersonRole

WHOLE_BP = 10_000
PATHS_TOLD_MAX = 12
"""So many paths of one owner are told one by one; all of them are counted."""


def number_rows(persons: Collection[PersonInput]) -> Iterator[tuple[PersonInput, int, str]]:
    """Each row with the number of its party and what problems call it: `owner:2`, the second row of that role."""
    numbers: dict[str, int] = {}
    for row, person in enumerate(persons, start=1):
        numbers[person.role] = numbers.get(person.role, 0) + 1
        yield person, person.party or row, f"{person.role}:{numbers[person.role]}"


def links_of(persons: Collection[PersonInput]) -> list[Link]:
    """Who holds how much of whom, as far as both are known."""
    return [
        Link(party, person.held_in, person.share_bp)
        for person, party, _ in number_rows(persons)
        if person.role in (PersonRole.OWNER, PersonRole.HOLDING)
        and person.held_in is not None
        and person.share_bp is not None
    ]


def companies_in(persons: Collection[PersonInput]) -> frozenset[int]:
    """The parties behind whom somebody else stands."""
    return frozenset(party for person, party, _ in number_rows(persons) if person.role == PersonRole.HOLDING)


def stake_of(persons: Collection[PersonInput]) -> LookThrough:
    """What everybody holds of the client, over all paths added up."""
    return look_through(links_of(persons), companies=companies_in(persons))


def threshold_of(table: RatingTable, country: str) -> int:
    """From which share on an owner is identified where the client is incorporated, in basis points."""
    return table.owner_share_bp.get(country, table.owner_share_bp["other"])


def ownership_of(table: RatingTable, country: str, persons: Sequence[PersonInput]) -> Ownership:
    """The owners' shares against the whole, and how many people reach the threshold of the country at any distance."""
    threshold = threshold_of(table, country)
    stakes, companies = stake_of(persons), companies_in(persons)
    parties = {
        party for person, party, _ in number_rows(persons) if person.role == PersonRole.OWNER and party not in companies
    }
    return Ownership(
        threshold_bp=threshold,
        owners=len(parties),
        named_bp=sum(link.share_bp for link in links_of(persons) if link.owned == TARGET),
        unnamed_bp=share_bp_up(stakes),
        at_threshold=sum(stakes.shares.get(party, 0) * WHOLE_BP >= threshold for party in parties),
        companies=len(companies),
    )


def chart_of(
    table: RatingTable,
    country: str,
    persons: Sequence[PersonInput],
    facts: Sequence[PersonFacts],
    problems: Sequence[KycProblem],
) -> OwnerChart:
    """Everybody behind an institution with the arithmetic of each share. `facts` are the same rows with their names."""
    threshold, links = threshold_of(table, country), links_of(persons)
    stakes, companies = stake_of(persons), companies_in(persons)
    first: dict[int, tuple[PersonInput, PersonFacts, str]] = {}
    identified: dict[int, bool] = {}
    for (person, party, subject), fact in zip(number_rows(persons), facts, strict=True):
        if person.role in (PersonRole.OWNER, PersonRole.HOLDING):
            first.setdefault(party, (person, fact, subject))
            identified[party] = identified.get(party, False) or person.is_identified
    rows = []
    for party, (person, fact, subject) in first.items():
        paths, has_more = paths_of(links, party, most=PATHS_TOLD_MAX)
        whole = stakes.shares.get(party, Fraction(0))
        rows.append(
            OwnerRow(
                subject=subject,
                name=fact.name,
                name_zh=fact.name_zh,
                is_company=party in companies,
                depth=min((len(path) for path in paths), default=0),
                nationality=person.nationality,
                is_identified=identified[party],
                share_bp=share_bp(whole),
                is_counted=whole * WHOLE_BP >= threshold,
                gap_bp=share_bp(stakes.gaps.get(party, Fraction(0))),
                paths=tuple(_path(path, first) for path in paths),
                has_more_paths=has_more,
            )
        )
    people = sum((stakes.shares.get(party, Fraction(0)) for party in first if party not in companies), Fraction(0))
    return OwnerChart(
        country=country,
        threshold_bp=threshold,
        rows=tuple(sorted(rows, key=lambda row: (row.is_company, -row.share_bp, row.depth, row.subject))),
        people_bp=share_bp(people),
        undetermined_bp=share_bp_up(stakes),
        unnamed_bp=share_bp(stakes.gaps.get(TARGET, Fraction(0))),
        is_undetermined_too_much=stakes.undetermined * WHOLE_BP >= threshold,
        problems=tuple(problems),
    )


def _path(path: Sequence[Link], named: Mapping[int, tuple[PersonInput, PersonFacts, str]]) -> OwnerPath:
    product = Fraction(1)
    for link in path:
        product *= Fraction(link.share_bp, WHOLE_BP)
    return OwnerPath(
        steps=tuple(
            OwnerStep(named[link.owner][1].name, named[link.owned][1].name if link.owned else "", link.share_bp)
            for link in path
        ),
        product_bp=share_bp(product),
    )


def share_bp_up(stakes: LookThrough) -> int:
    """The undetermined part in basis points, rounded up: what may hide somebody is never told too small."""
    return -int(-stakes.undetermined * WHOLE_BP // 1)
