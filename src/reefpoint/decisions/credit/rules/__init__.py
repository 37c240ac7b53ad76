"""Reading a credit policy, and what inputs come to under it. Nothing here reads a clock or a table of the database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from reefpoint.decisions.credit.rules.conditions import FIGURE_BOUNDS
from reefpoint.decisions.credit.types import (
    GRADES,
    Assessment,
    Authority,
    Condition,
    ConditionKind,
    ConditionMoment,
    CreditAsk,
    CreditInputs,
    CreditOutcome,
    CreditPolicy,
    DecisionState,
    Fact,
    Finding,
    FiredRow,
    LimitTerm,
    PledgedName,
    ScoreInput,
    ScoreReason,
    Words,
)
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import MINOR_DIGITS, ceil_div
from reefpoint.platform.basics.states import StateTable
from reefpoint.platform.basics.tables.cells import Kind, Value
from reefpoint.platform.basics.tables.proving import prove_monotone
from reefpoint.platform.basics.tables.reading import read_table
from reefpoint.platform.basics.tables.table import DecisionTable, HitPolicy, MalformedTable, MissingInput, Row

ADVERSE_REASONS_MAX = 4
"""The most that a notice of adverse action usefully names (commentary on 12 CFR 1002.9(b)(2), from memory)."""

DECISION_STATES = StateTable(
    subject="credit decision",
    initial=DecisionState.OPEN,
    moves={
        DecisionState.OPEN: frozenset({DecisionState.PROPOSED, DecisionState.DECLINED}),
        DecisionState.PROPOSED: frozenset({DecisionState.APPROVED, DecisionState.OPEN}),
        DecisionState.DECLINED: frozenset({DecisionState.PROPOSED}),
    },
)

APPROVAL_KIND = {Authority.OFFICER: "credit.approve", Authority.SENIOR: "credit.approve_large"}
"""The kind of approval by which each level of authority says yes; who holds which stands in the table of rights."""


class OverrideRefused(Refusal):
    """What the proposal asks for goes beyond what anybody may approve."""

    code = "override_refused"


# The policy

_KEYS = (
    "checks",
    "shares",
    "caps",
    "conditions",
    "authority",
    "facts",
    "units",
    "valid_days",
    "step_minor",
    "least_units",
)
_POLICIES = {
    "checks": HitPolicy.PRIORITY,
    "shares": HitPolicy.UNIQUE,
    "caps": HitPolicy.COLLECT_MIN,
    "conditions": HitPolicy.COLLECT,
    "authority": HitPolicy.UNIQUE,
}
_OUTPUTS = {
    "checks": ("finding", "by", "en", "zh"),
    "shares": ("collateral_bp", "liquid_bp"),
    "caps": ("cap_units",),
    "conditions": ("kind", "figure", "moment"),
    "authority": ("level",),
}
NO_CONDITION = "none"
_CHOICES: Mapping[tuple[str, str], Sequence[str]] = {
    ("checks", "finding"): list(Finding),
    ("conditions", "kind"): [NO_CONDITION, *ConditionKind],
    ("conditions", "moment"): list(ConditionMoment),
    ("authority", "level"): list(Authority),
}
_MONOTONE = (
    ("checks", "finding", False),
    ("shares", "collateral_bp", False),
    ("shares", "liquid_bp", False),
    ("caps", "cap_units", False),
    ("authority", "level", True),
)
"""What must follow the grade downwards: a worse grade never passes more, is lent more, or needs less authority."""


def read_policy(content: Mapping[str, Any]) -> CreditPolicy:
    """The policy from its JSON form, every table proved, and proved to follow the grade. Raises `MalformedTable`."""
    if odd := sorted(set(_KEYS) ^ set(content)):
        raise MalformedTable(odd[0], "the part is missing, or there is no such part")
    tables = {name: _read(name, content[name]) for name in _POLICIES}
    units, facts = _read_units(content["units"]), _read_facts(content["facts"])
    used = dict.fromkeys(c.name for table in tables.values() for c in table.inputs if c.name != "limit_units")
    if odd := sorted(set(used) ^ set(facts)):
        raise MalformedTable(f"facts, {odd[0]}", "each input of the tables stands here once, and nothing else")
    _check_figures(tables["conditions"])
    for name, output, is_rising in _MONOTONE:
        prove_monotone(tables[name], "grade", output, order=GRADES, is_rising=is_rising)
    prove_monotone(tables["authority"], "limit_units", "level", is_rising=True)
    numbers = {name: content[name] for name in ("valid_days", "step_minor", "least_units")}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise MalformedTable(name, "it must be a whole number above zero")
    in_order = {name: facts[name] for name in used}  # of the tables, not of the store, which keeps no order of keys
    return CreditPolicy(
        **tables,
        facts=in_order,
        units=units,
        valid_days=numbers["valid_days"],
        step_minor=numbers["step_minor"],
        least_units=numbers["least_units"],
    )


def _read(name: str, data: Any) -> DecisionTable:
    try:
        table = read_table(data)
    except MalformedTable as error:
        raise MalformedTable(
            f"{name}, {error.cell}",
            error.problem,
            row=error.row,
            column=error.column,
            other=error.other,
            span=error.span,
            why=error.why,
            figures=error.figures,
        ) from None
    if table.policy is not _POLICIES[name]:
        raise MalformedTable(f"{name}, policy", "this table has the hit policy {policy}", policy=_POLICIES[name].value)
    if odd := set(_OUTPUTS[name]) ^ {column.name for column in table.outputs}:
        raise MalformedTable(f"{name}, outputs, {min(odd)}", "the outcome is missing, or there is no such outcome")
    if table.outputs[0].name != _OUTPUTS[name][0]:
        raise MalformedTable(f"{name}, outputs", "{output} stands first", output=_OUTPUTS[name][0])
    for column in table.outputs:
        wanted = _CHOICES.get((name, column.name))
        if wanted is not None and column.choices != tuple(wanted):
            raise MalformedTable(f"{name}, outputs, {column.name}", "its choices are {names}", names=", ".join(wanted))
        if column.name.endswith(("_bp", "_units", "figure")) and column.kind is not Kind.WHOLE:
            raise MalformedTable(f"{name}, outputs, {column.name}", "it is a whole number")
    return table


def _check_figures(table: DecisionTable) -> None:
    """Raise `MalformedTable` for a condition whose figure says nothing, or more than there can be."""
    for row in table.rows:
        kind, figure = str(row.then["kind"]), row.then["figure"]
        low, high = (0, 0) if kind == NO_CONDITION else FIGURE_BOUNDS[ConditionKind(kind)]
        if not low <= int(figure) <= high:
            raise MalformedTable(
                f"conditions, row {row.id}, figure",
                "of {kind} it lies between {low} and {high}",
                row=row.id,
                column="figure",
                why="out_of_bounds",
                figures={"text": str(figure), "low": str(low), "high": str(high)},
                kind=kind,
                low=low,
                high=high,
            )


def _read_units(data: object) -> dict[str, int]:
    if not isinstance(data, Mapping) or not data:
        raise MalformedTable("units", "they say how many minor units of each currency one unit is")
    for currency, minor in data.items():
        if currency not in MINOR_DIGITS or isinstance(minor, bool) or not isinstance(minor, int) or minor < 1:
            raise MalformedTable(f"units, {currency}", "a currency of the desk has a whole number above zero")
    return dict(data)


def _read_facts(data: object) -> dict[str, Fact]:
    if not isinstance(data, Mapping):
        raise MalformedTable("facts", "they say what follows when an input is missing")
    facts = {}
    for name, entry in data.items():
        if not isinstance(entry, Mapping) or set(entry) != {"missing", "en", "zh"}:
            raise MalformedTable(f"facts, {name}", "it has `missing`, `en` and `zh`")
        if entry["missing"] not in {Finding.REFER, Finding.DECLINE, Finding.BARRED}:
            raise MalformedTable(
                f"facts, {name}, missing", "what is not known refers, declines or bars; it never passes"
            )
        if not all(isinstance(entry[word], str) and entry[word] for word in ("en", "zh")):
            raise MalformedTable(f"facts, {name}", "the sentence is needed in both languages")
        facts[str(name)] = Fact(str(name), Finding(entry["missing"]), entry["en"], entry["zh"])
    return facts


# Deciding


def assess(policy: CreditPolicy, inputs: CreditInputs) -> Assessment:
    """What inputs come to: the worst finding decides, the least term is the limit. Exact, and the same for ever.

    What is missing is never zero: it refers or declines as the policy says, and a limit that rests on it is not known.
    """
    checked, _ = policy.checks.decide_known(inputs.facts)
    missing = tuple(name for name in policy.facts if _is_missing(policy, inputs.facts, name))
    findings = [Finding(str(row.then["finding"])) for row in checked.rows]
    worst = _worst([*findings, *(policy.facts[name].missing for name in missing)])
    terms, limit_rows = _limit_terms(policy, inputs)
    limit = _limit(policy, inputs, terms)
    grade = inputs.facts.get("grade")
    outcome = {Finding.PASS: CreditOutcome.APPROVE, Finding.REFER: CreditOutcome.REFER}.get(
        worst, CreditOutcome.DECLINE
    )
    if outcome is CreditOutcome.APPROVE and limit is None:
        outcome = CreditOutcome.REFER
    if outcome is CreditOutcome.APPROVE and limit == 0:
        outcome = CreditOutcome.DECLINE
    conditions, _ = policy.conditions.decide_known(inputs.facts)
    authority = authority_for(policy, inputs.facts, inputs.ask.currency, limit)
    return Assessment(
        outcome=outcome,
        is_barred=worst is Finding.BARRED,
        grade=grade if isinstance(grade, str) else None,
        limit_minor=0 if outcome is CreditOutcome.DECLINE else limit,
        terms=terms,
        rows=(
            *_fired("checks", checked.rows),
            *limit_rows,
            *_fired("conditions", conditions.rows),
        ),
        missing=missing,
        conditions=tuple(
            Condition(
                row.id,
                ConditionKind(str(row.then["kind"])),
                int(row.then["figure"]),
                ConditionMoment(str(row.then["moment"])),
            )
            for row in conditions.rows
            if row.then["kind"] != NO_CONDITION
        ),
        adverse_reasons=_reasons(policy, inputs, checked.rows, missing, terms, limit, outcome),
        authority=authority,
    )


def authority_for(
    policy: CreditPolicy, facts: Mapping[str, Value | None], currency: str, limit_minor: int | None
) -> Authority | None:
    """Who may approve this limit; None where an input is missing. The amount rounds up to whole units."""
    if limit_minor is None or currency not in policy.units:
        return None
    try:
        row = policy.authority.decide({**facts, "limit_units": ceil_div(limit_minor, policy.units[currency])})
    except MissingInput:
        return None
    return Authority(row.word("level"))


def proposal_authority(
    policy: CreditPolicy, inputs: CreditInputs, assessment: Assessment, limit_minor: int
) -> tuple[Authority, bool]:
    """Who may approve a person's proposal, and whether it goes beyond what the policy recommends (an override).

    An override needs a senior at least. Raises `OverrideRefused` for what nobody may approve: a barred client, more
    than was asked, than the scheme lends or than the client's group has room for, a limit beyond all authority.
    """
    if assessment.is_barred:
        raise OverrideRefused("A rule that nobody may override bars this client. The decision stays as it is.")
    hard = [inputs.ask.limit_minor, inputs.scheme_limit_minor]
    if inputs.group_room_minor is not None:
        hard.append(inputs.group_room_minor)
    if not 0 < limit_minor <= min(hard):
        raise OverrideRefused(
            "The limit must be above zero and within what was asked, what the scheme lends and what the group may owe.",
            most_minor=max(0, min(hard)),
        )
    is_override = (
        assessment.outcome is CreditOutcome.DECLINE
        or assessment.limit_minor is None
        or limit_minor > assessment.limit_minor
    )
    level = authority_for(policy, inputs.facts, inputs.ask.currency, limit_minor)
    if level is Authority.NOBODY:
        raise OverrideRefused("Nobody on the desk has the authority to approve this limit for this grade.")
    if level is None or is_override:
        level = Authority.SENIOR
    return level, is_override


def _is_missing(policy: CreditPolicy, facts: Mapping[str, Value | None], name: str) -> bool:
    return any(
        not column.accepts(facts.get(name)) for table in policy.tables for column in table.inputs if column.name == name
    )


def _worst(findings: Iterable[Finding]) -> Finding:
    order = list(Finding)
    return min(findings, key=order.index, default=Finding.PASS)


def _limit_terms(policy: CreditPolicy, inputs: CreditInputs) -> tuple[tuple[LimitTerm, ...], tuple[FiredRow, ...]]:
    terms = [LimitTerm("asked", inputs.ask.limit_minor), LimitTerm("scheme", inputs.scheme_limit_minor)]
    rows: list[FiredRow] = []
    try:
        shares = policy.shares.decide(inputs.facts)
        rows += _fired("shares", shares.rows)
        for code, base, column in (
            ("collateral", inputs.lendable_minor, "collateral_bp"),
            ("liquid_assets", inputs.liquid_assets_minor, "liquid_bp"),
        ):
            share = int(shares[column])
            terms.append(LimitTerm(code, None if base is None else base * share // 10_000, base, share))
    except MissingInput:
        terms += [LimitTerm("collateral", None), LimitTerm("liquid_assets", None)]
    try:
        caps = policy.caps.decide(inputs.facts)
        rows += _fired("caps", caps.rows)
        unit = policy.units.get(inputs.ask.currency)
        terms.append(LimitTerm("cap", None if unit is None else caps.least("cap_units") * unit))
    except MissingInput:
        terms.append(LimitTerm("cap", None))
    if inputs.group_room_minor is not None:
        terms.append(LimitTerm("group", max(0, inputs.group_room_minor)))
    return tuple(terms), tuple(rows)


def _limit(policy: CreditPolicy, inputs: CreditInputs, terms: Sequence[LimitTerm]) -> int | None:
    """The least term, rounded down to whole steps; 0 under the least limit there is; None while a term is unknown."""
    amounts = [term.amount_minor for term in terms]
    if any(amount is None for amount in amounts):
        return None
    least = min(amount for amount in amounts if amount is not None)
    limit = least if least == inputs.ask.limit_minor else least // policy.step_minor * policy.step_minor
    return limit if limit >= policy.least_units * policy.units[inputs.ask.currency] else 0


def _fired(table: str, rows: Iterable[Row]) -> tuple[FiredRow, ...]:
    return tuple(FiredRow(table, row.group, row.id, dict(row.texts), dict(row.then)) for row in rows)


_LIMIT_WORDS = {
    "collateral": ("The shares offered support a smaller limit.", "所提供的股票只能支持较低的额度。"),
    "liquid_assets": ("The declared liquid assets support a smaller limit.", "申报的流动资产只能支持较低的额度。"),
    "cap": ("The limit for this grade, tier and segment is lower.", "该评级、产品层级与客户类别的额度上限较低。"),
    "scheme": ("The scheme lends less than was asked.", "该方案的最高额度低于申请金额。"),
    "group": ("The limit of the client's group leaves less room.", "客户所属关联群组的剩余额度不足。"),
}


def _reasons(
    policy: CreditPolicy,
    inputs: CreditInputs,
    rows: Sequence[Row],
    missing: Sequence[str],
    terms: Sequence[LimitTerm],
    limit: int | None,
    outcome: CreditOutcome,
) -> tuple[Words, ...]:
    """At most four specific reasons, the gravest first; none for a client who gets what was asked."""
    found: list[tuple[int, Words]] = []
    order = list(Finding)
    for row in rows:
        rank = order.index(Finding(str(row.then["finding"])))
        if rank == order.index(Finding.PASS):
            continue
        if row.then["by"] == "score" and inputs.score and inputs.score.reasons:
            found += [(rank, Words(one.code, one.en, one.zh)) for one in inputs.score.reasons if one.points_lost > 0]
        else:
            found.append((rank, Words(row.id, str(row.then["en"]), str(row.then["zh"]))))
    for name in missing:
        fact = policy.facts[name]
        found.append((order.index(fact.missing), Words(f"missing_{name}", fact.en, fact.zh)))
    if limit is not None and limit < inputs.ask.limit_minor and outcome is not CreditOutcome.REFER:
        tight = min((term for term in terms if term.amount_minor is not None), key=lambda term: term.amount_minor or 0)
        if tight.code in _LIMIT_WORDS:
            found.append((order.index(Finding.PASS), Words(f"limit_{tight.code}", *_LIMIT_WORDS[tight.code])))
    found.sort(key=lambda entry: entry[0])
    return tuple(words for _, words in found[:ADVERSE_REASONS_MAX])


# Storing


def inputs_to_json(inputs: CreditInputs) -> dict[str, Any]:
    """Inputs as JSON values, without floats."""
    data = asdict(inputs)
    data["on"] = inputs.on.isoformat()
    return json.loads(json.dumps(data, default=_plain))  # type: ignore[no-any-return]


def inputs_from_json(data: Mapping[str, Any]) -> CreditInputs:
    """Inputs as they were stored."""
    ask = data["ask"]
    return CreditInputs(
        **{
            **data,
            "on": date.fromisoformat(data["on"]),
            "ask": CreditAsk(**{**ask, "portfolio": tuple((one, many) for one, many in ask["portfolio"])}),
            "pledged": tuple(PledgedName(**entry) for entry in data["pledged"]),
            "score": _score_from_json(data["score"]) if data["score"] else None,
        }
    )


def _score_from_json(data: Mapping[str, Any]) -> ScoreInput:
    return ScoreInput(**{**data, "reasons": tuple(ScoreReason(**entry) for entry in data["reasons"])})


def answer_text(assessment: Assessment) -> str:
    """An assessment as text: the same assessment is the same bytes, which is what a replay compares (I60)."""
    return json.dumps(asdict(assessment), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def assessment_from_text(text: str) -> Assessment:
    """The assessment that was written down."""
    data = json.loads(text)
    return Assessment(
        outcome=CreditOutcome(data["outcome"]),
        is_barred=data["is_barred"],
        grade=data["grade"],
        limit_minor=data["limit_minor"],
        terms=tuple(LimitTerm(**entry) for entry in data["terms"]),
        rows=tuple(FiredRow(**entry) for entry in data["rows"]),
        missing=tuple(data["missing"]),
        conditions=tuple(
            Condition(entry["code"], ConditionKind(entry["kind"]), entry["figure"], ConditionMoment(entry["moment"]))
            for entry in data["conditions"]
        ),
        adverse_reasons=tuple(Words(**entry) for entry in data["adverse_reasons"]),
        authority=Authority(data["authority"]) if data["authority"] else None,
    )


def _plain(value: object) -> str:
    """An exact number as text, so that nothing passes through a float."""
    return str(value)
