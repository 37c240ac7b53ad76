from django.apps import AppConfig


class PublicationsConfig(AppConfig):
    name = "reefpoint.platform.publications"
    label = "publications"
