"""The desk's words for whose money a pool is."""

from django.utils.translation import pgettext_lazy

from reefpoint.records.treasury.types import PoolOrigin

ORIGIN_WORDS = {
    PoolOrigin.OWN: pgettext_lazy("pool", "The lender's own"),
    PoolOrigin.RAISED: pgettext_lazy("pool", "Raised as the law allows"),
    PoolOrigin.THIRD_PARTY: pgettext_lazy("pool", "Of third parties"),
    PoolOrigin.UNSPECIFIED: pgettext_lazy("pool", "Not said"),
}
