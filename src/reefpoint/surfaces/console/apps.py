from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "reefpoint.surfaces.console"
    label = "console"
