"""Cases, all that happened on them, and their sealed files."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from reefpoint.decisions.cases.rules import case_number
from reefpoint.decisions.cases.types import CaseState, Disposition, EntryKind


class Case(models.Model):
    """What is looked into about some clients. A second person closes it."""

    title = models.CharField(max_length=160)
    state = models.CharField(max_length=8, default=CaseState.OPEN, choices=[(s.value, s.value) for s in CaseState])
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    opened_by = models.CharField(max_length=80)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    disposition = models.CharField(max_length=20, blank=True, choices=[(d.value, d.value) for d in Disposition])
    disposition_reason = models.CharField(max_length=500, blank=True)
    proposed_by = models.CharField(max_length=80, blank=True)
    approval_id = models.BigIntegerField(null=True, unique=True)
    closed_by = models.CharField(max_length=80, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="case_state_has_its_facts",
                condition=Q(state="open", disposition="", approval_id=None, closed_at=None)
                | (
                    Q(state="proposed", approval_id__isnull=False, closed_at=None)
                    & ~Q(disposition="")
                    & ~Q(disposition_reason="")
                    & ~Q(proposed_by="")
                )
                | (
                    Q(state="closed", approval_id__isnull=False, closed_at__isnull=False)
                    & ~Q(disposition="")
                    & ~Q(disposition_reason="")
                    & ~Q(proposed_by="")
                    & ~Q(closed_by="")
                ),
            ),
            models.CheckConstraint(
                name="case_is_closed_by_a_second_person", condition=Q(closed_by="") | ~Q(closed_by=F("proposed_by"))
            ),
        )
        indexes = (models.Index(fields=("due_at", "id"), condition=~Q(state="closed"), name="case_due"),)

    def __str__(self) -> str:
        return case_number(self.pk)


class CaseClient(models.Model):
    """A client whom a case is about, and why. Append-only."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="clients")
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("case", "client"), name="case_client_once"),)


class Entry(models.Model):
    """One thing that happened on a case, notes among them. Append-only."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in EntryKind])
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    text = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=("case", "id"), name="case_entry"),)


class SealedFile(models.Model):
    """A file of a case, sealed. Append-only, but for its key."""

    place = models.UUIDField(unique=True)
    file_name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField()
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        abstract = True


class Document(SealedFile):
    """What an officer added to a case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="documents")


class Report(SealedFile):
    """An extract for a report to the authority, as it was made."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
