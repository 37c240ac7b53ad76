from django.apps import AppConfig


class ScreeningConfig(AppConfig):
    name = "reefpoint.decisions.screening"
    label = "screening"
