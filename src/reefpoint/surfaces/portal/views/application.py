"""A client's application."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reefpoint.flows.origination.types import Section
from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.web.application_words import SECTION_WORDS


@client_page
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What an application asks."""
    return render(request, "portal/home.html", {"steps": [SECTION_WORDS[section] for section in Section]})
