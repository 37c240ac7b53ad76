"""URLs of the whole product."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

urlpatterns: list[URLPattern | URLResolver] = [
    path("language/", set_language, name="set_language"),
    path("accounts/", include("reefpoint.surfaces.web.sign_in")),
    path("api/v1/", include("reefpoint.surfaces.api.urls")),
    path("", include("reefpoint.surfaces.web.urls")),
    path("", include("reefpoint.surfaces.portal.urls")),
    path("", include("reefpoint.surfaces.console.urls")),
]
