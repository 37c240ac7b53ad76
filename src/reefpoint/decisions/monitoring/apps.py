from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "reefpoint.decisions.monitoring"
    label = "monitoring"
