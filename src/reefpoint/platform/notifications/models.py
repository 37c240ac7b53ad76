"""Notices, each with what was said, to whom, and the evidence of its delivery."""

from django.db import models
from django.db.models import CheckConstraint, Q

from reefpoint.platform.notifications.types import Channel, NoticeState


class Notice(models.Model):
    """One notice to one client, or to somebody of the staff when `client_id` is null.

    `about` names its reason (`call:3`), `key` makes it happen once.
    """

    key = models.CharField(max_length=160, unique=True)
    client_id = models.BigIntegerField(null=True, db_index=True)
    channel = models.CharField(max_length=8, choices=[(channel.value, channel.value) for channel in Channel])
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    about = models.CharField(max_length=80, db_index=True)
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in NoticeState], default=NoticeState.QUEUED.value
    )
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict)
    queued_by = models.CharField(max_length=80)
    queued_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["next_attempt_at"], condition=Q(state="queued"), name="notice_due"),)
        constraints = (
            CheckConstraint(
                condition=(Q(state="delivered", delivered_at__isnull=False) & ~Q(evidence={}))
                | (~Q(state="delivered") & Q(delivered_at__isnull=True)),
                name="notice_delivered_has_evidence",
            ),
        )

    def __str__(self) -> str:
        return self.key
