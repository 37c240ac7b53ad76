from django.apps import AppConfig


class CreditConfig(AppConfig):
    name = "reefpoint.decisions.credit"
    label = "credit"
