"""The data that a clause may state, each in words and figures."""

from reefpoint.platform.basics.money import percent
from reefpoint.records.contracts.rules.figures import day, money, ordinal
from reefpoint.records.contracts.rules.paper import Paper, Parties
from reefpoint.records.contracts.rules.words import phrase
from reefpoint.records.contracts.types import ContractTerms, Language, PaperKind, RenewalTerms

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
        "lines.deadline": deadline_in(terms.call_deadline_sessions, language),
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
        "renewal.contract": amended_contract(renewal, language),
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


def amended_contract(renewal: RenewalTerms, language: Language) -> str:
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


def deadline_in(sessions: int, language: Language) -> str:
    if sessions == 0:
        return phrase(language, "deadline.same")
    return phrase(language, "deadline").format(ordinal(sessions) if language is Language.EN else sessions)


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
