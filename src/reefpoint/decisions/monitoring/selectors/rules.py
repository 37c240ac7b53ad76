"""Rules and their versions: which one judges a day, and what each raised."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, Min, Q, Sum

from reefpoint.decisions.monitoring.adapters.typologies import load_examples
from reefpoint.decisions.monitoring.models import Activity, Alert, Backtest, Rule, RuleVersion, Undecided
from reefpoint.decisions.monitoring.rules.facts import FACTS
from reefpoint.decisions.monitoring.rules.facts.sheet import Fact
from reefpoint.decisions.monitoring.rules.feeding import UNFED, Why
from reefpoint.decisions.monitoring.rules.judging import ReadRule, read_rule
from reefpoint.decisions.monitoring.rules.stored import from_stored
from reefpoint.decisions.monitoring.types import (
    AlertState,
    BacktestState,
    BacktestView,
    RuleDraft,
    RuleMode,
    RuleRow,
    RuleVersionState,
    VersionView,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal

RECENT_DAYS = 30


class RuleNotFound(Refusal):
    """No rule, version or backtest is so named."""

    code = "not_found"


@dataclass(frozen=True, eq=False)
class InForce:
    """A version that judges activities on the days from `since`, and before `until` if it is given."""

    rule_id: int
    version_id: int
    read: ReadRule
    since: date
    until: date | None


@dataclass(frozen=True)
class UndecidedRow:
    """A client for whom a rule could not be judged, and what is missing."""

    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    missing: str
    first_at: datetime
    last_at: datetime
    times: int


def load_in_force() -> list[InForce]:
    """Every approved version with the days on which it judges, by rule and version. One query."""
    by_rule: dict[int, list[RuleVersion]] = defaultdict(list)
    rows = RuleVersion.objects.filter(state=RuleVersionState.APPROVED).select_related("rule")
    for row in rows.order_by("rule__number", "effective_from", "version"):
        by_rule[row.rule_id].append(row)
    return [
        InForce(
            rule_id=row.rule_id,
            version_id=row.pk,
            read=read_version(row),
            since=row.effective_from,
            until=versions[place + 1].effective_from if place + 1 < len(versions) else None,
        )
        for versions in by_rule.values()
        for place, row in enumerate(versions)
    ]


def read_version(row: RuleVersion) -> ReadRule:
    """A stored version, read and checked."""
    return read_rule(row.rule.code, from_stored(vars(row)))


def list_rules(actor: Actor, *, on: date, at: datetime) -> list[RuleRow]:
    """All rules by number, with the version in force on a day and what they raised of late. Four queries."""
    require(actor, "monitoring.view")
    current: dict[int, RuleVersion] = {}
    approved = RuleVersion.objects.filter(state=RuleVersionState.APPROVED, effective_from__lte=on)
    for row in approved.order_by("effective_from", "version"):
        current[row.rule_id] = row
    recent = Q(at__gt=at - timedelta(days=RECENT_DAYS))
    live, shadow = Q(mode=RuleMode.LIVE), Q(mode=RuleMode.SHADOW)
    counted = {
        row["rule_id"]: (row["live"], row["shadow"], row["open"])
        for row in Alert.objects.values("rule_id").annotate(
            live=Count("id", filter=recent & live),
            shadow=Count("id", filter=recent & shadow),
            open=Count("id", filter=live & Q(state=AlertState.OPEN)),
        )
    }
    undecided = dict(Undecided.objects.values_list("rule_id").annotate(Count("id")))
    rows = []
    for rule in Rule.objects.order_by("number"):
        version, counts = current.get(rule.pk), counted.get(rule.pk, (0, 0, 0))
        rows.append(
            RuleRow(
                code=rule.code,
                number=rule.number,
                title=rule.title,
                title_zh=rule.title_zh,
                version=version.version if version else 0,
                mode=version.mode if version else "",
                consequence=version.consequence if version else "",
                effective_from=version.effective_from if version else None,
                alerts_30d=counts[0],
                shadow_30d=counts[1],
                open_alerts=counts[2],
                undecided=undecided.get(rule.pk, 0),
                is_fed=rule.code not in UNFED,
            )
        )
    return rows


def get_rule(actor: Actor, code: str) -> Rule:
    """A rule's own words. Raises `RuleNotFound`."""
    require(actor, "monitoring.view")
    rule = Rule.objects.filter(code=code).first()
    if rule is None:
        raise RuleNotFound("There is no such rule.")
    return rule


@dataclass(frozen=True)
class RulePage:
    """A rule's words, the facts that a version of it asks for, the examples that are tested, and why it is not fed."""

    rule: Rule
    facts: tuple[Fact, ...]
    examples: tuple[tuple[str, tuple[str, ...]], ...]
    unfed: Why | None


def get_rule_page(actor: Actor, code: str, draft: RuleDraft) -> RulePage:
    """What the page of a rule says beside its versions. Raises `RuleNotFound`."""
    rule = get_rule(actor, code)
    facts = tuple(FACTS[name] for name in read_rule(code, draft).facts)
    return RulePage(rule, facts, tuple(load_examples().get(code, {}).items()), UNFED.get(code))


def name_clients(actor: Actor, client_ids: Collection[int]) -> dict[int, str]:
    """Number and name of these clients."""
    require(actor, "monitoring.view")
    rows = Activity.objects.filter(client_id__in=set(client_ids)).order_by("client_id").distinct()
    return {
        client_id: f"{number} {name}"
        for client_id, number, name in rows.values_list("client_id", "client__number", "client__name")
    }


def list_versions(actor: Actor, code: str) -> list[VersionView]:
    """All versions of a rule, newest first. Raises `RuleNotFound`."""
    rule = get_rule(actor, code)
    return [version_view(row) for row in rule.versions.select_related("rule").order_by("-version")]


def list_backtests(actor: Actor, code: str) -> list[BacktestView]:
    """The backtests of a rule's versions, newest first."""
    require(actor, "monitoring.view")
    rows = Backtest.objects.filter(version__rule__code=code).order_by("-id")[:20]
    return [backtest_view(row) for row in rows]


def get_backtest(actor: Actor, backtest_id: int) -> tuple[BacktestView, VersionView]:
    """One backtest and the version it ran. Raises `RuleNotFound`."""
    require(actor, "monitoring.view")
    row = Backtest.objects.select_related("version__rule").filter(id=backtest_id).first()
    if row is None:
        raise RuleNotFound("There is no such backtest.")
    return backtest_view(row), version_view(row.version)


def list_undecided(actor: Actor, code: str, limit: int = 50) -> list[UndecidedRow]:
    """Clients for whom a rule could not be judged, latest first."""
    require(actor, "monitoring.view")
    rows = Undecided.objects.filter(rule__code=code).select_related("client").order_by("-last_at", "-id")[:limit]
    return [
        UndecidedRow(
            client_id=row.client_id,
            client_number=row.client.number,
            client_name=row.client.name,
            client_name_zh=row.client.name_zh,
            missing=row.missing,
            first_at=row.first_at,
            last_at=row.last_at,
            times=row.times,
        )
        for row in rows
    ]


def count_undecided(actor: Actor) -> int:
    """How many judgements could not be made since a fact was missing."""
    require(actor, "monitoring.view")
    return Undecided.objects.aggregate(total=Sum("times"))["total"] or 0


def alerts_by_month(actor: Actor, code: str, *, months: int = 12) -> list[tuple[str, int]]:
    """How many live alerts a rule raised in each of the last months that had any, oldest first."""
    require(actor, "monitoring.view")
    rows = (
        Alert.objects.filter(rule__code=code, mode=RuleMode.LIVE)
        .values_list("at__year", "at__month")
        .annotate(count=Count("id"))
        .order_by("-at__year", "-at__month")[:months]
    )
    return [(f"{year}-{month:02}", count) for year, month, count in reversed(_plain(rows))]


def _plain(rows: object) -> Sequence[tuple[int, int, int]]:
    return list(rows)  # type: ignore[call-overload,no-any-return]


def has_backtest(version_id: int) -> bool:
    """Whether a version was run over history."""
    return Backtest.objects.filter(version_id=version_id, state=BacktestState.DONE).exists()


def version_view(row: RuleVersion) -> VersionView:
    """A version as others see it."""
    return VersionView(
        id=row.pk,
        rule_code=row.rule.code,
        version=row.version,
        draft=from_stored(vars(row)),
        state=RuleVersionState(row.state),
        effective_from=row.effective_from,
        made_by=row.made_by,
        made_at=row.made_at,
        approval_id=row.approval_id,
        decided_by=row.decided_by,
    )


def backtest_view(row: Backtest) -> BacktestView:
    """A backtest as others see it."""
    return BacktestView(
        id=row.pk,
        version_id=row.version_id,
        since=row.since,
        until=row.until,
        state=BacktestState(row.state),
        done=row.done,
        total=row.total,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        result=row.result,
        error=row.error,
    )


def history_span(actor: Actor) -> tuple[date, date] | None:
    """The first and the last day of which activities are on record; None before the first."""
    require(actor, "monitoring.view")
    span = Activity.objects.aggregate(first=Min("at"), last=Max("at"))
    return (span["first"].date(), span["last"].date()) if span["first"] else None
