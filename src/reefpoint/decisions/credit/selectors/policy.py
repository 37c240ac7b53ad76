"""The credit policy, version by version."""

from functools import lru_cache

from reefpoint.decisions.credit import rules
from reefpoint.decisions.credit.adapters.shipped import read_shipped_policy
from reefpoint.decisions.credit.types import CreditPolicy
from reefpoint.platform.publications.selectors import get_published, shipped
from reefpoint.platform.publications.types import Content, PublicationKind

PUBLISH = "credit.publish"


def _check(content: Content) -> None:
    rules.read_policy(content)


POLICY = PublicationKind(
    name="credit.policy", right=PUBLISH, approval=PUBLISH, check=_check, shipped=read_shipped_policy
)


@lru_cache(maxsize=64)
def read_policy(publication_id: int | None) -> CreditPolicy:
    """The policy of a publication, read and proved once a process; None is what was shipped."""
    publication = shipped(POLICY) if publication_id is None else get_published(publication_id)
    return rules.read_policy(publication.content)
