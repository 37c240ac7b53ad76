"""Exchange rates: the versions that count, those that wait for a second person, and bringing the next one."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.records.market.rules import FX_AGE_DAYS_MAX, FX_MOVE_MAX_BP, fx_moves, read_rate
from reefpoint.records.market.selectors.fx import get_fx, is_fx_usable, latest_fx, list_fx, list_held_fx
from reefpoint.records.market.services.fx import (
    FxKeyConflict,
    FxRefused,
    confirm_held_fx,
    discard_held_fx,
    record_fx,
)
from reefpoint.records.market.types import FxFlaw, FxMove, FxView, HeldState
from reefpoint.surfaces.console.views.approvals import REASON_CHARACTERS_MAX
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Column, Table

CURRENCIES = tuple(sorted(MINOR_DIGITS))
FILE_BYTES_MAX = 10_000
RATE_CHARACTERS_MAX = 24
FLAW_WORDS = {
    FxFlaw.UNKNOWN_CURRENCY: _("The desk keeps no such currency."),
    FxFlaw.BASE: _("The base needs no rate to itself."),
    FxFlaw.UNREADABLE: _("This is not a plain number."),
    FxFlaw.NOT_ABOVE_ZERO: _("A rate is above zero."),
    FxFlaw.OUT_OF_RANGE: _("At most 8 decimals, and at most 1,000,000."),
}

VERSIONS = Table(
    key="exchange-rates",
    columns=(
        Column("id", _("Version"), "custom", template="console/cells/fx_version.html"),
        Column("on", _("Day"), "day"),
        Column("base", _("Base"), "code"),
        Column("currencies", _("Currencies"), is_sortable=False),
        Column("source", _("Source")),
        Column("at", _("Counts from"), "instant"),
        Column("by", _("Recorded by"), is_wide_only=True),
    ),
    sort="-id",
    search=_("Source or currency"),
    empty=_("No version of the rates was recorded yet"),
    empty_help=_("Names in another currency than their account's lend nothing until there is one."),
    row_id=lambda row: f"fx-{row.id}",
)


@dataclass(frozen=True)
class VersionRow:
    """One version in the list."""

    id: int
    name: str
    on: date
    base: str
    currencies: str
    source: str
    at: object
    by: str


@dataclass
class RatesForm:
    """What somebody typed: rates as text by currency, what is wrong by field, and each readable rate's move."""

    base: str = "USD"
    on: str = ""
    source: str = ""
    key: str = ""
    given: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    moves: dict[str, FxMove] = field(default_factory=dict)

    @property
    def lines(self) -> list[tuple[str, str, str, FxMove | None]]:
        """Currency, text, what is wrong with it, and how far it moved."""
        return [
            (one, self.given.get(one, ""), self.errors.get(f"rate-{one}", ""), self.moves.get(one))
            for one in CURRENCIES
            if one != self.base
        ]

    @property
    def is_held(self) -> bool:
        return any(one.is_too_far for one in self.moves.values())

    @property
    def left_out(self) -> list[str]:
        """Currencies that would have no rate from now on."""
        return [one for one in CURRENCIES if one != self.base and not self.given.get(one)]


@page("prices.view")
def rates(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The rates that count, what waits, every version, and the form for the next one."""
    at = desk_now()
    latest = latest_fx(at)
    form = RatesForm(base=latest.base if latest else "USD", on=at.date().isoformat(), key=f"console:{uuid4()}")
    status = 200
    if request.method == "POST":
        require(actor, "prices.record")
        form = _read(request, latest)
        step = request.POST.get("step", "check")
        if step == "record" and not form.errors:
            try:
                made = record_fx(
                    actor=actor,
                    source=form.source,
                    key=form.key,
                    base=form.base,
                    rates={one: text for one, text in form.given.items() if text},
                    on=date.fromisoformat(form.on),
                    at=at,
                )
            except (FxRefused, FxKeyConflict) as refused:
                form.errors[str(refused.facts.get("field", "on"))] = said(refused)
            else:
                if made.version_id is None:
                    messages.warning(request, _now("Held: a rate moved too far. A second person confirms it here."))
                else:
                    messages.success(request, _now("Recorded. Accounts with names abroad are judged at once."))
                return redirect("console:rates")
        status = 422 if form.errors and step == "record" else 200
    wanted = VERSIONS.read(request.GET)
    names = people_names()
    context = {
        "latest": latest,
        "is_usable": is_fx_usable(latest, at.date()),
        "moves": _moves_of(latest),
        "held": list_held_fx(),
        "decided": [one for one in list_held_fx(None, limit=10) if one.state is not HeldState.HELD],
        "form": form,
        "oob": ",".join(f"#e-{one}" for one in ("base", "on", "source", *(f"rate-{one}" for one in CURRENCIES))),
        "currencies": CURRENCIES,
        "names": names,
        "move_bp": FX_MOVE_MAX_BP,
        "age_days": FX_AGE_DAYS_MAX,
        "may_record": holds(actor.permissions, "prices.record"),
        "may_decide": holds(actor.permissions, "prices.confirm"),
    }
    rows = [
        VersionRow(
            one.id,
            one.name,
            one.on,
            one.base,
            ", ".join(one.rates_e8),
            one.source,
            one.at,
            names.get(one.recorded_by, one.recorded_by),
        )
        for one in list_fx(limit=1_000)
    ]
    answer = VERSIONS.answer(request, wanted, VERSIONS.find_in(rows, wanted), "console/rates.html", context)
    answer.status_code = status
    return answer


@page("prices.view")
def rates_version(request: HttpRequest, actor: Actor, version_id: int) -> HttpResponse:
    """One version beside the one before it."""
    version = get_fx(version_id)
    context = {"version": version, "moves": _moves_of(version), "names": people_names()}
    return render(request, "console/rates_version.html", context)


@require_POST
@page("prices.confirm")
def decide_rates(request: HttpRequest, actor: Actor, held_id: int) -> HttpResponse:
    """Believe or discard a held version."""
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    match request.POST.get("decision"):
        case _ if not reason or find_unsafe(reason):
            messages.error(request, _now("Nothing was decided: say why, for the record."))
        case "confirm":
            confirm_held_fx(actor=actor, held_id=held_id, at=desk_now(), reason=reason)
            messages.success(
                request, pgettext("held rates", "Confirmed: accounts with names abroad are judged at once.")
            )
        case "discard":
            discard_held_fx(actor=actor, held_id=held_id, at=desk_now(), reason=reason)
            messages.success(request, pgettext("held rates", "Discarded: these rates never count."))
        case _:
            messages.error(request, _now("Nothing was decided: choose confirm or discard."))
    return redirect("console:rates")


def _moves_of(version: FxView | None) -> tuple[FxMove, ...]:
    """The rates of a version beside those of the one before it."""
    if version is None:
        return ()
    every = list_fx(limit=1_000)
    at = next((place for place, one in enumerate(every) if one.id == version.id), len(every))
    return fx_moves(every[at + 1] if at + 1 < len(every) else None, version.base, version.rates_e8)


def _read(request: HttpRequest, latest: FxView | None) -> RatesForm:
    given = request.POST
    base = given.get("base", "")
    form = RatesForm(
        base=base if base in CURRENCIES else "USD",
        on=given.get("on", "").strip()[:10],
        source=given.get("source", "").strip()[:80],
        key=given.get("key", "")[:60] or f"console:{uuid4()}",
        given={one: given.get(f"rate-{one}", "").strip()[:RATE_CHARACTERS_MAX] for one in CURRENCIES},
    )
    if (upload := request.FILES.get("file")) is not None and given.get("step") == "load":
        _load(form, upload.read(FILE_BYTES_MAX + 1))
    form.given.pop(form.base, None)
    try:
        date.fromisoformat(form.on)
    except ValueError:
        form.errors["on"] = _now("Say of which day these rates are.")
    if not form.source or find_unsafe(form.source):
        form.errors["source"] = _now("Say where these rates are from.")
    units = {one: read_rate(one, form.base, text) for one, text in form.given.items() if text}
    for one, found in units.items():
        if isinstance(found, FxFlaw):
            form.errors[f"rate-{one}"] = str(FLAW_WORDS[found])
    if not units:
        form.errors["base"] = _now("Type at least one rate.")
    readable = {one: found for one, found in units.items() if not isinstance(found, FxFlaw)}
    form.moves = {one.currency: one for one in fx_moves(latest, form.base, readable)}
    return form


def _load(form: RatesForm, content: bytes) -> None:
    """Fill the form from a file of `currency,rate` lines; what cannot be read says so beside the file."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        form.errors["file"] = _now("This is not a CSV file in UTF-8.")
        return
    if len(content) > FILE_BYTES_MAX or not rows or not {"currency", "rate"} <= set(rows[0]):
        form.errors["file"] = _now("The file has a line for each currency, under the header currency,rate.")
        return
    loaded: Mapping[str, str] = {
        (row["currency"] or "").strip().upper(): (row["rate"] or "").strip()[:RATE_CHARACTERS_MAX] for row in rows
    }
    unknown = sorted(set(loaded) - set(CURRENCIES))
    if unknown:
        form.errors["file"] = _now("The desk keeps no currency %(code)s.") % {"code": unknown[0][:10]}
        return
    form.given = {one: loaded.get(one, "") for one in CURRENCIES}
