"""What needs a person now: things that wait, each with its deadline and its next step, worst and oldest first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.cases.rules import due_at
from reefpoint.decisions.cases.selectors import list_waiting
from reefpoint.decisions.kyc.selectors import find_reviews
from reefpoint.decisions.margin.selectors.pages import list_calls
from reefpoint.decisions.monitoring.selectors import list_open_alerts
from reefpoint.decisions.monitoring.selectors.restrictions import list_restrictions
from reefpoint.decisions.monitoring.selectors.rules import name_clients
from reefpoint.decisions.scoring.selectors.outcomes import versions_to_act_on
from reefpoint.decisions.screening.selectors import find_hits, list_unsettled
from reefpoint.flows.lending.selectors.renewals import PAST, SOON, find_maturing
from reefpoint.flows.lending.selectors.requests import list_waiting as list_waiting_requests
from reefpoint.flows.lending.types import MaturityStage, NextStep
from reefpoint.flows.liquidation.selectors import list_liquidations
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.selectors.applications import list_waiting_applications
from reefpoint.flows.origination.selectors.leads import summarise_open_pairs
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.governance.selectors import champions_that_drifted, list_models
from reefpoint.records.accounts.selectors.owners import load_owners
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.market.selectors import list_held
from reefpoint.records.market.selectors.fx import list_held_fx
from reefpoint.records.treasury.selectors import count_payments_to_look_at
from reefpoint.surfaces.console.templatetags.cases import rule_title
from reefpoint.surfaces.console.templatetags.console import approval_kind, client_of
from reefpoint.surfaces.console.templatetags.knowing import cause_word, rating_word
from reefpoint.surfaces.console.templatetags.monitoring import rule_word
from reefpoint.surfaces.web.credit_words import NEXT_WORDS
from reefpoint.surfaces.web.sentences import told
from reefpoint.surfaces.web.templatetags.figures import state_word

APPROVALS_MAX = 50
ALERTS_MAX = 12
CALLS_MAX = 12
HITS_MAX = 12
CASES_MAX = 12
HOLDS_MAX = 12
REVIEWS_MAX = 12
APPLICATIONS_MAX = 12
REQUESTS_MAX = 12
SALES_MAX = 50
NEVER = datetime.max.replace(tzinfo=UTC)
TONES = ("close_out", "call", "warning", "safe")


@dataclass(frozen=True)
class Todo:
    """One thing that waits. `tone` is a band's key; `due_at` counts down, `since` counts up."""

    tone: str
    title: str | Promise
    detail: str
    address: str
    step: str | Promise
    due_at: datetime | None = None
    since: datetime | None = None
    amount_minor: int | None = None


def todo_for(actor: Actor) -> list[Todo]:
    """All that waits for this person, by how bad and then by how late it is."""
    waiting = [
        *_approvals(actor),
        *_held_prices(actor),
        *_sales(actor),
        *_calls(actor),
        *_screening(actor),
        *_cases(actor),
        *_alerts(actor),
        *_holds(actor),
        *_reviews(actor),
        *_applications(actor),
        *_alike(actor),
        *_credit(actor),
        *_renewals(actor),
        *_payments(actor),
        *_models(actor),
    ]
    return sorted(waiting, key=lambda one: (TONES.index(one.tone), one.due_at or one.since or NEVER))


def _models(actor: Actor) -> Iterator[Todo]:
    """Models in use whose drift, or whose defaults, call for action: for whoever develops models."""
    if "models.develop" not in actor.permissions:
        return
    drifted, off = champions_that_drifted(), versions_to_act_on()
    for model in list_models(actor) if drifted | off else ():
        if model.version_id in drifted | off:
            is_off = model.version_id in off
            yield Todo(
                tone="call" if is_off else "warning",
                title=_("More went bad than a model claimed") if is_off else _("A model in use has drifted"),
                detail=f"{model.code} v{model.version}",
                address=reverse("console:model", args=[model.code]),
                step=_("Look into it, suspend it or replace it"),
            )


def _approvals(actor: Actor) -> Iterator[Todo]:
    if "approvals.view" not in actor.permissions:
        return
    for approval in list_pending(actor, is_decidable=True, limit=APPROVALS_MAX):
        yield Todo(
            "close_out" if approval.kind.startswith("liquidation") else "warning",
            _("Approval"),
            f"{approval_kind(approval.kind)} · {approval.subject} · {approval.requested_by_name}",
            reverse("console:approval", args=[approval.id]),
            _("Decide"),
            since=approval.requested_at,
        )


def _held_prices(actor: Actor) -> Iterator[Todo]:
    if "prices.confirm" not in actor.permissions:
        return
    for held in list_held():
        yield Todo(
            "warning",
            _("Held price"),
            held.symbol,
            f"{reverse('console:prices')}#held-{held.id}",
            _("Confirm or discard"),
            since=held.at,
        )
    for rates in list_held_fx():
        yield Todo(
            "warning",
            _("Held rates"),
            ", ".join(move.currency for move in rates.moves if move.is_too_far),
            f"{reverse('console:rates')}#held-{rates.id}",
            _("Confirm or discard"),
            since=rates.at,
        )


def _calls(actor: Actor) -> Iterator[Todo]:
    if "margin.view" not in actor.permissions:
        return
    for call in list_calls(actor, state="open", limit=CALLS_MAX).rows:
        yield Todo(
            "call",
            _("Margin call"),
            f"{call.account_number} · {client_of(call)}",
            reverse("console:call", args=[call.id]),
            _("Follow up"),
            due_at=call.deadline_at,
            amount_minor=call.amount_minor,
        )


def _screening(actor: Actor) -> Iterator[Todo]:
    """Open hits, and files of lists that were not taken in, for those who may do something about them."""
    if "screening.resolve" not in actor.permissions:
        return
    for version in list_unsettled(actor):
        yield Todo(
            "warning",
            _("List not loaded"),
            f"{version.source} · {told(version.problem)}",
            reverse("console:screening_list", args=[version.id]),
            _("See the file"),
            since=version.received_at,
        )
    for hit in find_hits(actor, state="open", order="raised_at", limit=HITS_MAX).rows:
        yield Todo(
            "call",
            _("Screening hit"),
            f"{hit.ours} ≈ {hit.theirs} · {hit.client_number}",
            reverse("console:hit", args=[hit.id]),
            _("Resolve"),
            since=hit.raised_at,
        )


def _sales(actor: Actor) -> Iterator[Todo]:
    """Sales that run, for those who may stop one."""
    if "liquidation.cancel" not in actor.permissions:
        return
    running = list_liquidations(actor, live_only=True, limit=SALES_MAX)
    owners = load_owners({sale.account_id for sale in running})
    for sale in running:
        owner = owners[sale.account_id]
        yield Todo(
            "close_out",
            _("Liquidation"),
            f"{owner.number} · {client_of(owner)} · {state_word(sale.state.value)}",
            reverse("console:liquidation", args=[sale.id]),
            _("Watch"),
            since=sale.opened_at,
        )


def _cases(actor: Actor) -> Iterator[Todo]:
    """Open cases that are this person's or nobody's."""
    if "cases.work" not in actor.permissions:
        return
    for case in list_waiting(actor, CASES_MAX):
        yield Todo(
            "call",
            _("Case"),
            f"{case.number} · {case.title}",
            reverse("console:case", args=[case.id]),
            _("Work on it"),
            due_at=case.due_at,
        )


def _alerts(actor: Actor) -> Iterator[Todo]:
    """Alerts that wait, as one thing to do each; each should be in a case by the deadline that a case would have."""
    if "cases.work" not in actor.permissions:
        return
    for alert in list_open_alerts(actor, at=desk_now(), limit=ALERTS_MAX):
        yield Todo(
            "warning",
            _("Alert"),
            f"{rule_title(alert)} · {client_of(alert)}",
            reverse("console:alert", args=[alert.id]),
            _("Look at it"),
            due_at=due_at(alert.raised_at),
        )


def _holds(actor: Actor) -> Iterator[Todo]:
    """Cash that may not leave and payments that are stopped, for those who may let them go."""
    if not {"account.freeze", "monitoring.view"} <= actor.permissions:
        return
    standing = list_restrictions(actor, is_oldest_first=True, limit=HOLDS_MAX)
    names = name_clients(actor, [row.client_id for row in standing])
    for row in standing:
        yield Todo(
            "call",
            rule_word(row.kind.value),
            names.get(row.client_id, str(row.client_id)),
            f"{reverse('console:restrictions')}#restriction-{row.id}",
            _("Release, or look into it"),
            since=row.placed_at,
            amount_minor=row.amount_minor or None,
        )


def _reviews(actor: Actor) -> Iterator[Todo]:
    """Clients whom somebody must look at again, for those who review."""
    if "kyc.review" not in actor.permissions:
        return
    on = current_book_day() or desk_now().date()
    for row in find_reviews(actor, on=on, due="yes", offset=0, limit=REVIEWS_MAX).rows:
        yield Todo(
            "warning",
            _("Client review"),
            f"{row.number} · {client_of(row)} · {rating_word(row.rating)} · {cause_word(row.cause)}",
            reverse("console:kyc", args=[row.client_id]),
            _("Review"),
            due_at=datetime.combine(row.next_review_on, time.min, UTC),
        )


def _applications(actor: Actor) -> Iterator[Todo]:
    """Applications that were handed in; those who may not decide see which of theirs wait."""
    if "applications.view" not in actor.permissions:
        return
    decides = "applications.decide" in actor.permissions
    is_chinese = (get_language() or "").startswith("zh")
    for row in list_waiting_applications(actor, limit=APPLICATIONS_MAX):
        yield Todo(
            "warning" if decides else "safe",
            _("Application"),
            f"{row.number} · {row.name_zh if row.name_zh and is_chinese else row.name}",
            reverse("console:application", args=[row.id]),
            _("Decide") if decides else _("Look at it"),
            since=row.waits_since,
        )


def _alike(actor: Actor) -> Iterator[Todo]:
    """Leads that look like one, as one thing to do: there may be many after an import."""
    if "leads.merge" not in actor.permissions:
        return
    count, oldest = summarise_open_pairs(actor)
    if count:
        yield Todo(
            "safe",
            _("Leads that look alike"),
            ngettext("%(count)s pair", "%(count)s pairs", count) % {"count": f"{count:,}"},
            reverse("console:lead_pairs"),
            _("Compare"),
            since=oldest,
        )


STEPS_OF: Mapping[str, tuple[NextStep, ...]] = {
    "credit.decide": (NextStep.DECIDE, NextStep.DECIDE_BY_PERSON),
    "lending.offer": (NextStep.OFFER, NextStep.RENEW_QUOTE),
    "contracts.countersign": (NextStep.COUNTERSIGN,),
    "lending.fund": (NextStep.REQUEST_FUNDING, NextStep.RETRY_FUNDING, NextStep.RESOLVE_PAYMENT),
}
"""Which steps of a request for credit are whose, by the right that does them."""


def _credit(actor: Actor) -> Iterator[Todo]:
    """Requests for credit whose next step is this person's to do."""
    if "lending.view" not in actor.permissions:
        return
    steps = {step for right, steps in STEPS_OF.items() if right in actor.permissions for step in steps}
    is_chinese = (get_language() or "").startswith("zh")
    for row in list_waiting_requests(actor, steps, at=desk_now(), limit=REQUESTS_MAX):
        yield Todo(
            "call" if row.next_step in {NextStep.RETRY_FUNDING, NextStep.RESOLVE_PAYMENT} else "warning",
            _("Request for credit"),
            f"{row.number} · {row.name_zh if row.name_zh and is_chinese else row.name}",
            reverse("console:credit_file", args=[row.id]),
            NEXT_WORDS[row.next_step.value],
            since=row.waits_since,
            amount_minor=row.amount_minor,
        )


def _renewals(actor: Actor) -> Iterator[Todo]:
    """Agreements that a client has signed and the desk has not; loans to be offered a further term, as one thing."""
    if "lending.view" not in actor.permissions:
        return
    on = get_clock().business_date or desk_now().date()
    if "contracts.countersign" in actor.permissions:
        for row in find_maturing(actor, on=on, renewal="signed", limit=REQUESTS_MAX).rows:
            title, words = _("Renewal"), NEXT_WORDS["countersign"]
            yield Todo("warning", title, row.number, reverse("console:loan", args=[row.loan_id]), words)
    if "lending.default" in actor.permissions:
        for row in find_maturing(actor, on=on, when=PAST, limit=REQUESTS_MAX).rows:
            if row.stage is MaturityStage.LATE and (row.default is None or row.default.waits_for):
                yield Todo(
                    "call",
                    _("Late loan"),
                    f"{row.number} · {client_of(row)}",
                    reverse("console:loan", args=[row.loan_id]),
                    _("Decide whether it is sold for") if row.default is None else _("See why the sale waits"),
                    due_at=datetime.combine(row.grace_until, time.min, UTC),
                    amount_minor=row.principal_minor,
                )
    if "lending.offer" in actor.permissions:
        for row in find_maturing(actor, on=on, renewal="asked", limit=REQUESTS_MAX).rows:
            yield Todo(
                "warning",
                _("A client asks for a renewal"),
                f"{row.number} · {client_of(row)}",
                reverse("console:loan", args=[row.loan_id]),
                _("Price and offer, or turn it down"),
                due_at=datetime.combine(row.matures_on, time.min, UTC),
                since=row.renewal.asked_at if row.renewal else None,
                amount_minor=row.principal_minor,
            )
        count = find_maturing(actor, on=on, when=SOON, renewal="none", limit=1).count
        if count:
            address = f"{reverse('console:maturities')}?when={SOON}&renewal=none"
            yield Todo(
                "safe", _("Loans due within 7 days, no renewal under way"), f"{count:,}", address, _("Look at it")
            )


def _payments(actor: Actor) -> Iterator[Todo]:
    """Payments of unknown end, and those that the bank contradicts."""
    if "treasury.pay" not in actor.permissions:
        return
    counts = count_payments_to_look_at()
    for state, title in (("unknown", _("Payments of unknown end")), ("contradicted", _("Payments contradicted"))):
        if counts[state]:
            yield Todo("call", title, f"{counts[state]:,}", reverse("console:payments"), _("Look at it"))
