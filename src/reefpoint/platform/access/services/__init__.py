"""What can be done about people, their rights and approvals."""

from reefpoint.platform.access.services.people import (
    EmailTaken,
    PermissionRefused,
    actor_for,
    create_user,
    ensure_roles,
    require,
)

__all__ = [
    "EmailTaken",
    "PermissionRefused",
    "actor_for",
    "create_user",
    "ensure_roles",
    "require",
]
