"""The price grid that comes with the program."""

from importlib import resources
from typing import Any, cast

from reefpoint.platform.basics.data_files import read_yaml


def read_shipped_grid() -> dict[str, Any]:
    """The grid as it would be published."""
    file = resources.files("reefpoint.decisions.pricing") / "data" / "grid.yaml"
    return cast(dict[str, Any], read_yaml(file))
