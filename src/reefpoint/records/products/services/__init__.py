"""What is done with rule packs and schemes."""

from reefpoint.records.products.services.changing import (
    TIER_KIND,
    WITHDRAW_KIND,
    ChangeRefused,
    change_scheme_tier,
    request_tier,
    request_withdrawal,
    withdraw_scheme_version,
)
from reefpoint.records.products.services.publishing import (
    PUBLISH_KIND,
    PublicationRefused,
    RulePackConflict,
    TermsRefused,
    draft_scheme_version,
    load_rule_pack,
    publish_scheme_version,
    request_publication,
)

__all__ = [
    "PUBLISH_KIND",
    "TIER_KIND",
    "WITHDRAW_KIND",
    "ChangeRefused",
    "PublicationRefused",
    "RulePackConflict",
    "TermsRefused",
    "change_scheme_tier",
    "draft_scheme_version",
    "load_rule_pack",
    "publish_scheme_version",
    "request_publication",
    "request_tier",
    "request_withdrawal",
    "withdraw_scheme_version",
]
