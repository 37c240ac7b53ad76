"""Addresses of the client portal: the open way in, and what needs a sign-in below /portal/."""

from django.urls import path

from reefpoint.surfaces.portal.views import application, start

app_name = "portal"

urlpatterns = [
    path("start/", start.start, name="start"),
    path("portal/", application.home, name="home"),
]
