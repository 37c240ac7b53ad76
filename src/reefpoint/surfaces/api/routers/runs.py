"""Long work: asked for, followed, its rows fetched."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Schema, Status
from pydantic import Field

from reefpoint.decisions.credit.services.previews import POLICY_PREVIEW
from reefpoint.decisions.pricing.services.what_ifs import BOOK_WHAT_IF
from reefpoint.insight.collateral.services import GAP
from reefpoint.insight.stress.services import REVERSE, SENSITIVITIES, STRESS
from reefpoint.platform.runs.rules import csv_lines
from reefpoint.platform.runs.selectors import find_runs, get_run
from reefpoint.platform.runs.services import ask_run, get_kind
from reefpoint.platform.runs.types import RunState, RunView
from reefpoint.surfaces.api.base import Caller, Id, In, Limit, Listed, Offset, answers, now, router, today
from reefpoint.surfaces.web.streams import csv_answer

runs = router("runs")


class ContentIn(In):
    """The content of a publication as it would be published: of a credit policy, of a price grid."""

    content: Annotated[dict[str, Any], Field(max_length=100)]


Currency = Annotated[str | None, Field(pattern="^[A-Z]{3}$")]
FallBp = Annotated[int, Field(gt=0, lt=10_000)]


class ReportingIn(In):
    """The currency that sums are told in; without one that of all accounts, or the base of the rates."""

    currency: Currency = None


class ShockIn(In):
    """A shock of a scenario: of a symbol, a sector, all (*) or a currency's worth (fx:HKD), in percent."""

    scenario: Annotated[str, Field(min_length=1, max_length=80)]
    target: Annotated[str, Field(min_length=1, max_length=80)]
    shock_pct: Annotated[str, Field(min_length=1, max_length=20)]


class StressIn(ReportingIn):
    """Which scenarios: falls of all prices, of the market, of each currency, of the past, of the largest names, own."""

    falls_bp: Annotated[tuple[FallBp, ...], Field(max_length=50)] = ()
    market_falls_bp: Annotated[tuple[FallBp, ...], Field(max_length=50)] = ()
    currency_falls_bp: Annotated[tuple[FallBp, ...], Field(max_length=50)] = ()
    with_history: bool = False
    with_gaps: bool = False
    rows: Annotated[tuple[ShockIn, ...], Field(max_length=1_000)] = ()


class ReverseIn(ReportingIn):
    """The limit of the loss in minor units, and what falls instead of all prices.

    A symbol, a sector, a currency of the book (HKD or fx:HKD), or `market`: each name by its beta.
    """

    limit_minor: Annotated[int, Field(ge=0, le=10**15)]
    falling: Annotated[str | None, Field(min_length=1, max_length=80)] = None


class GapIn(ReportingIn):
    """How the forced sale is simulated."""

    paths: Annotated[int, Field(ge=1_000, le=100_000)] = 2_000
    days: Annotated[int, Field(ge=1, le=60)] = 8
    grace_days: Annotated[int, Field(ge=0, le=59)] = 2
    seed: Annotated[int, Field(ge=0, le=2**31)] = 1


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
    return _ask(request, POLICY_PREVIEW.name, {"content": asked.content})


@runs.post("/book-what-ifs", response=answers(RunOut, 202))
def try_grid(request: Caller, asked: ContentIn) -> Status[RunOut]:
    """What another price grid would do to the book. A small one is done in the answer."""
    return _ask(request, BOOK_WHAT_IF.name, {"content": asked.content})


@runs.post("/stress", response=answers(RunOut, 202))
def stress_book(request: Caller, asked: StressIn) -> Status[RunOut]:
    """The book under scenarios; without any, the usual ones."""
    rows = [[row.scenario, row.target, row.shock_pct] for row in asked.rows]
    return _ask(request, STRESS.name, asked.model_dump(exclude={"rows"}) | {"rows": rows})


@runs.post("/reverse-stress", response=answers(RunOut, 202))
def reverse_stress_book(request: Caller, asked: ReverseIn) -> Status[RunOut]:
    """How far all prices, the market, a sector, a name or a currency may fall until the shortfall passes a limit."""
    return _ask(request, REVERSE.name, asked.model_dump())


@runs.post("/sensitivities", response=answers(RunOut, 202))
def measure_book_sensitivities(request: Caller, asked: ReportingIn) -> Status[RunOut]:
    """What 1% down of everything, the market, each currency, sector and name changes."""
    return _ask(request, SENSITIVITIES.name, asked.model_dump())


@runs.post("/gap-losses", response=answers(RunOut, 202))
def simulate_gap_loss(request: Caller, asked: GapIn) -> Status[RunOut]:
    """What the desk would lose if all collateral had to be sold, by simulation."""
    return _ask(request, GAP.name, asked.model_dump())


def _ask(request: Caller, kind: str, inputs: dict[str, Any]) -> Status[RunOut]:
    run_id = ask_run(actor=request.auth, kind=kind, inputs=inputs, on=today(), at=now())
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
    return csv_answer(lines, f"run-{run_id}.csv")
