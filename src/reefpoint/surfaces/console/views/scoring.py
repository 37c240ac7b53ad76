"""A client's score opened to its points, and the features behind it with their source rows."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.scoring.selectors import DEFINITIONS, explain_score, list_client_scores, list_client_sets
from reefpoint.decisions.scoring.services import build_features, score_client
from reefpoint.decisions.scoring.types import FeatureValue
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.listing import Listing
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.surfaces.console.templatetags.scoring import feature_value, is_chinese, model_word
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.tables import Choice, Column, Table


@dataclass(frozen=True)
class FeatureLine:
    """A feature as the table shows it, in the reader's language."""

    code: str
    words: str
    shown: str
    is_known: str
    source: str
    source_words: str
    rows: str
    made: str


FEATURES = Table(
    key="features",
    columns=(
        Column("words", _("Feature"), is_name=True),
        Column("shown", _("Figure"), is_sortable=False),
        Column("source_words", _("Source")),
        Column("rows", _("Source rows"), is_sortable=False),
        Column("made", _("How it is made"), is_sortable=False, is_wide_only=True),
        Column("code", _("Code"), "code", is_wide_only=True),
    ),
    sort="source_words",
    search=_("Feature or code"),
    choices=(
        Choice("is_known", _("Known"), (("yes", _("Known")), ("no", _("Missing")))),
        Choice(
            "source",
            _("Source"),
            (
                ("profile", _("Profile")),
                ("bureau", _("Bureau")),
                ("accounts", _("Accounts")),
                ("flows", _("Cash flows")),
                ("portfolio", _("Portfolio")),
                ("links", _("Related clients")),
            ),
        ),
    ),
    empty=_("No features were built for this client"),
    empty_help=_("Score the client: the features are built from what is on record now, each with its source rows."),
    row_id=lambda row: f"feature-{row.code}",
)
ROWS_SHOWN = 3


@page("scoring.view")
def client_score(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """The score that was asked for, or the newest, with its points; its features; and all scores before it."""
    client, scores = get_client(actor, client_id), list_client_scores(actor, client_id)
    sets = list_client_sets(actor, client_id)
    asked = request.GET.get("score", "")
    score = next((one for one in scores if str(one.id) == asked), scores[0] if scores else None)
    chosen = next((one for one in sets if score and one.id == score.feature_set_id), sets[0] if sets else None)
    wanted = FEATURES.read(request.GET)
    lines = [_line(one) for one in chosen.values] if chosen else []
    found = FEATURES.find_in(lines, wanted) if lines else Listing[FeatureLine]([], 0)
    context = {
        "client": client,
        "scores": scores,
        "score": score,
        "explained": explain_score(actor, score.id) if score else None,
        "set": chosen,
        "names": people_names(),
        "may_score": "scoring.score" in actor.permissions,
    }
    return FEATURES.answer(request, wanted, found, "console/client_score.html", context)


def _line(value: FeatureValue) -> FeatureLine:
    of = DEFINITIONS[value.code]
    refs = [f"{one.table} {one.key} ({one.as_of[:10]})" for one in value.sources]
    more = _now("and %(count)s more") % {"count": len(refs) - ROWS_SHOWN} if len(refs) > ROWS_SHOWN else ""
    return FeatureLine(
        code=value.code,
        words=of.words_zh if is_chinese() else of.words,
        shown=feature_value(value)
        if value.missing is None
        else _now("missing: %(why)s") % {"why": feature_value(value)},
        is_known="yes" if value.missing is None else "no",
        source=of.source.value,
        source_words=model_word(of.source.value),
        rows="; ".join([*refs[:ROWS_SHOWN], more]).strip("; ") or "–",
        made=of.transform_zh if is_chinese() else of.transform,
    )


@require_POST
@page("scoring.score")
def score_now(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Build the client's features from what is on record now, and score them."""
    at = desk_now()
    on = current_book_day() or at.date()
    set_id = build_features(actor=actor, client_id=client_id, on=on, at=at)
    score = score_client(actor=actor, feature_set_id=set_id, at=at)
    if score.is_referred:
        messages.warning(request, _now("Key facts are missing, so there is no score: a person must decide."))
    else:
        messages.success(request, _now("Scored from what is on record now."))
    return redirect("console:client_score", client_id=client_id)
