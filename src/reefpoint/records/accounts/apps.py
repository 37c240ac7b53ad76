from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "reefpoint.records.accounts"
    label = "accounts"
