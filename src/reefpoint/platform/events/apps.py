from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "reefpoint.platform.events"
    label = "events"
