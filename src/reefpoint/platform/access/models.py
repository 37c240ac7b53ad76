"""People who sign in, and their roles."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from reefpoint.platform.access.types import RoleName


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
    """A person who can sign in, by e-mail. `sessions_epoch` goes up to end every session of theirs at once."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=10, default="en")
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
