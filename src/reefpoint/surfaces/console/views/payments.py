"""Payments to the bank: where each stands, and what a person can do about one that has no end."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.accounts import account_numbers
from reefpoint.records.treasury.selectors import find_payments, get_payment, paper_behaviour
from reefpoint.records.treasury.services import request_resolution, resend_payment, set_paper_manner
from reefpoint.records.treasury.types import BankUnreachable, PaperBehaviour, PaymentOutcome, PaymentState
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import Choice, Column, Table
from reefpoint.surfaces.web.templatetags.figures import STATE_WORDS

PAYMENTS = Table(
    key="payments",
    columns=(
        Column("reference", _("Payment"), "code", link=lambda row: reverse("console:payment", args=[row.id])),
        Column("state", _("State"), "state"),
        Column("amount_minor", _("Amount"), "money", is_summed=True),
        Column("currency", _("Currency"), is_sortable=False),
        Column("pool_code", _("Pool"), "code", is_sortable=False),
        Column("text", _("For"), is_sortable=False, is_wide_only=True),
        Column("requested_at", _("Asked for"), "instant"),
        Column("waits_since", _("In this state since"), "instant", is_wide_only=True),
        Column("bank_reference", _("The bank's number"), "code", is_sortable=False, is_wide_only=True),
    ),
    sort="-requested_at",
    search=_("Reference"),
    choices=(Choice("state", _("State"), tuple((one.value, STATE_WORDS[one.value]) for one in PaymentState)),),
    empty=_("No payment was asked for yet"),
    empty_help=_("Funding a request for credit asks for one."),
    row_id=lambda row: f"payment-{row.id}",
)


@page("treasury.view")
def payments(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All payments, newest first; for drills, how the paper bank behaves."""
    wanted = PAYMENTS.read(request.GET)
    found = find_payments(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    context = {"manner": paper_behaviour(), "manners": tuple(PaperBehaviour)}
    return PAYMENTS.answer(request, wanted, found, "console/payments.html", context)


@page("treasury.view")
def payment(request: HttpRequest, actor: Actor, payment_id: int) -> HttpResponse:
    """One payment with its steps."""
    found = get_payment(payment_id)
    request_id = found.subject.removeprefix("credit_request:")
    context = {
        "payment": found,
        "request_id": int(request_id) if request_id.isdigit() else None,
        "account_number": account_numbers([found.account_id]).get(found.account_id, ""),
        "is_open": found.state in {PaymentState.REQUESTED, PaymentState.SENT, PaymentState.UNKNOWN},
        "outcomes": tuple(PaymentOutcome),
    }
    return render(request, "console/payment.html", context)


@require_POST
@page("treasury.pay")
def work_on(request: HttpRequest, actor: Actor, payment_id: int) -> HttpResponse:
    """Tell the bank again, or ask a second person to say what became of a payment."""
    given, at = request.POST, desk_now()
    outcome = given.get("outcome", "")
    if given.get("step") == "resend":
        try:
            resend_payment(actor=actor, payment_id=payment_id, at=at)
            messages.success(request, _now("The bank was told again, under the same reference."))
        except BankUnreachable:
            messages.error(request, _now("The bank cannot be reached now. It is tried again every minute."))
    elif given.get("step") == "resolve" and outcome in set(PaymentOutcome):
        request_resolution(
            actor=actor,
            payment_id=payment_id,
            outcome=PaymentOutcome(outcome),
            evidence=given.get("evidence", ""),
            at=at,
        )
        messages.success(request, _now("A second person is asked."))
    else:
        messages.error(request, _now("Nothing was done: choose what to do."))
    return redirect("console:payment", payment_id=payment_id)


@require_POST
@page("treasury.pay")
def manner(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Tell the paper bank how to treat the next payments."""
    if (wanted := request.POST.get("behaviour", "")) in set(PaperBehaviour):
        set_paper_manner(actor=actor, behaviour=PaperBehaviour(wanted), at=desk_now())
        messages.success(request, _now("The paper bank will do so."))
    return redirect("console:payments")
