"""Rules: those that come with the program, changes to them, and a second person's word on each change."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from reefpoint.decisions.monitoring.adapters.typologies import load_typologies
from reefpoint.decisions.monitoring.models import Rule, RuleVersion
from reefpoint.decisions.monitoring.rules import VERSION_STATES
from reefpoint.decisions.monitoring.rules.judging import read_rule
from reefpoint.decisions.monitoring.rules.stored import to_stored
from reefpoint.decisions.monitoring.selectors.rules import RuleNotFound, has_backtest, version_view
from reefpoint.decisions.monitoring.types import RuleDraft, RuleMode, RuleVersionState
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import ReasonNeeded, request_approval, require
from reefpoint.platform.access.types import ApprovalState, Payload
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal

APPROVAL_KIND = "monitoring.change_rules"
SUBJECT_PREFIX = "rule_version:"
ALWAYS = date(1990, 1, 1)
"""From when the typologies that come with the program judge."""


class BacktestNeeded(Refusal):
    """A change was to go live that nobody has run over history."""

    code = "backtest_needed"


class EffectiveTooEarly(Refusal):
    """A change that would take force in the past, or before the version it replaces."""

    code = "effective_too_early"


@transaction.atomic
def install_typologies(*, actor: Actor, at: datetime) -> int:
    """Put the typologies that come with the program in force, each once. Returns how many were new."""
    known = set(Rule.objects.values_list("code", flat=True))
    fresh = [one for one in load_typologies() if one.code not in known]
    if not fresh:
        return 0
    for one in fresh:
        read_rule(one.code, one.draft)
    rules = Rule.objects.bulk_create(
        Rule(
            code=one.code,
            number=one.number,
            title=one.title,
            title_zh=one.title_zh,
            what=one.what,
            what_zh=one.what_zh,
        )
        for one in fresh
    )
    RuleVersion.objects.bulk_create(
        RuleVersion(
            rule=rule,
            version=1,
            effective_from=ALWAYS,
            state=RuleVersionState.APPROVED,
            made_by=actor.ref,
            made_at=at,
            **to_stored(one.draft),
        )
        for rule, one in zip(rules, fresh, strict=True)
    )
    record(
        actor=actor,
        action="monitoring.install",
        subject="rules",
        inputs={"codes": [one.code for one in fresh]},
        at=at,
    )
    return len(fresh)


@transaction.atomic
def draft_rule_version(*, actor: Actor, code: str, draft: RuleDraft, effective_from: date, at: datetime) -> int:
    """Write a changed version of a rule. It judges nothing yet. Returns its id.

    Raises `RuleMalformed` for what cannot be judged exactly, `EffectiveTooEarly`, `RuleNotFound`.
    """
    require(actor, "monitoring.change_rules")
    rule = Rule.objects.select_for_update().filter(code=code).first()
    if rule is None:
        raise RuleNotFound("There is no such rule.")
    read_rule(code, draft)
    _check_date(rule, effective_from, at)
    version = (rule.versions.aggregate(last=Max("version"))["last"] or 0) + 1
    row = RuleVersion.objects.create(
        rule=rule,
        version=version,
        effective_from=effective_from,
        made_by=actor.ref,
        made_at=at,
        **to_stored(draft),
    )
    record(
        actor=actor,
        action="monitoring.draft_rule",
        subject=f"rule:{code}",
        inputs={"version": version, "effective_from": effective_from.isoformat(), **to_stored(draft)},
        at=at,
    )
    return row.pk


@transaction.atomic
def request_rule_change(*, actor: Actor, version_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to put a drafted version in force. Returns the approval's id.

    A version that will hold, block or alert live must have been run over history first. Raises `BacktestNeeded`,
    `EffectiveTooEarly`, `ReasonNeeded`, `InvalidTransition`.
    """
    require(actor, "monitoring.change_rules")
    if not reason.strip():
        raise ReasonNeeded("Say why the rule is to change: whoever decides will read it.")
    row = RuleVersion.objects.select_for_update(of=("self",)).select_related("rule").filter(id=version_id).first()
    if row is None:
        raise RuleNotFound("There is no such version.")
    VERSION_STATES.check(RuleVersionState(row.state), RuleVersionState.REQUESTED)
    _check_date(row.rule, row.effective_from, at)
    if row.mode == RuleMode.LIVE and not has_backtest(row.pk):
        raise BacktestNeeded("Run this version over history first: the second person needs to see what it would raise.")
    approval_id = request_approval(
        actor=actor,
        kind=APPROVAL_KIND,
        subject=f"{SUBJECT_PREFIX}{row.pk}",
        payload=_payload(row),
        reason=reason,
        at=at,
    )
    row.state, row.approval_id = RuleVersionState.REQUESTED, approval_id
    row.save(update_fields=["state", "approval_id"])
    return approval_id


@transaction.atomic
def decide_rule_change(*, approval_id: int) -> None:
    """Do what the second person decided: the version is in force from its date, or rejected. Again, it does nothing."""
    approval = get_approval(approval_id)
    assert approval.kind == APPROVAL_KIND
    row = RuleVersion.objects.select_for_update(of=("self",)).get(id=int(approval.subject.removeprefix(SUBJECT_PREFIX)))
    if row.state != RuleVersionState.REQUESTED or approval.payload != _payload(row):
        return
    is_approved = approval.state is ApprovalState.APPROVED
    row.state = RuleVersionState.APPROVED if is_approved else RuleVersionState.REJECTED
    row.decided_by = approval.decided_by or ""
    row.save(update_fields=["state", "decided_by"])


def _check_date(rule: Rule, effective_from: date, at: datetime) -> None:
    newest = rule.versions.filter(state=RuleVersionState.APPROVED).aggregate(last=Max("effective_from"))["last"]
    if effective_from < at.date() or (newest is not None and effective_from <= newest):
        raise EffectiveTooEarly(
            "A change takes force today at the earliest, and after the version it replaces.",
            effective_from=effective_from,
        )


def _payload(row: RuleVersion) -> Payload:
    """What the second person sees and decides on."""
    backtest = row.backtests.filter(state="done").order_by("-id").first()
    result = backtest.result if backtest else {}
    return {
        "rule": row.rule.code,
        "version": row.version,
        "effective_from": row.effective_from.isoformat(),
        **to_stored(version_view(row).draft),
        "backtest": backtest.pk if backtest else None,
        "backtest_alerts": result.get("alerts"),
        "backtest_alerts_before": result.get("alerts_before"),
    }
