"""A contract as words and figures in the order of print: terms and template in, a document of plain values out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from reefpoint.platform.basics.money import PRICE_SCALE, minor_digits, percent
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.contracts.rules.templates import fill
from reefpoint.records.contracts.rules.words import WORDS, phrase
from reefpoint.records.contracts.types import (
    CollateralTerm,
    ContractTerms,
    Disclosure,
    Document,
    FeeTerm,
    Heading,
    Language,
    PaperKind,
    RenewalTerms,
    Template,
)

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Parties:
    """Who contracts, as the records had it on the day."""

    lender_name: str
    licence_number: str
    client_name: str
    client_name_zh: str
    client_number: str


@dataclass(frozen=True)
class Paper:
    """All that a document is made from."""

    number: str
    dated_on: date
    language: Language
    parties: Parties
    terms: ContractTerms
    template: Template
    template_version: int
    disclosures: tuple[Disclosure, ...]


# What must be there


def find_missing(terms: ContractTerms) -> list[str]:
    """The names of terms that are empty, in order: a contract without them says nothing."""
    found = [f"{place}{name}" for place, name, value in _texts(terms, "") if not value.strip()]
    for name in ("rate.parts", "collateral", "payment_order", "key_facts.outcomes"):
        value: Any = terms
        for part in name.split("."):
            value = getattr(value, part)
        if not value:
            found.append(name)
    if terms.rate.kind == "reset" and terms.rate.reset_days is None:
        found.append("rate.reset_days")
    return found


def _texts(value: Any, place: str) -> Iterator[tuple[str, str, str]]:
    for field in fields(value):
        held = getattr(value, field.name)
        match held:
            case str():
                yield place, field.name, held
            case tuple():
                for number, item in enumerate(held):
                    if isinstance(item, str):
                        yield place, f"{field.name}[{number}]", item
                    else:
                        yield from _texts(item, f"{place}{field.name}[{number}].")
            case date() | int() | None:
                pass
            case _:
                yield from _texts(held, f"{place}{field.name}.")


def find_wrong(terms: ContractTerms, dated_on: date) -> list[Sentence]:
    """What does not fit together, in sentences; empty for terms that do."""
    facts, lines = terms.key_facts, terms.lines
    checks = (
        (Sentence("The limit must be above zero."), terms.limit_minor > 0),
        (
            Sentence("The loan of the key facts must be above zero and within the limit."),
            0 < facts.loan_minor <= terms.limit_minor,
        ),
        (Sentence("The contract must end after it starts."), terms.starts_on < terms.ends_on),
        (Sentence("The last day of signing must not lie before the date of the contract."), dated_on <= terms.sign_by),
        (Sentence("The last day of signing must not lie after the end."), terms.sign_by <= terms.ends_on),
        (
            Sentence("The parts of the rate must add up to the rate."),
            sum(part.bp for part in terms.rate.parts) == terms.rate.rate_bp,
        ),
        (
            Sentence("The close-out line must lie under the call line, and that not over the cure line."),
            lines.close_out_bp < lines.call_bp <= lines.cure_bp,
        ),
        (
            Sentence("The first year's cost must be its interest and its fees."),
            facts.cost_first_year_minor == facts.interest_first_year_minor + facts.fees_first_year_minor,
        ),
        (
            Sentence("The fees of the first year must be those of the fee schedule."),
            facts.fees_first_year_minor == sum(fee.first_year_minor for fee in terms.fees),
        ),
        (Sentence("The worst case must be a fall."), facts.worst_change_bp < 0 <= facts.worst_owed_minor),
        (
            Sentence("Each name stands in the collateral once."),
            len({one.symbol for one in terms.collateral}) == len(terms.collateral),
        ),
    )
    return [sentence for sentence, holds in checks if not holds]


# Figures in words


def money(minor: int, currency: str) -> str:
    """Minor units with their currency: `USD 1,234.50`."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(minor), 10**digits)
    sign = MINUS if minor < 0 else ""
    return f"{currency} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")


def price(units: int) -> str:
    """A price of 1e-4 with two decimals, or as many as it has."""
    whole, part = divmod(units, PRICE_SCALE)
    text = f"{part:04d}".rstrip("0").ljust(2, "0")
    return f"{whole:,}.{text}"


def _signed(bp: int) -> str:
    return f"{'+' if bp > 0 else MINUS if bp < 0 else ''}{percent(abs(bp))}"


def day(on: date, language: Language) -> str:
    """A date as it is read: 25 November 2019, or 2019年11月25日."""
    if language is Language.ZH:
        return f"{on.year}年{on.month}月{on.day}日"
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in {11, 12, 13} else 0, "th")
    return f"{number}{ending}"


# The data of a template


FIELDS = frozenset({
    "contract.number", "contract.date", "contract.sign_by", "lender.name", "lender.licence", "client.name",
    "client.number", "scheme.name", "scheme.version", "facility.limit", "facility.currency", "facility.starts_on",
    "facility.ends_on", "rate.rate", "rate.penalty_rate", "rate.day_count", "rate.movement", "lines.initial",
    "lines.withdrawal", "lines.warning", "lines.cure", "lines.call", "lines.close_out", "lines.target",
    "lines.deadline", "collateral.concentration_cap", "collateral.group_cap", "collateral.haircut_notice",
    "sale.rule", "sale.order", "payment.order", "grace.days", "renewal.rule", "renewal.min_ratio",
    "early_repayment.rule",
})  # fmt: skip
"""The data that a clause of any paper may state."""

RENEWAL_FIELDS = frozenset({
    "renewal.contract", "renewal.loan", "renewal.principal", "renewal.old_rate", "renewal.fee", "renewal.interest",
    "renewal.left",
})  # fmt: skip
"""The data of a renewal besides."""


def fields_for(key: str) -> frozenset[str]:
    """The data that the clauses of a template of this key (`types.template_key`) may state."""
    return FIELDS | RENEWAL_FIELDS if key.endswith(f"-{PaperKind.RENEWAL}") else FIELDS


def field_values(paper: Paper) -> dict[str, str]:
    """Each datum that a paper may state. Raises `KeyError` for a word that the terms use and nobody knows."""
    terms, language, parties = paper.terms, paper.language, paper.parties
    lines, rate = terms.lines, terms.rate
    is_zh = language is Language.ZH
    values = {
        "contract.number": paper.number,
        "contract.date": day(paper.dated_on, language),
        "contract.sign_by": day(terms.sign_by, language),
        "lender.name": parties.lender_name,
        "lender.licence": parties.licence_number,
        "client.name": client_name(parties, language),
        "client.number": parties.client_number,
        "scheme.name": (terms.scheme_name_zh if is_zh else terms.scheme_name),
        "scheme.version": str(terms.scheme_version),
        "facility.limit": money(terms.limit_minor, terms.currency),
        "facility.currency": terms.currency,
        "facility.starts_on": day(terms.starts_on, language),
        "facility.ends_on": day(terms.ends_on, language),
        "rate.rate": percent(rate.rate_bp),
        "rate.penalty_rate": percent(rate.penalty_rate_bp),
        "rate.day_count": rate.day_count,
        "rate.movement": _movement(terms, language),
        "lines.deadline": _deadline(terms.call_deadline_sessions, language),
        "collateral.concentration_cap": percent(terms.concentration_cap_bp),
        "collateral.group_cap": _group_cap(terms, language),
        "collateral.haircut_notice": _haircut_notice(terms, language),
        "sale.rule": phrase(language, f"sale.rule.{terms.liquidation_rule}"),
        "sale.order": phrase(language, f"sale.order.{terms.liquidation_order}"),
        "payment.order": ("、" if is_zh else ", ").join(phrase(language, f"due.{one}") for one in terms.payment_order),
        "grace.days": phrase(language, "days").format(terms.grace_days),
        "renewal.min_ratio": percent(terms.renewal_min_ratio_bp),
        "renewal.rule": _renewal(terms, language),
        "early_repayment.rule": _early_repayment(terms, language),
    }
    for name in ("initial", "withdrawal", "warning", "cure", "call", "close_out", "target"):
        values[f"lines.{name}"] = percent(getattr(lines, f"{name}_bp"))
    if terms.renewal is not None:
        values |= _renewal_values(terms, terms.renewal, language)
    return values


def _renewal_values(terms: ContractTerms, renewal: RenewalTerms, language: Language) -> dict[str, str]:
    interest = "renewal.paid" if renewal.carried_minor is None else "renewal.carried"
    is_last = renewal.number >= terms.renewals_max
    return {
        "renewal.contract": _amended(renewal, language),
        "renewal.loan": renewal.loan_number,
        "renewal.principal": money(renewal.principal_minor, terms.currency),
        "renewal.old_rate": percent(renewal.old_rate_bp),
        "renewal.fee": phrase(language, "renewal.fee" if renewal.fee_minor else "renewal.no_fee").format(
            money(renewal.fee_minor, terms.currency)
        ),
        "renewal.interest": phrase(language, interest).format(money(renewal.carried_minor or 0, terms.currency)),
        "renewal.left": phrase(language, "renewal.last" if is_last else "renewal.left").format(
            renewal.number, terms.renewals_max
        ),
    }


def _amended(renewal: RenewalTerms, language: Language) -> str:
    """The contract that a renewal amends, by its number and those of the amendments before."""
    if not renewal.amends:
        return phrase(language, "renewal.contract.unknown")
    first, *others = renewal.amends
    name = "renewal.contract.amended" if others else "renewal.contract"
    return phrase(language, name).format(first, ("、" if language is Language.ZH else ", ").join(others))


def client_name(parties: Parties, language: Language) -> str:
    """The client's name, with the Chinese one where there is one."""
    names = [parties.client_name, parties.client_name_zh]
    if language is Language.ZH:
        names.reverse()
    first, *others = [name for name in names if name]
    if not others:
        return first
    return f"{first}（{others[0]}）" if language is Language.ZH else f"{first} ({others[0]})"


def _movement(terms: ContractTerms, language: Language) -> str:
    rate = terms.rate
    text = phrase(language, f"rate.{rate.kind}").format(
        reset=rate.reset_days or 0, notice=phrase(language, "days").format(rate.notice_days or 0)
    )
    bounds = [
        phrase(language, f"rate.{name}").format(percent(bp))
        for name, bp in (("floor", rate.floor_bp), ("cap", rate.cap_bp))
        if bp is not None
    ]
    return " ".join([text, *bounds]) if language is Language.EN else "".join([text, *bounds])


def _deadline(sessions: int, language: Language) -> str:
    if sessions == 0:
        return phrase(language, "deadline.same")
    return phrase(language, "deadline").format(_ordinal(sessions) if language is Language.EN else sessions)


def _group_cap(terms: ContractTerms, language: Language) -> str:
    if terms.group_cap_bp is None:
        return ""
    return phrase(language, "group_cap").format(percent(terms.group_cap_bp))


def _haircut_notice(terms: ContractTerms, language: Language) -> str:
    if terms.haircut_notice_sessions == 0:
        return phrase(language, "haircut_notice.none")
    return phrase(language, "haircut_notice").format(terms.haircut_notice_sessions)


def _renewal(terms: ContractTerms, language: Language) -> str:
    if terms.renewals_max == 0:
        return phrase(language, "renewal.none")
    return phrase(language, "renewal").format(terms.renewals_max, percent(terms.renewal_min_ratio_bp))


def _early_repayment(terms: ContractTerms, language: Language) -> str:
    if not terms.is_early_repayment_allowed:
        return phrase(language, "early.none")
    if terms.early_repayment_fee_bp == 0:
        return phrase(language, "early.free")
    return phrase(language, "early.fee").format(percent(terms.early_repayment_fee_bp))


# The document


def clauses_of(paper: Paper) -> tuple[Heading, ...]:
    """The clauses with the client's own figures in them. Raises `KeyError` for a datum that does not exist."""
    values = field_values(paper)
    return tuple(
        Heading(
            id=clause.id,
            number=number,
            heading=fill(clause.heading[paper.language], values),
            paragraphs=tuple(fill(text, values) for text in clause.paragraphs[paper.language]),
        )
        for number, clause in enumerate(paper.template.clauses, start=1)
    )


def build_document(paper: Paper) -> Document:
    """Everything that is printed, in order. Raises `KeyError` for a datum or a word that does not exist."""
    language, terms = paper.language, paper.terms
    say = WORDS[language]
    return {
        "lang": language.value,
        "title": paper.template.title[language],
        "subtitle": f"{paper.number} · {day(paper.dated_on, language)}",
        "notice": paper.template.notice[language],
        "footer": say["footer"].format(paper.number, paper.template.jurisdiction, paper.template_version),
        "page": say["page"],
        "parties": [
            [say["lender"], f"{paper.parties.lender_name} · {say['licence']} {paper.parties.licence_number}"],
            [say["client"], f"{client_name(paper.parties, language)} · {paper.parties.client_number}"],
            *_subject(terms, language, say),
            [say["sign_by"], day(terms.sign_by, language)],
        ],
        "facts": _facts(paper, say),
        "clauses_title": say["clauses"],
        "clauses": [
            {"number": one.number, "heading": one.heading, "paragraphs": list(one.paragraphs)}
            for one in clauses_of(paper)
        ],
        "schedules": _schedules(terms, language, say),
        "sign": {
            "title": say["signatures"],
            "text": say["signatures.text"],
            "client": say["client"],
            "client_name": client_name(paper.parties, language),
            "desk": say["lender"],
            "desk_name": paper.parties.lender_name,
        },
    }


def _subject(terms: ContractTerms, language: Language, say: Mapping[str, str]) -> list[list[str]]:
    """What is lent and for how long; for a renewal, which loan goes on and until when."""
    renewal = terms.renewal
    if renewal is None:
        return [
            [say["limit"], money(terms.limit_minor, terms.currency)],
            [say["term"], f"{day(terms.starts_on, language)} – {day(terms.ends_on, language)}"],
        ]
    return [
        [say["amends"], _amended(renewal, language)],
        [say["renewed"], f"{money(renewal.principal_minor, terms.currency)} · {renewal.loan_number}"],
        [say["matures_now"], day(terms.starts_on, language)],
        [say["matures_new"], day(terms.ends_on, language)],
    ]


def _maintenance(terms: ContractTerms, language: Language, say: Mapping[str, str]) -> list[str]:
    """What the names ask of the client's own money; nothing on papers that were made before it was said."""
    facts = terms.key_facts
    if not facts.maintenance_names:
        return []
    asked = (money(facts.maintenance_minor, terms.currency), ", ".join(facts.maintenance_names))
    deadline = _deadline(terms.call_deadline_sessions, language)
    if facts.fall_to_maintenance_bp is None:
        return [say["maintenance.text.never"].format(*asked, deadline)]
    return [say["maintenance.text"].format(*asked, percent(facts.fall_to_maintenance_bp), deadline)]


def _cost(terms: ContractTerms, language: Language, say: Mapping[str, str]) -> list[list[str]]:
    facts, renewal = terms.key_facts, terms.renewal

    def amount(minor: int) -> str:
        return money(minor, terms.currency)

    begins, ends, rate = day(terms.starts_on, language), day(terms.ends_on, language), percent(terms.rate.rate_bp)
    first = [
        say["cost.first_year"],
        amount(facts.cost_first_year_minor),
        say["cost.first_year.note"].format(
            amount(facts.interest_first_year_minor), amount(facts.fees_first_year_minor)
        ),
    ]
    if renewal is None:
        return [
            first,
            [
                say["cost.whole_term"],
                amount(facts.cost_whole_term_minor),
                say["cost.whole_term.note"].format(begins, ends),
            ],
            [say["cost.day"], amount(facts.interest_day_minor), say["cost.day.note"].format(rate)],
        ]
    carried = []
    if renewal.carried_minor:
        carried = [[say["cost.carried"], amount(renewal.carried_minor), say["cost.carried.note"]]]
    return [
        [say["cost.further"], amount(facts.cost_whole_term_minor), say["cost.whole_term.note"].format(begins, ends)],
        first,
        [say["cost.fee"], amount(renewal.fee_minor), say["cost.fee.note"]],
        *carried,
        [say["cost.day"], amount(facts.interest_day_minor), say["cost.day.renewed"].format(
            rate, percent(renewal.old_rate_bp))],
    ]  # fmt: skip


def _facts(paper: Paper, say: Mapping[str, str]) -> dict[str, Any]:
    terms, language, facts = paper.terms, paper.language, paper.terms.key_facts

    def amount(minor: int) -> str:
        return money(minor, terms.currency)

    return {
        "title": say["facts"],
        "lead": say[f"facts.lead.{terms.paper}"].format(_instant(facts.at), amount(facts.loan_minor)),
        "cost_title": say["cost"],
        "cost": _cost(terms, language, say),
        "yours_title": say["yours"],
        "yours": [
            [say["yours.value"], amount(facts.value_minor + facts.cash_minor), ""],
            [say["yours.loan"], amount(facts.loan_minor), ""],
            [say["yours.own"], amount(facts.own_minor), ""],
            [say["yours.ratio"], percent(facts.ratio_bp), ""],
        ],
        "lines_title": say["called"],
        "lines": [
            say["called.text"].format(
                percent(facts.fall_to_call_bp), percent(terms.lines.call_bp), amount(facts.call_minor),
                _deadline(terms.call_deadline_sessions, language)),
            say["sold.text"].format(
                percent(facts.fall_to_close_out_bp), percent(terms.lines.close_out_bp), amount(facts.sold_minor)),
            *_maintenance(terms, language, say),
        ],
        "holdings": {
            "title": say["prices"],
            "note": say["prices.note"],
            "head": [say[name] for name in ("name", "quantity", "price_now", "price_call", "price_sold", "alone_call",
                                            "alone_sold")],
            "rows": [_holding(one, language, say) for one in terms.collateral],
        },
        "then_title": say["then"],
        "then": [
            say["then.call"].format(_deadline(terms.call_deadline_sessions, language), percent(terms.lines.cure_bp)),
            phrase(language, f"sale.rule.{terms.liquidation_rule}"),
            phrase(language, f"sale.order.{terms.liquidation_order}"),
            say["then.rest"].format(percent(terms.lines.target_bp)),
        ],
        "outcomes": {
            "title": say["outcomes"],
            "note": say["outcomes.note"],
            "head": [say[name] for name in ("change", "own_after", "result")],
            "rows": [
                [_signed(one.change_bp), amount(one.own_minor), amount(one.result_minor)] for one in facts.outcomes
            ],
        },
        "worst_title": say["worst"],
        "worst": say["worst.text" if facts.worst_owed_minor else "worst.text.covered"].format(
            percent(-facts.worst_change_bp), amount(facts.worst_loss_minor), amount(facts.own_minor),
            amount(facts.worst_owed_minor)),
        "disclosures_title": say["disclosures"],
        "disclosures": [[one.title[language], one.text[language]] for one in paper.disclosures],
    }  # fmt: skip


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _holding(one: CollateralTerm, language: Language, say: Mapping[str, str]) -> list[str]:
    def alone(units: int | None) -> str:
        return say["never"] if units is None else price(units)

    return [
        f"{one.symbol} {one.name_zh if language is Language.ZH else one.name}",
        f"{one.quantity:,}",
        price(one.price_units),
        price(one.call_price_units),
        price(one.close_out_price_units),
        alone(one.call_alone_units),
        alone(one.close_out_alone_units),
    ]


def _schedules(terms: ContractTerms, language: Language, say: Mapping[str, str]) -> list[dict[str, Any]]:
    is_zh = language is Language.ZH
    parts: Sequence[list[str]] = [[part.name_zh if is_zh else part.name, percent(part.bp)] for part in terms.rate.parts]
    schedules: list[dict[str, Any]] = [
        {
            "title": say["schedule.rate"],
            "head": [say["part"], say["rate_year"]],
            "rows": [*parts, [say["rate_whole"], percent(terms.rate.rate_bp)]],
        },
        {
            "title": say["schedule.fees"],
            "head": [say["fee"], say["when"], say["amount"], say["first_year"]],
            "rows": [_fee(fee, terms.currency, language, say) for fee in terms.fees],
            "empty": say["no_fees"],
        },
        {
            "title": say["schedule.collateral"],
            "head": [say[name] for name in ("name", "quantity", "price_now", "value", "haircut", "lendable")],
            "rows": [
                [
                    f"{one.symbol} {one.name_zh if is_zh else one.name}",
                    f"{one.quantity:,}",
                    price(one.price_units),
                    money(one.value_minor, terms.currency),
                    percent(one.haircut_bp),
                    money(one.lendable_minor, terms.currency),
                ]
                for one in terms.collateral
            ],
        },
    ]
    if terms.conditions:
        schedules.append(
            {
                "title": say["schedule.conditions"],
                "head": [say["condition"]],
                "rows": [[one.words_zh if is_zh else one.words] for one in terms.conditions],
            }
        )
    return schedules


def _fee(fee: FeeTerm, currency: str, language: Language, say: Mapping[str, str]) -> list[str]:
    is_zh = language is Language.ZH
    if fee.basis == "flat":
        text = money(fee.amount_minor, currency)
    else:
        text = phrase(language, "fee.share").format(percent(fee.rate_bp))
        if fee.least_minor:
            text += say["fee.least"].format(money(fee.least_minor, currency))
        if fee.most_minor is not None:
            text += say["fee.most"].format(money(fee.most_minor, currency))
    return [
        fee.name_zh if is_zh else fee.name,
        phrase(language, f"moment.{fee.moment}"),
        text,
        money(fee.first_year_minor, currency),
    ]
