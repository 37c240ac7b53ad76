"""Tables of the securities rail: the desk's own, and those of the paper broker, which are another party's truth."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from reefpoint.platform.basics.breaks import BreakClass, BreakSide, BreakState
from reefpoint.records.execution.types import OrderPurpose, OrderState, Side

_SIDES = [(side.value, side.value) for side in Side]
_STATES = [(state.value, state.value) for state in OrderState]
_LIVE = ("new", "sent", "partially_filled")


class Order(models.Model):
    """One order for one account and session, known to the broker by `client_order_id`.

    `quantity` is what the broker is asked for: `placed_quantity`, or less if it was reduced before it was sent.
    """

    account = models.ForeignKey("accounts.MarginAccount", on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=4, choices=_SIDES)
    quantity = models.BigIntegerField()
    placed_quantity = models.BigIntegerField()
    purpose = models.CharField(max_length=12, choices=[(purpose.value, purpose.value) for purpose in OrderPurpose])
    source = models.CharField(max_length=80)
    client_order_id = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=16, choices=_STATES, default=OrderState.NEW.value)
    session_on = models.DateField()
    placed_by = models.CharField(max_length=80)
    placed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=200, blank=True)
    filled_quantity = models.BigIntegerField(default=0)

    class Meta:
        indexes = (
            models.Index(fields=["account", "-id"], name="order_by_account"),
            models.Index(fields=["session_on", "instrument"], name="order_by_session"),
            models.Index(fields=["source"], name="order_by_source"),
            models.Index(fields=["id"], condition=Q(state__in=_LIVE), name="order_live"),
        )
        constraints = (
            CheckConstraint(
                condition=Q(quantity__gt=0, quantity__lte=F("placed_quantity")), name="order_quantity_positive"
            ),
            CheckConstraint(
                condition=Q(filled_quantity__gte=0, filled_quantity__lte=F("quantity")), name="order_never_overfilled"
            ),
            CheckConstraint(
                condition=(Q(state="filled") & Q(filled_quantity=F("quantity")))
                | (Q(state="partially_filled") & Q(filled_quantity__gt=0, filled_quantity__lt=F("quantity")))
                | (Q(state="cancelled") & Q(filled_quantity__lt=F("quantity")))
                | (Q(state__in=["new", "sent", "rejected"]) & Q(filled_quantity=0)),
                name="order_state_fits_fills",
            ),
            CheckConstraint(
                condition=Q(state__in=_LIVE, ended_at__isnull=True) | (~Q(state__in=_LIVE) & Q(ended_at__isnull=False)),
                name="order_ended_has_time",
            ),
        )

    def __str__(self) -> str:
        return self.client_order_id


class Fill(models.Model):
    """A trade as the broker reported it: a fact, of which only the booking mark is added later.

    `net_minor` is what it adds to the client's cash: positive for a sale, negative for a purchase.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills")
    broker_fill_id = models.CharField(max_length=140, unique=True)
    quantity = models.BigIntegerField()
    price_units = models.BigIntegerField()
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    traded_on = models.DateField(db_index=True)
    at = models.DateTimeField()
    booked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["id"], condition=Q(booked_at__isnull=True), name="fill_unbooked"),)
        constraints = (
            CheckConstraint(
                condition=Q(quantity__gt=0, price_units__gt=0, gross_minor__gte=0, fee_minor__gte=0),
                name="fill_amounts_sane",
            ),
            CheckConstraint(
                condition=Q(net_minor=F("gross_minor") - F("fee_minor"))
                | Q(net_minor=-F("gross_minor") - F("fee_minor")),
                name="fill_net_is_gross_and_fee",
            ),
        )

    def __str__(self) -> str:
        return self.broker_fill_id


class BrokerSettlement(models.Model):
    """The net cash of one session's trades, settled between broker and bank and booked once."""

    traded_on = models.DateField(unique=True)
    settled_on = models.DateField()
    reference = models.CharField(max_length=40, unique=True)
    net_minor = models.BigIntegerField()
    journal_id = models.BigIntegerField(null=True, unique=True)

    def __str__(self) -> str:
        return self.reference


class BrokerFile(models.Model):
    """A broker's end-of-day file as it was reconciled: `matched + broken = lines`."""

    on = models.DateField(unique=True)
    file_hash = models.CharField(max_length=64, unique=True)
    content = models.BinaryField()
    received_at = models.DateTimeField()
    cash_minor = models.BigIntegerField()
    lines = models.IntegerField()
    matched = models.IntegerField()
    broken = models.IntegerField()

    class Meta:
        constraints = (
            CheckConstraint(condition=Q(lines=F("matched") + F("broken")), name="broker_file_every_line_accounted"),
        )

    def __str__(self) -> str:
        return f"broker file of {self.on}"


class BrokerBreak(models.Model):
    """A difference between the broker's file and the books (books minus broker).

    It ends when a comparison finds both agreed, or by a second person's approval.
    """

    kind = models.CharField(max_length=24, choices=[(kind.value, kind.value) for kind in BreakClass])
    side = models.CharField(max_length=12, choices=[(side.value, side.value) for side in BreakSide])
    subject = models.CharField(max_length=160)
    detail = models.CharField(max_length=300)
    amount_minor = models.BigIntegerField(default=0)
    quantity = models.BigIntegerField(default=0)
    opened_on = models.DateField()
    state = models.CharField(
        max_length=8,
        choices=[(state.value, state.value) for state in BreakState],
        default=BreakState.OPEN.value,
    )
    cleared_on = models.DateField(null=True)
    cleared_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    approval_id = models.BigIntegerField(null=True, unique=True)

    class Meta:
        constraints = (
            UniqueConstraint(fields=["subject"], condition=Q(state="open"), name="broker_break_open_once"),
            CheckConstraint(
                condition=Q(state="open", cleared_on__isnull=True) | Q(state="cleared", cleared_on__isnull=False),
                name="broker_break_cleared_has_date",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class PaperHolding(models.Model):
    """The paper broker's stock record of one symbol, and what was traded in it in its latest session.

    Its row is the lock that puts orders of one symbol in line.
    """

    symbol = models.CharField(max_length=24, primary_key=True)
    quantity = models.BigIntegerField(default=0)
    session_on = models.DateField(null=True)
    session_quantity = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            CheckConstraint(condition=Q(quantity__gte=0), name="paper_holding_never_short"),
            CheckConstraint(condition=Q(session_quantity__gte=0), name="paper_session_quantity_positive"),
        )

    def __str__(self) -> str:
        return self.symbol


class PaperOrder(models.Model):
    """An order as the paper broker keeps it; it fills at most once, when it arrives."""

    client_order_id = models.CharField(max_length=120, unique=True)
    symbol = models.CharField(max_length=24)
    side = models.CharField(max_length=4, choices=_SIDES)
    quantity = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=_STATES)
    reason = models.CharField(max_length=200, blank=True)
    session_on = models.DateField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.client_order_id


class PaperFill(models.Model):
    """A trade of the paper broker."""

    order = models.OneToOneField(PaperOrder, on_delete=models.PROTECT, related_name="fill")
    broker_fill_id = models.CharField(max_length=140, unique=True)
    quantity = models.BigIntegerField()
    price_units = models.BigIntegerField()
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    traded_on = models.DateField(db_index=True)

    def __str__(self) -> str:
        return self.broker_fill_id


class PaperDelivery(models.Model):
    """Securities that came in (positive) or left (negative) free of payment at the paper broker."""

    reference = models.CharField(max_length=120, unique=True)
    symbol = models.CharField(max_length=24)
    quantity = models.BigIntegerField()
    on = models.DateField()

    class Meta:
        constraints = (CheckConstraint(condition=~Q(quantity=0), name="paper_delivery_not_empty"),)

    def __str__(self) -> str:
        return self.reference


class PaperSettlement(models.Model):
    """The cash that the paper broker paid (positive) or took for one session's trades."""

    traded_on = models.DateField(unique=True)
    settled_on = models.DateField(db_index=True)
    net_minor = models.BigIntegerField()

    def __str__(self) -> str:
        return f"trades of {self.traded_on}"
