"""The elements of a scheme in words, in both languages, for every surface that shows terms."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reefpoint.platform.basics.money import percent
from reefpoint.records.products.types import Fee, FeeBasis, FeeMoment, RateKind
from reefpoint.surfaces.web.figures import money_text

RATE_KINDS: Mapping[RateKind, Promise] = {
    RateKind.FIXED: gettext_lazy("fixed for the life of a loan"),
    RateKind.RESET: gettext_lazy("set anew at fixed intervals"),
    RateKind.FLOATING: gettext_lazy("floating with the desk's base rate"),
}

FEE_MOMENTS: Mapping[FeeMoment, Promise] = {
    FeeMoment.DRAWDOWN: gettext_lazy("at a drawdown"),
    FeeMoment.MONTH_END: gettext_lazy("at each month's end"),
    FeeMoment.UNUSED_MONTH_END: gettext_lazy("at each month's end, on what is not drawn"),
    FeeMoment.EARLY_REPAYMENT: gettext_lazy("at an early repayment"),
    FeeMoment.RENEWAL: gettext_lazy("at a renewal"),
    FeeMoment.LATE: gettext_lazy("once a loan is late"),
}

FEE_BASES: Mapping[FeeMoment, Promise] = {
    FeeMoment.DRAWDOWN: gettext_lazy("of the amount drawn"),
    FeeMoment.MONTH_END: gettext_lazy("of the principal owed"),
    FeeMoment.UNUSED_MONTH_END: gettext_lazy("of the facility not drawn"),
    FeeMoment.EARLY_REPAYMENT: gettext_lazy("of the principal repaid"),
    FeeMoment.RENEWAL: gettext_lazy("of the principal renewed"),
    FeeMoment.LATE: gettext_lazy("of the principal that is late"),
}


def fee_words(fee: Fee, currency: str) -> str:
    """When a fee is charged and how much it is: "0.10% of the amount drawn, at a drawdown"."""
    if fee.basis is FeeBasis.FLAT:
        return f"{money_text(fee.amount_minor)} {currency}, {FEE_MOMENTS[fee.moment]}"
    words = f"{percent(fee.rate_bp)} {FEE_BASES[fee.moment]}, {FEE_MOMENTS[fee.moment]}"
    if fee.least_minor:
        words += ", " + _("at least %(money)s") % {"money": f"{money_text(fee.least_minor)} {currency}"}
    if fee.most_minor:
        words += ", " + _("at most %(money)s") % {"money": f"{money_text(fee.most_minor)} {currency}"}
    return words
