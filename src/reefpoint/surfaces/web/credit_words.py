"""Words for requests for credit and payments, for the desk and for clients."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words = str | Promise

STAGE_WORDS: Mapping[str, Words] = {
    "draft": _("Not handed in"),
    "requested": _("Requested"),
    "deciding": _("Awaits approval"),
    "referred": _("With a person"),
    "approved": _("Approved"),
    "declined": _("Declined"),
    "offered": pgettext_lazy("state", "Offered"),
    "signed": _("Signed"),
    "approved_to_fund": _("Approved to fund"),
    "funding": _("With the bank"),
    "funded": _("Funded"),
    "failed": _("Not paid"),
    "withdrawn": _("Withdrawn"),
    "lapsed": _("Lapsed"),
}

NEXT_WORDS: Mapping[str, Words] = {
    "submit": _("Hand it in"),
    "decide": pgettext_lazy("next step", "Decide"),
    "decide_by_person": _("A person decides"),
    "offer": _("Price and offer"),
    "accept_offer": _("Accept the offer"),
    "renew_quote": _("Renew the price"),
    "sign": _("Acknowledge and sign"),
    "countersign": _("Sign for the desk"),
    "scheme_ended": _("Its scheme is offered no longer: it has ended, and the client is told"),
    "request_funding": _("Ask for funding"),
    "approve_funding": _("Approve the funding"),
    "fund": _("Open, book, draw"),
    "bank_answer": _("Confirm the payment"),
    "resolve_payment": _("Find out what became of the payment"),
    "retry_funding": _("Try the funding again"),
    "nothing": _("Nothing"),
}

CONDITION_WORDS: Mapping[str, Words] = {
    "met": _("Met"),
    "not_met": _("Not met yet"),
    "unknown": _("Cannot be judged now"),
    "waived": _("Waived"),
}

TURN_WORDS: Mapping[str, Words] = {
    "client": _("the client"),
    "credit": _("credit"),
    "operations": _("operations"),
    "second_person": _("a second person"),
    "bank": _("the bank"),
    "system": _("the program"),
    "nobody": _("nobody"),
}

STEP_WORDS: Mapping[str, Words] = {
    "begin": _("Begun"),
    "change": _("Changed"),
    "submit": _("Handed in"),
    "decide": _("Features, score and policy"),
    "refer": _("Referred to a person"),
    "approve": _("Approved"),
    "decline": _("Declined"),
    "offer": _("Offered at a price"),
    "renew_offer": _("Price to be renewed"),
    "accept_offer": _("Offer accepted, contract prepared"),
    "client_signed": _("Signed by the client"),
    "add_collateral": _("Shares added"),
    "sign": _("Signed by both"),
    "contract_ended": _("The contract ended unsigned"),
    "scheme_withdrawn": _("Its scheme is offered no longer, and the client is told"),
    "request_funding": _("Funding asked for"),
    "funding_refused": _("Funding not approved"),
    "approval_stale": _("The approval was about something else: asked anew"),
    "approve_funding": _("Funding approved by a second person"),
    "begin_funding": _("Account opened, collateral booked, loan drawn, bank told"),
    "funding_stopped": _("Funding stopped"),
    "funding_failed": _("The bank did not pay: the loan is undone"),
    "retry_funding": _("Funding tried again"),
    "fund": _("The bank confirmed: the money is free"),
    "withdraw": _("Withdrawn"),
    "lapse": _("Lapsed"),
}

CLIENT_WORDS: Mapping[str, tuple[Words, Words]] = {
    "submit": (_("You have not handed it in"), _("Look over what you ask for, then hand it in.")),
    "decide": (_("We are looking at it"), _("You will hear from us as soon as there is a decision.")),
    "decide_by_person": (_("A person is looking at it"), _("You will hear from us as soon as there is a decision.")),
    "offer": (_("Approved"), _("We are working out your price. You will see it here, part by part.")),
    "accept_offer": (_("You have an offer"), _("Look at the price and its parts, then accept it or leave it.")),
    "renew_quote": (
        _("The offer has run out"),
        _("Prices hold for a short time. Nothing was signed and nothing is owed; ask for a new price."),
    ),
    "sign": (
        _("Read and sign"),
        _("Your contract is ready: read the key facts, acknowledge what must be known, and sign."),
    ),
    "countersign": (_("You have signed"), _("We sign next. Then the contract is in force.")),
    "request_funding": (_("The contract is in force"), _("We are preparing the payment.")),
    "approve_funding": (_("The contract is in force"), _("A second person looks at the payment before it goes out.")),
    "fund": (_("Your account is being opened"), _("Your shares are booked and the loan is drawn.")),
    "bank_answer": (_("The money is on its way"), _("It is in your account and held until the bank confirms.")),
    "resolve_payment": (
        _("The money is on its way"),
        _("The bank has not confirmed it yet. It stays held until we know; nothing is lost."),
    ),
    "retry_funding": (
        _("The payment did not go through"),
        _("Nothing is owed and no interest runs. We are looking into it and will try again."),
    ),
}

END_WORDS: Mapping[str, tuple[Words, Words]] = {
    "funded": (_("Your credit is paid"), _("The money is in your account, and the account is watched.")),
    "declined": (
        _("We cannot lend on these terms"),
        _("The reasons are in the letter we sent you. You may ask again."),
    ),
    "withdrawn": (_("Withdrawn"), _("You took the request back. Nothing is owed.")),
    "lapsed": (_("Ended"), _("It was not gone on with in time. Nothing is owed. You can ask again.")),
}

PAYMENT_STEP_WORDS: Mapping[str, Words] = {
    "request": _("Asked for"),
    "send": _("The bank was told"),
    "resend": _("The bank was told again"),
    "confirmed": _("Confirmed"),
    "rejected": _("Rejected"),
    "no_answer": _("No answer in time"),
    "contradiction": _("The bank said something else"),
    "bear_out": _("The bank bears it out"),
}

MANNER_WORDS: Mapping[str, Words] = {
    "confirm": _("Confirm"),
    "twice": _("Answer twice"),
    "late": _("Answer late"),
    "reject": _("Reject"),
    "silent": _("Pay and never answer"),
}
