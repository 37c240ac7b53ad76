"""A prospect in a real Chromium, in Chinese on a phone: enquires, signs up, writes, leaves, comes back, hands in."""

from pathlib import Path

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer
from tests.desk import Desk
from tests.surfaces.browser.walks import enquire_and_apply
from tests.surfaces.portal.conftest import offered

from reefpoint.flows.origination.models import Application, Lead
from reefpoint.flows.origination.types.applications import ApplicationState

__all__ = ["offered"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_prospect_applies_in_chinese_on_a_phone_and_loses_nothing_on_the_way(
    page: Page, live_server: LiveServer, offered: Desk, tmp_path: Path
) -> None:
    enquire_and_apply(page, tmp_path)
    held = Application.objects.get()
    assert ApplicationState(held.state) is ApplicationState.SUBMITTED
    assert held.lead_id == Lead.objects.get().pk
