"""The questionnaire and the tables of offers that come with the program."""

from importlib import resources
from typing import Any, cast

from reefpoint.platform.basics.data_files import read_yaml

_DATA = resources.files("reefpoint.decisions.suitability") / "data"


def read_shipped_questionnaire() -> dict[str, Any]:
    """The questionnaire as it would be published."""
    return _read("questionnaire.yaml")


def read_shipped_offers() -> dict[str, Any]:
    """The tables of offers as they would be published."""
    return _read("offers.yaml")


def _read(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], read_yaml(_DATA / name))
