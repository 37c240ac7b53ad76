from django.apps import AppConfig


class SuitabilityConfig(AppConfig):
    name = "reefpoint.decisions.suitability"
    label = "suitability"
