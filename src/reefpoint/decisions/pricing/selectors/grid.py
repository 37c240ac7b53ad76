"""The price grid, version by version."""

from functools import lru_cache

from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.adapters.shipped import read_shipped_grid
from reefpoint.decisions.pricing.types import PriceGrid
from reefpoint.platform.publications.selectors import get_published, shipped
from reefpoint.platform.publications.types import Content, PublicationKind

PUBLISH = "pricing.publish"


def _check(content: Content) -> None:
    rules.read_grid(content)


GRID = PublicationKind(name="pricing.grid", right=PUBLISH, approval=PUBLISH, check=_check, shipped=read_shipped_grid)


@lru_cache(maxsize=64)
def read_grid(publication_id: int | None) -> PriceGrid:
    """The grid of a publication, read and proved once a process; None is what was shipped."""
    publication = shipped(GRID) if publication_id is None else get_published(publication_id)
    return rules.read_grid(publication.content)
