"""The examples of typologies as activities."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from reefpoint.decisions.monitoring.rules.columns import Activities, Market, from_drafts
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind

DAY_ONE = datetime(2024, 1, 8, tzinfo=UTC)
FIRST_DAY = (DAY_ONE - datetime(1970, 1, 1, tzinfo=UTC)).days
MINOR = {"amount": "amount_minor", "liquid": "declared_liquid_minor", "income": "declared_income_minor"}
MINOR |= {"worth": "declared_worth_minor"}
PLAIN = {
    "client": "client_id",
    "account": "account_id",
    "payer": "counterparty",
    "score": "score_bp",
    "verified": "is_verified",
    "third": "is_third_party",
    "name": "instrument_id",
    "qty": "quantity",
    "held": "position_before",
    "move": "move_bp",
    "device": "device",
    "size": "quantity",
    "shared": "quantity",
}


def activities(lines: Sequence[str]) -> Activities:
    """The activities of an example; sessions are all weekdays."""
    drafts, groups, closes, volumes = [], {}, {}, {}
    for number, line in enumerate(lines):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "group":
            groups.update(dict.fromkeys(map(int, words[2:]), int(words[1].rstrip(":"))))
        elif words[0] == "name":
            given = dict(word.split("=") for word in words[2:])
            name = int(words[1].rstrip(":"))
            closes[name], volumes[name] = round(float(given["close"]) * 10_000), int(given["volume"])
        else:
            drafts.append(_draft(number, words))
    days = np.arange(FIRST_DAY - 800, FIRST_DAY + 800)
    market = Market(
        session_days=days[(days + 3) % 7 < 5],
        session_ends=days[(days + 3) % 7 < 5] * 86_400 + 21 * 3_600,
        close_instrument=np.array(list(closes), dtype=np.int64),
        close_day=np.full(len(closes), FIRST_DAY - 1),
        close_units=np.array(list(closes.values()), dtype=np.int64),
        volumes=volumes,
    )
    return from_drafts(drafts, market=market, groups=groups)


def _draft(number: int, words: Sequence[str]) -> ActivityDraft:
    day, time, kind = words[:3]
    clock = [int(part) for part in time.split(":")]
    at = DAY_ONE + timedelta(days=int(day), hours=clock[0], minutes=clock[1], seconds=(*clock, 0)[2])
    fields: dict[str, object] = {"client_id": 1}
    for word in words[3:]:
        key, value = word.split("=")
        if key in MINOR:
            fields[MINOR[key]] = int(value) * 100
        elif key == "price":
            fields["price_units"] = round(float(value) * 10_000)
        elif key in {"country", "ref"}:
            fields["reference" if key == "ref" else key] = value
        else:
            fields[PLAIN[key]] = int(value)
    fields.setdefault("account_id", fields["client_id"])
    return ActivityDraft(kind=ActivityKind(kind), key=f"example:{number}", at=at, **fields)  # type: ignore[arg-type]
