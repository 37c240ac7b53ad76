from django.apps import AppConfig


class CollateralConfig(AppConfig):
    name = "reefpoint.decisions.collateral"
    label = "collateral"
