from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "reefpoint.records.ledger"
    label = "ledger"
