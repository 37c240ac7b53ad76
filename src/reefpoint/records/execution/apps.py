from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "reefpoint.records.execution"
    label = "execution"
