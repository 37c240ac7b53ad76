"""Contracts, their files, what was acknowledged, who signed, and the desk's root certificate."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Concat, Greatest, Length, LPad

from reefpoint.records.contracts.types import ContractState, FileKind, Language, PaperKind, SignerRole

_ID_TEXT = Cast("id", models.TextField())


class Contract(models.Model):
    """One contract with one client. What it says never changes; its state moves on, by the state table alone.

    Triggers let it be signed only after every disclosure in force was acknowledged (I67), and be in force only with
    the signatures of both. A renewal amends a contract in force of the same client.
    """

    number = models.GeneratedField(
        expression=Concat(Value("CT-"), LPad(_ID_TEXT, Greatest(Length(_ID_TEXT), Value(6)), Value("0"))),
        output_field=models.CharField(max_length=24),
        db_persist=True,
        unique=True,
    )
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    template = models.ForeignKey("publications.Publication", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=120, blank=True)
    jurisdiction = models.CharField(max_length=8)
    language = models.CharField(max_length=2, choices=[(one.value, one.value) for one in Language])
    dated_on = models.DateField()
    sign_by = models.DateField()
    scheme_code = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    limit_minor = models.BigIntegerField()
    lender_name = models.CharField(max_length=160)
    licence_number = models.CharField(max_length=80)
    terms = models.JSONField()
    terms_hash = models.CharField(max_length=64)
    prepared_at = models.DateTimeField()
    prepared_by = models.CharField(max_length=80)
    state = models.CharField(
        max_length=20, default=ContractState.DRAFT, choices=[(s.value, s.value) for s in ContractState]
    )
    signed_on = models.DateField(null=True)
    countersigned_by = models.CharField(max_length=80, blank=True)
    ended_at = models.DateTimeField(null=True)
    paper = models.CharField(
        max_length=8, default=PaperKind.LOAN.value, choices=[(one.value, one.value) for one in PaperKind]
    )
    amends = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="amendments")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["client", "key"], condition=~Q(key=""), name="contracts_key_once"),
            models.CheckConstraint(condition=Q(sign_by__gte=F("dated_on")), name="contracts_time_to_sign"),
            models.CheckConstraint(condition=Q(limit_minor__gt=0), name="contracts_limit_above_zero"),
            models.CheckConstraint(
                condition=Q(countersigned_by="") | ~Q(countersigned_by=F("prepared_by")),
                name="contracts_maker_is_never_countersigner",
            ),
            models.CheckConstraint(
                condition=Q(state=ContractState.IN_FORCE) & ~Q(countersigned_by="") & Q(signed_on__isnull=False)
                | Q(state__in=[ContractState.LAPSED, ContractState.WITHDRAWN])
                | ~Q(state=ContractState.IN_FORCE) & Q(countersigned_by=""),
                name="contracts_in_force_is_countersigned",
            ),
            models.CheckConstraint(
                condition=~Q(state=ContractState.SIGNED_BY_CLIENT) | Q(signed_on__isnull=False),
                name="contracts_signed_has_a_day",
            ),
            models.CheckConstraint(
                condition=Q(amends__isnull=True) | Q(paper=PaperKind.RENEWAL.value), name="contracts_renewal_amends"
            ),
        )
        indexes = (
            models.Index(fields=["client", "-id"], name="contracts_of_client"),
            models.Index(fields=["state", "sign_by"], name="contracts_to_lapse"),
        )

    def __str__(self) -> str:
        return str(self.number)


class Move(models.Model):
    """One change of a contract's state. Append-only."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="moves")
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in ContractState])
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["contract", "state"], name="contracts_state_once"),)

    def __str__(self) -> str:
        return f"{self.contract_id} {self.state}"


class Acknowledgement(models.Model):
    """That a client read one disclosure in exactly these words. Append-only."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="acknowledgements")
    disclosure = models.CharField(max_length=40)
    text_hash = models.CharField(max_length=64)
    acknowledged_at = models.DateTimeField()
    acknowledged_by = models.CharField(max_length=80)
    address = models.CharField(max_length=64, blank=True)
    session_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["contract", "disclosure", "text_hash"], name="contracts_acknowledged_once"),
        )

    def __str__(self) -> str:
        return f"{self.disclosure} of {self.contract_id}"


class Signature(models.Model):
    """Who signed, when, how they proved who they are, and under which certificate. Append-only.

    The key was made for this one signature and is nowhere any more.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="signatures")
    role = models.CharField(max_length=8, choices=[(r.value, r.value) for r in SignerRole])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signer_name = models.CharField(max_length=160)
    signed_at = models.DateTimeField()
    authentication = models.JSONField()
    certificate = models.BinaryField()
    certificate_serial = models.CharField(max_length=40, unique=True)
    file_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["contract", "role"], name="contracts_signed_once_a_side"),)

    def __str__(self) -> str:
        return f"{self.role} on {self.contract_id}"


class File(models.Model):
    """A paper as it was filed, sealed. Only its key may turn, and it may be erased once no law keeps it."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in FileKind])
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.PositiveIntegerField()
    filed_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["contract", "kind"], name="contracts_file_once"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.contract_id}"


class Root(models.Model):
    """The one certificate under which this desk's signers' certificates are issued, its key sealed."""

    number = models.PositiveSmallIntegerField(default=1, unique=True)
    serial = models.CharField(max_length=40, unique=True)
    certificate = models.BinaryField()
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.CheckConstraint(condition=Q(number=1), name="contracts_one_root"),)

    def __str__(self) -> str:
        return f"root {self.serial}"
