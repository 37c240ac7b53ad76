"""Rule packs and demonstration schemes that come with the program, as YAML files."""

from importlib import resources
from typing import cast

from reefpoint.platform.basics.data_files import read_yaml
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.products.rules import pack_from_json, terms_from_json
from reefpoint.records.products.types import Pack, SchemeDraft

_PACKAGE = resources.files("reefpoint.records.products")


class RulePackNotFound(Refusal):
    """There are no rules of this jurisdiction."""

    code = "rule_pack_not_found"


def read_pack_file(jurisdiction: str) -> Pack:
    """The rule pack of a jurisdiction (`US`) as it comes with the program. Raises `RulePackNotFound`."""
    packs = {entry.name: entry for entry in (_PACKAGE / "packs").iterdir()}
    file = packs.get(f"{jurisdiction.lower()}.yaml")
    if file is None:
        raise RulePackNotFound("There is no rule pack of {jurisdiction}.", jurisdiction=jurisdiction)
    return pack_from_json(read_yaml(file))


def read_demo_schemes() -> list[SchemeDraft]:
    """Three tiers for a demonstration desk; each names what differs from the common terms."""
    data = read_yaml(_PACKAGE / "data" / "demo_schemes.yaml")
    common = cast(dict[str, object], data["common"])
    return [
        SchemeDraft(
            code=entry["code"],
            name=entry["name"],
            name_zh=entry["name_zh"],
            tier=entry["tier"],
            terms=terms_from_json({**common, **entry["terms"]}),
        )
        for entry in data["schemes"]
    ]
