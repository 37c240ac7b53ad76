"""Long work: asked for, followed, its rows fetched."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from reefpoint.decisions.credit.services.previews import POLICY_PREVIEW
from reefpoint.decisions.pricing.services.what_ifs import BOOK_WHAT_IF
from reefpoint.platform.runs.rules import csv_lines
from reefpoint.platform.runs.selectors import find_runs, get_run
from reefpoint.platform.runs.services import ask_run, get_kind
from reefpoint.platform.runs.types import RunState, RunView
from reefpoint.surfaces.api.base import Caller, Id, In, Limit, Listed, Offset, answers, now, router, today

runs = router("runs")


class ContentIn(In):
    """The content of a publication as it would be published: of a credit policy, of a price grid."""

    content: Annotated[dict[str, Any], Field(max_length=100)]


class RunOut(Schema):
    """A run: how far it is; once it is done, its figures. The rows are fetched as CSV."""

    id: int
    kind: str
    state: str
    done: int
    of: int
    on: date
    asked_at: datetime
    asked_by_name: str
    finished_at: datetime | None
    kept_until: date
    summary: dict[str, Any]
    rows_count: int
    problem: str
    problem_code: str


def _out(found: RunView) -> RunOut:
    return RunOut.model_validate(found, from_attributes=True)


@runs.get("", response=answers(Listed[RunOut]))
def list_runs(
    request: Caller, state: Annotated[RunState | None, Query()] = None, offset: Offset = 0, limit: Limit = 50
) -> Listed[RunOut]:
    """Runs, the newest first."""
    found = find_runs(request.auth, state=state.value if state else "", offset=offset, limit=limit)
    return Listed(count=found.count, items=[_out(one) for one in found.rows])


@runs.post("/policy-previews", response=answers(RunOut, 202))
def preview_policy(request: Caller, asked: ContentIn) -> Status[RunOut]:
    """What another credit policy would have made of past decisions. A small one is done in the answer."""
    return _ask(request, POLICY_PREVIEW.name, asked)


@runs.post("/book-what-ifs", response=answers(RunOut, 202))
def try_grid(request: Caller, asked: ContentIn) -> Status[RunOut]:
    """What another price grid would do to the book. A small one is done in the answer."""
    return _ask(request, BOOK_WHAT_IF.name, asked)


def _ask(request: Caller, kind: str, asked: ContentIn) -> Status[RunOut]:
    run_id = ask_run(actor=request.auth, kind=kind, inputs={"content": asked.content}, on=today(), at=now())
    return Status(202, _out(get_run(request.auth, run_id)))


@runs.get("/{run_id}", response=answers(RunOut))
def read_run(request: Caller, run_id: Id) -> RunOut:
    """How far a run is, and what came of it."""
    return _out(get_run(request.auth, run_id))


@runs.get("/{run_id}/rows", response=answers(str))
def fetch_run_rows(request: Caller, run_id: Id) -> HttpResponse:
    """The rows of a run as CSV."""
    found = get_run(request.auth, run_id)
    lines = csv_lines(get_kind(found.kind).columns, found.rows)
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="run-{run_id}.csv"'
    return response
