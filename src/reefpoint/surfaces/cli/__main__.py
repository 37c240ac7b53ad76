"""`python -m reefpoint.surfaces.cli` is the `reefpoint` command."""

from reefpoint.surfaces.cli.main import main

main()
