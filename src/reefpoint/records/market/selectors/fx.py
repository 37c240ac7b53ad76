"""Rates between currencies: the version in force at an instant, and those before it."""

from datetime import date, datetime

from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market import rules
from reefpoint.records.market.models import FxVersion, HeldFx
from reefpoint.records.market.types import FxView, HeldFxView, HeldState


class NoSuchFxVersion(Refusal):
    """No version of the rates has this id."""

    code = "not_found"


class HeldFxNotFound(Refusal):
    """No held version of the rates has this id."""

    code = "not_found"


def latest_fx(as_of: datetime | None = None) -> FxView | None:
    """The newest version of the rates as known at `as_of`, by `(at, id)`; None where there is none."""
    versions = FxVersion.objects.order_by("-at", "-id").prefetch_related("rates")
    if as_of is not None:
        versions = versions.filter(recorded_at__lte=as_of)
    row = versions.first()
    return None if row is None else _view(row)


def get_fx(version_id: int) -> FxView:
    """One version. Raises `NoSuchFxVersion`."""
    row = FxVersion.objects.prefetch_related("rates").filter(id=version_id).first()
    if row is None:
        raise NoSuchFxVersion("There is no version {version_id} of the rates.", version_id=version_id)
    return _view(row)


def list_fx(limit: int = 50) -> list[FxView]:
    """Versions of the rates, newest first, in two queries."""
    return [_view(row) for row in FxVersion.objects.order_by("-at", "-id").prefetch_related("rates")[:limit]]


def list_held_fx(state: HeldState | None = HeldState.HELD, limit: int = 50) -> list[HeldFxView]:
    """Held versions in one state (or, with None, in any), newest first."""
    rows = HeldFx.objects.select_related("against").prefetch_related("against__rates").order_by("-id")
    if state is not None:
        rows = rows.filter(state=state)
    return [_held_view(row) for row in rows[:limit]]


def is_fx_usable(fx: FxView | None, today: date) -> bool:
    """Whether there are rates, and recent ones: on others nothing is lent or sold."""
    return fx is not None and not rules.is_fx_stale(fx.on, today)


def _view(row: FxVersion) -> FxView:
    return FxView(
        id=row.pk,
        source=row.source,
        base=row.base,
        on=row.on,
        at=row.at,
        recorded_by=row.recorded_by,
        rates_e8={rate.currency: rate.rate_e8 for rate in sorted(row.rates.all(), key=lambda rate: rate.currency)},
    )


def _held_view(row: HeldFx) -> HeldFxView:
    against = _view(row.against)
    return HeldFxView(
        id=row.pk,
        source=row.source,
        base=row.base,
        on=row.on,
        at=row.at,
        moves=rules.fx_moves(against, row.base, row.rates_e8),
        against=against.name,
        received_by=row.received_by,
        state=HeldState(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
    )
