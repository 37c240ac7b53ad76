from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "reefpoint.platform.governance"
    label = "governance"
