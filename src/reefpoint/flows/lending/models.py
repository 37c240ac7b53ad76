"""Requests for credit with what will be pledged and every step of theirs; renewals, reminders and defaults of loans."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint, Value
from django.db.models.functions import Cast, Concat, Greatest, Length, LPad

from reefpoint.flows.lending import rules
from reefpoint.flows.lending.types import CreditState, DefaultState, RenewalState
from reefpoint.records.parties.models import Client

_ID_TEXT = Cast("id", models.TextField())


class CreditRequest(models.Model):
    """One ask for credit under one scheme, of which a client has one alive. The parts that decide, price, write and
    pay keep their own records; what stands here is which of them belong to it. `lapses_on` is the last day on which it
    can be gone on with; the client is told.
    """

    number = models.GeneratedField(
        expression=Concat(Value("R-"), LPad(_ID_TEXT, Greatest(Length(_ID_TEXT), Value(6)), Value("0"))),
        output_field=models.CharField(max_length=24),
        db_persist=True,
        unique=True,
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    scheme_code = models.CharField(max_length=40)
    scheme_version = models.ForeignKey("products.SchemeVersion", null=True, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    tenor_days = models.IntegerField()
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in CreditState], default=CreditState.DRAFT.value
    )
    begun_at = models.DateTimeField()
    begun_by = models.CharField(max_length=80)
    requested_at = models.DateTimeField(null=True)
    waits_since = models.DateTimeField()
    feature_set_id = models.BigIntegerField(null=True)
    score_id = models.BigIntegerField(null=True)
    decision_id = models.BigIntegerField(null=True, db_index=True)
    grade = models.CharField(max_length=2, blank=True)
    limit_minor = models.BigIntegerField(null=True)
    quote_id = models.BigIntegerField(null=True)
    rate_bp = models.IntegerField(null=True)
    offer_until = models.DateTimeField(null=True)
    lapses_on = models.DateField(null=True)
    accepted_at = models.DateTimeField(null=True)
    contract_id = models.BigIntegerField(null=True, unique=True)
    client_signed_at = models.DateTimeField(null=True)
    approval_id = models.BigIntegerField(null=True)
    pool_code = models.CharField(max_length=32, blank=True)
    account = models.ForeignKey("accounts.MarginAccount", null=True, on_delete=models.PROTECT, related_name="+")
    loan = models.OneToOneField("accounts.Loan", null=True, on_delete=models.PROTECT, related_name="+")
    payment_id = models.BigIntegerField(null=True, unique=True)
    held_minor = models.BigIntegerField(null=True)
    attempt = models.IntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["state", "waits_since"], name="lending_request_waits"),
            models.Index(fields=["client", "id"], name="lending_request_client"),
            models.Index(
                fields=["lapses_on", "id"], condition=Q(lapses_on__isnull=False), name="lending_request_lapses"
            ),
        )
        constraints = (
            UniqueConstraint(
                fields=["client", "scheme_code"],
                condition=Q(state__in=sorted(state.value for state in rules.LIVE)),
                name="lending_one_live_request",
            ),
            CheckConstraint(condition=Q(amount_minor__gt=0, tenor_days__gt=0), name="lending_request_positive"),
            CheckConstraint(
                condition=~Q(state__in=["funding", "funded"]) | Q(payment_id__isnull=False, loan__isnull=False),
                name="lending_funding_has_payment",
            ),
            CheckConstraint(
                condition=Q(state__in=[state.value for state in rules.LAPSING], lapses_on__isnull=False)
                | (~Q(state__in=[state.value for state in rules.LAPSING]) & Q(lapses_on__isnull=True)),
                name="lending_request_lapses_when_told",
            ),
        )

    def __str__(self) -> str:
        return str(self.number)


class CreditLot(models.Model):
    """Shares that the client will bring in as collateral."""

    request = models.ForeignKey(CreditRequest, on_delete=models.CASCADE, related_name="lots")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()

    class Meta:
        ordering = ("id",)
        constraints = (
            UniqueConstraint(fields=["request", "instrument"], name="lending_lot_once"),
            CheckConstraint(condition=Q(quantity__gt=0), name="lending_lot_positive"),
        )

    def __str__(self) -> str:
        return f"{self.request_id} {self.instrument_id}"


class CreditStep(models.Model):
    """One step of a request. Append-only."""

    request = models.ForeignKey(CreditRequest, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=120)
    action = models.CharField(max_length=24)
    state = models.CharField(max_length=16)
    words = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("id",)
        db_table = "lending_step"

    def __str__(self) -> str:
        return f"{self.request_id} {self.action}"


class Renewal(models.Model):
    """A further term for a loan near its maturity: asked for, priced, accepted, signed by both, or ended before.

    A trigger lets it be done only once its agreement is in force and the maturity was moved under its key, and lets a
    maturity move only under a renewal whose agreement is in force.
    """

    loan = models.ForeignKey("accounts.Loan", on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in RenewalState],
        default=RenewalState.OFFERED.value,
    )
    number = models.IntegerField()
    old_matures_on = models.DateField()
    new_matures_on = models.DateField()
    rate_bp = models.IntegerField(null=True)
    quote_id = models.BigIntegerField(null=True, unique=True)
    ratio_bp = models.IntegerField(null=True)
    asked_at = models.DateTimeField(null=True)
    asked_by = models.CharField(max_length=80, blank=True)
    offered_at = models.DateTimeField(null=True)
    offered_by = models.CharField(max_length=80, blank=True)
    valid_until = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.CharField(max_length=80, blank=True)
    contract_id = models.BigIntegerField(null=True, unique=True)
    client_signed_at = models.DateTimeField(null=True)
    countersigned_by = models.CharField(max_length=80, blank=True)
    fee_minor = models.BigIntegerField(null=True)
    carried_minor = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        db_table = "lending_renewal"
        constraints = (
            UniqueConstraint(
                fields=["loan"], condition=Q(state__in=rules.LIVE_RENEWALS), name="lending_one_live_renewal"
            ),
            UniqueConstraint(fields=["loan", "number"], condition=Q(state="done"), name="lending_renewal_counted_once"),
            CheckConstraint(condition=Q(new_matures_on__gt=F("old_matures_on")), name="lending_renewal_forward"),
            CheckConstraint(
                condition=Q(state__in=["asked", "offered"]) | Q(contract_id__isnull=False) | Q(ended_at__isnull=False),
                name="lending_renewal_accepted_by_paper",
            ),
            CheckConstraint(
                condition=Q(state="asked", asked_at__isnull=False)
                | Q(offered_at__isnull=False, valid_until__isnull=False, rate_bp__isnull=False)
                | Q(ended_at__isnull=False),
                name="lending_renewal_offered_with_its_price",
            ),
            CheckConstraint(
                condition=Q(countersigned_by="") | ~Q(countersigned_by=F("offered_by")),
                name="lending_renewal_second_person",
            ),
        )

    def __str__(self) -> str:
        return f"loan {self.loan_id} to {self.new_matures_on}"


class LoanDefault(models.Model):
    """A loan that is late past its grace: proposed, approved, told to its client with the day from which is sold, sold
    for. A trigger lets a sale for a loan open only after that day was told, and plans only from that day on.
    """

    loan = models.ForeignKey("accounts.Loan", on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in DefaultState])
    matured_on = models.DateField()
    due_minor = models.BigIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=80)
    approval_id = models.BigIntegerField(null=True, unique=True)
    announced_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    sale_from = models.DateField(null=True)
    notice_id = models.BigIntegerField(null=True)
    liquidation = models.OneToOneField("liquidation.Liquidation", null=True, on_delete=models.PROTECT, related_name="+")
    waits_for = models.CharField(max_length=24, blank=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        db_table = "lending_default"
        constraints = (
            UniqueConstraint(
                fields=["loan"], condition=Q(state__in=rules.LIVE_DEFAULTS), name="lending_one_live_default"
            ),
            CheckConstraint(condition=Q(due_minor__gt=0), name="lending_default_owes"),
            CheckConstraint(
                condition=~Q(state__in=["announced", "selling", "exhausted"])
                | Q(announced_at__isnull=False, notice_id__isnull=False, deadline_at__gt=F("announced_at"))
                & Q(sale_from__isnull=False),
                name="lending_default_told_the_day",
            ),
            CheckConstraint(
                condition=~Q(state__in=["selling", "exhausted"]) | Q(liquidation__isnull=False),
                name="lending_default_has_its_sale",
            ),
            CheckConstraint(
                condition=Q(state__in=rules.LIVE_DEFAULTS, ended_at__isnull=True)
                | (~Q(state__in=rules.LIVE_DEFAULTS) & Q(ended_at__isnull=False)),
                name="lending_default_ends_once",
            ),
        )

    def __str__(self) -> str:
        return f"loan {self.loan_id} in default"


class MaturityReminder(models.Model):
    """A client was written to about a maturity: before it, or, with `days_before` under zero, because it was not paid.

    Append-only: each day is written about once.
    """

    loan = models.ForeignKey("accounts.Loan", on_delete=models.PROTECT, related_name="+")
    matures_on = models.DateField()
    days_before = models.IntegerField()
    queued_at = models.DateTimeField()
    notice_id = models.BigIntegerField()

    class Meta:
        ordering = ("id",)
        db_table = "lending_reminder"
        constraints = (UniqueConstraint(fields=["loan", "matures_on", "days_before"], name="lending_reminder_once"),)

    def __str__(self) -> str:
        return f"loan {self.loan_id}, {self.days_before} days"
