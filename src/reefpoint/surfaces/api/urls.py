"""Addresses of the REST interface, below /api/v1/."""

from django.urls import path

from reefpoint.surfaces.api.base import make_api
from reefpoint.surfaces.api.routers.applications import applications
from reefpoint.surfaces.api.routers.cases import cases
from reefpoint.surfaces.api.routers.clients import clients
from reefpoint.surfaces.api.routers.collateral import collateral
from reefpoint.surfaces.api.routers.consents import consents
from reefpoint.surfaces.api.routers.contracts import contracts
from reefpoint.surfaces.api.routers.credit import credit
from reefpoint.surfaces.api.routers.data_rights import data_rights
from reefpoint.surfaces.api.routers.documents import documents
from reefpoint.surfaces.api.routers.imports import imports
from reefpoint.surfaces.api.routers.instruments import instruments
from reefpoint.surfaces.api.routers.kyc import kyc
from reefpoint.surfaces.api.routers.leads import leads
from reefpoint.surfaces.api.routers.lending import lending
from reefpoint.surfaces.api.routers.licences import licences
from reefpoint.surfaces.api.routers.liquidations import liquidations
from reefpoint.surfaces.api.routers.listings import listings
from reefpoint.surfaces.api.routers.models import models
from reefpoint.surfaces.api.routers.monitoring import monitoring
from reefpoint.surfaces.api.routers.pools import pools
from reefpoint.surfaces.api.routers.pricing import pricing
from reefpoint.surfaces.api.routers.publications import publications
from reefpoint.surfaces.api.routers.rates import rates
from reefpoint.surfaces.api.routers.relations import relations
from reefpoint.surfaces.api.routers.retention import retention
from reefpoint.surfaces.api.routers.runs import runs
from reefpoint.surfaces.api.routers.schemes import schemes
from reefpoint.surfaces.api.routers.scoring import scoring
from reefpoint.surfaces.api.routers.screening import screening
from reefpoint.surfaces.api.routers.stress import stress
from reefpoint.surfaces.api.routers.suitability import suitability
from reefpoint.surfaces.api.views import docs, nowhere

api = make_api()
for prefix, router in (
    ("/licences", licences),
    ("/clients", clients),
    ("/clients", consents),
    ("/clients", data_rights),
    ("/retention", retention),
    ("", documents),
    ("/leads", leads),
    ("/applications", applications),
    ("/suitability", suitability),
    ("/screening", screening),
    ("/schemes", schemes),
    ("/relations", relations),
    ("/monitoring", monitoring),
    ("/kyc", kyc),
    ("/credit", credit),
    ("/pricing", pricing),
    ("/cases", cases),
    ("/scoring", scoring),
    ("/models", models),
    ("/imports", imports),
    ("/runs", runs),
    ("/stress", stress),
    ("/contracts", contracts),
    ("/liquidations", liquidations),
    ("/collateral", collateral),
    ("/publications", publications),
    ("/rates", rates),
    ("/instruments", instruments),
    ("/listings", listings),
    ("/pools", pools),
    ("/lending", lending),
):
    api.add_router(prefix, router)

urlpatterns = [
    path("docs/", docs, {"api": api}, name="api-docs"),
    path("", api.urls),
    path("<path:path>", nowhere),
]
