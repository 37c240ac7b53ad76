from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "reefpoint.surfaces.portal"
    label = "portal"
