"""Files of many rows: handed in, followed, their bad rows fetched."""

from typing import Annotated

from django.http import HttpResponse
from ninja import File, Form, Status
from ninja.files import UploadedFile
from pydantic import Field

from reefpoint.platform.imports.selectors import get_import
from reefpoint.platform.imports.selectors import list_imports as read_imports
from reefpoint.platform.imports.services import receive_file, stream_bad_rows
from reefpoint.platform.imports.types import ImportView
from reefpoint.surfaces.api.base import Caller, Id, Limit, Made, answers, now, router, today
from reefpoint.surfaces.web.streams import csv_answer

imports = router("imports")


@imports.get("", response=answers(list[ImportView]))
def list_imports(request: Caller, limit: Limit = 50) -> list[ImportView]:
    """Imports, the newest first."""
    return read_imports(request.auth, limit=limit)


@imports.post("", response=answers(Made, 202))
def hand_in(
    request: Caller, kind: Form[Annotated[str, Field(max_length=40)]], file: File[UploadedFile]
) -> Status[Made]:
    """Hand a CSV file in: its good rows are taken by a job, its bad ones go into a file with reasons."""
    made, _is_known = receive_file(
        actor=request.auth, kind=kind, file_name=file.name or "", pieces=file.chunks(), on=today(), at=now()
    )
    return Status(202, Made(id=made))


@imports.get("/{import_id}", response=answers(ImportView))
def read_import(request: Caller, import_id: Id) -> ImportView:
    """How far an import is, and what came of it."""
    return get_import(request.auth, import_id)


@imports.get("/{import_id}/bad-rows", response=answers(str))
def fetch_bad_rows(request: Caller, import_id: Id) -> HttpResponse:
    """The rows that were not taken, as CSV with their line and the codes of what was wrong."""
    lines = stream_bad_rows(
        request.auth, import_id, at=now(), words=lambda problem: f"{problem.column}:{problem.code}".strip(":")
    )
    return csv_answer(lines, f"import-{import_id}-bad-rows.csv")
