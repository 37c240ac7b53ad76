"""Words for what is known of clients: ratings, problems, segments, offers, and texts that come in both languages."""

from collections.abc import Mapping
from typing import Protocol

from django import template
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy

from reefpoint.surfaces.web.figures import percent_text

register = template.Library()

RATING_WORDS = {
    "": gettext_lazy("Waits for a person"),
    "low": pgettext_lazy("rating", "Low"),
    "standard": pgettext_lazy("rating", "Standard"),
    "high": pgettext_lazy("rating", "High"),
    "prohibited": pgettext_lazy("rating", "Prohibited"),
}

CAUSE_WORDS = {
    "request": gettext_lazy("Asked for"),
    "change": gettext_lazy("Change of circumstance"),
    "review": gettext_lazy("A person's review"),
}

FACTOR_WORDS = {
    "kind": gettext_lazy("Kind"),
    "board": pgettext_lazy("listing", "Board"),
    "has_risk_warning": gettext_lazy("Risk warning"),
    "is_suspended": gettext_lazy("Suspended"),
    "daily_turnover": gettext_lazy("Average daily turnover"),
    "haircut_bp": gettext_lazy("Haircut"),
    "sessions": gettext_lazy("Sessions suspended"),
    "cut_bp": gettext_lazy("Cut"),
    "residence": gettext_lazy("Country of residence"),
    "nationality": gettext_lazy("Nationality or place of incorporation"),
    "pep": gettext_lazy("Prominent public position"),
    "is_pep": gettext_lazy("Prominent public position"),
    "industry": gettext_lazy("Trade"),
    "wealth": gettext_lazy("Source of wealth"),
    "wealth_source": gettext_lazy("Source of wealth"),
    "channel": gettext_lazy("Channel"),
    "structure": gettext_lazy("Structure of ownership"),
    "screening": gettext_lazy("Standing with the lists"),
    "product": gettext_lazy("Product"),
    "turnover": gettext_lazy("Expected turnover against wealth"),
    "turnover_pct": gettext_lazy("Expected turnover against wealth, %"),
    "points": gettext_lazy("Points"),
    "rating": gettext_lazy("Rating"),
    "floor": gettext_lazy("At least"),
    "score": gettext_lazy("Points"),
    "cannot_bear_loss": gettext_lazy("Can bear no loss"),
    "tolerance": gettext_lazy("Tolerance"),
    "segment": gettext_lazy("Segment"),
    "risk_class": gettext_lazy("Risk class"),
    "outcome": gettext_lazy("Offer"),
    "leverage_pct": gettext_lazy("Assets for each 100 of equity"),
    "concentration_cap_bp": gettext_lazy("One name at most, bp"),
    "is_institution": gettext_lazy("Institution"),
    "liquid_assets_minor": gettext_lazy("Liquid assets"),
    "annual_income_minor": gettext_lazy("Yearly income"),
    "net_worth_minor": gettext_lazy("Net worth"),
    "trading_years": gettext_lazy("Years of trading"),
    "is_professional_institution": gettext_lazy("Professional institution"),
    "trading_months": gettext_lazy("Months of trading"),
    "average_assets_minor": gettext_lazy("Average assets over 20 days"),
    "has_defaulted": gettext_lazy("Has defaulted"),
    "is_affiliated": gettext_lazy("Related to the lender"),
    "answer": gettext_lazy("Answer"),
}

PROBLEM_WORDS = {
    "no_identifier": gettext_lazy("No identifier is on record."),
    "document_missing": gettext_lazy("This document is not on file."),
    "document_expired": gettext_lazy("This document has expired."),
    "document_expires_soon": gettext_lazy("This document expires soon."),
    "share_missing": gettext_lazy("The share of this owner is not known."),
    "person_not_identified": gettext_lazy(
        "This person is not identified: identifier, date of birth and nationality are needed."
    ),
    "held_in_unknown": gettext_lazy("The company in which this share is held is not named, or two have its name."),
    "ownership_loop": gettext_lazy("This company owns a part of itself over others; that part counts for nobody."),
    "shares_over_whole": gettext_lazy("The shares come to more than the whole."),
    "owner_may_be_missing": gettext_lazy(
        "An owner who must be identified may be missing: too much of the whole is not named."
    ),
    "rest_below_threshold": gettext_lazy("A part of the whole is not named; nobody in it can reach the threshold."),
    "person_missing": gettext_lazy("Nobody is named in this part."),
    "nobody_in_control": gettext_lazy(
        "No owner reaches the threshold, so somebody who manages must be identified; nobody is."
    ),
    "wrong_length": gettext_lazy("This number has too few or too many characters."),
    "wrong_characters": gettext_lazy("This number has characters that such a number cannot have."),
    "wrong_check_digit": gettext_lazy("The check digit does not fit: one character is mistyped, or two are swapped."),
    "unknown_region": gettext_lazy("No region or office has the code in this number, or had it at the time."),
    "impossible_date": gettext_lazy("The date of birth in this number is no date."),
    "birth_date_differs": gettext_lazy("The date of birth in this number is not the one that was given."),
    "not_yet_issued": gettext_lazy("The date of birth in this number lies in the future."),
    "expired": gettext_lazy("This document has expired."),
    "kind_unknown": gettext_lazy("This kind of identifier cannot be checked."),
}

SUBJECT_WORDS = {
    "client": gettext_lazy("The client"),
    "owners": gettext_lazy("Owners"),
    "owner": gettext_lazy("Owner"),
    "holding": gettext_lazy("Company in between"),
    "director": gettext_lazy("Director"),
    "signatory": gettext_lazy("Signatory"),
    "attorney": gettext_lazy("Attorney"),
    "legal_representative": gettext_lazy("Legal representative"),
    "document:identity": gettext_lazy("Identity document"),
    "document:incorporation": gettext_lazy("Certificate of incorporation"),
    "document:ownership": gettext_lazy("Proof of ownership"),
    "document:address_proof": gettext_lazy("Proof of address"),
    "document:board_resolution": gettext_lazy("Board resolution"),
}

SEGMENT_WORDS = {
    "institution": gettext_lazy("Institution"),
    "professional": gettext_lazy("Professional"),
    "retail": gettext_lazy("Retail"),
}

OFFER_WORDS = {
    "offered": gettext_lazy("Offered"),
    "offered_with_warning": gettext_lazy("Offered after a warning"),
    "not_offered": gettext_lazy("Not offered"),
}

VERDICT_WORDS = {
    "": gettext_lazy("May be offered"),
    "not_assessed": gettext_lazy("The risk questionnaire has not been answered."),
    "assessment_expired": gettext_lazy("The answers to the risk questionnaire have expired."),
    "knowledge_not_shown": gettext_lazy("How a margin loan works was not known well enough."),
    "not_suitable": gettext_lazy("It carries more risk than the answers say can be borne."),
    "warning_not_acknowledged": gettext_lazy("Its warning was not acknowledged yet."),
    "entry_unproved": gettext_lazy("The market's entry conditions are not proved, or the proof is too old."),
    "entry_defaulted": gettext_lazy("A material default is on record."),
    "entry_affiliated": gettext_lazy("The client is a shareholder of the lender or related to it."),
    "entry_too_new": gettext_lazy("The client has not traded long enough for this market."),
    "entry_too_small": gettext_lazy("The client's securities were worth too little on average for this market."),
    "place_unknown": gettext_lazy("No entry conditions are on record for this market."),
}

TOPIC_WORDS = {
    "finances": gettext_lazy("Finances"),
    "experience": gettext_lazy("Experience"),
    "horizon": gettext_lazy("Horizon"),
    "loss": gettext_lazy("Losses"),
    "knowledge": gettext_lazy("Knowledge"),
}

ANSWER_WORDS = {
    "missing": gettext_lazy("Choose an answer."),
    "unknown_option": gettext_lazy("Choose one of these answers."),
}


class InBoth(Protocol):
    """A text that is kept in both languages."""

    @property
    def en(self) -> str: ...
    @property
    def zh(self) -> str: ...


@register.filter
def spoken(text: InBoth) -> str:
    """A published text in the reader's language."""
    return text.zh if (get_language() or "").startswith("zh") else text.en


@register.filter
def rating_word(rating: object) -> str:
    """A rating in words; none means that a person must say it."""
    return str(RATING_WORDS.get(str(rating or ""), rating))


@register.filter
def rating_tone(rating: object) -> str:
    """The class of a rating's label."""
    return {"": "state-selling", "high": "state-open", "prohibited": "state-expired"}.get(str(rating or ""), "")


@register.filter
def cause_word(cause: object) -> str:
    """Why a client was looked at."""
    return str(CAUSE_WORDS.get(str(cause), cause))


@register.filter
def factor_word(name: object) -> str:
    """A factor or a column of a table in words."""
    return str(FACTOR_WORDS.get(str(name), name))


@register.filter
def problem_word(code: object) -> str:
    """What is wrong, in a sentence."""
    return str(PROBLEM_WORDS.get(str(code), code))


@register.filter
def problem_subject(subject: str) -> str:
    """Of what it is wrong: `owner:2` is the second owner."""
    if subject in SUBJECT_WORDS:
        return str(SUBJECT_WORDS[subject])
    kind, _, number = subject.partition(":")
    return f"{SUBJECT_WORDS.get(kind, kind)} {number}".strip()


@register.filter
def segment_word(segment: object) -> str:
    """A segment in words."""
    return str(SEGMENT_WORDS.get(str(segment), segment))


@register.filter
def offer_word(offer: object) -> str:
    """A cell of the table of offers in words."""
    return str(OFFER_WORDS.get(str(offer), offer))


@register.filter
def verdict_word(code: object) -> str:
    """Why a scheme may or may not be offered."""
    return str(VERDICT_WORDS.get(str(code), code))


@register.filter
def topic_word(topic: object) -> str:
    """What a question is about."""
    return str(TOPIC_WORDS.get(str(topic), topic))


@register.filter
def answer_word(code: object) -> str:
    """What is wrong with an answer."""
    return str(ANSWER_WORDS.get(str(code), code))


TABLE_WORDS = {
    "rating of clients": gettext_lazy("Points by factor"),
    "rating by points": gettext_lazy("Rating by points"),
    "risk tolerance": gettext_lazy("Class by points"),
    "risk class of a scheme": gettext_lazy("Risk class of a scheme"),
    "table of offers": gettext_lazy("What may be offered"),
    "segment": gettext_lazy("Highest segment by facts"),
    "margin entry": gettext_lazy("Entry conditions"),
    "house haircuts": gettext_lazy("The house's haircuts (bp)"),
    "valuation of suspended names": gettext_lazy("How much the last price of a suspended name is cut (bp)"),
}


@register.filter
def table_word(name: str) -> str:
    """The name of a decision table in words, where it is one that comes with the program."""
    return str(TABLE_WORDS.get(name, name))


@register.filter
def outcome_word(value: object) -> str:
    """An outcome of a decision table: words for those that have some."""
    key = str(value)
    words = OFFER_WORDS.get(key) or SEGMENT_WORDS.get(key) or RATING_WORDS.get(key)
    return str(words) if words and key else key


@register.filter
def said(outcome: Mapping[str, object]) -> str:
    """The reason among the outcomes of a row, in the reader's language."""
    return str(outcome["zh" if (get_language() or "").startswith("zh") else "en"])


class Found(Protocol):
    """A problem with what it is about."""

    @property
    def code(self) -> str: ...
    @property
    def detail(self) -> str: ...


@register.filter
def problem_detail(problem: Found) -> str:
    """What is to be said beside a problem: shares as percentages, days and kinds as they are."""
    is_share = problem.code in {"shares_over_whole", "owner_may_be_missing", "rest_below_threshold"}
    if is_share and problem.detail.isdigit():
        return percent_text(int(problem.detail))
    return problem.detail or "–"
