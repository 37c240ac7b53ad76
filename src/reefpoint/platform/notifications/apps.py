from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "reefpoint.platform.notifications"
    label = "notifications"
