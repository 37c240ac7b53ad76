"""Rows that hold what somebody typed into a field of search."""

from functools import reduce
from operator import or_

from django.db.models import Q


def searched(text: str) -> str:
    """What was typed, as it is looked for: no spaces around, and no NUL, which the database does not take."""
    return text.replace("\x00", "").strip()


def holding(text: str, *fields: str) -> Q:
    """That one of these fields holds the text, in whatever case; every row where nothing was typed."""
    wanted = searched(text)
    return reduce(or_, (Q(**{f"{field}__icontains": wanted}) for field in fields)) if wanted else Q()
