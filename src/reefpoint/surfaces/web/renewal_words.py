"""Words for loans near their maturity, their renewals and defaults, for the desk and for clients."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words = str | Promise

RENEWAL_WORDS: Mapping[str, Words] = {
    "asked": _("Asked for by the client"),
    "offered": _("Offered"),
    "accepted": _("Accepted, to be signed"),
    "signed": _("Signed by the client"),
    "done": _("Renewed"),
    "declined": _("Turned down"),
    "withdrawn": _("Withdrawn"),
    "expired": _("Not signed in time"),
}

MATURITY_WORDS: Mapping[str, Words] = {
    "running": pgettext_lazy("loan", "Running"),
    "near": _("Near maturity"),
    "due": _("Due, within the days of grace"),
    "late": pgettext_lazy("loan", "Late"),
}

BAR_WORDS: Mapping[str, Words] = {
    "matured": _("the loan is repaid or past its maturity"),
    "too_early": _("it is too early: a loan can be renewed in the thirty days before its maturity"),
    "no_renewals_left": _("the scheme allows no further renewal"),
    "open_call": _("a margin call is open"),
    "being_sold": _("collateral is being sold"),
    "not_valued": _("the account cannot be valued: a price is missing"),
    "ratio_too_low": _("the ratio is under what the scheme asks for a renewal"),
    "suspended_names": _("without the suspended names the ratio is under what the scheme asks for a renewal"),
    "interest_due": _("interest is unpaid, the scheme does not carry it over, and the cash does not cover it"),
    "account_not_active": _("the account is not active"),
    "client_not_open": _("the client is not open for business"),
    "unsuitable": _("the scheme does not suit the client any more"),
    "no_licence": _("there is no valid licence to lend there"),
    "scheme_withdrawn": _("the scheme version is withdrawn"),
    "condition_not_met": _("a condition of the credit decision is not met"),
}

CLIENT_BAR_WORDS: Mapping[str, Words] = {
    "matured": _("The loan is repaid, or its last day has passed."),
    "too_early": _("It is too early: a loan can be renewed in the thirty days before its last day."),
    "no_renewals_left": _("This loan was renewed as often as its contract allows."),
    "open_call": _("A margin call is open. Meet it first; then the loan can be renewed."),
    "being_sold": _("Shares of your account are being sold."),
    "not_valued": _("One of your shares has no current price. Try again when it trades."),
    "ratio_too_low": _("Your ratio is too low for a renewal. Pay money in, add shares, or sell some."),
    "suspended_names": _(
        "Without the shares that do not trade now, your ratio is too low. Pay money in or add shares."
    ),
    "interest_due": _("Interest must be paid before a renewal. Pay it into your margin account."),
    "account_not_active": _("Your account takes no new terms at the moment. Please ask us."),
    "client_not_open": _("We need something from you before we can go on. Please ask us."),
    "unsuitable": _("Your risk questionnaire does not fit this scheme any more. Answer it anew, or ask us."),
    "no_licence": _("We cannot renew loans at the moment."),
    "scheme_withdrawn": _("This scheme is not offered any more."),
    "condition_not_met": _("A condition of your credit is not met at the moment: see below."),
}

CLIENT_STAGE_WORDS: Mapping[str, tuple[Words, Words]] = {
    "running": (_("Your loan is running"), _("There is nothing for you to do now.")),
    "near": (_("Your loan is due soon"), _("Repay it on its last day, or renew it before.")),
    "due": (_("Your loan is due"), _("Pay it back before the days of grace are over; after them it is late.")),
    "late": (
        _("Your loan is late"),
        _("It bears the penalty rate, and shares may be sold as your contract says. Pay it back now."),
    ),
}

CLIENT_RENEWAL_WORDS: Mapping[str, tuple[Words, Words]] = {
    "asked": (
        _("You asked for a renewal"),
        _("We look at it and answer here with a price. Until both sides have signed, the loan is due as before."),
    ),
    "offered": (
        _("You can renew this loan"),
        _("Look at the new term and the price with its parts. Nothing changes until both sides have signed."),
    ),
    "accepted": (
        _("Read and sign the renewal"),
        _("The agreement is ready: read the key facts, acknowledge what must be known, and sign."),
    ),
    "signed": (_("You have signed the renewal"), _("We sign next. Then the new last day holds.")),
    "done": (_("Your loan is renewed"), _("Both sides have signed. The agreement is among your contracts.")),
    "declined": (_("You turned the renewal down"), _("The loan is repaid on its last day.")),
    "withdrawn": (_("The renewal was taken back"), _("Nothing has changed: the loan is due as before.")),
    "expired": (_("The renewal was not signed in time"), _("Nothing has changed: the loan is due as before.")),
}

DEFAULT_WORDS: Mapping[str, Words] = {
    "proposed": _("A second person is asked"),
    "announced": _("The client is told"),
    "selling": _("Being sold for"),
    "paid": pgettext_lazy("loan", "Paid"),
    "withdrawn": _("Taken back"),
    "exhausted": _("Sold out, still owed"),
}

DEFAULT_HOLD_WORDS: Mapping[str, Words] = {
    "open_call": _("a margin call is open: it is met or runs out first"),
    "being_sold": _("another sale of the account runs"),
    "legal_hold": _("a legal hold stands on the client"),
    "notice_not_delivered": _("no letter was delivered: the client is told anew, with a later day"),
}

CLIENT_DEFAULT_WORDS: Mapping[str, tuple[Words, Words]] = {
    "announced": (
        _("Your shares may be sold for this loan"),
        _("Pay in time and nothing is sold. Else we sell only until what is late is paid, in your contract's order."),
    ),
    "selling": (
        _("Your shares are being sold for this loan"),
        _("They are sold until what is late is paid, and no further. Money paid in now makes the sale smaller."),
    ),
    "exhausted": (
        _("All that could be sold was sold"),
        _("The loan is not paid by it. What is left you still owe, with interest. Please call us."),
    ),
}
