"""Clients of the desk and licences of its operator."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Concat, Greatest, Length, Lower, LPad

from reefpoint.records.parties.types import (
    ClientKind,
    ClientStatus,
    ConsentChannel,
    ConsentPurpose,
    DocumentKind,
    MediaType,
    TraitKind,
)

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
    accepted_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(Lower("email"), name="parties_client_email_once"),
            models.CheckConstraint(condition=~Q(name=""), name="parties_client_named"),
            models.CheckConstraint(
                condition=~Q(status=ClientStatus.ACTIVE) | Q(accepted_on__isnull=False),
                name="parties_active_client_was_accepted",
            ),
            models.CheckConstraint(
                condition=Q(status=ClientStatus.CLOSED, closed_on__isnull=False)
                | (~Q(status=ClientStatus.CLOSED) & Q(closed_on=None)),
                name="parties_closed_client_has_a_day",
            ),
        )

    def __str__(self) -> str:
        return str(self.number)


class PortalInvitation(models.Model):
    """Leave for whoever reads a client's address to use the portal as that client: open, accepted, or ended."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="invitations")
    invited_at = models.DateTimeField()
    invited_by = models.CharField(max_length=80)
    until = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "parties_portal_invitation"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["client"],
                condition=Q(accepted_at=None, ended_at=None),
                name="parties_one_open_invitation",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(ended_at=None), name="parties_invitation_accepted_or_ended"
            ),
            models.CheckConstraint(condition=Q(until__gt=F("invited_at")), name="parties_invitation_lasts"),
        )

    def __str__(self) -> str:
        return f"invitation {self.pk} of client {self.client_id}"


class Profile(models.Model):
    """One version of what a client says of themselves, sealed. Append-only, but for its keys and its erasure.

    `digest` is the blind index of the plain content: it proves that the content is the one that was recorded.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="profiles")
    version = models.PositiveIntegerField()
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField(null=True)
    digest = models.BinaryField()
    reason = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=80)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "parties_profile"
        ordering = ("client", "-version")
        constraints = (
            models.UniqueConstraint(fields=["client", "version"], name="parties_profile_version_once"),
            models.CheckConstraint(
                condition=Q(blob=None, erased_at__isnull=False) | Q(blob__isnull=False, erased_at=None),
                name="parties_profile_sealed_or_erased",
            ),
        )

    def __str__(self) -> str:
        return f"profile {self.client_id} v{self.version}"


class TraitRow(models.Model):
    """What a client has that another may have too, as a blind index. The value itself is nowhere in this table."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="traits")
    kind = models.CharField(max_length=12, choices=[(k.value, k.value) for k in TraitKind])
    digest = models.BinaryField()
    masked = models.CharField(max_length=80, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        db_table = "parties_trait"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["client", "kind", "digest"], condition=Q(until=None), name="parties_trait_held_once"
            ),
        )
        indexes = (models.Index(fields=["kind", "digest"], name="parties_trait_shared"),)

    def __str__(self) -> str:
        return f"{self.kind} of client {self.client_id}"


class BankAccount(models.Model):
    """A bank account that a client named, sealed; it stays on record after it was taken out of the profile."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="bank_accounts")
    place = models.UUIDField(unique=True)
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField(null=True)
    digest = models.BinaryField()
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    verified_by = models.CharField(max_length=80, blank=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "parties_bank_account"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["client", "digest"], condition=Q(removed_at=None), name="parties_bank_account_once"
            ),
            models.CheckConstraint(
                condition=Q(blob=None, erased_at__isnull=False) | Q(blob__isnull=False, erased_at=None),
                name="parties_bank_account_sealed_or_erased",
            ),
        )

    def __str__(self) -> str:
        return f"bank account {self.pk} of client {self.client_id}"


class Document(models.Model):
    """A file of a client, sealed, with what its content was found to be."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="documents")
    place = models.UUIDField(unique=True)
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in DocumentKind])
    file_name = models.CharField(max_length=120, blank=True)
    media_type = models.CharField(max_length=20, choices=[(m.value, m.value) for m in MediaType])
    size_bytes = models.PositiveIntegerField()
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField(null=True)
    digest = models.BinaryField(db_index=True)
    expires_on = models.DateField(null=True)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=80)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "parties_document"
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(blob=None, erased_at__isnull=False) | Q(blob__isnull=False, erased_at=None),
                name="parties_document_sealed_or_erased",
            ),
        )

    def __str__(self) -> str:
        return f"document {self.pk} of client {self.client_id}"


class Consent(models.Model):
    """A consent to one use of personal data, as given. Only its withdrawal is added, once."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=20, choices=[(p.value, p.value) for p in ConsentPurpose])
    text_version = models.CharField(max_length=40)
    channel = models.CharField(max_length=12, choices=[(c.value, c.value) for c in ConsentChannel])
    given_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=80)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=80, blank=True)
    withdrawal_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "parties_consent"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["client", "purpose", "text_version"],
                condition=Q(withdrawn_at=None),
                name="parties_consent_given_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of client {self.client_id}"


class Erasure(models.Model):
    """That a client's data was erased: how much of what, and what the law has kept until when. Append-only."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="erasures")
    at = models.DateTimeField()
    asked_by = models.CharField(max_length=80)
    approval_id = models.BigIntegerField(null=True)
    erased = models.JSONField()
    kept = models.JSONField()

    class Meta:
        db_table = "parties_erasure"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["client", "approval_id"], name="parties_erasure_once"),)

    def __str__(self) -> str:
        return f"erasure {self.pk} of client {self.client_id}"


class LegalHold(models.Model):
    """A matter for which a client's records must stay whatever their time: while it stands, nothing is erased.

    A trigger refuses an erasure of a client under a hold. Only its end is added, once.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="holds")
    matter = models.CharField(max_length=120)
    reason = models.CharField(max_length=500)
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=80)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=80, blank=True)
    lift_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "parties_legal_hold"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["client", "matter"], condition=Q(lifted_at=None), name="parties_hold_once"),
            models.CheckConstraint(condition=~Q(matter="") & ~Q(reason=""), name="parties_hold_says_why"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by="", lift_reason="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lift_reason="")),
                name="parties_hold_end_is_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.matter} on client {self.client_id}"


class Licence(models.Model):
    """A recorded permission of the operator. Without one that is valid at the moment, nothing is offered.

    In mainland China nothing but a securities company's margin-financing approval can be on record at all.
    """

    jurisdiction = models.CharField(max_length=8)
    activity = models.CharField(max_length=40)
    permit = models.CharField(max_length=40)
    number = models.CharField(max_length=80)
    holder = models.CharField(max_length=160)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)
    evidence = models.CharField(max_length=500)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["jurisdiction", "activity", "number"], name="parties_licence_once"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="parties_licence_dates_in_order"
            ),
            models.CheckConstraint(
                condition=~Q(jurisdiction="CN") | Q(permit="cn.securities_company_margin_financing"),
                name="parties_licence_cn_securities_companies_only",
            ),
        )

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.activity} {self.number}"


class LicenceEvidence(models.Model):
    """The document that shows a licence, sealed."""

    licence = models.OneToOneField(Licence, on_delete=models.PROTECT, related_name="evidence_document")
    file_name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=20, choices=[(m.value, m.value) for m in MediaType])
    size_bytes = models.PositiveIntegerField()
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField()
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=80)

    class Meta:
        db_table = "parties_licence_evidence"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"evidence of licence {self.licence_id}"
