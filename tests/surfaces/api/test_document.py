"""The OpenAPI document: what it says of a name holds for every call that uses it."""

from typing import Any

from pydantic import BaseModel

from reefpoint.surfaces.api.urls import api


def definitions() -> list[tuple[str, Any, str]]:
    """Every named schema that a call takes or gives, with the call."""
    found = []
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                answers = [one for one in operation.response_models.values() if isinstance(one, type)]
                for model in [*operation.models, *answers]:
                    assert issubclass(model, BaseModel)
                    parts = model.model_json_schema(ref_template="{model}").get("$defs", {})
                    found += [(name, part, f"{prefix}{path}") for name, part in parts.items()]
    return found


def test_a_name_means_one_thing_in_every_call() -> None:
    meant: dict[str, tuple[Any, str]] = {}
    clashes = []
    for name, part, call in definitions():
        known, first = meant.setdefault(name, (part, call))
        if known != part or "__" in name:
            clashes.append(f"{name}: {first} and {call}")
    assert len(meant) > 100
    assert clashes == []
