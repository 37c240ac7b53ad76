from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    name = "reefpoint.records.treasury"
    label = "treasury"
