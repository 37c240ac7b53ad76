"""Instruments, price batches with every line's verdict, and calendar overrides."""

from django.db import models
from django.db.models import F, Q

from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.records.market.types import Board, HeldState, InstrumentKind


class Instrument(models.Model):
    """A security that can be priced, pledged and traded."""

    symbol = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=3)
    venue = models.CharField(max_length=8, default="XNYS")
    sector = models.CharField(max_length=60, blank=True)
    lot_size = models.PositiveIntegerField(default=1)
    price_band_bp = models.PositiveIntegerField(default=2000)
    assumed_daily_volume = models.PositiveBigIntegerField(default=0)
    is_suspended = models.BooleanField(default=False)
    suspended_at = models.DateTimeField(null=True)
    delisted_on = models.DateField(null=True)

    class Meta:
        ordering = ("symbol",)
        constraints = (
            models.CheckConstraint(condition=Q(lot_size__gt=0), name="market_instrument_lot_positive"),
            models.CheckConstraint(condition=Q(price_band_bp__gt=0), name="market_instrument_band_positive"),
            models.CheckConstraint(
                condition=Q(currency__in=sorted(MINOR_DIGITS)), name="market_instrument_currency_known"
            ),
            models.CheckConstraint(
                condition=Q(delisted_on=None) | Q(is_suspended=True), name="market_instrument_delisted_is_not_traded"
            ),
        )

    def __str__(self) -> str:
        return self.symbol


class InstrumentRecord(models.Model):
    """What was on record of an instrument from an instant on, whole. Append-only: the newest row is the instrument."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    sector = models.CharField(max_length=60, blank=True)
    lot_size = models.PositiveIntegerField()
    price_band_bp = models.PositiveIntegerField()
    assumed_daily_volume = models.PositiveBigIntegerField()
    delisted_on = models.DateField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    recorded_by = models.CharField(max_length=80)
    checked_by = models.CharField(max_length=80, blank=True)
    approval_id = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ("instrument", "id")
        constraints = (
            models.CheckConstraint(condition=~Q(checked_by=F("recorded_by")), name="market_record_second_person"),
            models.UniqueConstraint(fields=["approval_id", "instrument"], name="market_record_once"),
        )
        indexes = (models.Index(fields=["instrument", "at"], name="market_record_of_name"),)

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.at:%Y-%m-%d}"


class TradingHalt(models.Model):
    """A name stopped trading, or trades again. Append-only: the newest row says which."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+", db_index=False)
    is_suspended = models.BooleanField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    recorded_by = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ("instrument", "id")
        indexes = (models.Index(fields=["instrument", "at"], name="market_halt_of_name"),)

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.at:%Y-%m-%d} {'halted' if self.is_suspended else 'resumed'}"


class ListingFacts(models.Model):
    """What a source says of a listing from a day on. Append-only: the newest row of the latest day counts."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    effective_on = models.DateField()
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in InstrumentKind])
    board = models.CharField(max_length=8, choices=[(b.value, b.value) for b in Board])
    has_risk_warning = models.BooleanField()
    is_index_member = models.BooleanField()
    is_pe_excluded = models.BooleanField()
    limit_bp = models.PositiveIntegerField(null=True)
    daily_volume = models.PositiveBigIntegerField(null=True)
    shares_issued = models.PositiveBigIntegerField(null=True)
    issuer = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=80)
    checked_by = models.CharField(max_length=80, blank=True)
    approval_id = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(checked_by=F("recorded_by")), name="market_listing_second_person"),
            models.UniqueConstraint(fields=["approval_id", "instrument", "effective_on"], name="market_listing_once"),
            models.CheckConstraint(
                condition=Q(limit_bp=None) | Q(limit_bp__gt=0, limit_bp__lte=10_000), name="market_listing_limit"
            ),
            models.CheckConstraint(
                condition=Q(shares_issued=None) | Q(shares_issued__gt=0), name="market_listing_issued"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="market_listing_sourced"),
        )
        indexes = (models.Index("instrument", F("effective_on").desc(), F("id").desc(), name="market_listing_newest"),)

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.effective_on}"


class PriceBatch(models.Model):
    """One delivery of prices, with the counts of what became of its lines. Append-only."""

    source = models.CharField(max_length=80)
    key = models.CharField(max_length=200, unique=True)
    content_hash = models.CharField(max_length=64)
    on = models.DateField()
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=80)
    accepted = models.PositiveIntegerField()
    held = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.source} {self.on}"


class Price(models.Model):
    """An accepted price. Append-only: a correction is a later row for the same instant."""

    batch = models.ForeignKey(PriceBatch, on_delete=models.PROTECT, related_name="prices")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+", db_index=False)
    price_units = models.BigIntegerField()
    at = models.DateTimeField()
    on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(price_units__gt=0), name="market_price_positive"),)
        indexes = (models.Index("instrument", F("at").desc(), F("id").desc(), name="market_price_latest"),)

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.on} {self.price_units}"


class HeldPrice(models.Model):
    """A readable price that waits for a second source or a second person. It is in no valuation."""

    batch = models.ForeignKey(PriceBatch, on_delete=models.PROTECT, related_name="held_prices")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    price_units = models.BigIntegerField()
    reference_units = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    on = models.DateField()
    raw = models.CharField(max_length=200)
    row_number = models.PositiveIntegerField()
    reason = models.CharField(max_length=40)
    received_by = models.CharField(max_length=80)
    state = models.CharField(max_length=12, default=HeldState.HELD, choices=[(s.value, s.value) for s in HeldState])
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(price_units__gt=0), name="market_held_price_positive"),
            models.CheckConstraint(
                condition=~Q(state=HeldState.CONFIRMED) | ~Q(decided_by=F("received_by")),
                name="market_held_price_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state=HeldState.HELD, decided_by="", decided_at=None)
                | (~Q(state=HeldState.HELD) & ~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="market_held_price_decision_whole",
            ),
        )
        indexes = (
            models.Index(fields=["instrument", "on"], condition=Q(state=HeldState.HELD), name="market_held_price_open"),
        )

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.on} {self.price_units} {self.state}"


class RejectedRow(models.Model):
    """A line that could not be a price, as it came. Append-only."""

    batch = models.ForeignKey(PriceBatch, on_delete=models.PROTECT, related_name="rejected_rows")
    row_number = models.PositiveIntegerField()
    raw = models.CharField(max_length=200)
    reason = models.CharField(max_length=40)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.row_number} {self.reason}"


class CalendarOverride(models.Model):
    """A day on which a venue does otherwise than its calendar says, or of which the calendar says nothing."""

    venue = models.CharField(max_length=8)
    on = models.DateField()
    is_session = models.BooleanField()
    close_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ("venue", "on")
        constraints = (
            models.UniqueConstraint(fields=["venue", "on"], name="market_calendar_override_once"),
            models.CheckConstraint(
                condition=Q(is_session=True, close_at__isnull=False) | Q(is_session=False, close_at=None),
                name="market_calendar_override_close",
            ),
        )

    def __str__(self) -> str:
        return f"{self.venue} {self.on}"


class FxVersion(models.Model):
    """One version of the rates between currencies, whole as it came. Append-only."""

    source = models.CharField(max_length=80)
    key = models.CharField(max_length=200, unique=True)
    content_hash = models.CharField(max_length=64)
    base = models.CharField(max_length=3)
    on = models.DateField()
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("-at", "-id")
        constraints = (models.CheckConstraint(condition=Q(base__in=sorted(MINOR_DIGITS)), name="market_fx_base_known"),)

    def __str__(self) -> str:
        return f"{self.base} {self.on} {self.source}"


class FxRate(models.Model):
    """Money of the version's base for one unit of a currency, in 1e-8. Append-only."""

    version = models.ForeignKey(FxVersion, on_delete=models.PROTECT, related_name="rates")
    currency = models.CharField(max_length=3)
    rate_e8 = models.BigIntegerField()

    class Meta:
        ordering = ("version", "currency")
        constraints = (
            models.UniqueConstraint(fields=("version", "currency"), name="market_fx_rate_once"),
            models.CheckConstraint(condition=Q(rate_e8__gt=0), name="market_fx_rate_positive"),
            models.CheckConstraint(condition=Q(currency__in=sorted(MINOR_DIGITS)), name="market_fx_currency_known"),
        )

    def __str__(self) -> str:
        return f"{self.currency} {self.rate_e8}"


class HeldFx(models.Model):
    """A version of the rates that moved too far to be believed: it waits for a second person and is in no valuation."""

    source = models.CharField(max_length=80)
    key = models.CharField(max_length=200, unique=True)
    content_hash = models.CharField(max_length=64)
    base = models.CharField(max_length=3)
    on = models.DateField()
    at = models.DateTimeField()
    rates_e8 = models.JSONField()
    against = models.ForeignKey(FxVersion, on_delete=models.PROTECT, related_name="+")
    received_by = models.CharField(max_length=80)
    state = models.CharField(max_length=12, default=HeldState.HELD, choices=[(s.value, s.value) for s in HeldState])
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(base__in=sorted(MINOR_DIGITS)), name="market_held_fx_base_known"),
            models.CheckConstraint(
                condition=~Q(state=HeldState.CONFIRMED) | ~Q(decided_by=F("received_by")),
                name="market_held_fx_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state=HeldState.HELD, decided_by="", decided_at=None)
                | (~Q(state=HeldState.HELD) & ~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="market_held_fx_decision_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.base} {self.on} {self.source} {self.state}"
