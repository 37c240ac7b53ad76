"""The YAML files that come with the program."""

from importlib.resources.abc import Traversable
from typing import Any

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same data in a seventh of the time where PyYAML was built with libyaml, as its packages are."""


def read_yaml(file: Traversable) -> Any:
    """What a YAML file of the program says: dicts, lists, text, numbers and dates, nothing else."""
    return yaml.load(file.read_text("utf-8"), _Loader)  # noqa: S506 - either loader is a safe one
