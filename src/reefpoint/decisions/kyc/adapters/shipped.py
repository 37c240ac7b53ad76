"""The rating table that comes with the program."""

from importlib import resources
from typing import Any, cast

from reefpoint.platform.basics.countries import COUNTRIES
from reefpoint.platform.basics.data_files import read_yaml

ALL_COUNTRIES = "ISO 3166"


def read_shipped_rating() -> dict[str, Any]:
    """The rating table as it would be published: every country by its code, so that a replay needs no list."""
    file = resources.files("reefpoint.decisions.kyc") / "data" / "rating.yaml"
    content = cast(dict[str, Any], read_yaml(file))
    for column in content["scorecard"]["inputs"]:
        if column.get("choices") == ALL_COUNTRIES:
            column["choices"] = sorted(COUNTRIES)
    return content
