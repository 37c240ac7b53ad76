from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "reefpoint.platform.imports"
    label = "imports"
