"""Addresses that every surface shares."""

from django.urls import path

from reefpoint.surfaces.web import keys, live, views

app_name = "web"

urlpatterns = [
    path("live/", live.live, name="live"),
    path("desk/", views.desk, name="desk"),
    path("theme/", views.choose_theme, name="theme"),
    path("keys/", keys.keys, name="keys"),
    path("keys/<int:token_id>/end/", keys.end_key, name="end_key"),
]
