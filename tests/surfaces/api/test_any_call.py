"""Whatever the OpenAPI document allows, and what it does not, is answered as the document says (I69)."""

import json
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from tests.surfaces.api.conftest import Programs
from tests.surfaces.conftest import Desk

from reefpoint.platform.access.types import RoleName
from reefpoint.surfaces.api import base
from reefpoint.surfaces.api.urls import api

EXAMPLES = 6
STAFF = [role for role in RoleName if role is not RoleName.CLIENT]


@pytest.mark.django_db
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_i69_no_call_breaks_and_each_answer_is_one_that_the_document_names(
    program: Programs, desk: Desk, monkeypatch: pytest.MonkeyPatch, mode: GenerationMode
) -> None:
    monkeypatch.setattr(base, "CALLS_PER_MINUTE", 10**9)
    caller = program(*STAFF)
    browser = Client(raise_request_exception=False)
    document = json.loads(json.dumps(api.get_openapi_schema()))
    wrong: list[str] = []

    def check(case: Any) -> None:
        with transaction.atomic():
            answer = browser.generic(
                case.method,
                case.formatted_path,
                *body_of(case),
                query_params={key: value for key, value in (case.query or {}).items() if value is not None},
                headers=caller.headers,
            )
        named = {int(status) for status in case.operation.definition.raw["responses"]}
        if answer.status_code not in named or answer.status_code >= 500:
            wrong.append(f"{case.method} {case.path}: {answer.status_code} {answer.content[:200]!r}")
        elif answer.status_code >= 400 and answer.headers["Content-Type"] != "application/problem+json":
            wrong.append(f"{case.method} {case.path}: {answer.headers['Content-Type']}")

    calls = 0
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        calls += 1
        run = given(found.ok().as_strategy(generation_mode=mode))(check)
        settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(run)()
    assert calls > 40
    assert wrong == []


def body_of(case: Any) -> tuple[bytes, str]:
    """The body as bytes with its content type."""
    kind = case.media_type or "application/json"
    if isinstance(case.body, bytes):
        return case.body, kind
    if kind == "application/json" and not isinstance(case.body, type(schemathesis.core.NOT_SET)):
        return json.dumps(case.body).encode("utf-8", "surrogatepass"), kind
    return b"", kind
