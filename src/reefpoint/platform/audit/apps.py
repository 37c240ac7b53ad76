from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "reefpoint.platform.audit"
    label = "audit"
