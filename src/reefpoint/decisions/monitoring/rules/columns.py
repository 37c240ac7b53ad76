"""Activities as columns: what facts are computed from, in the order of client, time and arrival."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from reefpoint.decisions.monitoring.rules.expressions import country_code
from reefpoint.decisions.monitoring.types import KIND_CODES, ActivityDraft
from reefpoint.engine.columns import Int64s

DAY_SECONDS = 86_400
NO_SESSION = 2**40


@dataclass(frozen=True, eq=False)
class Activities:
    """One row an activity, int64[N] each, sorted by `client`, `at`, `id`; see `types.ActivityDraft`.

    `at` is seconds since 1970, `day` days since then, `session` the number of sessions that had begun by then. `group`
    is the client's group, or the client's own negative id. `close` is the name's last close before the day of the row
    (units of 1e-4) and `volume` its assumed daily volume, 0 where there is none. `kind` is the place in `KINDS`;
    `to_close` seconds until the session ends, `NO_SESSION` on another day or after it.
    """

    id: Int64s
    kind: Int64s
    client: Int64s
    account: Int64s
    at: Int64s
    day: Int64s
    session: Int64s
    amount: Int64s
    counterparty: Int64s
    score: Int64s
    verified: Int64s
    third: Int64s
    country: Int64s
    instrument: Int64s
    quantity: Int64s
    price: Int64s
    held: Int64s
    move: Int64s
    device: Int64s
    reference: Int64s
    liquid: Int64s
    income: Int64s
    worth: Int64s
    group: Int64s
    close: Int64s
    volume: Int64s
    to_close: Int64s

    def __len__(self) -> int:
        return len(self.id)

    def take(self, rows: Int64s) -> "Activities":
        """These rows alone."""
        return Activities(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, eq=False)
class Market:
    """What the rows are put beside: sessions as ascending day numbers and the second at which each ends, closes by
    instrument and day, volumes by instrument."""

    session_days: Int64s
    session_ends: Int64s
    close_instrument: Int64s
    close_day: Int64s
    close_units: Int64s
    volumes: Mapping[int, int]


def place(stored: Mapping[str, Int64s], *, market: Market, groups: Mapping[int, int]) -> Activities:
    """Columns as they are stored, sorted, with the day, session, group, close and volume of each row."""
    order = np.lexsort((stored["id"], stored["at"], stored["client"]))
    rows = {name: np.ascontiguousarray(column[order]) for name, column in stored.items()}
    day = rows["at"] // DAY_SECONDS
    clients, of_client = np.unique(rows["client"], return_inverse=True)
    group = np.array([groups.get(int(client), -int(client)) for client in clients], dtype=np.int64)
    names, of_name = np.unique(rows["instrument"], return_inverse=True)
    volume = np.array([market.volumes.get(int(name), 0) for name in names], dtype=np.int64)
    return Activities(
        **rows,
        day=day,
        session=np.searchsorted(market.session_days, day, side="right").astype(np.int64),
        to_close=_to_close(market, rows["at"], day),
        group=group[of_client] if len(clients) else day,
        close=_close_before(market, rows["instrument"], day),
        volume=volume[of_name] if len(names) else day,
    )


def _to_close(market: Market, at: Int64s, day: Int64s) -> Int64s:
    if not len(market.session_days):
        return np.full(len(at), NO_SESSION, dtype=np.int64)
    number = np.minimum(np.searchsorted(market.session_days, day), len(market.session_days) - 1)
    left = market.session_ends[number] - at
    return np.where((market.session_days[number] == day) & (left >= 0), left, NO_SESSION)


def _close_before(market: Market, instrument: Int64s, day: Int64s) -> Int64s:
    """The last close of each row's name on a day before the row's, 0 where there is none."""
    if not len(market.close_day) or not len(day):
        return np.zeros(len(day), dtype=np.int64)
    span = int(max(market.close_day.max(), day.max())) + 1
    keys = market.close_instrument * span + market.close_day
    order = np.argsort(keys)
    place_of = np.searchsorted(keys[order], instrument * span + day) - 1
    found = order[np.maximum(place_of, 0)]
    is_there = (place_of >= 0) & (market.close_instrument[found] == instrument) & (instrument > 0)
    return np.where(is_there, market.close_units[found], 0)


def from_drafts(drafts: Sequence[ActivityDraft], *, market: Market, groups: Mapping[int, int]) -> Activities:
    """Activities that are not stored, as for the examples of a rule; their ids count from 1 in the order given."""
    reference = {"": 0} | {text: number for number, text in enumerate({d.reference for d in drafts} - {""}, start=1)}
    stored = {
        "id": range(1, len(drafts) + 1),
        "kind": [KIND_CODES[draft.kind] for draft in drafts],
        "client": [draft.client_id for draft in drafts],
        "account": [draft.account_id for draft in drafts],
        "at": [int(draft.at.timestamp()) for draft in drafts],
        "amount": [draft.amount_minor for draft in drafts],
        "counterparty": [draft.counterparty for draft in drafts],
        "score": [draft.score_bp for draft in drafts],
        "verified": [draft.is_verified for draft in drafts],
        "third": [draft.is_third_party for draft in drafts],
        "country": [country_code(draft.country) for draft in drafts],
        "instrument": [draft.instrument_id for draft in drafts],
        "quantity": [draft.quantity for draft in drafts],
        "price": [draft.price_units for draft in drafts],
        "held": [draft.position_before for draft in drafts],
        "move": [draft.move_bp for draft in drafts],
        "device": [draft.device for draft in drafts],
        "reference": [reference[draft.reference] for draft in drafts],
        "liquid": [draft.declared_liquid_minor for draft in drafts],
        "income": [draft.declared_income_minor for draft in drafts],
        "worth": [draft.declared_worth_minor for draft in drafts],
    }
    return place(
        {name: np.array(values, dtype=np.int64) for name, values in stored.items()}, market=market, groups=groups
    )
