"""The audit log and the seals of every sealed table."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

from reefpoint.platform.audit.types import Chain

AUDIT_CHAIN = Chain(
    name="audit_entry",
    rows="""
    SELECT id, xid, sha256(convert_to(jsonb_build_array(
               id, (extract(epoch FROM at) * 1000000)::bigint, actor, action, subject, reason, inputs,
               (extract(epoch FROM recorded_at) * 1000000)::bigint
           )::text, 'UTF8')) AS hash
      FROM audit_entry
    """,
)


class Entry(models.Model):
    """Who did what to which subject, why and from what inputs. Append-only and sealed.

    The table has one more column that only the database writes: `xid`, the transaction that wrote the row.
    """

    at = models.DateTimeField()
    actor = models.TextField()
    action = models.TextField()
    subject = models.TextField()
    reason = models.TextField(db_default="")
    inputs = models.JSONField(encoder=DjangoJSONEncoder)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (
            models.Index(fields=["subject", "-id"], name="audit_entry_subject"),
            models.Index(fields=["actor", "-id"], name="audit_entry_actor"),
            models.Index(fields=["action", "-id"], name="audit_entry_action"),
            models.Index(fields=["at"], name="audit_entry_at"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class Seal(models.Model):
    """One sealed block of a chain: all its rows that were written by transactions from `from_xid` up to `to_xid`.

    `hash` covers the block before, the bounds and the hash of every row. Append-only.
    """

    chain = models.TextField()
    number = models.BigIntegerField()
    from_xid = models.BigIntegerField()
    to_xid = models.BigIntegerField()
    row_ids = ArrayField(models.BigIntegerField())
    row_hashes = ArrayField(models.BinaryField())
    previous_hash = models.BinaryField()
    hash = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["chain", "number"], name="audit_seal_number"),)

    def __str__(self) -> str:
        return f"{self.chain} {self.number}"
