"""Joins the wiring table to the outbox when the program starts."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "reefpoint.config"
    label = "config"

    def ready(self) -> None:
        from reefpoint.config import wiring  # apps must be loaded before handlers can be imported
        from reefpoint.platform.events.services import connect

        connect(wiring.HANDLERS)
