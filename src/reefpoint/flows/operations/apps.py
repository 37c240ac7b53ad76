from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "reefpoint.flows.operations"
    label = "operations"
