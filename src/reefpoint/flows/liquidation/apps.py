from django.apps import AppConfig


class LiquidationConfig(AppConfig):
    name = "reefpoint.flows.liquidation"
    label = "liquidation"
