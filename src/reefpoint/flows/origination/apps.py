from django.apps import AppConfig


class OriginationConfig(AppConfig):
    name = "reefpoint.flows.origination"
    label = "origination"
