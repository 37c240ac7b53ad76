"""The house's rules and the lists that come with the program."""

from functools import cache
from importlib import resources
from typing import Any, cast

from reefpoint.platform.basics.data_files import read_yaml

_DATA = resources.files("reefpoint.decisions.collateral") / "data"


@cache
def read_shipped_house() -> dict[str, Any]:
    """The house's rules as they would be published."""
    return cast(dict[str, Any], read_yaml(_DATA / "house.yaml"))


def read_shipped_lists() -> dict[str, Any]:
    """No list: until the desk publishes one, a scheme's own terms alone say what it accepts."""
    return {"lists": []}
