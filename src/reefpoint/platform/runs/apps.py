from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "reefpoint.platform.runs"
    label = "runs"
