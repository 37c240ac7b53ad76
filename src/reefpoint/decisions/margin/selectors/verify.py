"""The proof of margin decisions: the states on record equal a full revaluation, and calls are as their table allows."""

from collections import defaultdict
from datetime import datetime

from reefpoint.decisions.margin.models import MarginCall, MarginState
from reefpoint.decisions.margin.rules import CALL_STATES, consequence
from reefpoint.decisions.margin.selectors.standing import measure_all, measure_with_memory
from reefpoint.decisions.margin.types import CallState, Standing
from reefpoint.platform.audit.selectors import load_histories
from reefpoint.platform.basics.findings import Finding
from reefpoint.records.accounts.selectors import load_accounts
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.products.selectors import get_terms


def verify_margin(*, at: datetime) -> list[Finding]:
    """Value the whole book anew on the prices known at `at` and compare it with what the monitor wrote.

    Figures must be equal to the minor unit, and the band must be the one that the hysteresis leaves where it is.
    Nothing may still be due: a call to open or to cure, or a close-out to tell of. No call is out of its state table.
    Figures that are not those of `at` are held against their own instant: a large desk whose prices move refreshes
    them in turn (`margin.refresh`), and that is told apart from figures that were never right (`margin.revaluation`).
    """
    findings = _verify_calls()
    accounts = load_accounts()
    if not accounts:
        return findings
    states = {state.account_id: state for state in MarginState.objects.all()}
    calls = {call.account_id: call for call in MarginCall.objects.filter(state=CallState.OPEN)}
    older: dict[datetime, list[AccountFacts]] = defaultdict(list)
    for account, standing in zip(accounts, measure_with_memory(accounts, at=at), strict=True):
        state = states.get(account.id)
        if state is None:
            findings.append(Finding("margin.state", f"account:{account.id}", "it was never measured"))
            continue
        if state.band != standing.band.value:
            findings.append(_differs(state, "band", state.band, standing.band.value))
        if _differences(state, standing):
            older[state.valued_at].append(account)
        call = calls.get(account.id)
        due = consequence(
            band=standing.band,
            ratio_bp=standing.ratio_bp,
            cure_bp=get_terms(account.scheme_version_id).cure_bp,
            has_open_call=call is not None,
            is_enforced=state.is_enforced,
        )
        if due.opens_call or due.cures_call or due.breaches_close_out:
            findings.append(Finding("margin.due", f"account:{account.id}", f"something is still due: {due}"))
        if call is not None and state.is_enforced:
            findings.append(Finding("margin.call", f"call:{call.id}", "it is open while its account is being sold"))
    for instant, some in older.items():
        for standing in measure_all(some, at=instant):
            state = states[standing.account_id]
            wrong = [_differs(state, *difference) for difference in _differences(state, standing)]
            refresh = Finding("margin.refresh", f"account:{state.account_id}", f"prices moved since {instant:%F %T.%f}")
            findings += wrong or [refresh]
    return findings


def _verify_calls() -> list[Finding]:
    """Every call came to its state by the table, step by step as the audit log tells."""
    steps = {f"margin.call_{state.value}": state for state in CallState}
    histories = load_histories(steps.keys())
    return [
        Finding("margin.call_history", f"call:{call_id}", f"it is {state}; the audit log tells {' > '.join(walk)}")
        for call_id, state in MarginCall.objects.order_by("id").values_list("id", "state")
        for walk in [[CallState.OPEN, *(steps[action] for action in histories.get(f"call:{call_id}", []))]]
        if walk[-1].value != state or not CALL_STATES.is_walk(walk)
    ]


def _differences(state: MarginState, standing: Standing) -> list[tuple[str, object, object]]:
    """Name, figure on record and exact figure, of those that are not equal."""
    names = ("assets_minor", "lendable_minor", "requirement_minor", "debt_minor", "ratio_bp")
    pairs = [(name, getattr(state, name), getattr(standing, name)) for name in names]
    return [(name, recorded, exact) for name, recorded, exact in pairs if recorded != exact]


def _differs(state: MarginState, name: str, recorded: object, exact: object) -> Finding:
    message = f"{name} is {recorded}, a full revaluation gives {exact}"
    return Finding("margin.revaluation", f"account:{state.account_id}", message)
