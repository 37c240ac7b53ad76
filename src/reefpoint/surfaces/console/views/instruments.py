"""Putting an instrument on record, changing what is on record of it, and delisting it."""

from dataclasses import asdict
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.services.approvals import AlreadyAwaitingApproval
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.records.market.adapters.exchange_calendar import PACKAGED
from reefpoint.records.market.selectors import list_instruments
from reefpoint.records.market.services.listings import ListingRefused
from reefpoint.records.market.services.register import (
    InstrumentRefused,
    ask_delisting,
    ask_new_instruments,
    change_instruments,
    check_new,
    check_symbol,
    check_venue,
)
from reefpoint.records.market.types import InstrumentDraft, ListingDraft, NewInstrument
from reefpoint.surfaces.console.instrument_form import IDENTITY, TERMS, TermsForm, read_terms
from reefpoint.surfaces.console.templatetags.collateral import BOARD_WORDS, KIND_WORDS
from reefpoint.surfaces.console.views.listings import (
    FIELDS,
    FLAGS,
    REASON_CHARACTERS_MAX,
    ListingForm,
    read_facts,
    show_listing,
    typed_facts,
)
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.sentences import said

USUAL = {"currency": "USD", "venue": "XNYS", "lot_size": "1", "price_band_bp": "20", "assumed_daily_volume": "0"}


@page("instruments.add")
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form for a new name with the facts of its listing; a second person puts it on record."""
    at = desk_now()
    step = request.POST.get("step", "check") if request.method == "POST" else ""
    facts = read_facts(request) if step else ListingForm(typed_facts(ListingDraft(at.date(), "")))
    form = read_terms(request.POST) if step else TermsForm({**dict.fromkeys((*IDENTITY, *TERMS), ""), **USUAL})
    if step:
        found = _new(form, facts)
        reason = _reason(request, form) if step == "record" else ""
        if step == "record" and found is not None and not form.errors:
            try:
                approval_id = ask_new_instruments(actor=actor, new=[found], reason=reason, at=at)
                messages.success(request, _now("Asked. It is on record once a second person has agreed."))
                return redirect("console:approval", approval_id=approval_id)
            except (InstrumentRefused, AlreadyAwaitingApproval) as refused:
                form.errors[str(refused.facts.get("field", "symbol"))] = said(refused)
    errors = {**facts.errors, **form.errors}
    context = {
        "form": facts,
        "terms": form,
        "errors": errors,
        "currencies": sorted(MINOR_DIGITS),
        "venues": sorted({*PACKAGED, *(one.venue for one in list_instruments())}),
        "sectors": sorted({one.sector for one in list_instruments() if one.sector}),
        "kinds": KIND_WORDS.items(),
        "boards": BOARD_WORDS.items(),
        "flags": [(name, title, facts.given.get(name) == "true") for name, title in FLAGS],
        "oob": ",".join(f"#e-{name}" for name in (*IDENTITY, *TERMS, *FIELDS)),
        "given": request.POST,
        "is_checked": bool(step),
    }
    return render(request, "console/new_instrument.html", context, status=422 if errors and step == "record" else 200)


def _new(form: TermsForm, facts: ListingForm) -> NewInstrument | None:
    """The name as it would be on record; what is wrong with it is put beside its field."""
    cells = form.given
    for name, check in (("symbol", check_symbol), ("venue", check_venue)):
        try:
            check(cells[name])
        except InstrumentRefused as refused:
            form.errors[name] = said(refused)
    if not cells["symbol"]:
        form.errors["symbol"] = _now("Say its symbol.")
    if any(one.symbol == cells["symbol"] for one in list_instruments()):
        form.errors["symbol"] = _now("This symbol is on record already.")
    if form.terms is None or facts.draft is None or form.errors:
        return None
    draft = InstrumentDraft(
        symbol=cells["symbol"], currency=cells["currency"], venue=cells["venue"], **asdict(form.terms)
    )
    found = NewInstrument(draft, facts.draft)
    try:
        check_new(found)
    except (InstrumentRefused, ListingRefused) as refused:
        form.errors[str(refused.facts.get("field", "symbol"))] = said(refused)
        return None
    return found


def _reason(request: HttpRequest, form: TermsForm) -> str:
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    if not reason or find_unsafe(reason.replace("\r", "").replace("\n", "")):
        form.errors["reason"] = _now("Say what changes and why: the second person reads it.")
    return reason


@require_POST
@page("instruments.add")
def change(request: HttpRequest, actor: Actor, instrument_id: int) -> HttpResponse:
    """Change what is on record of a name: names and lot at once, the rest with a second person."""
    at = desk_now()
    form = read_terms(request.POST)
    reason = _reason(request, form)
    if form.terms is not None and not form.errors:
        try:
            outcome = change_instruments(actor=actor, changes=[(instrument_id, form.terms)], reason=reason, at=at)
        except (InstrumentRefused, AlreadyAwaitingApproval) as refused:
            form.errors[str(refused.facts.get("field", "reason"))] = said(refused)
        else:
            if outcome.approval_id is not None:
                messages.success(request, _now("Asked. A second person decides what is believed, assumed or grouped."))
                return redirect("console:approval", approval_id=outcome.approval_id)
            if outcome.recorded:
                messages.success(request, _now("Recorded."))
            else:
                messages.info(request, _now("Nothing was recorded: this is what is on record already."))
            return redirect("console:listing", instrument_id=instrument_id)
    return show_listing(request, actor, instrument_id, at, terms=form, status=422)


@require_POST
@page("instruments.add")
def delist(request: HttpRequest, actor: Actor, instrument_id: int) -> HttpResponse:
    """Ask a second person to delist a name, or to list it again."""
    at = desk_now()
    errors: dict[str, str] = {}
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    if not reason or find_unsafe(reason.replace("\r", "").replace("\n", "")):
        errors["reason"] = _now("Say what changes and why: the second person reads it.")
    on: date | None = None
    if request.POST.get("decision") != "list_again":
        try:
            on = date.fromisoformat(request.POST.get("delisted_on", ""))
        except ValueError:
            errors["delisted_on"] = _now("This is not a date.")
    if not errors:
        try:
            approval_id = ask_delisting(actor=actor, instrument_id=instrument_id, on=on, reason=reason, at=at)
            messages.success(request, _now("Asked. A second person decides."))
            return redirect("console:approval", approval_id=approval_id)
        except (InstrumentRefused, AlreadyAwaitingApproval) as refused:
            errors[str(refused.facts.get("field", "reason"))] = said(refused)
    return show_listing(request, actor, instrument_id, at, delisting_errors=errors, status=422)
