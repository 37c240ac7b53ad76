"""Words of leads, imports and applications for the console's templates."""

from collections.abc import Mapping

from django import template

from reefpoint.platform.imports.types import RowProblem
from reefpoint.surfaces.console import origination_words as words
from reefpoint.surfaces.web.application_words import OPTION_WORDS, SECTION_WORDS

register = template.Library()

TABLES: Mapping[str, Mapping[str, words.Words]] = {
    "channel": words.CHANNEL_WORDS,
    "import": words.KIND_NAMES,
    "lead": words.LEAD_ACTIONS,
    "step": words.STEP_WORDS,
    "reason": words.REASON_WORDS,
    "blocker": words.BLOCKER_WORDS,
    "finding": words.FINDING_WORDS,
    "document": words.DOCUMENT_NAMES,
    "column": words.COLUMN_HELP,
    "option": OPTION_WORDS,
    "section": {section.value: title for section, (title, _help) in SECTION_WORDS.items()},
}


@register.filter
def word(code: str, table: str) -> words.Words:
    """What a code of one table says to a reader; a code without words, itself."""
    return TABLES[table].get(str(code), str(code))


@register.filter
def why_bad(problem: RowProblem) -> str:
    """Why a row was not taken."""
    return words.row_problem_words(problem)
