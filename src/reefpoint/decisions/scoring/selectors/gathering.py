"""Gathering the facts of clients that features are made from. A fixed number of queries for any number of clients."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from reefpoint.decisions.margin.selectors.calls import list_calls_since
from reefpoint.decisions.monitoring.selectors.flows import load_cash_flows
from reefpoint.decisions.relations.selectors.groups import load_groups, load_members
from reefpoint.decisions.scoring.models import BureauReport
from reefpoint.decisions.scoring.rules import bureau, features
from reefpoint.engine.calibration import fit_factor
from reefpoint.engine.columns import BookError, Int64s
from reefpoint.engine.haircuts import HISTORY_MIN
from reefpoint.platform.basics.money import price_units
from reefpoint.platform.vault.services import open_many
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.accounts.selectors.accounts import load_accounts, load_debts, load_openings
from reefpoint.records.accounts.selectors.loans import list_open_loans
from reefpoint.records.accounts.types import AccountOpening
from reefpoint.records.execution.selectors import list_orders_since
from reefpoint.records.execution.types import OrderPurpose
from reefpoint.records.market.selectors import get_calendar, list_instruments, load_us20
from reefpoint.records.market.selectors.prices import closes_on
from reefpoint.records.market.types import InstrumentView
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.parties.types import ProfileFacts

Portfolio = Sequence[tuple[int, int]]
"""(instrument id, shares) pairs."""

CURRENT_DAYS = 10
"""A close older than this is no price of today."""


@dataclass(frozen=True, eq=False)
class History:
    """Closes of every instrument over the sessions up to a day.

    `closes` int64[names, sessions], 0 where there is none, newest last. A name whose own closes are fewer than a year
    of returns has those of the packaged history, in dollars and adjusted: only returns are taken from them.
    """

    days: tuple[date, ...]
    column: Mapping[int, int]
    instruments: Mapping[int, InstrumentView]
    closes: Int64s
    is_packaged: tuple[bool, ...]
    beta: Mapping[int, int]
    last: Mapping[int, tuple[date, int]]


def load_history(on: date) -> History:
    """The closes of the sessions up to a day, and each name's beta on the mean of all."""
    instruments = list_instruments()
    days = sorted({day for venue in {one.venue for one in instruments} for day in _window(venue, on)})
    closes = closes_on(days)
    stored: dict[int, int] = defaultdict(int)
    last: dict[int, tuple[date, int]] = {}
    for instrument_id, day in sorted(closes):
        stored[instrument_id] += 1
        last[instrument_id] = (day, closes[instrument_id, day])
    packaged = _packaged(days[0], days[-1]) if days else {}
    table = np.zeros((len(instruments), len(days)), dtype=np.int64)
    is_packaged = []
    for column, one in enumerate(instruments):
        is_known = one.currency == "USD" and any(one.symbol in of_day for of_day in packaged.values())
        is_packaged.append(is_known and stored[one.id] <= HISTORY_MIN)
        for index, day in enumerate(days):
            if is_packaged[-1]:
                table[column, index] = packaged.get(day, {}).get(one.symbol, 0)
            else:
                table[column, index] = closes.get((one.id, day), 0)
    return History(
        days=tuple(days),
        column={one.id: column for column, one in enumerate(instruments)},
        instruments={one.id: one for one in instruments},
        closes=table,
        is_packaged=tuple(is_packaged),
        beta=_betas([one.id for one in instruments], table),
        last=last,
    )


def _window(venue: str, on: date) -> list[date]:
    """The sessions of a year that ended by a day, and one more for the first return."""
    calendar = get_calendar(venue)
    days = [day for day in calendar.days if day <= on]
    return days[-(features.WINDOW_SESSIONS + 1) :]


@lru_cache(maxsize=2)
def _packaged(first: date, last: date) -> Mapping[date, Mapping[str, int]]:
    return {
        day: {symbol: price_units(close) for symbol, close in closes.items()} for day, closes in load_us20(first, last)
    }


def _betas(ids: Sequence[int], table: Int64s) -> dict[int, int]:
    """Each name's beta in 1/10,000; a name with too short a history has none."""
    if table.shape[0] == 0 or table.shape[1] <= HISTORY_MIN:
        return {}
    try:
        fit = fit_factor(table)
    except BookError:
        return {}
    rows = np.flatnonzero(fit.is_fitted)
    return {ids[row]: round(float(fit.beta[row]) * 10_000) for row in rows.tolist()}


def gather(
    client_ids: Collection[int], *, on: date, at: datetime, portfolios: Mapping[int, Portfolio] | None = None
) -> dict[int, features.Facts]:
    """The facts of each of these clients on a day, as plain JSON.

    `portfolios` are what clients offer in place of what they hold.
    """
    ids = sorted(set(client_ids))
    groups = load_groups(ids)
    members = load_members(set(groups.values()))
    known = {one: members[group_id] for one, group_id in groups.items()}
    everybody = sorted({*ids, *(one for group in known.values() for one in group)})
    debts: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for debt in load_debts(everybody):
        debts[debt.client_id].append(
            {"client_id": debt.client_id, "currency": debt.currency, "debt_minor": debt.debt_minor}
        )
    profiles, reports, history = load_profiles(ids), _load_reports(ids, on), load_history(on)
    openings: dict[int, list[AccountOpening]] = defaultdict(list)
    for opening in load_openings(ids):
        if opening.opened_on <= on:
            openings[opening.client_id].append(opening)
    owner = {one.account_id: one.client_id for of_client in openings.values() for one in of_client}
    past = _load_past(owner, on=on, at=at)
    asked = portfolios or {}
    held: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for account in load_accounts(list(owner)):
        for holding in account.holdings:
            held[account.client_id][holding.instrument_id] += holding.quantity
    found: dict[int, features.Facts] = {}
    for client_id in ids:
        profile, own = profiles.get(client_id), openings[client_id]
        group = known.get(client_id, (client_id,))
        found[client_id] = {
            "version": features.VERSION,
            "client_id": client_id,
            "on": on.isoformat(),
            "at": at.astimezone(UTC).isoformat(),
            "currency": profile.currency if profile else own[0].currency if own else "USD",
            "profile": _profile(profile),
            "bureau": reports.get(client_id),
            "accounts": [
                {"id": one.account_id, "opened_on": one.opened_on.isoformat(), "currency": one.currency} for one in own
            ],
            **past[client_id],
            "holdings": _holdings(client_id, asked.get(client_id) or (), held[client_id], history, on),
            "group": {"id": groups.get(client_id), "members": list(group)},
            "debts": [debt for one in group for debt in debts[one]],
        }
    return found


def _profile(profile: ProfileFacts | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    return {
        "ref": ["parties_profile", f"{profile.client_id}:{profile.version}", profile.recorded_at.isoformat()],
        "annual_income_minor": profile.annual_income_minor,
        "liquid_assets_minor": profile.liquid_assets_minor,
        "net_worth_minor": profile.net_worth_minor,
        "currency": profile.currency,
        "trading_years": profile.trading_years,
        "trades_per_year": profile.trades_per_year,
    }


def _load_reports(client_ids: Collection[int], on: date) -> dict[int, dict[str, Any]]:
    """The newest report on each client that is not of a later day."""
    rows = list(
        BureauReport.objects.filter(client_id__in=client_ids, report_on__lte=on, erased_at=None)
        .order_by("client_id", "-report_on", "-id")
        .distinct("client_id")
    )
    plains = open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), bureau.context(row.client_id, row.place)) for row in rows]
    )
    return {
        row.client_id: {
            "ref": ["scoring_bureau_report", str(row.pk), row.report_on.isoformat()],
            "report_on": row.report_on.isoformat(),
            "values": bureau.values_from_bytes(plain),
        }
        for row, plain in zip(rows, plains, strict=True)
    }


def _load_past(owner: Mapping[int, int], *, on: date, at: datetime) -> dict[int, dict[str, Any]]:
    """Calls, loans past maturity, forced sales and flows of the clients of these accounts."""
    past: dict[int, dict[str, Any]] = defaultdict(lambda: {"calls": [], "loans": [], "forced": [], "flows": []})
    since = on - timedelta(days=features.HISTORY_DAYS)
    for call in list_calls_since(list(owner), since):
        past[owner[call.account_id]]["calls"].append(
            {
                "id": call.id,
                "opened_on": call.opened_on.isoformat(),
                "state": call.state.value,
                "deadline_at": call.deadline_at.isoformat(),
                "closed_at": call.closed_at.isoformat() if call.closed_at else None,
            }
        )
    for loan in (one for one in list_open_loans(list(owner)) if one.matures_on < on):
        past[owner[loan.account_id]]["loans"].append({"id": loan.id, "matures_on": loan.matures_on.isoformat()})
    for order in list_orders_since(list(owner), purpose=OrderPurpose.LIQUIDATION, since=since):
        past[owner[order.account_id]]["forced"].append(
            {"id": order.order_id, "session_on": order.session_on.isoformat()}
        )
    began = datetime.combine(on - timedelta(days=features.FLOW_DAYS), time.max, UTC)
    for flow in load_cash_flows(set(owner.values()), since=began, until=at):
        past[flow.client_id]["flows"].append(
            {
                "id": flow.activity_id,
                "kind": flow.kind,
                "at": flow.at.isoformat(),
                "amount_minor": flow.amount_minor,
                "is_third_party": flow.is_third_party,
            }
        )
    return past


def _holdings(
    client_id: int, asked: Portfolio, held: Mapping[int, int], history: History, on: date
) -> list[dict[str, Any]]:
    wanted: dict[int, int] = defaultdict(int)
    for instrument_id, quantity in asked or held.items():
        wanted[instrument_id] += quantity
    found = []
    for instrument_id, quantity in sorted(wanted.items()):
        one, column = history.instruments[instrument_id], history.column[instrument_id]
        last_on, units = history.last.get(instrument_id, (None, 0))
        is_packaged = history.is_packaged[column]
        found.append(
            {
                "instrument_id": instrument_id,
                "table": "market_price",
                "key": f"{one.symbol}, {len(history.days)} sessions{' of the packaged history' if is_packaged else ''}",
                "currency": one.currency,
                "quantity": quantity,
                "is_offered": bool(asked),
                "price_units": units,
                "last_on": last_on.isoformat() if last_on else None,
                "is_current": last_on is not None and (on - last_on).days <= CURRENT_DAYS,
                "daily_volume": one.assumed_daily_volume,
                "beta_e4": history.beta.get(instrument_id),
                "closes": history.closes[column].tolist(),
            }
        )
    return found
