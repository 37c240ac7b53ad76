from django.apps import AppConfig


class LendingConfig(AppConfig):
    name = "reefpoint.flows.lending"
    label = "lending"
