"""Addresses of the staff console: nouns, with a page's filters in its query."""

from django.urls import path

from reefpoint.surfaces.console.views import today

app_name = "console"

urlpatterns = [
    path("", today.today, name="today"),
]
