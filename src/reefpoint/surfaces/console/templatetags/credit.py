"""Words for credit decisions and prices."""

import re
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy

from reefpoint.decisions.credit.rules.conditions import condition_words
from reefpoint.decisions.credit.types import Condition, ConditionKind, ConditionMoment, LimitTerm, Words
from reefpoint.decisions.pricing.types import RatePart
from reefpoint.platform.basics.tables.table import DecisionTable
from reefpoint.surfaces.console.templatetags.collateral import BOARD_WORDS, KIND_WORDS
from reefpoint.surfaces.web.templatetags.figures import money, percent

register = template.Library()

TABLE_TITLES = {
    "checks": gettext_lazy("Checks"),
    "shares": gettext_lazy("Shares of collateral and assets"),
    "caps": gettext_lazy("Caps"),
    "conditions": gettext_lazy("Conditions of an approval"),
    "authority": gettext_lazy("Limits of authority"),
    "grid": gettext_lazy("Price grid"),
    "scorecard": gettext_lazy("Rating of clients"),
    "bands": gettext_lazy("Rating by points"),
    "classes": gettext_lazy("Risk class of a scheme"),
    "offers": gettext_lazy("Table of offers"),
    "haircuts": gettext_lazy("House haircuts"),
    "suspension": gettext_lazy("Valuation of suspended names"),
    "figures": gettext_lazy("Notice, caps and other figures"),
}
SHARE_WORDS = {
    "collateral_bp": gettext_lazy("Of the lending value"),
    "liquid_bp": gettext_lazy("Of the liquid assets"),
}
NO_CONDITION = gettext_lazy("no condition")
POLICY_WORDS = {
    "unique": gettext_lazy("one row answers"),
    "collect_sum": gettext_lazy("one row of each group answers; points are added up"),
    "collect_min": gettext_lazy("one row of each group answers; the least counts"),
    "collect": gettext_lazy("one row of each group answers; all are listed"),
    "priority": gettext_lazy("one row of each group answers; the gravest counts"),
}
LAW_EVIDENCE = {
    "text_seen": gettext_lazy("the text was read"),
    "secondary": gettext_lazy("as cited by others; the text was not read"),
    "recall": gettext_lazy("not yet checked against the text"),
    "derived": gettext_lazy("set by the house; no law is on record"),
}
"""How sure a bound is that a law sets, by `LegalCap.evidence`."""
FACT_WORDS = {
    "client": gettext_lazy("Client"),
    "client_status": gettext_lazy("Client's state"),
    "licence": gettext_lazy("Licence"),
    "is_licensed": gettext_lazy("Desk is licensed"),
    "file": gettext_lazy("Client's file"),
    "rating": gettext_lazy("Rating"),
    "kyc_rating": gettext_lazy("Rating of the client"),
    "suitability": gettext_lazy("Suitability"),
    "grade": gettext_lazy("Grade"),
    "segment": gettext_lazy("Segment"),
    "tier": gettext_lazy("Tier of the scheme"),
    "experience": gettext_lazy("Experience"),
    "trading_years": gettext_lazy("Years of trading"),
    "concentration": gettext_lazy("Concentration"),
    "concentration_bp": gettext_lazy("Largest name, bp"),
    "volatility": gettext_lazy("Volatility"),
    "volatility_bp": gettext_lazy("Volatility, bp a year"),
    "tenor": gettext_lazy("Tenor"),
    "tenor_days": gettext_lazy("Tenor, days"),
    "limit_units": gettext_lazy("Limit, units"),
    "finding": gettext_lazy("Finding"),
    "by": gettext_lazy("Reasons from"),
    "collateral_bp": gettext_lazy("Of lending value, bp"),
    "liquid_bp": gettext_lazy("Of liquid assets, bp"),
    "cap_units": gettext_lazy("Cap, units"),
    "figure": gettext_lazy("Figure"),
    "moment": gettext_lazy("When it binds"),
    "none": gettext_lazy("nothing"),
    "name_share_most": gettext_lazy("one name at most, bp"),
    "names_least": gettext_lazy("names at least"),
    "ratio_least": gettext_lazy("ratio at least, bp"),
    "review_after": gettext_lazy("review within months"),
    "first_drawdown": gettext_lazy("before the first drawdown"),
    "drawdown": gettext_lazy("at each drawdown and renewal"),
    "always": gettext_lazy("at each drawdown, renewal, withdrawal and purchase"),
    "level": gettext_lazy("Who approves"),
    "bp": gettext_lazy("Basis points"),
    "en": gettext_lazy("English"),
    "zh": gettext_lazy("Chinese"),
    "review": gettext_lazy("Review"),
    "barred": gettext_lazy("barred"),
    "decline": gettext_lazy("decline"),
    "refer": gettext_lazy("to a person"),
    "pass": gettext_lazy("passes"),
    "row": gettext_lazy("this row"),
    "score": gettext_lazy("the score"),
    "true": gettext_lazy("yes"),
    "false": gettext_lazy("no"),
    "officer": gettext_lazy("a credit officer"),
    "senior": gettext_lazy("a risk officer"),
    "nobody": gettext_lazy("nobody"),
    "fixed": gettext_lazy("fixed"),
    "reset": gettext_lazy("set anew on dates"),
    "floating": gettext_lazy("floating"),
    "institution": gettext_lazy("institution"),
    "professional": gettext_lazy("professional"),
    "retail": gettext_lazy("retail"),
    "complete": gettext_lazy("complete"),
    "in_review": gettext_lazy("in review"),
    "closed": gettext_lazy("closed"),
    "suitable": gettext_lazy("suitable"),
    "unsuitable": gettext_lazy("unsuitable"),
    "active": gettext_lazy("active"),
    "low": gettext_lazy("low"),
    "standard": gettext_lazy("standard"),
    "high": gettext_lazy("high"),
    "prohibited": gettext_lazy("prohibited"),
    "kind": gettext_lazy("Kind"),
    "board": pgettext_lazy("listing", "Board"),
    "has_risk_warning": gettext_lazy("Risk warning"),
    "is_suspended": gettext_lazy("Suspended"),
    "daily_turnover": gettext_lazy("Average daily turnover"),
    "haircut_bp": gettext_lazy("Haircut, bp"),
    "sessions": gettext_lazy("Sessions suspended"),
    "cut_bp": gettext_lazy("Cut, bp"),
    **KIND_WORDS,
    **BOARD_WORDS,
}
OUTCOME_WORDS = {
    "approve": gettext_lazy("Approve"),
    "refer": gettext_lazy("To a person"),
    "decline": gettext_lazy("Decline"),
}
OUTCOME_TONES = {"approve": "state-cured", "refer": "state-pending", "decline": "state-refused"}
STATE_WORDS = {
    "open": gettext_lazy("Waits for a proposal"),
    "proposed": gettext_lazy("Waits for a second person"),
    "approved": gettext_lazy("Approved"),
    "declined": gettext_lazy("Declined"),
    "asked": gettext_lazy("Asked for"),
    "granted": gettext_lazy("Granted"),
    "refused": gettext_lazy("Refused"),
    "notified": gettext_lazy("Client told"),
    "applied": gettext_lazy("In force"),
    "cancelled": gettext_lazy("Taken back"),
}
TERM_WORDS = {
    "asked": gettext_lazy("Asked for"),
    "scheme": gettext_lazy("The scheme's limit"),
    "collateral": gettext_lazy("Share of the collateral's lending value"),
    "liquid_assets": gettext_lazy("Share of the declared liquid assets"),
    "cap": gettext_lazy("Cap by grade, segment and tier"),
    "group": gettext_lazy("Room under the group's limit"),
}


RUN_WORDS = {
    "credit.preview": gettext_lazy("A policy on past applications"),
    "pricing.what_if": gettext_lazy("A price grid on the book"),
    "stress.scenarios": gettext_lazy("Stress of the book"),
    "stress.reverse": gettext_lazy("Reverse stress"),
    "stress.sensitivities": gettext_lazy("Sensitivities"),
    "stress.gap": gettext_lazy("Gap loss"),
}


MOVE_WORDS = {
    "all": gettext_lazy("All accounts"),
    "everything": gettext_lazy("All prices"),
    "market": gettext_lazy("The market"),
    "currency": gettext_lazy("Currency"),
    "sector": gettext_lazy("Sector"),
    "name": gettext_lazy("Name"),
    "scheme": gettext_lazy("Scheme"),
    "pool": gettext_lazy("Pool"),
    "account": gettext_lazy("Account"),
}


@register.filter
def law_evidence(key: str) -> str:
    """How sure the source of a legal bound is, in words; what an operator wrote there, as it is."""
    return str(LAW_EVIDENCE.get(key, key))


@register.filter
def move_word(kind: object) -> str:
    """What moves in a sensitivity, or whose loss it is."""
    return str(MOVE_WORDS.get(str(kind), kind))


SCENARIO_WORDS = {
    "today": gettext_lazy("today"),
    "the market by beta": gettext_lazy("the market by beta"),
    "1990 Gulf": gettext_lazy("1990 Gulf"),
    "1998 Russia and LTCM": gettext_lazy("1998 Russia and LTCM"),
    "2000-2002 dot-com": gettext_lazy("2000-2002 dot-com"),
    "2001 September": gettext_lazy("2001 September"),
    "2008 Lehman": gettext_lazy("2008 Lehman"),
    "2011 downgrade": gettext_lazy("2011 downgrade"),
    "2018 fourth quarter": gettext_lazy("2018 fourth quarter"),
    "2020 pandemic": gettext_lazy("2020 pandemic"),
    "2020 one day": gettext_lazy("2020 one day"),
    "2022 rates": gettext_lazy("2022 rates"),
}
SCENARIO_FORMS = (
    (re.compile(r"all (?P<move>[+-][0-9.]+%)"), gettext_lazy("all %(move)s")),
    (re.compile(r"market (?P<move>[+-][0-9.]+%) by beta"), gettext_lazy("market %(move)s by beta")),
    (re.compile(r"(?P<name>\S+) alone (?P<move>[+-][0-9.]+%)"), gettext_lazy("%(name)s alone %(move)s")),
)


@register.filter
def scenario_word(name: str) -> str:
    """The name of a scenario of the desk's; a person's own stays as it was written."""
    for form, words in SCENARIO_FORMS:
        if found := form.fullmatch(name):
            return str(words) % found.groupdict()
    return str(SCENARIO_WORDS.get(name, name))


@register.filter
def run_word(kind: object) -> str:
    """What a run works out."""
    return str(RUN_WORDS.get(str(kind), kind))


@register.filter
def table_title(key: str) -> str:
    return str(TABLE_TITLES.get(key, key))


@register.filter
def policy_word(policy: object) -> str:
    """What a hit policy does."""
    return str(POLICY_WORDS.get(str(policy), policy))


@register.filter
def fact_word(name: object) -> str:
    """An input, an outcome or one of their values, in words."""
    return str(FACT_WORDS.get(str(name), name))


@register.filter
def fact_value(value: object, name: str) -> str:
    """A fact as people read it; a dash for what is not known."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return fact_word(str(value).lower())
    if name.endswith("_bp") and isinstance(value, int):
        return percent(value)
    return fact_word(value)


@register.filter
def outcome_said(outcome: Mapping[str, Any]) -> str:
    """What a row of the policy gives: a condition as its sentence, shares as percentages, the rest by name."""
    if "kind" in outcome:
        if outcome["kind"] == "none":
            return str(NO_CONDITION)
        kind, moment = ConditionKind(outcome["kind"]), ConditionMoment(outcome["moment"])
        return said(condition_words(Condition("", kind, int(outcome["figure"]), moment)))
    return " · ".join(
        f"{SHARE_WORDS.get(name) or fact_word(name)} {fact_value(value, name)}" for name, value in outcome.items()
    )


@register.filter
def cell_value(value: object, name: str) -> str:
    """An outcome as the table shows it: numbers as they are."""
    return fact_value(value, "" if isinstance(value, int) else name)


@register.filter
def is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@register.filter
def has_words(table: DecisionTable) -> bool:
    return any(column.name == "en" for column in table.outputs)


@register.filter
def said(words: Words | RatePart | Mapping[str, object]) -> str:
    """A sentence in the reader's language."""
    is_chinese = (get_language() or "").startswith("zh")
    if isinstance(words, Mapping):
        return str(words["zh" if is_chinese else "en"])
    if isinstance(words, RatePart):
        return words.words_zh if is_chinese else words.words
    return words.zh if is_chinese else words.en


@register.filter
def outcome_of(outcome: object) -> str:
    return str(OUTCOME_WORDS.get(str(outcome), outcome))


@register.filter
def outcome_tone(outcome: object) -> str:
    return OUTCOME_TONES.get(str(outcome), "")


@register.filter
def stage_word(state: object) -> str:
    return str(STATE_WORDS.get(str(state), state))


@register.filter
def stage_tone(state: object) -> str:
    good, bad = {"approved", "granted", "applied"}, {"declined", "refused", "cancelled"}
    return "state-cured" if str(state) in good else "state-refused" if str(state) in bad else "state-pending"


@register.filter
def term_word(term: LimitTerm) -> str:
    return str(TERM_WORDS.get(term.code, term.code))


@register.filter
def term_sum(term: LimitTerm) -> str:
    """How a term comes about: `= 600,000.00 x 90.00%`."""
    if term.share_bp is None or term.base_minor is None:
        return ""
    return f"= {money(term.base_minor)} × {percent(term.share_bp)}"


@register.filter
def bp_signed(bp: int) -> str:
    """Basis points as a part of a rate: +0.40%."""
    return f"{'+' if bp >= 0 else '−'}{abs(bp) / 100:.2f}%"


@register.filter
def split_words(text: str) -> list[str]:
    return text.split()


@register.filter
def get_value(given: Mapping[str, str], name: str) -> str:
    """What a form had in a field."""
    return given.get(name, "")
