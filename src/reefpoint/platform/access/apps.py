from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "reefpoint.platform.access"
    label = "access"

    def ready(self) -> None:
        from reefpoint.platform.access.adapters import sign_in_log  # noqa: PLC0415 - it imports models

        sign_in_log.listen()
