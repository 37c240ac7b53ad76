"""The reference of the interface as a page, made from the same document that programs read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from ninja import NinjaAPI

from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.api.base import problem
from reefpoint.surfaces.web.people import page

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """One parameter or one field of a body."""

    name: str
    kind: str
    is_required: bool
    words: str


@dataclass(frozen=True)
class Operation:
    """One call."""

    name: str
    method: str
    path: str
    words: str
    parameters: list[Field]
    body: list[Field]
    body_kind: str


@page("operations.view")
def docs(request: HttpRequest, actor: Actor, api: NinjaAPI) -> HttpResponse:
    """Every call by subject, with what goes in."""
    document = api.get_openapi_schema()
    groups: dict[str, list[Operation]] = {}
    for operation, tag in _operations(document):
        groups.setdefault(tag, []).append(operation)
    return render(request, "api/docs.html", {"groups_of_calls": groups.items()})


def nowhere(request: HttpRequest, path: str) -> JsonResponse:
    """An address that does not exist, said as programs read it."""
    return problem(404, "not_found", _("There is no such address."))


def _operations(document: dict[str, Any]) -> Iterator[tuple[Operation, str]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                one = item[method]
                content = one.get("requestBody", {}).get("content", {})
                body_kind = next(iter(content), "")
                schema = content.get(body_kind, {}).get("schema", {})
                parameters = [
                    Field(given["name"], _kind(given["schema"]), given["required"], given.get("description", ""))
                    for given in one.get("parameters", [])
                ]
                operation = Operation(
                    name=one["operationId"],
                    method=method.upper(),
                    path=path,
                    words=one.get("description", ""),
                    parameters=parameters,
                    body=_fields(document, schema),
                    body_kind=body_kind,
                )
                yield operation, one["tags"][0]


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> list[Field]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    needed = set(schema.get("required", ()))
    return [
        Field(name, _kind(one), name in needed, one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    ]


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for several in ("anyOf", "allOf"):
        if several in schema:
            return " | ".join(_kind(one) for one in schema[several])
    kind = str(schema.get("format") or schema.get("type", "any"))
    return f"{_kind(schema['items'])}[]" if kind == "array" and "items" in schema else kind
