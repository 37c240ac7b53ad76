from django.apps import AppConfig


class MarketConfig(AppConfig):
    name = "reefpoint.records.market"
    label = "market"
