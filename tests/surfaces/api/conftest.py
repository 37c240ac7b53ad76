"""Programs that call with keys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.surfaces.conftest import person

from reefpoint.platform.access.services import actor_for, issue_token
from reefpoint.platform.access.types import RoleName


@dataclass(frozen=True)
class Program:
    """Calls with one key."""

    key: str

    def get(self, path: str, **query: Any) -> HttpResponse:
        return Client().get(f"/api/v1/{path}", query, headers=self.headers)  # type: ignore[return-value]

    def post(self, path: str, body: Any, **extra: Any) -> HttpResponse:
        return Client().post(  # type: ignore[return-value]
            f"/api/v1/{path}", body, content_type="application/json", headers=self.headers, **extra
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


Programs = Callable[..., Program]


@pytest.fixture
def program(db: None, settings: Settings) -> Programs:
    """A program with the key of a person of these roles; `rights` narrows the key."""
    settings.REQUIRE_SECOND_FACTOR = False
    cache.clear()

    def make(*roles: RoleName, rights: list[str] | None = None) -> Program:
        actor = actor_for(get_user_model().objects.get(pk=person(*roles)))
        return Program(issue_token(actor=actor, name="a test", rights=rights, days=1, at=timezone.now()).text)

    return make
