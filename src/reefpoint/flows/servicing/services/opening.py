"""Opening an account on a published scheme."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind
from reefpoint.decisions.suitability.services import require_suitable
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.accounts import services as accounts
from reefpoint.records.parties.selectors.clients import require_client, require_open_for_business
from reefpoint.records.parties.services import require_licence
from reefpoint.records.products.selectors import get_version, published_version

LENDING = "margin_lending"
"""The activity that a licence must cover before an account is opened or money is lent."""


class LimitTooHigh(Refusal):
    """A commitment above the scheme's limit."""

    code = "limit_too_high"


@transaction.atomic
def open_margin_account(
    *,
    actor: Actor,
    client_id: int,
    scheme_code: str,
    pool_code: str,
    commitment_minor: int,
    on: date,
    at: datetime,
    scheme_version_id: int | None = None,
    decision_id: int | None = None,
) -> int:
    """Open a margin account with a facility on the scheme version in force. Returns the account's id.

    `scheme_version_id` is the version that a contract agreed, which may be an earlier one; `decision_id` is the credit
    decision whose conditions bind the account.

    Raises `ClientNotOpen`, `LicenceRefused` without a valid licence, `Unsuitable` where the scheme may not be offered
    to this client, `LimitTooHigh` above the scheme's limit.
    """
    require(actor, "account.open")
    require_client(actor, client_id)
    version = published_version(scheme_code, on) if scheme_version_id is None else get_version(scheme_version_id)
    require_open_for_business(client_id)
    require_licence(jurisdiction=version.terms.rule_pack, activity=LENDING, on=on, at=at)
    require_suitable(client_id=client_id, scheme_code=scheme_code, on=on, terms=version.terms)
    if not 0 < commitment_minor <= version.terms.limit_minor:
        raise LimitTooHigh(
            "The facility must be above zero and within the scheme's limit.", limit_minor=version.terms.limit_minor
        )
    return accounts.open_account(
        actor=actor,
        client_id=client_id,
        scheme_version_id=version.id,
        currency=version.terms.currency,
        pool_code=pool_code,
        commitment_minor=commitment_minor,
        on=on,
        at=at,
        decision_id=decision_id,
    )


@transaction.atomic
def book_securities_receipt(
    *, actor: Actor, account_id: int, lots: Sequence[tuple[int, int]], reference: str, on: date, at: datetime
) -> None:
    """Book shares that the broker received for the account free of payment. `lots` are (instrument id, quantity).

    The reference is booked once, however often it is reported.
    """
    require(actor, "servicing.receive_securities")
    account = accounts.lock_account(account_id)
    require_client(actor, account.client_id)
    accounts.receive_securities(account_id=account_id, lots=lots, reference=reference, on=on, at=at)
    record(
        actor=actor,
        action="servicing.receive_securities",
        subject=f"account:{account_id}",
        inputs={"lots": [list(lot) for lot in lots], "reference": reference},
        at=at,
    )
    accounts.announce_change(account_id=account_id, cause="securities received", at=at)
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.SECURITIES_IN,
                key=f"receipt:{reference}:{instrument_id}",
                client_id=account.client_id,
                account_id=account_id,
                at=at,
                instrument_id=instrument_id,
                quantity=quantity,
                reference=reference,
            )
            for instrument_id, quantity in lots
        ]
    )
