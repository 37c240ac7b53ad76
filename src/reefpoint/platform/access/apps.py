from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "reefpoint.platform.access"
    label = "access"
