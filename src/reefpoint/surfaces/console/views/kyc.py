"""Knowing clients: the queue of reviews, and what is checked and concluded of one client."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.kyc.selectors import find_reviews, list_assessments, read_owner_chart
from reefpoint.decisions.kyc.services import NOTE_CHARS_MAX, assess_client, review_client
from reefpoint.decisions.kyc.types import Rating
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.surfaces.console.templatetags.knowing import RATING_WORDS
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.tables import Choice, Column, Table

REVIEWS = Table(
    key="kyc-reviews",
    columns=(
        Column("number", _("Client"), "code", link=lambda row: reverse("console:kyc", args=[row.client_id])),
        Column("client_name", _("Name"), "custom", template="console/cells/client_name.html", is_sortable=False),
        Column("rating", _("Rating"), "custom", template="console/cells/kyc_rating.html"),
        Column("points", _("Points"), "quantity"),
        Column("blocking", _("To put right"), "quantity"),
        Column("cause", _("Looked at for"), "custom", template="console/cells/kyc_cause.html", is_sortable=False),
        Column("next_review_on", _("Review by"), "custom", template="console/cells/kyc_due.html"),
    ),
    sort="next_review_on",
    search=_("Number or name"),
    choices=(
        Choice("due", _("Due"), (("yes", _("Due now")), ("no", _("Later")))),
        Choice(
            "rating",
            _("Rating"),
            (("referred", RATING_WORDS[""]), *((rating.value, RATING_WORDS[rating.value]) for rating in Rating)),
        ),
    ),
    empty=_("Nobody waits for a review"),
    empty_help=_("Clients appear here once they were assessed; the earliest review stands first."),
    row_id=lambda row: f"review-{row.client_id}",
)


@page("kyc.view")
def reviews(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Clients by the day on which somebody must look at them again."""
    wanted = REVIEWS.read(request.GET)
    found = find_reviews(
        actor,
        on=current_book_day() or desk_now().date(),
        text=wanted.text,
        rating=wanted.chosen["rating"],
        due=wanted.chosen["due"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return REVIEWS.answer(request, wanted, found, "console/kyc_reviews.html", {})


@page("kyc.view")
def kyc(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """What is checked of a client, the rating with its reasons, every assessment, and the review."""
    client, assessments = get_client(actor, client_id), list_assessments(actor, client_id)
    latest = assessments[0] if assessments else None
    on = current_book_day() or desk_now().date()
    context = {
        "client": client,
        "assessments": assessments,
        "latest": latest,
        "chart": read_owner_chart(actor, client_id, on=on),
        "names": people_names(),
        "may_review": holds(actor.permissions, "kyc.review"),
        "is_due": latest is not None and latest.next_review_on <= on,
        "ratings": list(Rating),
    }
    return render(request, "console/kyc.html", context)


@require_POST
@page("kyc.review")
def review(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Assess a client again, or record a person's review."""
    at = desk_now()
    on = current_book_day() or at.date()
    if request.POST.get("step") == "assess":
        assess_client(actor=actor, client_id=client_id, on=on, at=at)
        messages.success(request, _now("Assessed from what is on record now."))
    else:
        said = request.POST.get("rating", "")
        review_client(
            actor=actor,
            client_id=client_id,
            rating=Rating(said) if said in set(Rating) else None,
            note=request.POST.get("note", "")[: NOTE_CHARS_MAX + 1].replace("\x00", ""),
            on=on,
            at=at,
        )
        messages.success(request, _now("Reviewed. The next review is on its day."))
    return redirect("console:kyc", client_id=client_id)
