"""The templates and disclosures that come with the program: common clauses, with what each jurisdiction adds."""

from functools import partial
from importlib import resources
from typing import Any, cast

from reefpoint.platform.basics.data_files import read_yaml
from reefpoint.records.contracts.rules.templates import clause_list

_DATA = resources.files("reefpoint.records.contracts") / "data"


def shipped_template(key: str) -> dict[str, Any]:
    """The template of a key (`types.template_key`) as it would be published."""
    jurisdiction, _, paper = key.partition("-")
    common, own = _read(f"{paper or 'common'}.yaml"), _read(f"{jurisdiction}.yaml")
    more = own[paper or "clauses"]
    return {
        "jurisdiction": own["jurisdiction"],
        "title": common["title"],
        "notice": common["notice"],
        "clauses": [
            _clause(rule.id, common["clauses"][rule.id], more.get(rule.id, {}).get("more", {}))
            for rule in clause_list(key)
        ],
    }


def shipped_disclosures() -> dict[str, Any]:
    """The disclosures as they would be published, alike in every jurisdiction."""
    return _read("disclosures.yaml")


def template_source(key: str) -> partial[dict[str, Any]]:
    """The shipped template of one key, to be read when it is needed."""
    return partial(shipped_template, key)


def _clause(name: str, common: dict[str, Any], more: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "id": name,
        "heading": common["heading"],
        "text": {language: [*common[language], *more.get(language, [])] for language in ("en", "zh")},
    }


def _read(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], read_yaml(_DATA / name))
