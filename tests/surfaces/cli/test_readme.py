"""The table of commands in the README is the list of commands."""

import re
from pathlib import Path

from reefpoint.surfaces.cli.main import app

README = Path(__file__).parents[3] / "README.md"


def test_the_readme_names_every_command_and_no_other() -> None:
    told = re.findall(r"^\| `reefpoint ([a-z-]+)` \|", README.read_text(), re.MULTILINE)
    commands = {str(one.name or one.callback.__name__) for one in app.registered_commands if one.callback}
    groups = {str(one.name) for one in app.registered_groups}
    assert sorted(told) == sorted({name.replace("_", "-") for name in commands | groups})
