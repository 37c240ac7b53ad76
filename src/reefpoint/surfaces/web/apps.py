from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "reefpoint.surfaces.web"
    label = "web"
