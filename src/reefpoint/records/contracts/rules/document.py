"""A contract as words and figures in the order of print: terms and template in, a document of plain values out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reefpoint.platform.basics.money import percent
from reefpoint.records.contracts.rules.fields import amended_contract, client_name, deadline_in, field_values
from reefpoint.records.contracts.rules.figures import day, money, price, signed
from reefpoint.records.contracts.rules.paper import Paper
from reefpoint.records.contracts.rules.templates import fill
from reefpoint.records.contracts.rules.words import WORDS, phrase
from reefpoint.records.contracts.types import CollateralTerm, ContractTerms, Document, FeeTerm, Heading, Language


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
        [say["amends"], amended_contract(renewal, language)],
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
    deadline = deadline_in(terms.call_deadline_sessions, language)
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
                deadline_in(terms.call_deadline_sessions, language)),
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
            say["then.call"].format(deadline_in(terms.call_deadline_sessions, language), percent(terms.lines.cure_bp)),
            phrase(language, f"sale.rule.{terms.liquidation_rule}"),
            phrase(language, f"sale.order.{terms.liquidation_order}"),
            say["then.rest"].format(percent(terms.lines.target_bp)),
        ],
        "outcomes": {
            "title": say["outcomes"],
            "note": say["outcomes.note"],
            "head": [say[name] for name in ("change", "own_after", "result")],
            "rows": [
                [signed(one.change_bp), amount(one.own_minor), amount(one.result_minor)] for one in facts.outcomes
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
