"""Leads with what happened to them, and applications with their sections, pre-screens, decisions and steps."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint, Value
from django.db.models.functions import Cast, Concat, Greatest, Length, LPad

from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.leads import LeadChannel, LeadState, PairState
from reefpoint.flows.origination.types.questions import Section
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.types import ClientKind

_ID_TEXT = Cast("id", models.TextField())
_KINDS = [(kind.value, kind.value) for kind in ClientKind]
_CHANNELS = [(channel.value, channel.value) for channel in LeadChannel]
_LIVE = ("draft", "submitted", "in_review", "info_requested", "accepted")


def _number(letter: str) -> models.GeneratedField:
    return models.GeneratedField(
        expression=Concat(Value(f"{letter}-"), LPad(_ID_TEXT, Greatest(Length(_ID_TEXT), Value(6)), Value("0"))),
        output_field=models.CharField(max_length=24),
        db_persist=True,
        unique=True,
    )


class Lead(models.Model):
    """Somebody who asked. How to reach them is sealed; digests find the same address or number again.

    `name_key` is the name as it is compared (`rules.leads.name_key`); the index `origination_lead_near_names`, made in
    migration 0003, finds those a letter or a word apart. NULL digests: no address, or no number.
    """

    number = _number("L")
    name = models.CharField(max_length=160)
    name_zh = models.CharField(max_length=160, blank=True)
    name_key = models.CharField(max_length=330)
    kind = models.CharField(max_length=12, choices=_KINDS)
    channel = models.CharField(max_length=10, choices=_CHANNELS)
    source = models.CharField(max_length=120, blank=True)
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in LeadState], default=LeadState.NEW.value
    )
    language = models.CharField(max_length=10)
    country = models.CharField(max_length=2, blank=True)
    loan_wanted_minor = models.BigIntegerField(null=True)
    note = models.CharField(max_length=2000, blank=True)
    key_id = models.BigIntegerField()
    blob = models.BinaryField(null=True)
    email_digest = models.BinaryField(null=True)
    phone_digest = models.BinaryField(null=True)
    email_masked = models.CharField(max_length=254, blank=True)
    phone_masked = models.CharField(max_length=60, blank=True)
    may_contact = models.BooleanField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    import_id = models.BigIntegerField(null=True)
    erased_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["email_digest", "id"], name="origination_lead_by_email"),
            models.Index(fields=["phone_digest", "id"], name="origination_lead_by_phone"),
            models.Index(fields=["name_key", "id"], name="origination_lead_by_name"),
            models.Index(fields=["channel", "created_at"], name="origination_lead_channel"),
            models.Index(fields=["import_id"], condition=Q(import_id__isnull=False), name="origination_lead_import"),
        )
        constraints = (
            CheckConstraint(condition=~Q(name=""), name="origination_lead_named"),
            CheckConstraint(
                condition=Q(email_digest__isnull=False) | Q(phone_digest__isnull=False) | Q(erased_at__isnull=False),
                name="origination_lead_can_be_reached",
            ),
            CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False)
                | (~Q(state="merged") & Q(merged_into__isnull=True)),
                name="origination_lead_merged_into_one",
            ),
            CheckConstraint(condition=~Q(merged_into=F("id")), name="origination_lead_not_into_itself"),
        )

    def __str__(self) -> str:
        return str(self.number)


class LeadPairRow(models.Model):
    """Two leads that look like one, found once; a person says what they are."""

    first = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="+")
    same_email = models.BooleanField()
    same_phone = models.BooleanField()
    name_bp = models.IntegerField()
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in PairState], default=PairState.OPEN.value
    )
    found_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        db_table = "origination_lead_pair"
        indexes = (
            models.Index(fields=["id"], condition=Q(state="open"), name="origination_pair_open"),
            models.Index(fields=["second"], name="origination_pair_second"),
        )
        constraints = (
            UniqueConstraint(fields=["first", "second"], name="origination_pair_once"),
            CheckConstraint(condition=Q(first__lt=F("second")), name="origination_pair_in_order"),
        )

    def __str__(self) -> str:
        return f"{self.first_id} {self.second_id} {self.state}"


class LeadNote(models.Model):
    """A step in a lead's history. Append-only: a merge adds steps and moves none."""

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=20)
    words = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ("id",)
        db_table = "origination_lead_step"

    def __str__(self) -> str:
        return f"{self.lead_id} {self.action}"


class Application(models.Model):
    """One application of a prospect; a client has one that is alive."""

    number = _number("A")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    lead = models.ForeignKey(Lead, null=True, on_delete=models.PROTECT, related_name="applications")
    kind = models.CharField(max_length=12, choices=_KINDS)
    channel = models.CharField(max_length=10, choices=_CHANNELS)
    state = models.CharField(
        max_length=16,
        choices=[(state.value, state.value) for state in ApplicationState],
        default=ApplicationState.DRAFT.value,
    )
    begun_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    waits_since = models.DateTimeField()
    submissions = models.IntegerField(default=0)
    officer = models.CharField(max_length=80, blank=True)
    officer_name = models.CharField(max_length=120, blank=True)
    approval_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["state", "waits_since"], name="origination_app_waits"),
            models.Index(fields=["lead"], name="origination_app_lead"),
        )
        constraints = (
            UniqueConstraint(fields=["client"], condition=Q(state__in=_LIVE), name="origination_one_live_application"),
            CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"]) | Q(submitted_at__isnull=False),
                name="origination_app_handed_in",
            ),
        )

    def __str__(self) -> str:
        return str(self.number)


class SectionDraft(models.Model):
    """The answers of one section as they were last saved, sealed."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="sections")
    section = models.CharField(max_length=16, choices=[(section.value, section.value) for section in Section])
    key_id = models.BigIntegerField()
    blob = models.BinaryField(null=True)
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("id",)
        db_table = "origination_section"
        constraints = (UniqueConstraint(fields=["application", "section"], name="origination_section_once"),)

    def __str__(self) -> str:
        return f"{self.application_id} {self.section}"


class PreScreenRow(models.Model):
    """What the pre-screen found when an application was handed in. Append-only."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="pre_screens")
    number = models.IntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10)
    reasons = models.JSONField()
    rules_version = models.IntegerField()

    class Meta:
        ordering = ("id",)
        db_table = "origination_pre_screen"
        constraints = (UniqueConstraint(fields=["application", "number"], name="origination_pre_screen_once"),)

    def __str__(self) -> str:
        return f"{self.application_id} {self.number} {self.outcome}"


class InfoRequestRow(models.Model):
    """What a client was asked to add, and when they answered."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="info_requests")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=80)
    sections = models.JSONField()
    documents = models.JSONField()
    words = models.CharField(max_length=2000)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        db_table = "origination_info_request"
        constraints = (
            UniqueConstraint(
                fields=["application"], condition=Q(answered_at=None), name="origination_one_open_info_request"
            ),
        )

    def __str__(self) -> str:
        return f"{self.application_id} {self.asked_at:%Y-%m-%d}"


class Decision(models.Model):
    """The decision on an application with all that it rested on. Append-only; an application has one."""

    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=10)
    at = models.DateTimeField()
    decided_by = models.CharField(max_length=80)
    decided_by_name = models.CharField(max_length=120)
    approved_by_name = models.CharField(max_length=120, blank=True)
    approval_id = models.BigIntegerField(null=True)
    reasons = models.JSONField()
    note = models.CharField(max_length=2000, blank=True)
    told = models.CharField(max_length=4000)
    facts = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    rules_version = models.IntegerField()

    class Meta:
        ordering = ("id",)
        constraints = (
            CheckConstraint(condition=Q(outcome__in=["accepted", "refused"]), name="origination_decision_is_one"),
        )

    def __str__(self) -> str:
        return f"{self.application_id} {self.outcome}"


class Step(models.Model):
    """One move of an application. Append-only."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=120)
    action = models.CharField(max_length=20)
    state = models.CharField(max_length=16)
    words = models.CharField(max_length=4000, blank=True)

    class Meta:
        ordering = ("id",)
        db_table = "origination_step"

    def __str__(self) -> str:
        return f"{self.application_id} {self.action}"
