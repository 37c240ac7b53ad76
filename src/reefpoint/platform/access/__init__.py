"""Users, roles, permissions, sign-in and approvals where maker is never checker."""
