"""What an approval is bound to: the kinds of conditions, when each binds, how it is judged, and how it is said."""

from collections.abc import Iterable, Sequence
from datetime import date

from reefpoint.decisions.credit.types import (
    Act,
    Authority,
    Condition,
    ConditionFigures,
    ConditionKind,
    ConditionMoment,
    ConditionStanding,
    Words,
)
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import ceil_div, percent
from reefpoint.platform.basics.months import months_after

BP = 10_000

WAIVER_KIND = {Authority.OFFICER: "credit.waive", Authority.SENIOR: "credit.waive_large"}
"""The kind of approval by which a condition is waived: whoever could approve the limit can let its condition go."""

FIGURE_BOUNDS = {
    ConditionKind.NAME_SHARE_MOST: (1, BP),
    ConditionKind.NAMES_LEAST: (1, 50),
    ConditionKind.RATIO_LEAST: (BP, 100 * BP),
    ConditionKind.REVIEW_AFTER: (1, 120),
}
"""What a condition's figure may be: basis points of a share or a ratio, names, months."""

_WHEN = {
    ConditionMoment.FIRST_DRAWDOWN: ("Before the first drawdown", "首次提款前"),
    ConditionMoment.DRAWDOWN: ("At each drawdown and renewal", "每次提款和展期时"),
    ConditionMoment.ALWAYS: ("At each drawdown, renewal, withdrawal and purchase", "每次提款、展期、取款及买入时"),
}
_WHAT = {
    ConditionKind.NAME_SHARE_MOST: (
        "no name may be more than {figure} of the value of the shares",
        "任何一只股票不得超过股票市值的 {figure}",
    ),
    ConditionKind.NAMES_LEAST: ("there must be shares of at least {figure} names", "持有的股票不得少于 {figure} 只"),
    ConditionKind.RATIO_LEAST: ("the ratio must be {figure} or more afterwards", "操作后维持担保比例不得低于 {figure}"),
    ConditionKind.REVIEW_AFTER: (
        "the limit must have been reviewed in the last {figure} months",
        "额度须在最近 {figure} 个月内经过复审",
    ),
}
_ACTUAL = {
    ConditionKind.NAME_SHARE_MOST: ("the largest is {actual}", "目前最大的一只占 {actual}"),
    ConditionKind.NAMES_LEAST: ("there are {actual}", "目前为 {actual} 只"),
    ConditionKind.RATIO_LEAST: ("it is {actual}", "目前为 {actual}"),
    ConditionKind.REVIEW_AFTER: ("the last review holds until {actual}", "最近一次审批有效至 {actual}"),
}
_UNKNOWN = ("it cannot be judged now, because a price is missing", "因缺少当前价格，目前无法判断")


class ConditionNotMet(Refusal):
    """What the limit was approved on does not hold for this drawdown, withdrawal or purchase.

    `facts` has the sentence in Chinese (`zh`) and the conditions with their figures (`conditions`).
    """

    code = "condition_not_met"

    def __init__(self, standings: Sequence[ConditionStanding]) -> None:
        said = [standing_words(one) for one in standings]
        super().__init__(
            "The limit was approved on a condition that is not met. {said} Nothing was done.",
            said=" ".join(one.en for one in said),
            zh=f"额度所附条件尚未满足。{''.join(one.zh for one in said)}未作任何操作。",
            conditions=[
                {"code": one.condition.code, "kind": one.condition.kind.value, "actual": one.actual}
                for one in standings
            ],
        )


def binds(moment: ConditionMoment, act: Act, *, is_first: bool) -> bool:
    """Whether a condition of this moment is asked at an act; `is_first` for the first drawdown of an account.

    A renewal lends again, so that it is asked what each drawdown is.
    """
    if moment is ConditionMoment.DRAWDOWN:
        return act in {Act.DRAWDOWN, Act.RENEWAL}
    return moment is ConditionMoment.ALWAYS or (act is Act.DRAWDOWN and is_first)


def judge(condition: Condition, figures: ConditionFigures) -> tuple[bool | None, int | None]:
    """Whether a condition is met, and the figure that says so; None is what cannot be known now.

    Of `REVIEW_AFTER` the figure is the ordinal of the last day on which the newest review holds.
    """
    match condition.kind:
        case ConditionKind.NAME_SHARE_MOST:
            values = list(figures.values_minor.values())
            known = [value for value in values if value is not None]
            total = sum(known)
            if len(known) < len(values) or total <= 0:
                return None, None
            return max(known) * BP <= condition.figure * total, ceil_div(max(known) * BP, total)
        case ConditionKind.NAMES_LEAST:
            return len(figures.values_minor) >= condition.figure, len(figures.values_minor)
        case ConditionKind.RATIO_LEAST:
            if not figures.is_valued:
                return None, None
            return figures.ratio_bp is None or figures.ratio_bp >= condition.figure, figures.ratio_bp
        case ConditionKind.REVIEW_AFTER:
            until = months_after(figures.reviewed_on, condition.figure)
            return figures.on <= until, until.toordinal()


def require_met(standings: Iterable[ConditionStanding]) -> None:
    """Raise `ConditionNotMet` with every condition that is neither met nor waived; what is not known is not met."""
    if unmet := [one for one in standings if not one.is_waived and not one.is_met]:
        raise ConditionNotMet(unmet)


def figure_text(kind: ConditionKind, figure: int) -> str:
    """A figure as people read it: 50.00%, 3."""
    return percent(figure) if kind in {ConditionKind.NAME_SHARE_MOST, ConditionKind.RATIO_LEAST} else str(figure)


def condition_words(condition: Condition) -> Words:
    """A condition as a sentence in both languages, made from its figure."""
    figure = figure_text(condition.kind, condition.figure)
    when, what = _WHEN[condition.moment], _WHAT[condition.kind]
    return Words(
        condition.code, f"{when[0]}, {what[0].format(figure=figure)}.", f"{when[1]}，{what[1].format(figure=figure)}。"
    )


def actual_words(standing: ConditionStanding) -> Words:
    """How far a condition is met, with its figure; empty where there is none, as for a ratio without a debt."""
    condition = standing.condition
    if standing.is_met is None:
        return Words(condition.code, *_UNKNOWN)
    if standing.actual is None:
        return Words(condition.code, "", "")
    if condition.kind is ConditionKind.REVIEW_AFTER:
        text = date.fromordinal(standing.actual).isoformat()
    else:
        text = figure_text(condition.kind, standing.actual)
    return Words(condition.code, *(one.format(actual=text) for one in _ACTUAL[condition.kind]))


def standing_words(standing: ConditionStanding) -> Words:
    """A condition and how far it is met, in one sentence."""
    said, actual = condition_words(standing.condition), actual_words(standing)
    if not actual.en:
        return said
    return Words(said.code, f"{said.en[:-1]}: {actual.en}.", f"{said.zh[:-1]}：{actual.zh}。")
