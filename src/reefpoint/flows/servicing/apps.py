from django.apps import AppConfig


class ServicingConfig(AppConfig):
    name = "reefpoint.flows.servicing"
    label = "servicing"
