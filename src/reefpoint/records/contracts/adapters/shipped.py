"""The templates and disclosures that come with the program: common clauses, with what each jurisdiction adds."""

from functools import partial
from importlib import resources
from typing import Any, cast

import yaml

from reefpoint.records.contracts.rules.templates import CLAUSE_LIST

_DATA = resources.files("reefpoint.records.contracts") / "data"


def shipped_template(jurisdiction: str) -> dict[str, Any]:
    """A jurisdiction's template as it would be published."""
    common, own = _read("common.yaml"), _read(f"{jurisdiction}.yaml")
    return {
        "jurisdiction": own["jurisdiction"],
        "title": common["title"],
        "notice": common["notice"],
        "clauses": [
            _clause(rule.id, common["clauses"][rule.id], own["clauses"].get(rule.id, {}).get("more", {}))
            for rule in CLAUSE_LIST
        ],
    }


def shipped_disclosures() -> dict[str, Any]:
    """The disclosures as they would be published, alike in every jurisdiction."""
    return _read("disclosures.yaml")


def template_source(jurisdiction: str) -> partial[dict[str, Any]]:
    """The shipped template of one jurisdiction, to be read when it is needed."""
    return partial(shipped_template, jurisdiction)


def _clause(name: str, common: dict[str, Any], more: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "id": name,
        "heading": common["heading"],
        "text": {language: [*common[language], *more.get(language, [])] for language in ("en", "zh")},
    }


def _read(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], yaml.safe_load((_DATA / name).read_text("utf-8")))
