"""A small cast of people, signed in."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from reefpoint.platform.access.services import create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import system_actor

NOON = datetime(2020, 3, 16, 16, 0, tzinfo=UTC)
SYSTEM = system_actor("tests")
SignIn = Callable[..., Client]


@pytest.fixture
def signed_in(db: None, settings: Settings) -> SignIn:
    """A browser without JavaScript in which a person of these roles has signed in, with a password alone."""
    settings.REQUIRE_SECOND_FACTOR = False

    def sign_in(*roles: RoleName) -> Client:
        email = f"{'.'.join(roles) or 'nobody'}@reefpoint.test"
        user = get_user_model().objects.filter(email=email).first()
        if user is None:
            user_id = create_user(actor=SYSTEM, email=email, name=email, password=None, roles=roles, at=NOON)
            user = get_user_model().objects.get(pk=user_id)
        client = Client()
        client.force_login(user)
        return client

    return sign_in
