"""What clients have (as digests), the groups that follow, their limits, and what is not counted."""

from django.db import models
from django.db.models import F, Q

from reefpoint.decisions.relations.rules import group_number

_LIVE = Q(until=None)
_IN_ORDER = Q(until=None) | Q(until__gte=F("since"))


class HeldValue(models.Model):
    """One thing that one client has or had: the digest that the records of clients keep, never the thing itself.

    `since` and `until` are when the desk knew. A copy of the clients' traits, so that a change of one client can be
    set against what it was; `verify_relations` compares the two.
    """

    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16)
    digest = models.BinaryField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("client", "kind", "digest"), condition=_LIVE, name="held_value_once"),
            models.CheckConstraint(name="held_value_dates_in_order", condition=_IN_ORDER),
        )
        indexes = (models.Index(fields=("digest", "kind"), condition=_LIVE, name="held_value_holders"),)


class Group(models.Model):
    """Clients that belong together, for as long as they do. People name it G-000012."""

    size = models.IntegerField()
    formed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="group_of_two_or_more", condition=Q(size__gte=2)),
            models.CheckConstraint(
                name="group_dates_in_order", condition=Q(ended_at=None) | Q(ended_at__gte=F("formed_at"))
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return group_number(self.pk)


class Membership(models.Model):
    """That a client is or was in a group."""

    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="memberships")
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("client",), condition=_LIVE, name="client_in_one_group"),
            models.CheckConstraint(name="membership_dates_in_order", condition=_IN_ORDER),
        )
        indexes = (models.Index(fields=("group", "client"), condition=_LIVE, name="membership_live"),)


class GroupLimit(models.Model):
    """The most that a group may owe in one currency; the one in force has no `until`."""

    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="limits")
    currency = models.CharField(max_length=3)
    limit_minor = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    set_by = models.CharField(max_length=80)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("group", "currency"), condition=_LIVE, name="group_limit_once"),
            models.CheckConstraint(name="group_limit_not_negative", condition=Q(limit_minor__gte=0)),
            models.CheckConstraint(name="group_limit_dates_in_order", condition=_IN_ORDER),
        )


class Exclusion(models.Model):
    """A thing that compliance does not count as a link, such as a serviced office's address."""

    kind = models.CharField(max_length=16)
    digest = models.BinaryField()
    reason = models.CharField(max_length=500)
    excluded_by = models.CharField(max_length=80)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, blank=True)
    end_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "digest"), condition=_LIVE, name="exclusion_once"),
            models.CheckConstraint(name="exclusion_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="exclusion_end_has_reason", condition=_LIVE | ~Q(end_reason="")),
        )
