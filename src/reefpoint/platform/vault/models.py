"""Data keys, each wrapped by a master key that the database never holds."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reefpoint.platform.vault.types import KeyPurpose


class DataKey(models.Model):
    """A random key, encrypted under the master key `master_id`. Never removed: old rows and backups rest on it."""

    purpose = models.CharField(max_length=8, choices=[(p.value, p.value) for p in KeyPurpose])
    wrapped = models.BinaryField()
    master_id = models.CharField(max_length=16)
    made_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["purpose"], condition=Q(retired_at=None), name="vault_one_current_key_a_purpose"
            ),
            models.CheckConstraint(
                condition=~Q(purpose=KeyPurpose.DIGEST) | Q(retired_at=None), name="vault_digest_key_is_never_retired"
            ),
        )

    def __str__(self) -> str:
        return f"data key {self.pk}"
