"""People who sign in, their roles, and requests for a second person's word."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from reefpoint.platform.access.types import ApprovalState, RoleName


class Role(models.Model):
    """A role that people can be given; what it permits is in `rules.PERMISSIONS`."""

    name = models.CharField(max_length=40, unique=True, choices=[(role.value, role.value) for role in RoleName])

    class Meta:
        ordering = ("name",)
        db_table = "access_role"

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail; they are made by `services.create_user` alone."""


class User(AbstractBaseUser):
    """A person who can sign in, by e-mail. `sessions_epoch` goes up to end every session of theirs at once.

    Without a `language` they read what their browser asks for.
    """

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField()
    roles = models.ManyToManyField(Role, related_name="users", blank=True)
    sessions_epoch = models.PositiveIntegerField(default=0)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        ordering = ("email",)
        db_table = "access_user"
        constraints = (
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"),
        )

    def __str__(self) -> str:
        return self.name

    def get_session_auth_hash(self) -> str:
        """What a session must still match: it changes with the password and with `sessions_epoch`."""
        value = f"{self.password}:{self.sessions_epoch}"
        return salted_hmac("reefpoint.access.session", value, algorithm="sha256").hexdigest()


class Approval(models.Model):
    """A request that a second person decides once. Triggers keep what was asked and what was decided as they are."""

    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    payload = models.JSONField()
    payload_hash = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    requested_by = models.CharField(max_length=80)
    requested_by_name = models.CharField(max_length=120)
    requested_at = models.DateTimeField()
    state = models.CharField(
        max_length=20,
        choices=[(state.value, state.value) for state in ApprovalState],
        default=ApprovalState.PENDING,
    )
    decided_by = models.CharField(max_length=80, null=True)  # noqa: DJ001 - NULL means that nobody decided
    decided_by_name = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)
        db_table = "access_approval"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("requested_by")),
                name="approval_maker_is_never_checker",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | models.Q(decided_by__startswith="user:"),
                name="approval_is_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["approved", "rejected"], decided_by__isnull=False, decided_at__isnull=False
                )
                | models.Q(state="withdrawn", decided_by__isnull=True, decided_at__isnull=False)
                | models.Q(state="pending", decided_by__isnull=True, decided_at__isnull=True),
                name="approval_state_matches_decision",
            ),
            models.UniqueConstraint(
                fields=("kind", "subject"),
                condition=models.Q(state="pending"),
                name="approval_one_pending_for_a_subject",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.state}"


class Token(models.Model):
    """A key for programs that act for a person. Of the key itself only a digest is kept.

    `rights` narrows what the person may do; None means all that a key can carry at all (`rules.token_rights`).
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    rights = models.JSONField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)

    class Meta:
        ordering = ("-id",)
        db_table = "access_token"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="token_expires_after_its_making"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="token_named"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.hint}"
