from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "reefpoint.records.parties"
    label = "parties"
