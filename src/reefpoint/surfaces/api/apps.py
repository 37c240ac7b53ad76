from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "reefpoint.surfaces.api"
    label = "api"
