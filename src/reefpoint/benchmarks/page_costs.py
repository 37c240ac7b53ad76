"""Pages: every address of the product that answers a GET, asked of a whole desk of many clients.

The addresses are those of the URL table, so a page that is added is measured. Each is asked in this process, by people
who may see all of it; what stands in for an id is somebody of the desk. The CPU time is that of this process and of
the database's backend; the wall time has both in it, and whatever else the machine was doing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from time import perf_counter
from typing import Any

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from reefpoint.benchmarks.big_desk import ON, OPENS_AT
from reefpoint.benchmarks.full_desk import Originals
from reefpoint.benchmarks.machine import cpu_with_database
from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import actor_for, create_user, issue_token
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.basics.garbage import keep_what_was_loaded

OPEN = re.compile(r"^(accounts|language|live|theme|api/v1/docs|api/v1/openapi.json)")
"""Sign-in pages, switches, the stream that never ends, the document of the interface: no pages of a desk's data."""
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)|\{(\w+)\}")
ACTOR = system_actor("benchmark")


@dataclass(frozen=True)
class PageCost:
    """What one page takes: milliseconds, queries, and rows that the database handed over."""

    name: str
    address: str
    status: int
    queries: int
    rows: int
    bytes: int
    cpu_ms: float
    wall_p50_ms: float
    wall_p95_ms: float


def addresses() -> list[tuple[str, str]]:
    """(name, route) of every address of the product, without those of the sign-in."""
    return [(name, route) for name, route in _walk(get_resolver().url_patterns, "", "") if not OPEN.match(route)]


def _walk(patterns: Any, space: str, before: str) -> Iterator[tuple[str, str]]:
    for one in patterns:
        route = before + str(one.pattern).removeprefix("^").removesuffix("$").replace("\\\\Z", "")
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, one.namespace or space, route)
        elif isinstance(one, URLPattern):
            yield f"{space}:{one.name}", route


def filled(route: str, samples: Mapping[str, object]) -> str | None:
    """The address with somebody of the desk in each place; None when there is nobody to put in."""
    place = route.partition("<")[0].removeprefix("api/v1/").split("/")[0]

    def put(found: re.Match[str]) -> str:
        name = next(filter(None, found.groups()))
        return str(samples.get(f"{place}.{name}", samples.get(name, "\\0")))

    address = "/" + PARAMETER.sub(put, route)
    return None if "\\0" in address else address


@dataclass
class Readers:
    """Who asks: one of the staff with every role, a client, a program with the first one's key."""

    staff: Client
    client: Client
    headers: Mapping[str, str]

    def get(self, address: str) -> HttpResponse:
        if address.startswith("/api/"):
            return Client(SERVER_NAME="localhost").get(address, headers=self.headers)  # type: ignore[return-value]
        reader = self.client if address.startswith("/portal") else self.staff
        return reader.get(address)  # type: ignore[return-value]


def readers(client_id: int) -> Readers:
    """The people of `Readers`, who sign in with a password alone."""
    settings.REQUIRE_SECOND_FACTOR = False
    people: dict[str, list[RoleName]] = {
        "pages": [role for role in RoleName if role is not RoleName.CLIENT],
        "borrower": [RoleName.CLIENT],
    }
    clients, users = {}, {}
    for name, roles in people.items():
        email = f"{name}@bench.test"
        user = User.objects.filter(email=email).first()
        if user is None:
            create_user(actor=ACTOR, email=email, name=name, password=None, roles=roles, at=OPENS_AT)
            user = User.objects.get(email=email)
        users[name], clients[name] = user, Client(SERVER_NAME="localhost")
        clients[name].force_login(user)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE parties_client SET portal_user_id = %s WHERE id = %s", [users["borrower"].pk, client_id])
    key = issue_token(actor=actor_for(users["pages"]), name="pages", rights=None, days=1, at=datetime.now(UTC))
    return Readers(clients["pages"], clients["borrower"], {"Authorization": f"Bearer {key.text}"})


_SAMPLES = """
SELECT (SELECT min(id) FROM accounts_marginaccount), (SELECT min(id) FROM margin_margincall),
       (SELECT min(id) FROM liquidation_liquidation), (SELECT min(id) FROM monitoring_alert),
       (SELECT min(id) FROM cases_case), (SELECT min(id) FROM relations_group), (SELECT min(id) FROM origination_lead),
       (SELECT min(id) FROM origination_application WHERE state = 'in_review'),
       (SELECT min(id) FROM lending_creditrequest WHERE state = 'offered'), (SELECT min(id) FROM treasury_payment),
       (SELECT min(id) FROM screening_hit), (SELECT min(id) FROM screening_listversion),
       (SELECT min(id) FROM access_approval), (SELECT min(id) FROM market_pricebatch),
       (SELECT min(id) FROM collateral_assessment), (SELECT min(id) FROM market_instrument),
       (SELECT min(id) FROM products_scheme), (SELECT min(id) FROM parties_document),
       (SELECT min(id) FROM monitoring_restriction), (SELECT min(id) FROM parties_licence),
       (SELECT min(id) FROM scoring_score), (SELECT min(id) FROM scoring_feature_set)
"""
_SAMPLE_NAMES = (
    "account_id", "call_id", "liquidation_id", "alert_id", "case_id", "group_id", "lead_id", "application_id",
    "request_id", "payment_id", "hit_id", "screening.version_id", "approval_id", "batch_id", "assessment_id",
    "instrument_id", "scheme_id", "document_id", "restriction_id", "licence_id", "score_id", "feature_set_id",
)  # fmt: skip


def samples(originals: Originals) -> dict[str, object]:
    """Somebody or something of the desk for each place in an address, by its name, or by first word and name."""
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES)
        found = dict(zip(_SAMPLE_NAMES, cursor.fetchone(), strict=True))
    return {
        **{name: value for name, value in found.items() if value is not None},
        "client_id": originals.client_id,
        "decision_id": originals.decision_id,
        "quote_id": originals.quote_id,
        "contract_id": originals.contract_id,
        "on": ON.isoformat(),
        "place": "US",
        "jurisdiction": "US",
        "models.code": "margin_expert",
        "monitoring.code": "structuring",
    }


def measure_page(reader: Readers, name: str, address: str, rounds: int) -> PageCost:
    """What one page takes, asked once for its queries and `rounds` times for its time."""
    if address.startswith("/api/"):
        cache.clear()  # where calls are counted that one program makes in a minute
    queries = rows = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal queries, rows
        result = execute(sql, params, many, context)
        queries += 1
        rows += max(context["cursor"].rowcount, 0)
        return result

    with connection.execute_wrapper(count):
        answer = reader.get(address)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    walls = []
    before = cpu_with_database()
    for _ in range(rounds if answer.status_code == HTTPStatus.OK else 0):
        began = perf_counter()
        reader.get(address)
        walls.append((perf_counter() - began) * 1_000)
    cpu_ms = (cpu_with_database() - before) * 1_000 / max(rounds, 1)
    p50, p95 = (float(np.percentile(walls or [0.0], part)) for part in (50, 95))
    return PageCost(name, address, answer.status_code, queries, rows, len(content), cpu_ms, p50, p95)


def measure_all(originals: Originals, rounds: int) -> list[PageCost]:
    """Every page that answers, dearest first."""
    reader, known = readers(originals.client_id), samples(originals)
    asked = {address: name for name, route in addresses() if (address := filled(route, known)) is not None}
    keep_what_was_loaded()  # as the server does
    found = [measure_page(reader, name, address, rounds) for address, name in asked.items()]
    return sorted((one for one in found if one.status == HTTPStatus.OK), key=lambda one: -one.cpu_ms)
