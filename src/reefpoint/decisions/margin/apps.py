from django.apps import AppConfig


class MarginConfig(AppConfig):
    name = "reefpoint.decisions.margin"
    label = "margin"
