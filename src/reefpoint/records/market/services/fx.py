"""Recording rates between currencies, version by version, and deciding on a version that was held."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.market import rules
from reefpoint.records.market.events import FxVersionRecorded
from reefpoint.records.market.models import FxRate, FxVersion, HeldFx
from reefpoint.records.market.selectors.fx import HeldFxNotFound, latest_fx
from reefpoint.records.market.services.locks import lock_market
from reefpoint.records.market.services.prices import CONFIRMATION, SecondPersonNeeded
from reefpoint.records.market.types import FxFlaw, FxRecorded, HeldState


class FxRefused(Refusal):
    """Rates that cannot be a version: a currency that is not kept, a rate that cannot be one."""

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
) -> FxRecorded:
    """Keep one version of the rates: money of `base` for one unit of each other currency, with up to 8 decimals.

    All of a version or none of it: a currency that it leaves out has no rate from now on, and its names no price in
    accounts of another currency. A version with a move of `rules.FX_MOVE_MAX_BP` or more since the last one is held:
    it is in no valuation until a second person confirms it. The same `key` with the same rates is one version. Raises
    `FxRefused` naming the first currency that is wrong, and `FxKeyConflict`.
    """
    require(actor, "prices.record")
    assert at.tzinfo is not None, "an instant has a time zone"
    _check_labels(source, key, on, at)
    units = {currency: _read(currency, base, rate) for currency, rate in sorted(rates.items())}
    if not units:
        raise FxRefused("A version needs at least one rate.")
    content = hashlib.sha256(json.dumps([source, base, on.isoformat(), units]).encode()).hexdigest()
    lock_market()
    known = _find_known(key, content)
    if known is not None:
        return known
    before = latest_fx()
    if before is not None and any(move.is_too_far for move in rules.fx_moves(before, base, units)):
        held = HeldFx.objects.create(
            source=source,
            key=key,
            content_hash=content,
            base=base,
            on=on,
            at=at,
            rates_e8=units,
            against_id=before.id,
            received_by=actor.ref,
        )
        record(
            actor=actor,
            action="fx.hold",
            subject=f"held_fx:{held.pk}",
            inputs={"source": source, "base": base, "rates_e8": units, "against": before.name},
            at=at,
        )
        return FxRecorded(None, held.pk)
    return FxRecorded(
        _keep(actor=actor, source=source, key=key, content=content, base=base, units=units, on=on, at=at, now=at)
    )


@transaction.atomic
def confirm_held_fx(*, actor: Actor, held_id: int, at: datetime, reason: str) -> int:
    """Believe a held version on a second person's word. Returns the id of the version that it now is.

    It counts from the instant at which it came: if a newer version came since, that one stays the latest.
    Raises `HeldFxNotFound`, `SecondPersonNeeded`, `InvalidTransition`.
    """
    require(actor, "prices.confirm")
    lock_market()
    held = _locked(held_id)
    if held.received_by == actor.ref:
        raise SecondPersonNeeded(
            "You brought these rates yourself. Ask a colleague to confirm them.", held_id=held_id, actor=actor.ref
        )
    _decide(held, HeldState.CONFIRMED, decided_by=actor.ref, reason=reason, at=at)
    version_id = _keep(
        actor=actor,
        source=held.source,
        key=f"{CONFIRMATION}:{held_id}",
        content=held.content_hash,
        base=held.base,
        units=held.rates_e8,
        on=held.on,
        at=held.at,
        now=at,
    )
    record(
        actor=actor,
        action="fx.confirm",
        subject=f"held_fx:{held_id}",
        reason=reason,
        inputs={"version_id": version_id, "received_by": held.received_by},
        at=at,
    )
    return version_id


@transaction.atomic
def discard_held_fx(*, actor: Actor, held_id: int, at: datetime, reason: str) -> None:
    """Decide that held rates were wrong. Raises `HeldFxNotFound`, `InvalidTransition`."""
    require(actor, "prices.confirm")
    lock_market()
    _decide(_locked(held_id), HeldState.DISCARDED, decided_by=actor.ref, reason=reason, at=at)
    record(actor=actor, action="fx.discard", subject=f"held_fx:{held_id}", reason=reason, at=at)


def _check_labels(source: str, key: str, on: date, at: datetime) -> None:
    for name, label, longest in (("source", source, 80), ("key", key, 200)):
        if not 0 < len(label.strip()) <= longest or not label.isprintable():
            raise FxRefused(
                "The {field} of a version has 1 to {longest} printable characters.", field=name, longest=longest
            )
    if key.startswith(CONFIRMATION):
        raise FxRefused(
            "A key that begins with {confirmation} is the desk's own. Choose another.",
            field="key",
            confirmation=CONFIRMATION,
        )
    if on > at.date() + timedelta(days=1):
        raise FxRefused("{on} is in the future: rates are of a day that has begun somewhere.", field="on", on=on)


def _find_known(key: str, content: str) -> FxRecorded | None:
    """What became of a version that came under this key before. Raises `FxKeyConflict` for another one."""
    held = HeldFx.objects.filter(key=key).first()
    confirmed = FxVersion.objects.filter(key=f"{CONFIRMATION}:{held.pk}").first() if held else None
    version = FxVersion.objects.filter(key=key).first() or confirmed
    known = version or held
    if known is None:
        return None
    if known.content_hash != content:
        raise FxKeyConflict("The key {key} was used for other rates on {on}. Use a new key.", key=key, on=known.on)
    return FxRecorded(version.pk if version else None, held.pk if held else None)


def _keep(
    *,
    actor: Actor,
    source: str,
    key: str,
    content: str,
    base: str,
    units: Mapping[str, int],
    on: date,
    at: datetime,
    now: datetime,
) -> int:
    version = FxVersion.objects.create(
        source=source, key=key, content_hash=content, base=base, on=on, at=at, recorded_at=now, recorded_by=actor.ref
    )
    FxRate.objects.bulk_create(
        FxRate(version=version, currency=currency, rate_e8=rate) for currency, rate in sorted(units.items())
    )
    record(
        actor=actor,
        action="fx.record",
        subject=f"fx_version:{version.pk}",
        inputs={"source": source, "base": base, "rates_e8": dict(units)},
        at=now,
    )
    publish(FxVersionRecorded(version_id=version.pk, on=on, at=now))
    return version.pk


def _read(currency: str, base: str, rate: Decimal | str) -> int:
    units = rules.read_rate(currency, base, rate)
    if isinstance(units, FxFlaw):
        raise FxRefused("{currency}: {units}.", currency=currency, units=units)
    return units


def _locked(held_id: int) -> HeldFx:
    held = HeldFx.objects.select_for_update().filter(id=held_id).first()
    if held is None:
        raise HeldFxNotFound("There is no held version {held_id} of the rates.", held_id=held_id)
    return held


def _decide(held: HeldFx, state: HeldState, *, decided_by: str, reason: str, at: datetime) -> None:
    rules.HELD_PRICE_STATES.check(HeldState(held.state), state)
    held.state = state
    held.decided_by = decided_by
    held.decided_at = at
    held.decision_reason = reason
    held.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
