"""Writing an application: sections and documents, by the client on the portal or by staff who help."""

import json
from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.origination.models import Application, SectionDraft
from reefpoint.flows.origination.rules.answers import check_section, clean_section
from reefpoint.flows.origination.rules.applications import EDITABLE
from reefpoint.flows.origination.selectors.applications import section_context
from reefpoint.flows.origination.services.steps import lock_own
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.questions import FieldProblem, Plain, Section, SectionData
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.vault.services import seal
from reefpoint.records.parties.services import add_document
from reefpoint.records.parties.types import ClientKind, DocumentKind


class SectionMalformed(Refusal):
    """Answers that are none; `problems` says which and why. Nothing was saved."""

    code = "section_malformed"

    def __init__(self, problems: list[FieldProblem]) -> None:
        names = [problem.field for problem in problems[:5]]
        super().__init__("This was not saved. Look at: {names}.", names=names, problems=problems)
        self.problems = tuple(problems)


class NotEditable(Refusal):
    """An application that was handed in, or is over."""

    code = "application_not_editable"


@transaction.atomic
def save_section(
    *, actor: Actor, application_id: int, section: Section, data: Mapping[str, Plain], at: datetime
) -> list[FieldProblem]:
    """Keep a section's answers, sealed, as far as they are. Returns what is still missing or wrong.

    A missing answer can wait; an answer that is none is refused (`SectionMalformed`) and nothing is kept.
    """
    row = lock_own(actor, application_id)
    require_editable(row)
    kind = ClientKind(row.kind)
    kept = clean_section(section, data, kind)
    if wrong := check_section(section, {**data, **kept}, kind, is_final=False):
        raise SectionMalformed(wrong)
    keep_section(actor, row, section, kept, at)
    return check_section(section, kept, kind)


def keep_section(actor: Actor, row: Application, section: Section, kept: SectionData, at: datetime) -> None:
    plain = json.dumps(kept, ensure_ascii=False, sort_keys=True).encode()
    sealed = seal(plain, context=section_context(row.pk, section.value))
    SectionDraft.objects.update_or_create(
        application=row,
        section=section.value,
        defaults={"key_id": sealed.key_id, "blob": sealed.blob, "saved_at": at, "saved_by": actor.ref},
    )


@transaction.atomic
def attach_document(
    *,
    actor: Actor,
    application_id: int,
    kind: DocumentKind,
    file_name: str,
    content: bytes,
    expires_on: date | None = None,
    at: datetime,
) -> int:
    """Add a document to an application that is being written. Returns the document's id. Raises as `add_document`."""
    row = lock_own(actor, application_id)
    require_editable(row)
    return add_document(
        actor=actor,
        client_id=row.client_id,
        kind=kind,
        file_name=file_name,
        content=content,
        expires_on=expires_on,
        at=at,
    )


def require_editable(row: Application) -> None:
    if ApplicationState(row.state) not in EDITABLE:
        raise NotEditable("This application was handed in. Wait until the desk asks for something.", state=row.state)
