"""The way in, open to everybody: what a loan would cost and risk, and an enquiry."""

from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.selectors.overview import OfferedScheme, indicative_overview, list_offered_schemes
from reefpoint.flows.origination.services.leads import LeadMalformed, record_lead
from reefpoint.flows.origination.types.leads import LeadChannel, LeadDraft
from reefpoint.flows.origination.types.overview import Overview
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.application_words import problem_word, refusal_words
from reefpoint.surfaces.web.limits import address_of, is_within
from reefpoint.surfaces.web.people import actor_of

EXAMPLE_NAMES = 3
WHOLE_BP = 10_000
OVERVIEWS_PER_MINUTE = 30
ENQUIRIES_PER_HOUR = 5
ENQUIRY_FIELDS = ("name", "email", "phone", "note", "may_contact")


@dataclass
class Example:
    """What a visitor asked to see worked out: as typed, understood, and what was wrong."""

    scheme: OfferedScheme | None = None
    symbols: list[str] = field(default_factory=list)
    amount: str = ""
    loan: str = ""
    errors: dict[str, str | Promise] = field(default_factory=dict)
    overview: Overview | None = None

    @property
    def assets_minor(self) -> int:
        """The whole of which one part is the visitor's and one is borrowed."""
        return self.overview.value_minor + self.overview.cash_minor if self.overview else 0

    @property
    def widest_minor(self) -> int:
        """The largest gain or loss: both are drawn to its scale."""
        return max(abs(one.result_minor) for one in self.overview.outcomes) if self.overview else 0


@dataclass
class Enquiry:
    """What somebody typed to ask us, and what was wrong with it."""

    given: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str | Promise] = field(default_factory=dict)


def start(request: HttpRequest) -> HttpResponse:
    """What this is, an example worked out by the engine, and the two ways on: ask, or apply."""
    return _start(request, Enquiry())


@require_POST
def enquire(request: HttpRequest) -> HttpResponse:
    """Keep somebody who asks as a lead of the web. Whoever fills in the field that people do not see is thanked too."""
    enquiry = Enquiry({name: request.POST.get(name, "").strip()[:1000] for name in ENQUIRY_FIELDS})
    if not enquiry.given["may_contact"]:
        enquiry.errors["may_contact"] = _now("Without this we may not answer you.")
    if not is_within(f"enquiry:{address_of(request)}", at_most=ENQUIRIES_PER_HOUR, seconds=3600):
        enquiry.errors["form"] = _now("Too many questions from here in a short time. Try again in an hour.")
    if not enquiry.errors and not request.POST.get("website"):
        try:
            record_lead(actor=system_actor("website"), draft=_draft(enquiry), at=desk_now())
        except LeadMalformed as malformed:
            enquiry.errors.update({problem.field: problem_word(problem.code) for problem in malformed.problems})
    if enquiry.errors:
        return _start(request, enquiry)
    return redirect("portal:thanks")


def thanks(request: HttpRequest) -> HttpResponse:
    """That the question arrived."""
    return render(request, "portal/thanks.html", {"actor": actor_of(request)})


def _draft(enquiry: Enquiry) -> LeadDraft:
    return LeadDraft(
        name=enquiry.given["name"],
        channel=LeadChannel.WEB,
        email=enquiry.given["email"],
        phone=enquiry.given["phone"],
        note=enquiry.given["note"],
        language=get_language() or "en",
        may_contact=True,
    )


def _start(request: HttpRequest, enquiry: Enquiry) -> HttpResponse:
    clock = get_clock()
    schemes = list_offered_schemes(clock.business_date or clock.at.date())
    example = _example(request, schemes)
    places = [*example.symbols, *[""] * (EXAMPLE_NAMES - len(example.symbols))]
    context = {"schemes": schemes, "example": example, "places": places, "enquiry": enquiry, "actor": actor_of(request)}
    return render(request, "portal/start.html", context)


def _example(request: HttpRequest, schemes: list[OfferedScheme]) -> Example:
    given: QueryDict = request.GET
    chosen = next((one for one in schemes if one.code == given.get("scheme")), schemes[0] if schemes else None)
    example = Example(scheme=chosen, amount=given.get("amount", "")[:40], loan=given.get("loan", "")[:40])
    if chosen is None:
        return example
    offered = set(chosen.symbols)
    example.symbols = list(dict.fromkeys(one for one in given.getlist("symbol") if one in offered))[:EXAMPLE_NAMES]
    if "amount" not in given:
        return example
    amounts = {}
    for name, text in (("amount", example.amount), ("loan", example.loan)):
        try:
            amounts[name] = parse_money(text)
        except AmountError:
            example.errors[name] = _now("This is not an amount: type 500,000 or 500k or 50万.")
    if not example.symbols:
        example.errors["symbol"] = _now("Choose at least one name.")
    if not example.errors and not is_within(
        f"overview:{address_of(request)}", at_most=OVERVIEWS_PER_MINUTE, seconds=60
    ):
        example.errors["form"] = _now("Too many examples in a short time. Wait a minute, then try again.")
    if not example.errors:
        _work_out(example, amounts["amount"], amounts["loan"])
    return example


def _work_out(example: Example, amount_minor: int, loan_minor: int) -> None:
    assert example.scheme is not None
    part, rest = divmod(WHOLE_BP, len(example.symbols))
    mix = {symbol: part + (rest if i == 0 else 0) for i, symbol in enumerate(example.symbols)}
    clock = get_clock()
    try:
        example.overview = indicative_overview(
            scheme_code=example.scheme.code,
            loan_minor=loan_minor,
            amount_minor=amount_minor,
            mix_bp=mix,
            on=clock.business_date or clock.at.date(),
            at=desk_now(),
        )
    except Refusal as refusal:
        example.errors["form"] = str(refusal_words(refusal))
