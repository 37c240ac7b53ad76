"""A simulation as a form: portfolio, loan, period, prices and what else happens; its results as charts and tables."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reefpoint.engine.interest import PRINCIPAL_MINOR_MAX
from reefpoint.insight.simulation.rules.checks import SimulationRefused
from reefpoint.insight.simulation.rules.files import CALENDARS, FILE_BYTES_MAX, PriceFile, PriceFileRefused, read_prices
from reefpoint.insight.simulation.selectors import PACKAGED_FIRST, PACKAGED_LAST, simulate
from reefpoint.insight.simulation.types import CallEnd, Conduct, Happenings, SaleCause, SimulationRun, Source
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.products.types import SchemeTerms
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.figures import percent_text
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.simulation_happenings import HappeningError, file_words, read_happenings
from reefpoint.surfaces.web.tables import FORMULA_STARTS
from reefpoint.surfaces.web.templatetags.figures import band_word

LINE = re.compile(r"([A-Za-z0-9.]{1,12})[\s,:x×]+([0-9][0-9,]{0,11})")
NAMES_MAX = 30
QUANTITY_MAX = 10**9
TABLE_ROWS = 60
TYPED_MAX = 4_000

EXAMPLE = {
    "portfolio": "JPM 1000\nXOM 1000\nAAPL 500",
    "loan": "80,000",
    "since": "2020-01-02",
    "until": "2020-06-30",
    "source": Source.PACKAGED.value,
    "conduct": Conduct.SILENT.value,
    "happens": "",
    "venue": "XNYS",
    "prices": "",
}
SOURCES: Mapping[Source, Promise] = {
    Source.PACKAGED: gettext_lazy("20 US names, 1990 to 2022, that come with the program"),
    Source.RECORDED: gettext_lazy("closes that this desk recorded"),
    Source.FILE: gettext_lazy("closes of a file of your own"),
}
VENUES: Mapping[str, Promise] = {
    "XNYS": gettext_lazy("New York"),
    "XHKG": gettext_lazy("Hong Kong"),
    "XSHG": gettext_lazy("Shanghai"),
    "XSHE": gettext_lazy("Shenzhen"),
}
CONDUCTS: Mapping[Conduct, Promise] = {
    Conduct.SILENT: gettext_lazy("answers no call"),
    Conduct.PAYS: gettext_lazy("pays each call on the next morning"),
}
CALL_ENDS: Mapping[CallEnd, Promise] = {
    CallEnd.OPEN: gettext_lazy("still open"),
    CallEnd.CURED: gettext_lazy("cured"),
    CallEnd.EXPIRED: gettext_lazy("not answered in time"),
    CallEnd.SUPERSEDED: gettext_lazy("overtaken by the close-out line"),
}
CAUSES: Mapping[SaleCause, Promise] = {
    SaleCause.CALL_EXPIRED: gettext_lazy("the call was not answered"),
    SaleCause.CLOSE_OUT: gettext_lazy("the close-out line was crossed"),
}


@dataclass(frozen=True)
class Played:
    """One scheme's story as a page shows it."""

    name: str
    version: str
    terms: SchemeTerms
    run: SimulationRun
    number: int

    @property
    def chart_id(self) -> str:
        return f"simulation-{self.number}"

    @property
    def chart(self) -> dict[str, object]:
        """The ratio at each close against the scheme's lines, with calls and sales as marks."""
        by_day = {day.on: day.ratio_bp for day in self.run.days}
        marks = [(call.opened_on, _("Call opened"), "call", "diamond") for call in self.run.calls]
        marks += [(on, _("Sale"), "close-out", "triangle") for on in sorted({sale.on for sale in self.run.sales})]
        marks += [(paid.on, _("Payment"), "safe", "circle") for paid in self.run.payments]
        return {
            "name": _("Ratio"),
            "days": [day.on.isoformat() for day in self.run.days],
            "ratios": [day.ratio_bp for day in self.run.days],
            "levels": [
                {"name": band_word(1), "bp": self.terms.warning_bp, "token": "warning", "dashed": False},
                {"name": band_word(2), "bp": self.terms.call_bp, "token": "call", "dashed": False},
                {"name": band_word(3), "bp": self.terms.close_out_bp, "token": "close-out", "dashed": False},
                {"name": _("Cure"), "bp": self.terms.cure_bp, "token": "safe", "dashed": True},
            ],
            "marks": [
                {"day": on.isoformat(), "bp": by_day[on], "name": name, "token": token, "symbol": symbol}
                for on, name, token, symbol in marks
                if by_day.get(on) is not None
            ],
        }

    @property
    def calls(self) -> list[tuple[object, str]]:
        return [(call, str(CALL_ENDS[call.end])) for call in self.run.calls]

    @property
    def sales(self) -> list[tuple[object, str]]:
        return [(sale, str(CAUSES[sale.cause])) for sale in self.run.sales]

    @property
    def happened(self) -> list[tuple[date, str]]:
        """New rates and haircuts as sentences, with the day on which each was told."""
        told = [
            (
                one.on,
                _("%(name)s: haircut %(percent)s, in steps from %(first)s to %(last)s")
                % {
                    "name": one.symbol,
                    "percent": percent_text(one.haircut_bp),
                    "first": one.steps[0].effective_on.isoformat(),
                    "last": one.steps[-1].effective_on.isoformat(),
                }
                if one.steps
                else _("%(name)s: haircut %(percent)s, which changes nothing")
                % {"name": one.symbol, "percent": percent_text(one.haircut_bp)},
            )
            for one in self.run.haircuts
        ]
        told += [
            (
                one.told_on,
                _("new rate %(percent)s, in force from %(day)s")
                % {"percent": percent_text(one.rate_bp), "day": one.effective_on.isoformat()}
                if one.effective_on
                else _("new rate %(percent)s: these terms do not let the rate move to it now")
                % {"percent": percent_text(one.rate_bp)},
            )
            for one in self.run.rates
        ]
        return sorted(told)

    @property
    def rows(self) -> list[object]:
        """Days for the table: all of a short story, else evenly spread ones with the first and the last."""
        days = self.run.days
        if len(days) <= TABLE_ROWS:
            return list(days)
        step = (len(days) - 1) / (TABLE_ROWS - 1)
        return [days[round(number * step)] for number in range(TABLE_ROWS)]


@dataclass
class SimulationForm:
    """What was asked for, understood, and what was wrong."""

    given: dict[str, str]
    holdings: dict[str, int] = field(default_factory=dict)
    loan_minor: int = 0
    since: date = PACKAGED_FIRST
    until: date = PACKAGED_LAST
    source: Source = Source.PACKAGED
    conduct: Conduct = Conduct.SILENT
    happenings: Happenings = field(default_factory=Happenings)
    file: PriceFile | None = None
    errors: dict[str, str] = field(default_factory=dict)
    played: list[Played] = field(default_factory=list)

    @property
    def sources(self) -> list[tuple[str, Promise]]:
        return [(one.value, words) for one, words in SOURCES.items()]

    @property
    def venues(self) -> list[tuple[str, Promise]]:
        return list(VENUES.items())

    @property
    def conducts(self) -> list[tuple[str, Promise]]:
        return [(one.value, words) for one, words in CONDUCTS.items()]

    def play(self, schemes: Sequence[tuple[str, str, SchemeTerms]]) -> None:
        """Play each of these (name, version, terms); a refusal stands beside the form in its own words."""
        if self.errors:
            return
        for number, (name, version, terms) in enumerate(schemes):
            try:
                run = simulate(
                    terms,
                    self.holdings,
                    self.loan_minor,
                    self.since,
                    self.until,
                    source=self.source,
                    conduct=self.conduct,
                    happenings=self.happenings,
                    file=self.file,
                )
            except Refusal as refusal:
                self.errors["form"] = f"{name}: {refusal_text(refusal)}"
                return
            self.played.append(Played(name, version, terms, run, number))

    def export(self) -> HttpResponse:
        """Every day of every scheme that was played, as CSV with plain numbers."""
        response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="simulation.csv"'
        writer = csv.writer(response)
        writer.writerow(
            (
                *(_("Scheme"), _("Version"), _("Day"), _("Currency"), _("Securities"), _("Cash"), _("Debt")),
                *(_("Lent on it"), _("Ratio"), _("Band"), _("Rate"), _("Cannot be sold")),
            )
        )
        for one in self.played:
            name = f"'{one.name}" if one.name.startswith(FORMULA_STARTS) else one.name
            for day in one.run.days:
                money = [day.market_minor, day.cash_minor, day.debt_minor, day.lendable_minor]
                writer.writerow(
                    [name, one.version, day.on.isoformat(), one.run.currency]
                    + [Decimal(minor).scaleb(-MINOR_DIGITS[one.run.currency]) for minor in money]
                    + ["" if day.ratio_bp is None else Decimal(day.ratio_bp).scaleb(-2), band_word(day.band)]
                    + [Decimal(day.rate_bp).scaleb(-2), " ".join(day.held_back)]
                )
        return response


def uploaded_prices(request: HttpRequest) -> bytes | None:
    """The file of prices that was sent along, as far as it can be taken."""
    sent = request.FILES.get("file")
    return None if sent is None else bytes(sent.read(FILE_BYTES_MAX + 1))


def read_simulation(given: Mapping[str, str], upload: bytes | None = None) -> SimulationForm:
    """Understand what was typed; nothing typed is an example. An uploaded file of prices goes before the last one."""
    typed = {name: given.get(name, "").strip()[: FILE_BYTES_MAX if name == "prices" else TYPED_MAX] for name in EXAMPLE}
    is_empty = not any(typed.values())
    form = SimulationForm(dict(EXAMPLE) if is_empty else typed)
    if upload is not None:
        _take_upload(form, upload)
    _read_portfolio(form)
    try:
        form.loan_minor = parse_money(form.given["loan"])
        if form.loan_minor > PRINCIPAL_MINOR_MAX:
            raise AmountError(form.given["loan"])
    except AmountError:
        form.errors["loan"] = _("An amount is needed: 500,000 or 500k or 50万.")
    for name in ("since", "until"):
        try:
            setattr(form, name, date.fromisoformat(form.given[name]))
        except ValueError:
            form.errors[name] = _("This is not a date: year, month, day.")
    form.source = Source(form.given["source"]) if form.given["source"] in set(Source) else Source.PACKAGED
    form.conduct = Conduct(form.given["conduct"]) if form.given["conduct"] in set(Conduct) else Conduct.SILENT
    try:
        form.happenings = read_happenings(form.given["happens"])
    except HappeningError as error:
        form.errors["happens"] = str(error)
    if form.source is Source.FILE and "file" not in form.errors:
        _read_file(form)
    return form


def _take_upload(form: SimulationForm, content: bytes) -> None:
    form.given["source"] = Source.FILE.value
    try:
        form.given["prices"] = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        form.given["prices"] = ""
        form.errors["file"] = _("The file is not text in UTF-8.")
    if len(content) > FILE_BYTES_MAX:
        form.given["prices"] = ""
        form.errors["file"] = _("The file is larger than a megabyte.")


def _read_file(form: SimulationForm) -> None:
    venue = form.given["venue"] if form.given["venue"] in VENUES else "XNYS"
    if not form.given["prices"]:
        form.errors["file"] = _("A file of prices is needed.")
        return
    try:
        form.file = read_prices(form.given["prices"], venue, get_calendar(CALENDARS[venue]))
    except PriceFileRefused as refusal:
        form.errors["file"] = file_words(refusal)


def _read_portfolio(form: SimulationForm) -> None:
    lines = [line.strip() for line in form.given["portfolio"].splitlines() if line.strip()]
    for line in lines[: NAMES_MAX + 1]:
        found = LINE.fullmatch(line)
        quantity = int(found[2].replace(",", "")) if found else 0
        if found is None or not 0 < quantity <= QUANTITY_MAX:
            form.errors["portfolio"] = _("One name a line, with its shares: JPM 1000. This is not: %(line)s") % {
                "line": line[:40]
            }
            return
        symbol = found[1].upper()
        form.holdings[symbol] = form.holdings.get(symbol, 0) + quantity
    if not form.holdings or len(lines) > NAMES_MAX:
        form.errors["portfolio"] = _("From one to thirty names are needed.")


REFUSALS: Mapping[str, Promise] = {
    "no_prices": gettext_lazy("There are no prices of %(names)s in this period."),
    "not_accepted": gettext_lazy("The scheme lends nothing on %(names)s."),
    "too_long": gettext_lazy("The period is longer than twenty years. Choose a shorter one."),
    "too_short": gettext_lazy("The period has fewer than two sessions with prices. Choose a longer one."),
    "order": gettext_lazy("The first day must be before the last."),
    "outside": gettext_lazy("Something is to happen on a day outside the period."),
    "not_in_portfolio": gettext_lazy("%(names)s is not in the portfolio."),
    "no_file": gettext_lazy("A file of prices is needed."),
    "too_large": gettext_lazy("A figure is too large to be played exactly."),
    "lines": gettext_lazy("The lines of these terms contradict each other."),
}


def refusal_text(refusal: Refusal) -> str:
    """A refusal of the simulator in the reader's language."""
    words = REFUSALS.get(str(refusal.facts.get("why", "")))
    if not isinstance(refusal, SimulationRefused) or words is None:
        return said(refusal)
    symbols = refusal.facts.get("symbols", [])
    return str(words) % {"names": ", ".join(symbols) if isinstance(symbols, list) else ""}
