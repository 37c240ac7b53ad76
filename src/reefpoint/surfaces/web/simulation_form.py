"""A simulation as a form: portfolio, loan, period and source; and its results as charts and tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reefpoint.engine.interest import PRINCIPAL_MINOR_MAX
from reefpoint.insight.simulation.rules import SimulationRefused
from reefpoint.insight.simulation.selectors import PACKAGED_FIRST, PACKAGED_LAST, simulate
from reefpoint.insight.simulation.types import CallEnd, Conduct, SaleCause, SimulationRun, Source
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.products.types import SchemeTerms
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.templatetags.figures import band_word

LINE = re.compile(r"([A-Za-z0-9.]{1,12})[\s,:x×]+([0-9][0-9,]{0,11})")
NAMES_MAX = 30
QUANTITY_MAX = 10**9
TABLE_ROWS = 60

EXAMPLE = {
    "portfolio": "JPM 1000\nXOM 1000\nAAPL 500",
    "loan": "80,000",
    "since": "2020-01-02",
    "until": "2020-06-30",
    "source": Source.PACKAGED.value,
    "conduct": Conduct.SILENT.value,
}
SOURCES: Mapping[Source, Promise] = {
    Source.PACKAGED: gettext_lazy("20 US names, 1990 to 2022, that come with the program"),
    Source.RECORDED: gettext_lazy("closes that this desk recorded"),
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
    errors: dict[str, str] = field(default_factory=dict)
    played: list[Played] = field(default_factory=list)

    @property
    def sources(self) -> list[tuple[str, Promise]]:
        return [(one.value, words) for one, words in SOURCES.items()]

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
                )
            except Refusal as refusal:
                self.errors["form"] = f"{name}: {refusal_text(refusal)}"
                return
            self.played.append(Played(name, version, terms, run, number))


def read_simulation(given: Mapping[str, str]) -> SimulationForm:
    """Understand what was typed; nothing typed is an example."""
    typed = {name: given.get(name, "").strip()[:4000] for name in EXAMPLE}
    is_empty = not any(typed.values())
    form = SimulationForm(dict(EXAMPLE) if is_empty else typed)
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
    return form


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
    "too_large": gettext_lazy("A figure is too large to be played exactly."),
    "lines": gettext_lazy("The lines of these terms contradict each other."),
}


def refusal_text(refusal: Refusal) -> str:
    """A refusal of the simulator in the reader's language."""
    words = REFUSALS.get(str(refusal.facts.get("why", "")))
    if not isinstance(refusal, SimulationRefused) or words is None:
        return refusal.message
    symbols = refusal.facts.get("symbols", [])
    return str(words) % {"names": ", ".join(symbols) if isinstance(symbols, list) else ""}
