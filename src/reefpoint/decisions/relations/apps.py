from django.apps import AppConfig


class RelationsConfig(AppConfig):
    name = "reefpoint.decisions.relations"
    label = "relations"
