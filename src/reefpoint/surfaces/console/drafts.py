"""The last step of every editor of what is published: a reason and a first day, a draft, and a second person asked."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from reefpoint.decisions.margin.services.collateral import StepTooFar
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.tables.table import MalformedTable
from reefpoint.platform.publications.services import NotPublishable, draft_and_ask
from reefpoint.platform.publications.types import PublicationKind
from reefpoint.records.contracts.selectors import TemplateRefused
from reefpoint.surfaces.web.sentences import said

REASON_CHARACTERS_MAX = 500

Ask = Callable[..., int]
"""Drafts and asks: `actor`, `kind`, `content`, `effective_from`, `reason`, `at`. The answer is the approval's id."""


def ask_second_person(
    request: HttpRequest,
    actor: Actor,
    kind: PublicationKind,
    content: Mapping[str, Any] | None,
    at: datetime,
    errors: dict[str, str],
    ask: Ask = draft_and_ask,
) -> int | None:
    """Draft `content` (None: it could not be read, and `errors` says why) and ask for its publication.

    The answer is the approval's id, or None with `errors` by field.
    """
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:REASON_CHARACTERS_MAX]
    if not reason:
        errors["reason"] = _("Say what changes and why: the second person reads it.")
    try:
        effective_from = date.fromisoformat(request.POST.get("effective_from", ""))
    except ValueError:
        errors["effective_from"] = _("Say from which day it is in force.")
    if errors or content is None:
        return None
    try:
        return ask(actor=actor, kind=kind, content=content, effective_from=effective_from, reason=reason, at=at)
    except NotPublishable as refusal:
        errors["effective_from"] = said(refusal)
    except StepTooFar as refusal:
        errors["reason"] = said(refusal)
    except (MalformedTable, TemplateRefused) as refusal:
        errors["content"] = _("It was not accepted: %(problem)s") % {"problem": said(refusal)}
    return None
