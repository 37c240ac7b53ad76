"""Credit decisions. What was decided on and what it came to never change; what people did with it moves on."""

from django.db import models
from django.db.models import F, Q

from reefpoint.decisions.credit.types import (
    Authority,
    ConditionKind,
    ConditionMoment,
    CreditOutcome,
    DecisionState,
    WaiverState,
)


class CreditDecision(models.Model):
    """One decision: everything that went in, the policy it was made by, what it came to, and what people made of it.

    `answer` is the assessment as text, so that a replay compares bytes (I60). Grade, outcome and recommended limit are
    in it and stand beside it for lists; `limit_minor` is what is proposed, then approved.
    """

    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    scheme_version = models.ForeignKey("products.SchemeVersion", on_delete=models.PROTECT, related_name="+")
    scheme_code = models.CharField(max_length=24)
    policy = models.ForeignKey("publications.Publication", on_delete=models.PROTECT, related_name="+")
    feature_set_id = models.BigIntegerField(null=True)
    score_id = models.BigIntegerField(null=True)
    inputs = models.JSONField()
    answer = models.TextField()
    currency = models.CharField(max_length=3)
    asked_minor = models.BigIntegerField()
    recommended_minor = models.BigIntegerField(null=True)
    grade = models.CharField(max_length=1, blank=True)
    outcome = models.CharField(max_length=8, choices=[(o.value, o.value) for o in CreditOutcome])
    decided_on = models.DateField()
    decided_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80)
    expires_on = models.DateField()
    state = models.CharField(max_length=8, choices=[(s.value, s.value) for s in DecisionState])
    limit_minor = models.BigIntegerField(null=True)
    authority = models.CharField(max_length=8, blank=True, choices=[(a.value, a.value) for a in Authority])
    is_override = models.BooleanField(default=False)
    proposed_by = models.CharField(max_length=80, blank=True)
    proposal = models.CharField(max_length=500, blank=True)
    approval_id = models.BigIntegerField(null=True)
    closed_by = models.CharField(max_length=80, blank=True)
    closed_at = models.DateTimeField(null=True)
    closing_note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["client", "scheme_code", "-id"], name="credit_decision_newest"),
            models.Index(fields=["state", "-id"], name="credit_decision_waiting"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(state=DecisionState.APPROVED) | (Q(limit_minor__gt=0) & ~Q(closed_by=F("proposed_by"))),
                name="credit_decision_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[DecisionState.PROPOSED, DecisionState.APPROVED])
                | (Q(limit_minor__gt=0, approval_id__isnull=False) & ~Q(proposed_by="") & ~Q(authority="")),
                name="credit_decision_proposed_whole",
            ),
            models.CheckConstraint(
                condition=Q(is_override=False) | ~Q(proposal=""), name="credit_decision_override_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(asked_minor__gt=0) & Q(expires_on__gte=F("decided_on")), name="credit_decision_sane"
            ),
        )

    def __str__(self) -> str:
        return f"decision {self.pk} {self.outcome}"


class CreditCondition(models.Model):
    """What an approval is bound to. Append-only: a condition is waived beside it, never changed."""

    decision = models.ForeignKey(CreditDecision, on_delete=models.PROTECT, related_name="conditions")
    code = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in ConditionKind])
    figure = models.IntegerField()
    moment = models.CharField(max_length=16, choices=[(m.value, m.value) for m in ConditionMoment])

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["decision", "code"], name="credit_condition_once"),
            models.CheckConstraint(condition=Q(figure__gt=0), name="credit_condition_has_a_figure"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.figure} of decision {self.decision_id}"


class ConditionWaiver(models.Model):
    """A request to let a condition go; a second person with the authority for the limit grants it or not."""

    condition = models.ForeignKey(CreditCondition, on_delete=models.PROTECT, related_name="waivers")
    reason = models.CharField(max_length=500)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    approval_id = models.BigIntegerField(unique=True)
    state = models.CharField(
        max_length=8, default=WaiverState.ASKED.value, choices=[(s.value, s.value) for s in WaiverState]
    )
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["condition"], condition=~Q(state="refused"), name="credit_waiver_one_live"),
            models.CheckConstraint(condition=~Q(decided_by=F("asked_by")), name="credit_waiver_second_person"),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_waiver_has_a_reason"),
            models.CheckConstraint(
                condition=~Q(state="granted") | ~Q(decided_by=""), name="credit_waiver_granted_by_somebody"
            ),
        )

    def __str__(self) -> str:
        return f"waiver {self.pk} of condition {self.condition_id}"


MOVING_COLUMNS = (
    "state",
    "limit_minor",
    "authority",
    "is_override",
    "proposed_by",
    "proposal",
    "approval_id",
    "closed_by",
    "closed_at",
    "closing_note",
)
"""What people change; the database refuses any other change."""
