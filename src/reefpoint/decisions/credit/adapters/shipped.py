"""The credit policy that comes with the program."""

from importlib import resources
from typing import Any, cast

from reefpoint.platform.basics.data_files import read_yaml


def read_shipped_policy() -> dict[str, Any]:
    """The policy as it would be published."""
    file = resources.files("reefpoint.decisions.credit") / "data" / "policy.yaml"
    return cast(dict[str, Any], read_yaml(file))
