"""The terms of a scheme as a form: what was typed, what it means, and what is wrong beside each field."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from reefpoint.platform.basics.daycount import DayCount
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.records.products.adapters.packs import RulePackNotFound
from reefpoint.records.products.selectors import find_problems, list_bounds, list_rule_packs
from reefpoint.records.products.types import (
    Bound,
    Due,
    Fee,
    FeeBasis,
    FeeMoment,
    LiquidationOrder,
    LiquidationRule,
    Problem,
    RateKind,
    SchemeTerms,
)
from reefpoint.surfaces.web import scheme_words
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.figures import money_text, percent_text

FEE_ROWS_MAX = 8
SPARE_FEE_ROWS = 2
NAMES_MAX = 400
PERCENT = re.compile(r"([0-9]{1,5})(?:\.([0-9]{1,2}))?\s*%?")
COUNT = re.compile(r"[0-9]{1,5}")
CODE = re.compile(r"[A-Z][A-Z0-9_-]{1,23}")
FEE_CODE = re.compile(r"[a-z][a-z0-9_-]{0,23}")
FEE_PARTS = ("code", "name", "name_zh", "moment", "basis", "amount", "rate", "least", "most")

Typed = dict[str, str]


class NotRead(ValueError):
    """Typed text that is no value of its field; the text of the error is for whoever typed it."""


@dataclass(frozen=True)
class FieldView:
    """One field as the page draws it. `kind`: percent, money, count, choice or flag."""

    name: str
    label: str | Promise
    help: str | Promise
    kind: str
    unit: str | Promise
    value: str
    choices: tuple[tuple[str, str], ...]
    bounds: tuple[str, ...]
    error: str


@dataclass(frozen=True)
class FeeRow:
    number: int
    value: Mapping[str, str]
    error: str


@dataclass(frozen=True)
class NameRow:
    """A name of the collateral table."""

    symbol: str
    is_accepted: bool
    haircut: str
    maintenance: str
    error: str


@dataclass
class SchemeForm:
    """What was typed and what came of it. `terms` is None while a field cannot be read."""

    typed: Typed
    effective_from: date
    symbols: tuple[str, ...]
    errors: dict[str, str] = field(default_factory=dict)
    terms: SchemeTerms | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def is_lawful(self) -> bool:
        """Whether these terms could be published."""
        return self.terms is not None and not self.problems

    @property
    def problem_count(self) -> int:
        return len(self.errors)

    @property
    def currency(self) -> str:
        return self.typed.get("currency", "")

    @property
    def groups(self) -> list[tuple[str, str | Promise, list[FieldView]]]:
        """All single fields in their groups; fees, the order of payment and the names have their own shapes."""
        bounds = self._bounds()
        shaped = {"fees", "payment_order", "accepted_symbols", "haircuts_bp", "maintenances_bp"}
        return [
            (key, title, [self._field(name, bounds) for name in names if name not in shaped])
            for key, title, names in scheme_words.GROUPS
        ]

    def _bounds(self) -> list[Bound]:
        try:
            return list_bounds(self.typed.get("rule_pack", ""), self.effective_from)
        except RulePackNotFound:
            return []

    def _field(self, name: str, bounds: Sequence[Bound]) -> FieldView:
        label, help_text = scheme_words.TERMS[name]
        return FieldView(
            name=name,
            label=label,
            help=help_text,
            kind=kind_of(name),
            unit=unit_of(name, self.currency),
            value=self.typed.get(name, ""),
            choices=choices_of(name),
            bounds=tuple(
                scheme_words.bound_words(bound, self.currency)
                for bound in bounds
                if bound.field == name and self.currency in MINOR_DIGITS
            ),
            error=self.errors.get(name, ""),
        )

    @property
    def name_bounds(self) -> list[str]:
        """What the law asks of every single name."""
        wanted = {"haircuts_bp", "maintenances_bp"}
        return [
            f"{scheme_words.TERMS[bound.field][0]}: {scheme_words.bound_words(bound, self.currency)}"
            for bound in self._bounds()
            if bound.field in wanted
        ]

    @property
    def fee_rows(self) -> list[FeeRow]:
        """The fees that were typed, and room for more."""
        filled = [
            row for row in range(FEE_ROWS_MAX) if any(self.typed.get(f"fee-{row}-{part}") for part in FEE_PARTS[:3])
        ]
        count = min(FEE_ROWS_MAX, (max(filled) + 1 if filled else 0) + SPARE_FEE_ROWS)
        return [
            FeeRow(
                row,
                {part: self.typed.get(f"fee-{row}-{part}", "") for part in FEE_PARTS},
                self.errors.get(f"fees-{row}", ""),
            )
            for row in range(count)
        ]

    @property
    def name_rows(self) -> list[NameRow]:
        return [
            NameRow(
                symbol,
                bool(self.typed.get(f"accept-{symbol}")),
                self.typed.get(f"haircut-{symbol}", ""),
                self.typed.get(f"maintenance-{symbol}", ""),
                self.errors.get(f"name-{symbol}", ""),
            )
            for symbol in self.symbols
        ]

    @property
    def due_rows(self) -> list[tuple[int, str]]:
        return [(place, self.typed.get(f"due-{place}", "")) for place in range(1, len(Due) + 1)]

    @property
    def moments(self) -> list[tuple[str, Promise]]:
        return [(one.value, words) for one, words in scheme_words.FEE_MOMENTS.items()]

    @property
    def dues(self) -> list[tuple[str, Promise]]:
        return [(one.value, words) for one, words in scheme_words.DUES.items()]


def kind_of(name: str) -> str:
    """How a field is typed."""
    if name in _CHOICES:
        return "choice"
    if name in {"is_early_repayment_allowed", "roll_over_allowed"}:
        return "flag"
    return "percent" if name.endswith("_bp") else "money" if name.endswith("_minor") else "count"


def unit_of(name: str, currency: str) -> str | Promise:
    """What stands behind a field."""
    match kind_of(name):
        case "percent":
            return "%"
        case "money":
            return currency
        case "count":
            return scheme_words.UNITS.get(name, "")
    return ""


_CHOICES = ("rule_pack", "currency", "rate_kind", "day_count", "liquidation_rule", "liquidation_order")


_WORDS: Mapping[str, Mapping[Any, Promise]] = {
    "rate_kind": scheme_words.RATE_KINDS,
    "liquidation_rule": scheme_words.LIQUIDATION_RULES,
    "liquidation_order": scheme_words.LIQUIDATION_ORDERS,
}


def choices_of(name: str) -> tuple[tuple[str, str], ...]:
    """What a field offers to choose from, in words."""
    if name in _WORDS:
        return tuple((one.value, str(words)) for one, words in _WORDS[name].items())
    values: Sequence[str] = ()
    match name:
        case "rule_pack":
            values = [pack.jurisdiction for pack in list_rule_packs()]
        case "currency":
            values = list(MINOR_DIGITS)
        case "day_count":
            values = [one.value for one in DayCount]
    return tuple((value, value) for value in values)


def typed_of(terms: SchemeTerms) -> Typed:
    """Terms as somebody would have typed them."""
    typed: Typed = {}
    for one in fields(SchemeTerms):
        value = getattr(terms, one.name)
        if one.name in scheme_words.TERMS and not isinstance(value, tuple):
            typed[one.name] = _shown(one.name, value)
    for place, due in enumerate(terms.payment_order, start=1):
        typed[f"due-{place}"] = due.value
    for row, fee in enumerate(terms.fees[:FEE_ROWS_MAX]):
        parts = (
            fee.code,
            fee.name,
            fee.name_zh,
            fee.moment.value,
            fee.basis.value,
            money_text(fee.amount_minor) if fee.amount_minor else "",
            _percent(fee.rate_bp) if fee.rate_bp else "",
            money_text(fee.least_minor) if fee.least_minor else "",
            money_text(fee.most_minor) if fee.most_minor else "",
        )
        typed |= {f"fee-{row}-{part}": text for part, text in zip(FEE_PARTS, parts, strict=True)}
    haircuts, maintenances = dict(terms.haircuts_bp), dict(terms.maintenances_bp)
    for symbol in terms.accepted_symbols:
        typed[f"accept-{symbol}"] = "yes"
        if symbol in haircuts:
            typed[f"haircut-{symbol}"] = _percent(haircuts[symbol])
        if symbol in maintenances:
            typed[f"maintenance-{symbol}"] = _percent(maintenances[symbol])
    return typed


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int):
        match kind_of(name):
            case "percent":
                return _percent(value)
            case "money":
                return money_text(value)
    return str(value)


def _percent(bp: int) -> str:
    return percent_text(bp).removesuffix("%")


def read_form(typed: Mapping[str, str], effective_from: date, symbols: Iterable[str]) -> SchemeForm:
    """Read what was typed, and judge it by the rules in force on the day the terms would take effect."""
    accepted = [name.removeprefix("accept-") for name in typed if name.startswith("accept-")]
    form = SchemeForm(dict(typed), effective_from, tuple(sorted({*symbols, *accepted}))[:NAMES_MAX])
    values: dict[str, object] = {}
    for one in fields(SchemeTerms):
        if one.name not in {"fees", "payment_order", "accepted_symbols", "haircuts_bp", "maintenances_bp"}:
            _read_into(form, values, one.name)
    values["fees"] = _read_fees(form)
    values["payment_order"] = tuple(
        Due(text) for place in range(1, len(Due) + 1) if (text := typed.get(f"due-{place}", "")) in set(Due)
    )
    values |= _read_names(form)
    if not form.errors:
        form.terms = SchemeTerms(**values)  # type: ignore[arg-type]  # each was read as its field's type
        _judge(form)
    return form


def _read_into(form: SchemeForm, values: dict[str, object], name: str) -> None:
    try:
        values[name] = read_value(name, form.typed.get(name, "").strip())
    except NotRead as error:
        form.errors[name] = str(error)


def read_value(name: str, text: str) -> object:
    """One term from its text. Raises `NotRead` in words."""
    match kind_of(name):
        case "flag":
            return bool(text)
        case "percent":
            return read_percent(text)
        case "money":
            return read_amount(text)
        case "count":
            if not COUNT.fullmatch(text):
                raise NotRead(_("A whole number is needed."))
            return int(text)
    if text not in {value for value, _words in choices_of(name)}:
        raise NotRead(_("Choose one."))
    kinds = {
        "rate_kind": RateKind,
        "day_count": DayCount,
        "liquidation_rule": LiquidationRule,
        "liquidation_order": LiquidationOrder,
    }
    return kinds[name](text) if name in kinds else text


def read_percent(text: str) -> int:
    """Basis points of a typed percentage, with up to two decimals."""
    if not PERCENT.fullmatch(text):
        raise NotRead(_("A percentage is needed, with at most two decimals."))
    return int(Decimal(text.rstrip("% ")) * 100)


def read_amount(text: str) -> int:
    """Minor units of a typed amount; 0 is one."""
    if re.fullmatch(r"0+(\.0+)?", text):
        return 0
    try:
        return parse_money(text)
    except AmountError:
        raise NotRead(_("An amount is needed: 500,000 or 500k or 50万.")) from None


def _read_fees(form: SchemeForm) -> tuple[Fee, ...]:
    fees = []
    for row in range(FEE_ROWS_MAX):
        part = {name: form.typed.get(f"fee-{row}-{name}", "").strip() for name in FEE_PARTS}
        if not (part["code"] or part["name"] or part["name_zh"]):
            continue
        try:
            fees.append(_read_fee(part))
        except NotRead as error:
            form.errors[f"fees-{row}"] = str(error)
    return tuple(fees)


def _read_fee(part: Mapping[str, str]) -> Fee:
    if not FEE_CODE.fullmatch(part["code"]):
        raise NotRead(_("A code of small letters is needed, such as late."))
    if part["moment"] not in set(FeeMoment) or part["basis"] not in set(FeeBasis):
        raise NotRead(_("Say when it is charged, and on what."))
    return Fee(
        code=part["code"],
        name=part["name"][:80],
        name_zh=part["name_zh"][:80],
        moment=FeeMoment(part["moment"]),
        basis=FeeBasis(part["basis"]),
        amount_minor=read_amount(part["amount"] or "0"),
        rate_bp=read_percent(part["rate"] or "0"),
        least_minor=read_amount(part["least"] or "0"),
        most_minor=read_amount(part["most"] or "0"),
    )


def _read_names(form: SchemeForm) -> dict[str, object]:
    own: dict[str, list[tuple[str, int]]] = {"haircut": [], "maintenance": []}
    accepted = [symbol for symbol in form.symbols if form.typed.get(f"accept-{symbol}")]
    for symbol in accepted:
        for kind, found in own.items():
            text = form.typed.get(f"{kind}-{symbol}", "").strip()
            try:
                if text:
                    found.append((symbol, read_percent(text)))
            except NotRead as error:
                form.errors[f"name-{symbol}"] = str(error)
    return {
        "accepted_symbols": tuple(accepted),
        "haircuts_bp": tuple(own["haircut"]),
        "maintenances_bp": tuple(own["maintenance"]),
    }


def _judge(form: SchemeForm) -> None:
    """Put the problems of readable terms beside their fields."""
    if form.terms is None:
        return
    try:
        form.problems = tuple(find_problems(form.terms, form.effective_from))
    except RulePackNotFound:
        form.errors["rule_pack"] = _("No rules of this jurisdiction are loaded.")
        return
    rows = {fee.code: row for row, fee in _fee_rows_of(form)}
    for problem in form.problems:
        name, _dot, about = problem.field.partition(".")
        place = name
        if name == "fees" and about in rows:
            place = f"fees-{rows[about]}"
        elif name in {"haircuts_bp", "maintenances_bp"} and about:
            place = f"name-{about}"
        words = scheme_words.problem_words(problem, form.terms.currency)
        form.errors[place] = f"{form.errors[place]} {words}".strip() if place in form.errors else words


def _fee_rows_of(form: SchemeForm) -> list[tuple[int, Fee]]:
    if form.terms is None:
        return []
    rows = [
        row
        for row in range(FEE_ROWS_MAX)
        if any(form.typed.get(f"fee-{row}-{part}", "").strip() for part in FEE_PARTS[:3])
    ]
    return list(zip(rows, form.terms.fees, strict=True))
