"""The house's rules and the lists that come with the program."""

from functools import cache
from importlib import resources
from typing import Any, cast

import yaml

_DATA = resources.files("reefpoint.decisions.collateral") / "data"


@cache
def read_shipped_house() -> dict[str, Any]:
    """The house's rules as they would be published."""
    return cast(dict[str, Any], yaml.safe_load((_DATA / "house.yaml").read_text("utf-8")))


def read_shipped_lists() -> dict[str, Any]:
    """No list: until the desk publishes one, a scheme's own terms alone say what it accepts."""
    return {"lists": []}
