from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "reefpoint.decisions.pricing"
    label = "pricing"
