"""What keeps a template or disclosures from being whole, in the reader's language."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from reefpoint.records.contracts.rules.templates import CLAUSE_LIST, RENEWAL_CLAUSE_LIST
from reefpoint.records.contracts.types import TemplateProblem

_NAMES = {rule.id: (rule.name, rule.name_zh) for rule in (*RENEWAL_CLAUSE_LIST, *CLAUSE_LIST)}


def clause_name(name: str) -> str:
    """A clause of the list by its name in the reader's language; any other by its id."""
    english, chinese = _NAMES.get(name, (name, name))
    return chinese if (get_language() or "").startswith("zh") else english


_SENTENCES = {
    "missing": _("%(clause)s is missing."),
    "doubled": _("%(clause)s stands there more than once."),
    "empty notice": _("The notice has no words in %(language)s."),
    "empty title": _("The title has no words in %(language)s."),
    "empty text": _("%(clause)s has no text in %(language)s."),
    "empty heading": _("%(clause)s has no heading in %(language)s."),
    "unknown_field": _("%(clause)s uses %(field)s, which does not exist."),
    "languages_differ": _("%(clause)s states %(field)s in %(language)s alone."),
    "silent": _("%(clause)s must state %(field)s."),
    "jurisdiction": _("This is a template for another jurisdiction."),
    "unsafe": _("%(clause)s holds characters that cannot be seen."),
}


def problem_words(problem: TemplateProblem) -> str:
    """One problem as a sentence."""
    field = "heading" if problem.field == "title" and problem.clause else problem.field
    sentence = _SENTENCES.get(f"empty {field}" if problem.code == "empty" else problem.code)
    if sentence is None:
        return problem.message
    return str(sentence) % {
        "clause": clause_name(problem.clause),
        "field": f"{{{problem.field}}}",
        "language": _now("Chinese") if problem.language == "zh" else _now("English"),
    }
