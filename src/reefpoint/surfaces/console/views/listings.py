"""Listings: what is known of every name, from which source and since when, and changing it."""

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST

from reefpoint.decisions.collateral.selectors.house import lists_in_force
from reefpoint.decisions.collateral.selectors.parts import asked_of, with_facts
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.records.accounts.selectors.owners import holders_of
from reefpoint.records.accounts.selectors.positions import names_held
from reefpoint.records.market.rules import HAIRCUT_FACTS, facts_of
from reefpoint.records.market.selectors import get_instrument, list_instruments, list_listings
from reefpoint.records.market.selectors.instruments import listing_history
from reefpoint.records.market.selectors.register import entry_on, instrument_history, trading_history, was_suspended
from reefpoint.records.market.services import resume_instrument, suspend_instrument
from reefpoint.records.market.services.instruments import InstrumentDelisted, terms_of
from reefpoint.records.market.services.listings import ListingRefused, change_listings
from reefpoint.records.market.types import Board, InstrumentKind, InstrumentView, ListingDraft, ListingView
from reefpoint.surfaces.console.instrument_form import TermsForm, typed_terms
from reefpoint.surfaces.console.templatetags.collateral import BOARD_WORDS, KIND_WORDS
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

REASON_CHARACTERS_MAX = 500
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
FLAGS = (
    ("has_risk_warning", _("Under risk warning (ST) or being delisted")),
    ("is_index_member", _("Of an index that the exchange's rules name")),
    ("is_pe_excluded", _("Its static P/E is negative, or 300 and more")),
)
FIELDS = ("effective_on", "source", "kind", "board", "limit_bp", "daily_volume", "shares_issued", "issuer")


@dataclass(frozen=True)
class ListingRow:
    """One name in the list, with what is known of it today."""

    instrument_id: int
    symbol: str
    name: str
    name_zh: str
    kind: str
    board: str
    standing: str
    venue: str
    currency: str
    lot_size: int
    limit_bp: int | None
    daily_volume: int
    shares_issued: int | None
    issuer: str
    effective_on: date | None
    source: str
    record: str


STANDING_WORDS = {
    "listed": _("Traded"),
    "warned": _("Risk warning"),
    "suspended": _("Suspended"),
    "delisted": _("Delisted"),
}
HOLDERS_SHOWN = 10

LISTINGS = Table(
    key="listings",
    columns=(
        Column("symbol", _("Name"), "code", link=lambda row: reverse("console:listing", args=[row.instrument_id])),
        Column("name", _("Company"), "custom", template="console/cells/instrument_name.html", is_name=True),
        Column(
            "kind",
            _("Kind"),
            "custom",
            template="console/cells/listing_kind.html",
            is_wide_only=True,
            exported=lambda row: str(KIND_WORDS[row.kind]),
        ),
        Column(
            "board",
            pgettext_lazy("listing", "Board"),
            "custom",
            template="console/cells/collateral_board.html",
            exported=lambda row: str(BOARD_WORDS[row.board]),
        ),
        Column(
            "standing",
            _("State"),
            "custom",
            template="console/cells/listing_standing.html",
            exported=lambda row: str(STANDING_WORDS[row.standing]),
        ),
        Column("venue", _("Venue"), "code"),
        Column("currency", _("Currency"), "code", is_wide_only=True),
        Column("lot_size", _("Lot"), "quantity", is_wide_only=True),
        Column("limit_bp", _("Daily price limit"), "percent", is_wide_only=True),
        Column("daily_volume", _("Daily volume"), "quantity", is_wide_only=True),
        Column("shares_issued", _("Shares issued"), "quantity", is_wide_only=True),
        Column("issuer", _("Issuer group"), is_wide_only=True),
        Column("effective_on", _("Known since"), "day"),
        Column("source", _("Source"), is_wide_only=True),
    ),
    sort="symbol",
    search=_("Symbol, issuer or source"),
    choices=(
        Choice("kind", _("Kind"), tuple(KIND_WORDS.items())),
        Choice("board", pgettext_lazy("listing", "Board"), tuple(BOARD_WORDS.items())),
        Choice(
            "standing",
            _("State"),
            tuple(STANDING_WORDS.items()),
        ),
        Choice("record", _("On record"), (("known", _("On record")), ("assumed", _("Assumed")))),
    ),
    empty=_("No name is listed yet"),
    empty_help=_("Put the first one on record here, or many by a file under Imports."),
    row_id=lambda row: f"listing-{row.instrument_id}",
)


@dataclass
class ListingForm:
    """Facts as typed, what is wrong by field, and the draft once nothing is."""

    given: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    draft: ListingDraft | None = None


@page("prices.view")
def listings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every name with what is known of its listing today."""
    on = desk_now().date()
    known = list_listings(on)
    rows = [_row(one, known[one.id]) for one in list_instruments()]
    venues = tuple((venue, venue) for venue in sorted({one.venue for one in rows}))
    table = replace(LISTINGS, choices=(*LISTINGS.choices, Choice("venue", _("Venue"), venues)))
    wanted = table.read(request.GET)
    context = {"on": on, "may_record": holds(actor.permissions, "instruments.add")}
    return table.answer(request, wanted, table.find_in(rows, wanted), "console/listings.html", context)


def _row(one: InstrumentView, found: ListingView) -> ListingRow:
    return ListingRow(
        instrument_id=one.id,
        symbol=one.symbol,
        name=one.name,
        name_zh=one.name_zh,
        kind=found.kind.value,
        board=found.board.value,
        standing=standing_of(one, found),
        venue=one.venue,
        currency=one.currency,
        lot_size=one.lot_size,
        limit_bp=found.limit_bp,
        daily_volume=found.daily_volume,
        shares_issued=found.shares_issued,
        issuer=found.issuer,
        effective_on=found.effective_on,
        source=found.source,
        record="known" if found.source else "assumed",
    )


def standing_of(one: InstrumentView, found: ListingView) -> str:
    """How a name is traded now, as a key of `STANDING_WORDS`."""
    if one.delisted_on is not None:
        return "delisted"
    return "suspended" if one.is_suspended else "warned" if found.has_risk_warning else "listed"


@page("prices.view")
def listing(request: HttpRequest, actor: Actor, instrument_id: int) -> HttpResponse:
    """One name: what is on record of it, what was when, where it is held, and the forms for changes."""
    at = desk_now()
    form = None
    step = request.POST.get("step", "check") if request.method == "POST" else ""
    if step:
        require(actor, "instruments.add")
        form = read_facts(request)
        if step == "record" and form.draft is not None:
            answer = _change(request, actor, instrument_id, form, at)
            if answer is not None:
                return answer
    is_refused = form is not None and bool(form.errors) and step == "record"
    return show_listing(request, actor, instrument_id, at, form=form, status=422 if is_refused else 200)


def show_listing(
    request: HttpRequest,
    actor: Actor,
    instrument_id: int,
    at: datetime,
    *,
    form: ListingForm | None = None,
    terms: TermsForm | None = None,
    delisting_errors: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of one name, with a form as it was sent where something is wrong with it."""
    today = at.date()
    on = _day(request.GET.get("on", ""), today)
    instrument = get_instrument(instrument_id)
    known = list_listings(today)[instrument_id]
    found = known if on == today else list_listings(on)[instrument_id]
    records, stretches = instrument_history(instrument_id), trading_history(instrument_id)
    is_checked = form is not None
    form = form or ListingForm(typed_facts(replace(facts_of(known), effective_on=today, source="")))
    held = next((one for one in names_held(actor) if one.instrument_id == instrument_id), None)
    context: dict[str, Any] = {
        "instrument": instrument,
        "standing": standing_of(instrument, known),
        "listing": found,
        "then": entry_on(records, on),
        "was_suspended": was_suspended(stretches, on),
        "form": form,
        "kinds": KIND_WORDS.items(),
        "boards": BOARD_WORDS.items(),
        "flags": [(name, title, form.given.get(name) == "true") for name, title in FLAGS],
        "oob": ",".join(f"#e-{name}" for name in FIELDS),
        "history": listing_history(instrument_id),
        "records": records,
        "stretches": stretches,
        "held": held,
        "holders": holders_of(actor, instrument_id, HOLDERS_SHOWN) if held else [],
        "lists": [
            (
                tier,
                [one for one in every.names if one.symbol == instrument.symbol],
                every.accepts(instrument.symbol, on),
            )
            for tier, every in lists_in_force(on).items()
        ],
        "asked": asked_of(found, on, at=at),
        "on": on,
        "is_today": on == today,
        "names": people_names(),
        "terms": terms or TermsForm(typed_terms(terms_of(instrument))),
        "delisting_errors": delisting_errors or {},
        "given": request.POST,
        "may_record": holds(actor.permissions, "instruments.add"),
        "may_suspend": holds(actor.permissions, "instruments.suspend"),
        "is_checked": is_checked,
    }
    if is_checked and form.draft is not None:
        before = facts_of(list_listings(form.draft.effective_on)[instrument_id])
        context["moved"] = [name for name in HAIRCUT_FACTS if getattr(before, name) != getattr(form.draft, name)]
        context["asked_then"] = asked_of(with_facts(known, form.draft, instrument.assumed_daily_volume), today, at=at)
    return render(request, "console/listing.html", context, status=status)


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


def _change(
    request: HttpRequest, actor: Actor, instrument_id: int, form: ListingForm, at: datetime
) -> HttpResponse | None:
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    if not reason or find_unsafe(reason.replace("\r", "").replace("\n", "")):
        form.errors["reason"] = _now("Say what changes and why: the second person reads it.")
        return None
    assert form.draft is not None, "nothing was wrong"
    try:
        outcome = change_listings(actor=actor, changes=[(instrument_id, form.draft)], reason=reason, at=at)
    except ListingRefused as refused:
        form.errors[str(refused.facts.get("field", "source"))] = said(refused)
        return None
    if outcome.approval_id is not None:
        messages.success(request, _now("Asked. Haircuts rest on this, so a second person decides."))
        return redirect("console:approval", approval_id=outcome.approval_id)
    if outcome.recorded:
        messages.success(request, _now("Recorded."))
    else:
        messages.info(request, _now("Nothing was recorded: this is what is on record already."))
    return redirect("console:listing", instrument_id=instrument_id)


@require_POST
@page("instruments.suspend")
def suspend(request: HttpRequest, actor: Actor, instrument_id: int) -> HttpResponse:
    """Record that a name is not traded, or traded again."""
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    if not reason or find_unsafe(reason):
        messages.error(request, _now("Nothing was decided: say why, for the record."))
    elif request.POST.get("decision") == "suspend":
        suspend_instrument(actor=actor, instrument_id=instrument_id, reason=reason, at=desk_now())
        messages.success(request, _now("Suspended: it is in no sale plan until it resumes."))
    else:
        try:
            resume_instrument(actor=actor, instrument_id=instrument_id, reason=reason, at=desk_now())
            messages.success(request, _now("It is traded again."))
        except InstrumentDelisted as refused:
            messages.error(request, said(refused))
    return redirect("console:listing", instrument_id=instrument_id)


def typed_facts(facts: ListingDraft) -> dict[str, str]:
    """Facts as somebody would type them."""
    limit = "" if facts.limit_bp is None else f"{Decimal(facts.limit_bp) / 100:.2f}".rstrip("0").rstrip(".")
    return {
        "effective_on": facts.effective_on.isoformat(),
        "source": facts.source,
        "kind": facts.kind.value,
        "board": facts.board.value,
        **{name: "true" if getattr(facts, name) else "" for name, _title in FLAGS},
        "limit_bp": limit,
        "daily_volume": "" if facts.daily_volume is None else str(facts.daily_volume),
        "shares_issued": "" if facts.shares_issued is None else str(facts.shares_issued),
        "issuer": facts.issuer,
    }


def read_facts(request: HttpRequest) -> ListingForm:
    """Facts of a listing as somebody typed them."""
    given = {name: request.POST.get(name, "").strip()[:200] for name in (*FIELDS, *(name for name, _ in FLAGS))}
    form = ListingForm(given)
    errors = form.errors
    try:
        effective_on = date.fromisoformat(given["effective_on"])
    except ValueError:
        effective_on = date.min
        errors["effective_on"] = _now("Say from which day it is so.")
    if not given["source"] or find_unsafe(given["source"]):
        errors["source"] = _now("Say where these facts are from.")
    if find_unsafe(given["issuer"]) or len(given["issuer"]) > 80:
        errors["issuer"] = _now("One word of at most 80 characters.")
    for name, options in (("kind", set(InstrumentKind)), ("board", set(Board))):
        if given[name] not in options:
            errors[name] = _now("Choose one.")
    limit = given["limit_bp"].removesuffix("%").strip()
    limit_bp = int(Decimal(limit) * 100) if limit and _PERCENT.fullmatch(limit) else None
    if limit and not (limit_bp and limit_bp <= 10_000):
        errors["limit_bp"] = _now("Above 0 and at most 100%, or empty: none.")
    counts: dict[str, int | None] = {}
    for name in ("daily_volume", "shares_issued"):
        text = given[name].replace(",", "")
        counts[name] = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
        if text and (counts[name] is None or (name == "shares_issued" and not counts[name])):
            errors[name] = _now("A whole number of shares, or empty: not known.")
    if not errors:
        form.draft = ListingDraft(
            effective_on=effective_on,
            source=given["source"],
            kind=InstrumentKind(given["kind"]),
            board=Board(given["board"]),
            **{name: given[name] == "true" for name, _title in FLAGS},
            limit_bp=limit_bp,
            daily_volume=counts["daily_volume"],
            shares_issued=counts["shares_issued"],
            issuer=given["issuer"],
        )
    return form
