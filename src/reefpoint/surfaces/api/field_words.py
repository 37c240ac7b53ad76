"""What is wrong with one field of a call, in the caller's language; the code beside it stays the checker's own."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

_WHOLE, _NUMBER, _TEXT, _FLAG = _("Not a whole number."), _("Not a number."), _("Not a text."), _("Not true or false.")
_DAY, _INSTANT = _("Not a date: year, month, day."), _("Not an instant with its offset from UTC.")

FIELD_WORDS: Mapping[str, Promise] = {
    "missing": _("This field is missing."),
    "extra_forbidden": _("There is no such field."),
    "string_too_short": _("Needs at least {min_length} characters."),
    "string_too_long": _("Has more than {max_length} characters."),
    "string_pattern_mismatch": _("Does not have the form that is asked."),
    "too_short": _("Needs at least {min_length} items."),
    "too_long": _("Has more than {max_length} items."),
    "greater_than": _("Must be above {gt}."),
    "greater_than_equal": _("Must be {ge} or more."),
    "less_than": _("Must be below {lt}."),
    "less_than_equal": _("Must be {le} or less."),
    "literal_error": _("Must be one of: {expected}."),
    "enum": _("Must be one of: {expected}."),
    "unsafe_text": _("Holds a character that may not come in: {kind}."),
    "json_invalid": _("Not JSON that can be read."),
    "list_type": _("Not a list."),
    "dict_type": _("Not a map."),
    "model_type": _("Not a map."),
    "model_attributes_type": _("Not a map."),
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "timezone_aware": _INSTANT,
}
"""By the code of the check that failed; figures are those the check names."""


def field_words(code: str, figures: Mapping[str, Any]) -> str:
    """The sentence of a failed check. One that is not known here is told by its code alone."""
    words = FIELD_WORDS.get(code)
    return gettext("This cannot stand here.") if words is None else str(words).format_map(figures)
