"""Addresses of the REST interface, below /api/v1/."""

from django.urls import path

from reefpoint.surfaces.api.base import make_api
from reefpoint.surfaces.api.routers.clients import clients
from reefpoint.surfaces.api.routers.licences import licences
from reefpoint.surfaces.api.views import docs, nowhere

api = make_api()
for name, router in (
    ("clients", clients),
    ("licences", licences),
):
    api.add_router(f"/{name}", router)

urlpatterns = [
    path("docs/", docs, {"api": api}, name="api-docs"),
    path("", api.urls),
    path("<path:path>", nowhere),
]
