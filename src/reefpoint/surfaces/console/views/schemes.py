"""Lending schemes: every version and its terms in words. Read-only: changes are made as drafts and by two people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.records.products.selectors import list_schemes
from reefpoint.surfaces.web.people import page, people_names


@page("schemes.view")
def schemes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All schemes side by side, by the version in force."""
    return render(request, "console/schemes.html", {"schemes": list_schemes()})


@page("schemes.view")
def scheme(request: HttpRequest, actor: Actor, scheme_id: int) -> HttpResponse:
    """One scheme: the terms of a chosen version, and all versions."""
    found = next((one for one in list_schemes() if one.id == scheme_id), None)
    if found is None:
        raise NotFound(_("There is no such scheme."))
    chosen = request.GET.get("version", "")
    version = next((one for one in found.versions if str(one.version) == chosen), None)
    published = next((one for one in found.versions if one.state == "published"), None)
    context = {"scheme": found, "version": version or published or found.versions[0], "names": people_names()}
    return render(request, "console/scheme.html", context)
