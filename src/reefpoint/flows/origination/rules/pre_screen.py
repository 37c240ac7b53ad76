"""The pre-screen: what stops an application at the hand-in, and what refers it to a person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from reefpoint.flows.origination.rules.applications import REQUIRED_DOCUMENTS
from reefpoint.flows.origination.rules.leads import name_key
from reefpoint.flows.origination.types.applications import PreScreenCode, PreScreenOutcome, PreScreenReason
from reefpoint.flows.origination.types.questions import Section
from reefpoint.records.parties.types import ClientKind, DocumentKind

AGE_MIN = 18
"""Years: full age where the desk lends. Source: PRC Civil Code Art. 17; HK Cap. 410 s. 2; US state law, mostly."""

NOT_SERVED = frozenset({"CU", "IR", "KP", "SY"})
"""Countries from which nobody is served: a house list of those under comprehensive sanctions; compliance reviews it."""

OWN_LICENCE_NEEDED = frozenset({"CN", "HK", "US"})
"""Where offering to residents needs a licence of that place, whatever the scheme's own law is.

Sources: Securities Law of the PRC Art. 120 (margin finance is for securities companies alone); HK SFO Cap. 571 s. 115
(marketing to the public of Hong Kong from outside); US Securities Exchange Act s. 15(a).
"""


@dataclass(frozen=True)
class PreScreenFacts:
    """What the pre-screen looks at. `age` in years, None for an institution or an unreadable date.

    `jurisdictions_unlicensed`: where a licence to offer is needed and none is valid. `identifiers_wrong`: the kinds
    whose number fails its check. `holders_wrong`: numbers (from 0) of bank accounts in another name.
    """

    kind: ClientKind
    sections_incomplete: tuple[Section, ...]
    documents: frozenset[DocumentKind]
    documents_expired: tuple[DocumentKind, ...]
    has_questionnaire: bool
    age: int | None
    residence: str
    nationality: str
    jurisdictions_unlicensed: tuple[str, ...]
    is_scheme_offered: bool
    is_loan_within_limit: bool
    identifiers_wrong: tuple[str, ...]
    holders_wrong: tuple[int, ...]
    is_pep_declared: bool
    has_defaulted: bool
    has_name_hits: bool
    has_duplicates: bool


def pre_screen(facts: PreScreenFacts) -> list[PreScreenReason]:
    """Everything found, what stops the hand-in first. What would tip somebody off is kept from the client."""
    stops = [(PreScreenCode.SECTION_INCOMPLETE, section.value) for section in facts.sections_incomplete]
    stops += [
        (PreScreenCode.DOCUMENT_MISSING, kind.value)
        for kind in REQUIRED_DOCUMENTS[facts.kind]
        if kind not in facts.documents
    ]
    stops += [(PreScreenCode.DOCUMENT_EXPIRED, kind.value) for kind in facts.documents_expired]
    if not facts.has_questionnaire:
        stops.append((PreScreenCode.QUESTIONNAIRE_MISSING, ""))
    if facts.age is not None and facts.age < AGE_MIN:
        stops.append((PreScreenCode.UNDER_AGE, str(AGE_MIN)))
    stops += [
        (PreScreenCode.COUNTRY_NOT_SERVED, country)
        for country in sorted({facts.residence, facts.nationality} & NOT_SERVED)
    ]
    stops += [(PreScreenCode.NO_LICENCE, place) for place in facts.jurisdictions_unlicensed]
    if not facts.is_scheme_offered:
        stops.append((PreScreenCode.SCHEME_NOT_OFFERED, ""))
    elif not facts.is_loan_within_limit:
        stops.append((PreScreenCode.LOAN_ABOVE_LIMIT, ""))
    stops += [(PreScreenCode.IDENTIFIER_INVALID, kind) for kind in facts.identifiers_wrong]
    stops += [(PreScreenCode.BANK_ACCOUNT_NOT_OWN, str(number + 1)) for number in facts.holders_wrong]
    found = [PreScreenReason(code, detail) for code, detail in stops]
    if facts.is_pep_declared or facts.has_defaulted:
        found.append(PreScreenReason(PreScreenCode.LOOKED_AT_CLOSELY, outcome=PreScreenOutcome.REFERRED))
    if facts.has_name_hits:
        found.append(PreScreenReason(PreScreenCode.NAME_HIT, outcome=PreScreenOutcome.REFERRED, is_told=False))
    if facts.has_duplicates:
        found.append(
            PreScreenReason(PreScreenCode.POSSIBLE_DUPLICATE, outcome=PreScreenOutcome.REFERRED, is_told=False)
        )
    return found


def outcome_of(reasons: Collection[PreScreenReason]) -> PreScreenOutcome:
    """The worst of what was found."""
    found = {reason.outcome for reason in reasons}
    return next(
        (outcome for outcome in (PreScreenOutcome.STOPPED, PreScreenOutcome.REFERRED) if outcome in found),
        PreScreenOutcome.PASSED,
    )


def age_on(born: date, on: date) -> int:
    """Full years on a day; somebody born on 29 February has their birthday on 1 March of other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def is_own_name(holder: str, names: Collection[str]) -> bool:
    """Whether a bank account's holder is one of a client's names, whatever the case, accents and order of words."""
    return name_key(holder) in {name_key(name) for name in names if name}
