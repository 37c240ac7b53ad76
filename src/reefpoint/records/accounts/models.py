"""Margin accounts, their facility and loans, and what they hold. Money itself is in the ledger."""

from django.db import models
from django.db.models import F, Q

from reefpoint.records.accounts.types import AccountStatus, LoanState, MovementKind


class MarginAccount(models.Model):
    """One client's margin account. Its row is the lock of everything that moves its money or securities.

    `decision_id` is the credit decision that it was opened on, whose conditions bind it; None: there was none.
    """

    number = models.CharField(max_length=16, unique=True)
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    scheme_version = models.ForeignKey("products.SchemeVersion", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, default=AccountStatus.ACTIVE)
    opened_on = models.DateField()
    change_no = models.BigIntegerField(default=0)
    decision_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="account_status_known", condition=Q(status__in=list(AccountStatus))),
        )


class Facility(models.Model):
    """What the desk has committed to lend on one account."""

    account = models.OneToOneField(MarginAccount, on_delete=models.PROTECT, related_name="facility")
    number = models.CharField(max_length=16, unique=True)
    pool_code = models.CharField(max_length=32)
    commitment_minor = models.BigIntegerField()
    drawn_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="facility_never_over_commitment",
                condition=Q(drawn_minor__gte=0, held_minor__gte=0)
                & Q(commitment_minor__gte=F("drawn_minor") + F("held_minor")),
            ),
        )


class Loan(models.Model):
    """One drawdown, at the terms it was drawn with."""

    account = models.ForeignKey(MarginAccount, on_delete=models.PROTECT, related_name="loans")
    number = models.CharField(max_length=16, unique=True)
    key = models.CharField(max_length=120, unique=True)
    pool_code = models.CharField(max_length=32)
    drawn_minor = models.BigIntegerField()
    principal_minor = models.BigIntegerField()
    rate_bp = models.IntegerField()
    day_count = models.CharField(max_length=8)
    drawn_on = models.DateField()
    matures_on = models.DateField()
    state = models.CharField(max_length=8, default=LoanState.OPEN)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="loan_principal_within_drawn",
                condition=Q(principal_minor__gte=0, drawn_minor__gt=0, principal_minor__lte=F("drawn_minor")),
            ),
            models.CheckConstraint(
                name="loan_repaid_owes_nothing",
                condition=Q(state=LoanState.OPEN, principal_minor__gt=0)
                | Q(state__in=[LoanState.REPAID, LoanState.UNDONE], principal_minor=0),
            ),
        )
        indexes = (
            models.Index(fields=("account", "drawn_on", "id"), condition=Q(state=LoanState.OPEN), name="loan_open"),
        )


class LoanExtension(models.Model):
    """A loan's maturity was moved, at a rate agreed anew from the old one on. Append-only; `key` makes it happen once.

    `carried_minor` is the account's unpaid interest that went over into the further term.
    """

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="extensions")
    number = models.IntegerField()
    old_matures_on = models.DateField()
    new_matures_on = models.DateField()
    old_rate_bp = models.IntegerField()
    new_rate_bp = models.IntegerField()
    carried_minor = models.BigIntegerField(default=0)
    key = models.CharField(max_length=120, unique=True)
    extended_by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("loan", "number"), name="loan_extension_counted_once"),
            models.CheckConstraint(
                name="loan_extension_forward", condition=Q(new_matures_on__gt=F("old_matures_on"), number__gt=0)
            ),
        )


class LoanRate(models.Model):
    """The rate of a loan from a day on; a loan without a row has had one rate since it was drawn. Append-only.

    Of two rows of one day the later one counts.
    """

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="rates")
    rate_bp = models.PositiveIntegerField()
    since = models.DateField()
    source = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("loan", "-since", "-id"), name="loan_rate_newest"),)


class Position(models.Model):
    """How many shares of an instrument an account holds: the sum of its movements."""

    account = models.ForeignKey(MarginAccount, on_delete=models.PROTECT, related_name="positions")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "instrument"), name="position_once"),
            models.CheckConstraint(name="position_never_negative", condition=Q(quantity__gte=0)),
        )


class SecurityMovement(models.Model):
    """One change of a position. Append-only."""

    account = models.ForeignKey(MarginAccount, on_delete=models.PROTECT, related_name="movements")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in MovementKind])
    quantity = models.BigIntegerField()
    key = models.CharField(max_length=120, unique=True)
    source = models.CharField(max_length=80)
    effective_on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="movement_signed_by_kind",
                condition=Q(kind=MovementKind.SALE, quantity__lt=0) | (~Q(kind=MovementKind.SALE) & Q(quantity__gt=0)),
            ),
        )
        indexes = (models.Index(fields=("account", "id"), name="movement_by_account"),)
