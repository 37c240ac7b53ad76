"""What can be done on an account: first what it would lead to, then the deed."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.margin.selectors.pages import get_account_page
from reefpoint.decisions.monitoring.types import Counterparty, Operator
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.flows.servicing.selectors import Action, WhatIf, what_if
from reefpoint.flows.servicing.services.cash import receive_deposit, withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down, repay
from reefpoint.flows.servicing.services.trading import place_client_order
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.countries import COUNTRIES
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.records.execution.types import Side
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.market.selectors import list_instruments
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.countries import country_options
from reefpoint.surfaces.web.people import page

QUANTITY_MAX = 10**9


class BooksClosed(Refusal):
    """No business day is open, so nothing can be booked."""

    code = "books_closed"


@dataclass(frozen=True)
class Deed:
    """One action as the account page offers it, to whoever holds `permission`."""

    action: Action
    title: str | Promise
    help: str | Promise
    permission: str
    is_trade: bool = False
    needs_reference: bool = False
    other_side: str | Promise = ""
    other_account: str | Promise = ""
    other_country: str | Promise = ""
    other_help: str | Promise = ""


DEEDS = (
    Deed(
        Action.DEPOSIT,
        _("Book a deposit"),
        _("Money that the bank credited for this client. The bank's reference is booked once."),
        "servicing.deposit",
        needs_reference=True,
        other_side=_("Payer's name"),
        other_account=_("Payer's account"),
        other_country=_("Payer's country"),
        other_help=_(
            "As the bank tells it. Cash of a third party, or of a payer who cannot be compared with the client, is "
            "held until a person releases it."
        ),
    ),
    Deed(
        Action.REPAY,
        _("Repay"),
        _("Pays debt from the account's cash, in the contract's order. What is not owed stays cash."),
        "servicing.repay",
    ),
    Deed(
        Action.WITHDRAW,
        _("Withdraw"),
        _("Pays cash out to the client's own bank account."),
        "servicing.withdraw",
        other_side=_("Paid to (name)"),
        other_account=_("Paid to (account)"),
        other_country=_("Paid to (country)"),
        other_help=_("A payment to a new account soon after a changed contact is stopped."),
    ),
    Deed(
        Action.DRAW_DOWN,
        _("Draw down"),
        _("Lends to the account; the money arrives as cash in it."),
        "servicing.draw_down",
    ),
    Deed(
        Action.BUY,
        _("Buy"),
        _("Places a client's order; it holds the cash until it is filled or ends."),
        "servicing.trade",
        is_trade=True,
    ),
    Deed(
        Action.SELL, _("Sell"), _("Places a client's order to sell shares it holds."), "servicing.trade", is_trade=True
    ),
)


@dataclass(frozen=True)
class Typed:
    """What the form says, understood; `errors` by field in words."""

    amount_minor: int
    instrument_id: int
    quantity: int
    reference: str
    other_side: Counterparty | None
    errors: dict[str, str]


def deeds_for(actor: Actor) -> list[Deed]:
    """What this person may do on an account."""
    return [deed for deed in DEEDS if deed.permission in actor.permissions]


@page("account.view")
def act(request: HttpRequest, actor: Actor, account_id: int, action: str) -> HttpResponse:
    """The form, with the state after it once the form is filled; a POST does it."""
    deed = next((one for one in DEEDS if one.action == action), None)
    if deed is None:
        raise NotFound(_now("There is no such action."))
    require(actor, deed.permission)
    given = request.POST if request.method == "POST" else request.GET
    typed = _understand(deed, given.dict()) if given else None
    at = desk_now()
    preview: WhatIf | None = None
    if typed is not None and not typed.errors:
        if request.method == "POST":
            _do(actor, deed, account_id, typed, key=_key_of(given.get("key", "")))
            messages.success(request, _now("Done and booked."))
            return redirect("console:account", account_id=account_id)
        preview = what_if(
            actor,
            account_id,
            deed.action,
            amount_minor=typed.amount_minor,
            instrument_id=typed.instrument_id,
            quantity=typed.quantity,
            at=at,
        )
    context = {
        "page": get_account_page(actor, account_id, at=at),
        "deed": deed,
        "given": given,
        "typed": typed,
        "preview": preview,
        "key": uuid4(),
        "instruments": list_instruments() if deed.is_trade else (),
        "countries": country_options((get_language() or "").startswith("zh")) if deed.other_side else (),
    }
    return render(request, "console/action.html", context)


def _understand(deed: Deed, given: dict[str, str]) -> Typed:
    errors: dict[str, str] = {}
    amount, instrument_id, quantity = 0, 0, 0
    reference = given.get("reference", "").strip()[:80]
    if deed.is_trade:
        shares = given.get("quantity", "").replace(",", "").strip()
        if shares.isascii() and shares.isdigit() and 0 < int(shares) <= QUANTITY_MAX:
            quantity = int(shares)
        else:
            errors["quantity"] = _now("Say how many shares, as a whole number.")
        chosen = given.get("instrument", "")
        instrument_id = int(chosen) if chosen.isascii() and chosen.isdigit() else 0
        if instrument_id not in {one.id for one in list_instruments()}:
            errors["instrument"] = _now("Choose a name from the list.")
    else:
        try:
            amount = parse_money(given.get("amount", ""))
        except AmountError:
            errors["amount"] = _now("This is not an amount: type 500,000 or 500k or 50万.")
    if deed.needs_reference and not reference:
        errors["reference"] = _now("The bank's reference is needed: it keeps a deposit from being booked twice.")
    name, number = given.get("other_name", "").strip()[:160], given.get("other_account", "").strip()[:64]
    country = given.get("other_country", "")
    if country and country not in COUNTRIES:
        errors["other_country"] = _now("Choose a country from the list.")
    is_told = bool(deed.other_side and (name or number or country))
    other = Counterparty(name=name, account_number=number, country=country) if is_told else None
    return Typed(amount, instrument_id, quantity, reference, other, errors)


def _key_of(text: str) -> str:
    """The form's key, which makes a second click the same deed. A form without a proper one is a new deed."""
    try:
        return f"console:{UUID(text)}"
    except ValueError:
        return f"console:{uuid4()}"


def _do(actor: Actor, deed: Deed, account_id: int, typed: Typed, *, key: str) -> None:
    on, at = current_book_day(), desk_now()
    if on is None:
        raise BooksClosed(_now("The books are closed at the moment. Try again when the business day is open."))
    match deed.action:
        case Action.DEPOSIT:
            receive_deposit(
                actor=actor,
                account_id=account_id,
                amount_minor=typed.amount_minor,
                bank_reference=typed.reference,
                on=on,
                at=at,
                payer=typed.other_side,
            )
        case Action.REPAY:
            repay(actor=actor, account_id=account_id, amount_minor=typed.amount_minor, key=key, on=on, at=at)
        case Action.WITHDRAW:
            withdraw_cash(
                actor=actor,
                account_id=account_id,
                amount_minor=typed.amount_minor,
                key=key,
                on=on,
                at=at,
                payee=typed.other_side,
            )
        case Action.DRAW_DOWN:
            draw_down(actor=actor, account_id=account_id, amount_minor=typed.amount_minor, key=key, on=on, at=at)
        case Action.BUY | Action.SELL:
            place_client_order(
                actor=actor,
                account_id=account_id,
                instrument_id=typed.instrument_id,
                side=Side.BUY if deed.action is Action.BUY else Side.SELL,
                quantity=typed.quantity,
                key=key,
                session_on=on,
                at=at,
                operator=Operator(may_instruct=True),
            )
