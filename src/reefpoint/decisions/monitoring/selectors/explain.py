"""Why an alert was raised: the rule as it was, term by term, with what each was given; and the activity it read."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from reefpoint.decisions.monitoring.models import Activity, Alert
from reefpoint.decisions.monitoring.rules.expressions import FactMissing, Kind, RuleMalformed, decide, read_expression
from reefpoint.decisions.monitoring.rules.facts import FACTS
from reefpoint.decisions.monitoring.selectors.alerts import AlertNotFound
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor

ACTIVITIES_MAX = 60
NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Term:
    """One of the conditions that must hold together. `is_true` is None where it cannot be told any more."""

    text: str
    given: tuple[tuple[str, object], ...]
    is_true: bool | None


@dataclass(frozen=True)
class ActivityView:
    """One thing a client did, as it was noted."""

    id: int
    kind: str
    at: datetime
    account_id: int
    amount_minor: int
    counterparty_name: str
    is_third_party: int
    country: str
    instrument_id: int
    quantity: int
    reference: str


@dataclass(frozen=True)
class Explained:
    """The rule's version that fired, its terms, and what the client did up to then, the latest first.

    Until `cooled_at` the same rule raises no other alert about the same pivot.
    """

    expression: str
    what: str
    what_zh: str
    parameters: tuple[tuple[str, object], ...]
    sources: tuple[tuple[str, str], ...]
    terms: tuple[Term, ...]
    cooldown_days: int
    cooled_at: datetime
    activities: tuple[ActivityView, ...]


def explain_alert(actor: Actor, alert_id: int, *, days: int = 30) -> Explained:
    """Why this alert was raised, and what the client did in the `days` before it. Raises `AlertNotFound`."""
    require(actor, "monitoring.view")
    alert = Alert.objects.select_related("rule", "rule_version").filter(id=alert_id).first()
    if alert is None:
        raise AlertNotFound("There is no alert {alert_id}.", alert_id=alert_id)
    version = alert.rule_version
    parameters = {one["name"]: one["value"] for one in version.parameters}
    kinds = {name: fact.kind for name, fact in FACTS.items()} | {
        name: Kind.COUNTRIES if isinstance(value, list) else Kind.NUMBER for name, value in parameters.items()
    }
    since = alert.at - timedelta(days=days)
    rows = Activity.objects.filter(client_id=alert.client_id, at__gt=since, at__lte=alert.at).order_by("-at", "-id")
    return Explained(
        expression=version.expression,
        what=alert.rule.what,
        what_zh=alert.rule.what_zh,
        parameters=tuple(parameters.items()),
        sources=tuple((one["title"], one["grade"]) for one in version.sources),
        terms=tuple(_term(text, kinds, {**alert.inputs, **parameters}) for text in split_terms(version.expression)),
        cooldown_days=version.cooldown_days,
        cooled_at=alert.at + timedelta(days=version.cooldown_days),
        activities=tuple(_view(row) for row in rows[:ACTIVITIES_MAX]),
    )


def split_terms(expression: str) -> Iterator[str]:
    """The conditions that an expression joins by `and`, outside all brackets."""
    depth, begin = 0, 0
    for found in re.finditer(r"\(|\)|\band\b", expression):
        if found[0] == "and":
            if depth == 0:
                yield expression[begin : found.start()].strip()
                begin = found.end()
        else:
            depth += 1 if found[0] == "(" else -1
    yield expression[begin:].strip()


def _term(text: str, kinds: Mapping[str, Kind], given: Mapping[str, object]) -> Term:
    names = dict.fromkeys(name for name in NAME.findall(text) if name in given)
    is_true: bool | None = None
    with suppress(RuleMalformed, FactMissing):
        is_true = decide(read_expression(text, kinds), given)
    return Term(text, tuple((name, given[name]) for name in names), is_true)


def _view(row: Activity) -> ActivityView:
    return ActivityView(
        id=row.pk,
        kind=row.kind,
        at=row.at,
        account_id=row.account_id,
        amount_minor=row.amount_minor,
        counterparty_name=row.counterparty_name,
        is_third_party=row.is_third_party,
        country=row.country,
        instrument_id=row.instrument_id,
        quantity=row.quantity,
        reference=row.reference,
    )
