"""Clients of the desk and licences of its operator."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Concat, Greatest, Length, Lower, LPad

from reefpoint.records.parties.types import ClientKind, ClientStatus

_ID_TEXT = Cast("id", models.TextField())


class Client(models.Model):
    """Someone the desk may lend to. The number is how people name the client: C-000123."""

    number = models.GeneratedField(
        expression=Concat(Value("C-"), LPad(_ID_TEXT, Greatest(Length(_ID_TEXT), Value(6)), Value("0"))),
        output_field=models.CharField(max_length=24),
        db_persist=True,
        unique=True,
    )
    name = models.CharField(max_length=160)
    name_zh = models.CharField(max_length=160, blank=True)
    email = models.EmailField()
    kind = models.CharField(max_length=12, choices=[(k.value, k.value) for k in ClientKind])
    language = models.CharField(max_length=10, default="en")
    relationship_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    portal_user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(
        max_length=12, default=ClientStatus.ACTIVE, choices=[(s.value, s.value) for s in ClientStatus]
    )
    opened_on = models.DateField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(Lower("email"), name="parties_client_email_once"),
            models.CheckConstraint(condition=~Q(name=""), name="parties_client_named"),
        )

    def __str__(self) -> str:
        return str(self.number)


class Licence(models.Model):
    """A recorded permission of the operator. Without one that is valid on the day, nothing is offered."""

    jurisdiction = models.CharField(max_length=8)
    activity = models.CharField(max_length=40)
    number = models.CharField(max_length=80)
    holder = models.CharField(max_length=160)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    evidence = models.CharField(max_length=500)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["jurisdiction", "activity", "number"], name="parties_licence_once"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="parties_licence_dates_in_order"
            ),
        )

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.activity} {self.number}"
