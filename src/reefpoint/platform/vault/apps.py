from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "reefpoint.platform.vault"
    label = "vault"
