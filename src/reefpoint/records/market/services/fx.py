"""Recording rates between currencies, version by version."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.market import rules
from reefpoint.records.market.events import FxVersionRecorded
from reefpoint.records.market.models import FxRate, FxVersion
from reefpoint.records.market.selectors.fx import latest_fx
from reefpoint.records.market.services.locks import lock_market


class FxRefused(Refusal):
    """Rates that cannot be a version: a currency that is not kept, a rate that cannot be or is not believed."""

    code = "fx_refused"


class FxKeyConflict(Refusal):
    """The key was used for other rates."""

    code = "fx_key_conflict"


@transaction.atomic
def record_fx(
    *,
    actor: Actor,
    source: str,
    key: str,
    base: str,
    rates: Mapping[str, Decimal | str],
    on: date,
    at: datetime,
) -> int:
    """Keep one version of the rates: money of `base` for one unit of each other currency, with up to 8 decimals.

    All of a version or none of it: a currency that it leaves out has no rate from now on, and its names no price in
    accounts of another currency. The same `key` with the same rates is one version. Returns its id. Raises `FxRefused`
    naming the first currency that is wrong, also for a move of more than `rules.FX_MOVE_MAX_BP` since the last version,
    and `FxKeyConflict`.
    """
    require(actor, "prices.record")
    assert at.tzinfo is not None, "an instant has a time zone"
    units = {currency: _read(currency, base, rate) for currency, rate in sorted(rates.items())}
    if not units:
        raise FxRefused("A version needs at least one rate.")
    content = hashlib.sha256(json.dumps([source, base, on.isoformat(), units]).encode()).hexdigest()
    lock_market()
    known = FxVersion.objects.filter(key=key).first()
    if known is not None:
        if known.content_hash != content:
            raise FxKeyConflict(f"The key {key} was used for other rates on {known.on}. Use a new key.", key=key)
        return known.pk
    before = latest_fx()
    if before is not None and before.base == base:
        _check_moves(before.rates_e8, units)
    version = FxVersion.objects.create(
        source=source, key=key, content_hash=content, base=base, on=on, at=at, recorded_at=at, recorded_by=actor.ref
    )
    FxRate.objects.bulk_create(
        FxRate(version=version, currency=currency, rate_e8=rate) for currency, rate in units.items()
    )
    record(
        actor=actor,
        action="fx.record",
        subject=f"fx_version:{version.pk}",
        inputs={"source": source, "base": base, "rates_e8": units},
        at=at,
    )
    publish(FxVersionRecorded(version_id=version.pk, on=on, at=at))
    return version.pk


def _read(currency: str, base: str, rate: Decimal | str) -> int:
    units = rules.read_rate(currency, base, rate)
    if isinstance(units, str):
        raise FxRefused(f"{currency}: {units}.", currency=currency)
    return units


def _check_moves(before: Mapping[str, int], units: Mapping[str, int]) -> None:
    for currency, rate in units.items():
        last = before.get(currency)
        if last is not None and rules.is_outside_band(rate, last, rules.FX_MOVE_MAX_BP):
            raise FxRefused(
                f"{currency} moved by more than {rules.FX_MOVE_MAX_BP // 100}% since the last version. Look at the "
                "source; a move that is true comes in steps.",
                currency=currency,
            )
