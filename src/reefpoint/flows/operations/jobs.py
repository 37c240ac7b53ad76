"""Jobs of the desk's day, and what a live desk does by the clock. Each makes one service call.

In a replay the driver does the first two of the schedule at fixed points of its day, so they leave it alone.
"""

from collections.abc import Callable
from datetime import date, datetime

from django.contrib.sessions.backends.db import SessionStore
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from reefpoint.decisions.margin.services.calls import expire_due_calls
from reefpoint.decisions.margin.services.price_alerts import review_price_alerts
from reefpoint.decisions.monitoring.services.rules import install_typologies
from reefpoint.decisions.monitoring.services.sweeping import sweep
from reefpoint.decisions.relations.services import regroup_all
from reefpoint.decisions.scoring.services.outcomes import record_outcomes
from reefpoint.decisions.scoring.services.rescoring import measure_score_drift, rescore_due
from reefpoint.decisions.screening.services import screen_unscreened
from reefpoint.flows.lending.services.defaults import act_on_defaults
from reefpoint.flows.lending.services.lapsing import lapse_requests
from reefpoint.flows.lending.services.maturities import remind_of_maturities, tell_of_unpaid
from reefpoint.flows.lending.services.renewals import lapse_renewals
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.operations.selectors.retention import find_silence
from reefpoint.flows.operations.services.day_run import run_day
from reefpoint.flows.origination.services.leaving import close_idle_prospects, erase_idle_leads
from reefpoint.platform.audit.services import seal
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.governance.services import check_sources, keep_shipped
from reefpoint.platform.imports.services import forget_bad_rows, run_import
from reefpoint.platform.notifications.services import retry_notices
from reefpoint.platform.runs.services import forget_runs, work_on_run
from reefpoint.records.contracts.services import lapse_contracts
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.ledger.services import seal_ledger
from reefpoint.records.treasury.services import work_payments

SCHEDULER = system_actor("scheduler")


@app.task(name="operations.run_day", queue="day", lock="day-run", retry=RetryStrategy(max_attempts=20, wait=1))
def run_day_job(*, on: str, at: str) -> None:
    """End a business day. `on` is its date, `at` the instant it ends at, both ISO 8601."""
    run_day(on=date.fromisoformat(on), at=datetime.fromisoformat(at))


@app.task(name="imports.run", queue="imports", retry=RetryStrategy(max_attempts=20, wait=1))
def run_import_job(*, import_id: int) -> None:
    """Read a file that was handed in, to its end; killed, another worker goes on."""
    run_import(import_id=import_id, at=desk_now())


@app.task(name="runs.run", queue="runs", retry=RetryStrategy(max_attempts=20, wait=1))
def run_asked_job(*, run_id: int) -> None:
    """Do long work that was asked for; killed, another worker begins it anew."""
    work_on_run(run_id=run_id, at=desk_now())


def forget_old_runs(timestamp: int) -> None:
    """Delete what came of runs whose time is over."""
    forget_runs(at=desk_now())


def forget_old_bad_rows(timestamp: int) -> None:
    """Delete files of bad rows whose time is over."""
    forget_bad_rows(on=desk_now().date())


def forget_the_silent(timestamp: int) -> None:
    """Close prospects and erase leads who never went on; a replay leaves its past ones alone."""
    clock = get_clock()
    if not clock.is_replay:
        silence = find_silence(clock.at.date())
        close_idle_prospects(actor=SCHEDULER, before=silence.prospects_before, at=clock.at)
        erase_idle_leads(actor=SCHEDULER, before=silence.leads_before, at=clock.at)


def expire_calls(timestamp: int) -> None:
    """End the calls whose deadline has passed; `timestamp` is when the job was due."""
    clock = get_clock()
    if not clock.is_replay:
        expire_due_calls(actor=SCHEDULER, at=clock.at)


def review_prices(timestamp: int) -> None:
    """Tell the risk desk of names whose prices stay away."""
    clock = get_clock()
    if not clock.is_replay:
        review_price_alerts(actor=SCHEDULER, at=clock.at)


def retry_queued_notices(timestamp: int) -> None:
    """Try notices again that did not get through."""
    clock = get_clock()
    if not clock.is_replay:
        retry_notices(at=clock.at)


def sweep_activities(timestamp: int) -> None:
    """Judge what clients did since the last sweep, also while a past market is replayed."""
    at = desk_now()
    install_typologies(actor=SCHEDULER, at=at)
    sweep(at=at)


def work_bank_rail(timestamp: int) -> None:
    """Tell the bank of payments that wait, and book what it says of others; while no book day is open, wait."""
    on = current_book_day()
    if on is not None:
        work_payments(on=on, at=desk_now())


def remind_of_loans(timestamp: int) -> None:
    """Write to clients about loans that mature soon or were not repaid; a replay leaves its past clients alone."""
    clock = get_clock()
    if not clock.is_replay:
        on = clock.business_date or clock.at.date()
        remind_of_maturities(on=on, at=clock.at)
        tell_of_unpaid(on=on, at=clock.at)


def act_on_late_loans(timestamp: int) -> None:
    """Announce and open sales for loans late past their grace; a replay leaves its past clients alone."""
    clock = get_clock()
    if not clock.is_replay:
        act_on_defaults(on=clock.business_date or clock.at.date(), at=clock.at)


def seal_audit(timestamp: int) -> None:
    """Seal the audit log's new entries."""
    seal(at=desk_now())


def seal_journals(timestamp: int) -> None:
    """Seal the ledger's new journals."""
    seal_ledger(at=desk_now())


def screen_new_clients(timestamp: int) -> None:
    """Hold clients against the lists that never were: those that were registered without a profile."""
    screen_unscreened(actor=SCHEDULER, at=desk_now())


def regroup_clients(timestamp: int) -> None:
    """Group all clients from scratch, should any change have escaped."""
    regroup_all(actor=SCHEDULER, at=desk_now())


def lapse_unsigned_contracts(timestamp: int) -> None:
    """End contracts whose time to be signed has passed."""
    lapse_contracts(actor=SCHEDULER, at=desk_now())


def lapse_unsigned_renewals(timestamp: int) -> None:
    """End renewals that were not accepted or signed in time; a replay leaves its past clients alone."""
    clock = get_clock()
    if not clock.is_replay:
        lapse_renewals(on=clock.business_date or clock.at.date(), at=clock.at)


def lapse_old_requests(timestamp: int) -> None:
    """End requests for credit that nobody went on with; a replay leaves its past clients alone."""
    clock = get_clock()
    if not clock.is_replay:
        lapse_requests(actor=SCHEDULER, at=clock.at)


def rescore_clients(timestamp: int) -> None:
    """Score again the clients to whom something happened, and those not scored for long."""
    clock = get_clock()
    if not clock.is_replay:
        rescore_due(actor=SCHEDULER, on=clock.business_date or clock.at.date(), at=clock.at)


def watch_models(timestamp: int) -> None:
    """Look at the sources of data, at how far scores and features have moved, and at what came of who was scored."""
    clock = get_clock()
    keep_shipped(at=clock.at)
    check_sources(at=clock.at)
    on = clock.business_date or clock.at.date()
    measure_score_drift(actor=SCHEDULER, on=on, at=clock.at)
    record_outcomes(actor=SCHEDULER, on=on, at=clock.at)


def clear_sessions(timestamp: int) -> None:
    """Forget sign-ins that have run out."""
    SessionStore.clear_expired()


SCHEDULE: tuple[tuple[str, str, Callable[[int], None]], ...] = (
    # minute hour day month weekday, in UTC; the job's name; what it does
    ("* * * * *", "margin.expire_calls", expire_calls),
    ("* * * * *", "margin.review_prices", review_prices),
    ("* * * * *", "notifications.retry", retry_queued_notices),
    ("* * * * *", "monitoring.sweep", sweep_activities),
    ("* * * * *", "treasury.work_payments", work_bank_rail),
    ("* * * * *", "scoring.rescore", rescore_clients),
    ("*/10 * * * *", "audit.seal", seal_audit),
    ("*/10 * * * *", "ledger.seal", seal_journals),
    ("*/10 * * * *", "screening.screen_new_clients", screen_new_clients),
    ("*/10 * * * *", "contracts.lapse", lapse_unsigned_contracts),
    ("*/10 * * * *", "lending.lapse_renewals", lapse_unsigned_renewals),
    ("*/10 * * * *", "lending.lapse", lapse_old_requests),
    ("*/10 * * * *", "lending.act_on_defaults", act_on_late_loans),
    ("10 6 * * *", "lending.remind_of_maturities", remind_of_loans),
    ("40 2 * * *", "relations.regroup_all", regroup_clients),
    ("10 3 * * *", "governance.watch", watch_models),
    ("20 3 * * *", "access.clear_sessions", clear_sessions),
    ("40 3 * * *", "imports.forget_bad_rows", forget_old_bad_rows),
    ("50 3 * * *", "runs.forget", forget_old_runs),
    ("0 4 * * *", "origination.forget_the_silent", forget_the_silent),
)

for cron, name, job in SCHEDULE:
    app.periodic(cron=cron)(app.task(name=name, queue="schedule", queueing_lock=name)(job))
