"""How terms are stored and read back, and which terms no scheme may have."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Any

from reefpoint.platform.basics.daycount import DayCount
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.products.types import (
    Bound,
    Due,
    Fee,
    FeeBasis,
    FeeMoment,
    LiquidationOrder,
    LiquidationRule,
    Pack,
    Problem,
    RateKind,
    Rule,
    SchemeTerms,
    TermChange,
    VersionState,
)

VERSION_STATES = StateTable(
    subject="scheme version",
    initial=VersionState.DRAFT,
    moves={
        VersionState.DRAFT: frozenset({VersionState.PUBLISHED}),
        VersionState.PUBLISHED: frozenset({VersionState.WITHDRAWN}),
    },
)

RATE_MAX_BP = 10_000
"""The highest rate the desk's interest is exact for: 100% a year."""

TENOR_DAYS_MAX = 36_600
"""A hundred years."""
TERM_MAX = 10**15
"""No amount, rate or count of any terms is larger."""

HOUSE = "house"
"""The rule name of problems that no law causes: the terms contradict themselves."""


class MalformedTerms(Refusal):
    """Terms with a missing, unknown or unreadable field."""

    code = "malformed_terms"


# Storing and reading


def terms_to_json(terms: SchemeTerms) -> dict[str, object]:
    """The terms as JSON values, for storage and for showing what an approval covers."""
    return {field.name: _plain(getattr(terms, field.name)) for field in fields(terms)}


def terms_from_json(data: Mapping[str, object]) -> SchemeTerms:
    """The terms from JSON values. Every field must be there and none else; raises `MalformedTerms` naming it."""
    names = {field.name for field in fields(SchemeTerms)}
    if odd := sorted(names ^ set(data)):
        raise MalformedTerms("These fields of the terms are missing or unknown: {fields}.", fields=odd)
    values: dict[str, object] = {}
    for field in fields(SchemeTerms):
        try:
            values[field.name] = _READERS[field.type](data[field.name])
        except (TypeError, ValueError) as error:
            raise MalformedTerms(
                "The field {field} cannot be {value!r}.", field=field.name, value=data[field.name]
            ) from error
    return SchemeTerms(**values)  # type: ignore[arg-type]  # each value went through the reader of its field's type


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        if value and isinstance(value[0], Fee):
            return [{name: _plain(part) for name, part in vars(fee).items()} for fee in value]
        if value and isinstance(value[0], tuple):
            return dict(value)
        return [str(item) for item in value]
    return value if isinstance(value, bool | int) else str(value)


def _read_int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    if abs(value) > TERM_MAX:
        raise ValueError(value)
    return value


def _read_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _read_str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _read_list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return tuple(_read_str(item) for item in value)


def _read_pairs(value: object) -> tuple[tuple[str, int], ...]:
    if value == []:
        return ()
    if not isinstance(value, Mapping):
        raise TypeError(value)
    return tuple(sorted((_read_str(name), _read_int(number)) for name, number in value.items()))


def _read_fees(value: object) -> tuple[Fee, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return tuple(_read_fee(item) for item in value)


def _read_fee(value: object) -> Fee:
    if not isinstance(value, Mapping) or set(value) - {field.name for field in fields(Fee)}:
        raise TypeError(value)
    read = {field.name: _READERS[field.type](value[field.name]) for field in fields(Fee) if field.name in value}
    return Fee(**read)  # type: ignore[arg-type]  # each value went through the reader of its field's type


_READERS: Mapping[object, Callable[[object], object]] = {
    int: _read_int,
    bool: _read_bool,
    str: _read_str,
    DayCount: lambda value: DayCount(_read_str(value)),
    RateKind: lambda value: RateKind(_read_str(value)),
    FeeMoment: lambda value: FeeMoment(_read_str(value)),
    FeeBasis: lambda value: FeeBasis(_read_str(value)),
    tuple[Fee, ...]: _read_fees,
    LiquidationRule: lambda value: LiquidationRule(_read_str(value)),
    LiquidationOrder: lambda value: LiquidationOrder(_read_str(value)),
    tuple[str, ...]: _read_list,
    tuple[Due, ...]: lambda value: tuple(Due(item) for item in _read_list(value)),
    tuple[tuple[str, int], ...]: _read_pairs,
}


def pack_to_json(pack: Pack) -> dict[str, object]:
    """A rule pack as JSON values."""
    return {
        "jurisdiction": pack.jurisdiction,
        "version": pack.version,
        "effective_from": pack.effective_from.isoformat(),
        "rules": [
            {name: value.isoformat() if isinstance(value, date) else value for name, value in vars(rule).items()}
            for rule in pack.rules
        ],
    }


def fingerprint(rules: Mapping[str, object]) -> str:
    """The SHA-256 of rules as JSON values: the same rules give the same one, whatever the order of their fields."""
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def pack_from_json(data: Mapping[str, Any]) -> Pack:
    """A rule pack from JSON or YAML values; dates are ISO strings or dates. Raises `KeyError` or `TypeError`."""
    return Pack(
        jurisdiction=data["jurisdiction"],
        version=data["version"],
        effective_from=_read_date(data["effective_from"]),
        rules=tuple(
            Rule(
                **{
                    **rule,
                    "effective_from": _read_date(rule["effective_from"]) if rule["effective_from"] else None,
                    "effective_to": _read_date(rule["effective_to"]) if rule["effective_to"] else None,
                }
            )
            for rule in data["rules"]
        ),
    )


def _read_date(value: str | date) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


# What no scheme may have


def ratio_at_margin_bp(margin: Decimal) -> int:
    """The ratio (assets to debt, bp, rounded up) at which equity is `margin` of assets: 25% is 13334, 50% is 20000."""
    return int((10_000 / (1 - margin)).to_integral_value(rounding=ROUND_CEILING))


def ratio_at_loan_margin_bp(margin: Decimal) -> int:
    """The ratio (assets to debt, bp) at which equity is `margin` of the loan, as China counts it: 100% is 20000."""
    return _bp(1 + margin)


def _rest_bp(counted: Decimal) -> int:
    return _bp(1 - counted)


def _days_of_months(months: Decimal) -> int:
    return int(months * 183 / 6)


def _bp(margin: Decimal) -> int:
    return int((margin * 10_000).to_integral_value(rounding=ROUND_CEILING))


def _cents(dollars: Decimal) -> int:
    return int(dollars * 100)


@dataclass(frozen=True)
class LegalBound:
    """One field that a rule bounds. `bound` turns the rule's value into the field's unit."""

    rule_id: str
    field: str
    bound: Callable[[Decimal], int]
    is_floor: bool = True


LEGAL_BOUNDS = (
    LegalBound("us.regt.initial_long", "initial_bp", ratio_at_margin_bp),
    LegalBound("us.regt.initial_long", "withdrawal_bp", ratio_at_margin_bp),
    LegalBound("us.finra.maint_long", "call_bp", ratio_at_margin_bp),
    LegalBound("us.finra.maint_long", "close_out_bp", ratio_at_margin_bp),
    LegalBound("us.finra.maint_long", "default_maintenance_bp", _bp),
    LegalBound("us.finra.maint_long", "maintenances_bp", _bp),
    LegalBound("us.finra.min_equity", "min_equity_minor", _cents),
    LegalBound("us.finra.call_deadline", "call_deadline_sessions", int, is_floor=False),
    LegalBound("cn.margin.financing_min.2023", "initial_bp", ratio_at_loan_margin_bp),
    LegalBound("cn.margin.financing_min.2026", "initial_bp", ratio_at_loan_margin_bp),
    LegalBound("cn.maintenance.withdraw_line", "withdrawal_bp", _bp),
    LegalBound("cn.haircut.index_stock", "default_haircut_bp", _rest_bp),
    LegalBound("cn.haircut.index_stock", "haircuts_bp", _rest_bp),
    LegalBound("cn.term.contract_max", "tenor_days", _days_of_months, is_floor=False),
)
"""Which rule bounds which term. A new jurisdiction adds its rows here and its pack as data."""


def check_terms(terms: SchemeTerms, pack: Pack, on: date) -> list[Problem]:
    """Every reason why these terms cannot take effect on `on`: contradictions first, then broken rules of the pack."""
    return [*_contradictions(terms, pack), *_broken_rules(terms, pack, on)]


def check_currency(terms: SchemeTerms, books: str | None) -> list[Problem]:
    """Why terms have no account on a desk whose books are kept in `books` (nothing: not opened yet)."""
    if books in {None, terms.currency} or terms.currency not in MINOR_DIGITS:
        return []
    reason = Sentence("the books of the desk are kept in {books}", {"books": books})
    told = Sentence(
        "{field} is {currency}: {reason}.", {"field": "currency", "currency": terms.currency, "reason": reason}
    )
    return [Problem("currency", HOUSE, told, reason=reason)]


def _contradictions(terms: SchemeTerms, pack: Pack) -> list[Problem]:
    shares = {
        "default_haircut_bp": terms.default_haircut_bp,
        "default_maintenance_bp": terms.default_maintenance_bp,
        "concentration_cap_bp": terms.concentration_cap_bp,
        "group_cap_bp": terms.group_cap_bp,
        **{f"haircuts_bp.{symbol}": value for symbol, value in terms.haircuts_bp},
        **{f"maintenances_bp.{symbol}": value for symbol, value in terms.maintenances_bp},
    }
    strangers = sorted(
        {symbol for symbol, _ in (*terms.haircuts_bp, *terms.maintenances_bp)} - {*terms.accepted_symbols}
    )
    at_least_zero = (
        "rate_floor_bp",
        "rate_reset_days",
        "rate_notice_days",
        "grace_days",
        "haircut_notice_sessions",
        "renewals_max",
        "min_equity_minor",
        "hysteresis_bp",
    )
    above_zero = ("limit_minor", "tenor_days", "call_deadline_sessions", "concentration_cap_bp")
    checks: list[tuple[bool, str, Sentence]] = [
        (
            terms.rule_pack == pack.jurisdiction,
            "rule_pack",
            Sentence("the terms name the rule pack {rule_pack}", {"rule_pack": terms.rule_pack}),
        ),
        (
            any(legal.rule_id.startswith(f"{pack.jurisdiction.lower()}.") for legal in LEGAL_BOUNDS),
            "rule_pack",
            Sentence("the rule pack {rule_pack} holds no rules on margin", {"rule_pack": pack.jurisdiction}),
        ),
        (
            terms.currency in MINOR_DIGITS,
            "currency",
            Sentence("the desk keeps no books in {currency}", {"currency": terms.currency}),
        ),
        (bool(terms.accepted_symbols), "accepted_symbols", Sentence("no collateral is accepted")),
        (
            len(set(terms.accepted_symbols)) == len(terms.accepted_symbols),
            "accepted_symbols",
            Sentence("a symbol stands twice"),
        ),
        (
            not strangers,
            "accepted_symbols",
            Sentence("{symbols} has terms of its own but is not accepted", {"symbols": strangers}),
        ),
        (
            sorted(terms.payment_order) == sorted(Due),
            "payment_order",
            Sentence("each kind of due must stand in it once"),
        ),
        (
            terms.rate_floor_bp <= terms.rate_bp <= terms.rate_cap_bp,
            "rate_bp",
            Sentence("it must lie between the lowest and the highest rate"),
        ),
        (terms.rate_cap_bp <= RATE_MAX_BP, "rate_cap_bp", Sentence("a rate is at most 100% a year")),
        (0 <= terms.penalty_rate_bp <= RATE_MAX_BP, "penalty_rate_bp", Sentence("a rate is from 0 to 100% a year")),
        (
            (terms.rate_kind is RateKind.FIXED) == (terms.rate_reset_days == 0),
            "rate_reset_days",
            Sentence("a fixed rate is never set anew, and any other is after some days"),
        ),
        (
            terms.rate_notice_days <= terms.rate_reset_days,
            "rate_notice_days",
            Sentence("notice of a new rate cannot be longer than the time to it"),
        ),
        (
            terms.tenor_days + terms.grace_days <= TENOR_DAYS_MAX,
            "tenor_days",
            Sentence("tenor and grace are together at most a hundred years"),
        ),
        (
            terms.rate_reset_days <= terms.tenor_days,
            "rate_reset_days",
            Sentence("the rate would first change after maturity"),
        ),
        (
            terms.is_early_repayment_allowed or not terms.fees_at(FeeMoment.EARLY_REPAYMENT),
            "fees",
            Sentence("there is a fee on early repayment, which is not allowed"),
        ),
        (
            terms.renewals_max > 0 or not terms.fees_at(FeeMoment.RENEWAL),
            "fees",
            Sentence("there is a fee on renewals, and none is possible"),
        ),
        (
            terms.renewals_max > 0 or not terms.roll_over_allowed,
            "roll_over_allowed",
            Sentence("no renewal is possible"),
        ),
        (
            terms.group_cap_bp >= terms.concentration_cap_bp,
            "group_cap_bp",
            Sentence("one name could be more than its group"),
        ),
        (terms.close_out_bp > 10_000, "close_out_bp", Sentence("the close-out line must be above 100%")),
        (
            terms.close_out_bp < terms.call_bp,
            "close_out_bp",
            Sentence("the close-out line must be below the call line"),
        ),
        (terms.call_bp < terms.warning_bp, "call_bp", Sentence("the call line must be below the warning line")),
        (terms.warning_bp <= terms.initial_bp, "warning_bp", Sentence("a new loan would start below the warning line")),
        (
            terms.warning_bp <= terms.withdrawal_bp,
            "withdrawal_bp",
            Sentence("a withdrawal could end below the warning line"),
        ),
        (
            terms.cure_bp >= terms.call_bp + terms.hysteresis_bp,
            "cure_bp",
            Sentence("a cured call must leave the call band: cure must reach call plus hysteresis"),
        ),
        (terms.target_bp >= terms.cure_bp, "target_bp", Sentence("a forced sale must reach the cure line")),
        (
            terms.renewal_min_ratio_bp >= terms.call_bp,
            "renewal_min_ratio_bp",
            Sentence("a loan in call could be renewed"),
        ),
        *((0 <= value <= 10_000, name, Sentence("it must be from 0% to 100%")) for name, value in shares.items()),
        *((getattr(terms, name) >= 0, name, Sentence("it cannot be negative")) for name in at_least_zero),
        *((getattr(terms, name) > 0, name, Sentence("it must be more than zero")) for name in above_zero),
    ]
    return [
        Problem(
            field,
            HOUSE,
            Sentence("{field} contradicts the other terms: {reason}.", {"field": field, "reason": reason}),
            reason=reason,
        )
        for is_fine, field, reason in (*checks, *_fee_checks(terms.fees))
        if not is_fine
    ]


def _fee_checks(fees: Sequence[Fee]) -> list[tuple[bool, str, Sentence]]:
    codes = [fee.code for fee in fees]
    checks = [(len(set(codes)) == len(codes), "fees", Sentence("a fee's code stands twice"))]
    for fee in fees:
        field = f"fees.{fee.code}"
        amounts = (fee.amount_minor, fee.rate_bp, fee.least_minor, fee.most_minor)
        is_flat = fee.basis is FeeBasis.FLAT
        checks += [
            (bool(fee.code and fee.name), field, Sentence("a fee needs a code and a name")),
            (min(amounts) >= 0, field, Sentence("a fee cannot be negative")),
            ((fee.amount_minor > 0) == is_flat, field, Sentence("a flat fee has an amount, and a share has none")),
            ((fee.rate_bp > 0) == (not is_flat), field, Sentence("a share has a rate, and a flat fee has none")),
            (fee.rate_bp <= RATE_MAX_BP, field, Sentence("a share is at most the whole")),
            (
                not is_flat or not fee.least_minor + fee.most_minor,
                field,
                Sentence("only a share has a least and a most"),
            ),
            (not fee.most_minor or fee.least_minor <= fee.most_minor, field, Sentence("the least is above the most")),
        ]
    return checks


def bounds_in_force(pack: Pack, on: date) -> list[Bound]:
    """Every bound that the pack's rules set to a term on a day, in the order of `LEGAL_BOUNDS`."""
    in_force = {rule.id: rule for rule in pack.in_force(on)}
    return [
        Bound(
            field=legal.field,
            value=legal.bound(Decimal(str(rule.value))),
            is_floor=legal.is_floor,
            rule=rule.id,
            name=rule.name,
            name_zh=rule.name_zh,
            source=rule.source,
            article=rule.article,
        )
        for legal in LEGAL_BOUNDS
        if (rule := in_force.get(legal.rule_id)) is not None
    ]


def _broken_rules(terms: SchemeTerms, pack: Pack, on: date) -> list[Problem]:
    return [
        _broken(bound, name, value)
        for bound in bounds_in_force(pack, on)
        for name, value in _values(terms, bound.field)
        if (value < bound.value if bound.is_floor else value > bound.value)
    ]


def _values(terms: SchemeTerms, field: str) -> list[tuple[str, int]]:
    value: int | tuple[tuple[str, int], ...] = getattr(terms, field)
    if isinstance(value, int):
        return [(field, value)]
    return [(f"{field}.{symbol}", number) for symbol, number in value]


def _broken(bound: Bound, field: str, value: int) -> Problem:
    figures = {
        "field": field,
        "value": value,
        "source": bound.source,
        "article": bound.article,
        "rule": bound.rule,
        "name": bound.name,
        "bound": bound.value,
    }
    below = Sentence(
        "{field} is {value}, below the legal bound: {source} {article} ({rule}, {name}) asks for at least {bound}.",
        figures,
    )
    above = Sentence(
        "{field} is {value}, above the legal bound: {source} {article} ({rule}, {name}) asks for at most {bound}.",
        figures,
    )
    return Problem(field, bound.rule, below if bound.is_floor else above, bound=bound)


# What differs


def diff_terms(before: SchemeTerms, after: SchemeTerms) -> list[TermChange]:
    """Every term that differs, in the order of the terms; of accepted names those that came and those that went."""
    old, new = _flat(before), _flat(after)
    order = {field.name: number for number, field in enumerate(fields(SchemeTerms))}
    names = sorted(old.keys() | new.keys(), key=lambda name: (order[name.partition(".")[0]], name))
    return [TermChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _flat(terms: SchemeTerms) -> dict[str, object]:
    flat: dict[str, object] = {}
    for field in fields(SchemeTerms):
        value = getattr(terms, field.name)
        match field.name:
            case "fees":
                flat.update({f"fees.{fee.code}": fee for fee in value})
            case "haircuts_bp" | "maintenances_bp":
                flat.update({f"{field.name}.{symbol}": number for symbol, number in value})
            case "accepted_symbols":
                flat.update({f"accepted_symbols.{symbol}": True for symbol in value})
            case _:
                flat[field.name] = value
    return flat
