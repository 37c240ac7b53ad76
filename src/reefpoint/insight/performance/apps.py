from django.apps import AppConfig


class PerformanceConfig(AppConfig):
    name = "reefpoint.insight.performance"
    label = "performance"
