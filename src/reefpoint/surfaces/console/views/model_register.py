"""The register of models: each with its versions, what it runs and how well, drift, and its release by two people."""

import csv
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST

from reefpoint.decisions.scoring.selectors import count_scores, read_runtime, read_trees
from reefpoint.decisions.scoring.selectors.outcomes import report_outcomes
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.platform.governance.selectors import (
    find_sources,
    get_model,
    list_latest_readings,
    list_model_versions,
    list_models,
    list_moves,
    read_artifact,
)
from reefpoint.platform.governance.services import (
    check_sources,
    draft_version,
    finish_development,
    keep_shipped,
    request_release,
    suspend_version,
    validate_version,
)
from reefpoint.platform.governance.types import ModelState, VersionView
from reefpoint.surfaces.console.templatetags.scoring import MODEL_WORDS
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

ARTIFACT_BYTES_MAX = 2_000_000
REASON_CHARACTERS_MAX = 500

MODELS = Table(
    key="models",
    columns=(
        Column("code", _("Model"), "code", link=lambda row: reverse("console:model", args=[row.code])),
        Column("name", _("Name"), "custom", template="console/cells/model_name.html", is_name=True),
        Column("use", _("Answers for"), "custom", template="console/cells/model_use.html"),
        Column("kind", _("Kind"), "custom", template="console/cells/model_kind.html"),
        Column("tier", pgettext_lazy("model", "Tier"), "quantity"),
        Column("state", _("State"), "custom", template="console/cells/model_state.html"),
        Column("version", _("Version"), "quantity"),
        Column("versions", _("Versions"), "quantity", is_wide_only=True),
        Column("owner", _("Owner"), "told", is_wide_only=True),
    ),
    sort="code",
    search=_("Code or owner"),
    choices=(
        Choice("kind", _("Kind"), (("scorecard", _("Scorecard")), ("boosted", _("Boosted trees")))),
        Choice("state", _("State"), tuple((state.value, MODEL_WORDS[state]) for state in ModelState)),
    ),
    empty=_("No model is on record"),
    empty_help=_("Models that come with the program are put on record when they are first looked at."),
    row_id=lambda row: f"model-{row.code}",
)

SOURCES = Table(
    key="data-sources",
    columns=(
        Column("code", _("Source"), "code"),
        Column("name", _("Name"), "custom", template="console/cells/model_name.html", is_name=True),
        Column("owner", _("Owner"), "told"),
        Column("legal_basis", _("Held on the ground of"), "custom", template="console/cells/source_basis.html"),
        Column("retention", _("Kept"), "custom", template="console/cells/source_kept.html", is_wide_only=True),
        Column("fresh_days", _("Fresh within"), "quantity", _("days")),
        Column("latest", _("Latest look"), "custom", template="console/cells/source_check.html", is_sortable=False),
    ),
    sort="code",
    search=_("Code or owner"),
    empty=_("No source is registered"),
    row_id=lambda row: f"source-{row.code}",
)


@page("models.view")
def models(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every model with the version that stands highest."""
    keep_shipped(at=desk_now())
    wanted = MODELS.read(request.GET)
    return MODELS.answer(request, wanted, MODELS.find_in(list_models(actor), wanted), "console/models.html", {})


@page("models.view")
def sources(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The inventory of data with the latest look at each source; a POST looks now."""
    if request.method == "POST" and "models.develop" in actor.permissions:
        check_sources(at=desk_now())
        messages.success(request, _now("Looked at every source."))
        return redirect("console:data_sources")
    wanted = SOURCES.read(request.GET)
    context = {"may_check": "models.develop" in actor.permissions}
    return SOURCES.answer(
        request, wanted, SOURCES.find_in(find_sources(actor), wanted), "console/data_sources.html", context
    )


@page("models.view")
def model(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One version of a model: what it runs, how well, what it came through; or its artifact as a file."""
    return _model_page(request, actor, code)


def _model_page(request: HttpRequest, actor: Actor, code: str, error: str = "") -> HttpResponse:
    keep_shipped(at=desk_now())
    found, versions = get_model(actor, code), list_model_versions(actor, code)
    asked = request.GET.get("version", "")
    version = next((one for one in versions if str(one.version) == asked), None) or next(
        one for one in versions if one.id == found.version_id
    )
    if request.GET.get("format") == "artifact":
        return _download(version)
    if request.GET.get("format") == "csv":
        return _monitoring_csv(actor, version)
    context: dict[str, Any] = {
        "model": found,
        "versions": versions,
        "version": version,
        "facts": version.facts,
        "moves": list_moves(actor, version.id),
        "readings": list_latest_readings(actor, version.id),
        "outcomes": report_outcomes(actor, version.id),
        "scores": count_scores([version.id]).get(version.id, 0),
        "names": people_names(),
        "may_develop": "models.develop" in actor.permissions,
        "is_developer": version.developer == actor.ref,
        "next_release": {"validated": "shadow", "shadow": "champion", "retired": "champion"}.get(version.state.value),
        "error": error,
    }
    if version.kind == "scorecard":
        context["card"] = read_runtime(version.id).card
    else:
        context["trees"] = read_trees(version.id)
    return render(request, "console/model.html", context, status=409 if error else 200)


def _monitoring_csv(actor: Actor, version: VersionView) -> HttpResponse:
    """Drift by measure, defaults by grade, and challengers beside the champion, in one file of plain numbers."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{version.code}-{version.version}-watch.csv"'
    writer, report = csv.writer(response), report_outcomes(actor, version.id)
    writer.writerow(["what", "name", "verdict", "cases", "reference_or_bad", "value_bp", "low_or_chance_bp", "high_bp"])
    for one in list_latest_readings(actor, version.id):
        drift = one.drift
        writer.writerow(
            ["drift", one.measure, drift.verdict, drift.current, drift.reference, drift.psi_bp, drift.null_bp, ""]
        )
    for row in report.grades:
        writer.writerow(["grade", row.grade, row.verdict, row.cases, row.bad, row.observed_bp, row.low_bp, row.high_bp])
    for shadow in report.shadows:
        writer.writerow(
            ["challenger_auc", f"{shadow.model} v{shadow.version}", "", shadow.cases, shadow.bad]
            + ["" if one is None else one for one in (shadow.auc_bp, shadow.champion_auc_bp)]
        )
    return response


def _download(version: VersionView) -> HttpResponse:
    ending, kind = ("json", "application/json") if version.kind == "scorecard" else ("txt", "text/plain")
    response = HttpResponse(read_artifact(version.id), content_type=f"{kind}; charset=utf-8")
    name = f"{version.code}-{version.version}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@page("models.develop")
def draft(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Put an uploaded artifact on record as the next version's draft."""
    uploaded, note = request.FILES.get("artifact"), _text(request, "note")
    if uploaded is None or (uploaded.size or 0) > ARTIFACT_BYTES_MAX:
        return _model_page(request, actor, code, _now("Choose a file of at most two megabytes."))
    if not note:
        return _model_page(request, actor, code, _now("Say what changed, and what it cannot do."))
    try:
        artifact = uploaded.read().decode()
    except UnicodeDecodeError:
        return _model_page(request, actor, code, _now("The file is not text in UTF-8."))
    if "\x00" in artifact or find_unsafe(note):
        return _model_page(request, actor, code, _now("The file has characters that cannot be kept."))
    keep_shipped(at=desk_now())
    current = get_model(actor, code)
    facts = {
        **next(one.facts for one in list_model_versions(actor, code) if one.id == current.version_id),
        "changed": note,
        "metrics": [],
    }
    facts.pop("development", None)
    facts.pop("calibration", None)
    try:
        draft_version(actor=actor, code=code, artifact=artifact, facts=facts, at=desk_now())
    except Refusal as refusal:
        return _model_page(request, actor, code, said(refusal))
    messages.success(request, _now("Drafted. It runs nowhere until it is validated and released."))
    return redirect(f"{reverse('console:model', args=[code])}?version={current.versions + 1}")


@require_POST
@page("models.develop")
def step(request: HttpRequest, actor: Actor, code: str, version_id: int, step: str) -> HttpResponse:
    """Take a version one step on: complete, validated, put forward for release, suspended."""
    at, reason = desk_now(), _text(request, "reason")
    steps: dict[str, Callable[[], object]] = {
        "finish": lambda: finish_development(actor=actor, version_id=version_id, at=at),
        "validate": lambda: validate_version(actor=actor, version_id=version_id, findings=reason, at=at),
        "release": lambda: request_release(actor=actor, version_id=version_id, reason=reason, at=at),
        "suspend": lambda: suspend_version(actor=actor, version_id=version_id, reason=reason, at=at),
    }
    if step not in steps:
        return _model_page(request, actor, code, _now("There is no such step."))
    try:
        done = steps[step]()
    except Refusal as refusal:
        return _model_page(request, actor, code, said(refusal))
    if step == "release" and isinstance(done, int):
        messages.success(request, _now("Asked. A second person decides whether it is released."))
        return redirect("console:approval", approval_id=done)
    messages.success(request, _now("Done, and on record."))
    version = next(one.version for one in list_model_versions(actor, code) if one.id == version_id)
    return redirect(f"{reverse('console:model', args=[code])}?version={version}")


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()[:REASON_CHARACTERS_MAX]
