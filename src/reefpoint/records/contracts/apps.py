from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "reefpoint.records.contracts"
    label = "contracts"
