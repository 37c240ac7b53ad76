from django.apps import AppConfig


class KycConfig(AppConfig):
    name = "reefpoint.decisions.kyc"
    label = "kyc"
