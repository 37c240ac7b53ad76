"""Telling a price, and asking for another one."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.models import PriceException, Quote
from reefpoint.decisions.pricing.selectors.grid import GRID, read_grid
from reefpoint.decisions.pricing.selectors.inputs import gather_inputs
from reefpoint.decisions.pricing.selectors.quotes import (
    QuoteNotFound,
    SchemeWithdrawn,
    get_quote,
    read_quote,
    require_quote,
)
from reefpoint.decisions.pricing.types import ExceptionState, Portfolio, Price, PriceInputs, QuoteView
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.publications.rules import fingerprint
from reefpoint.platform.publications.selectors import in_force
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.parties.selectors.clients import require_client
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.types import SchemeTerms, VersionState, VersionView

REASON_CHARS_MAX = 500
EXCEPTION_KIND = "pricing.exception"


class QuoteRefused(Refusal):
    """An amount or a tenor that the scheme does not lend."""

    code = "quote_refused"


class QuoteKeyReused(Refusal):
    """The same key came with another request."""

    code = "key_reused"


class ExceptionRefused(Refusal):
    """A request for another price that cannot be made now."""

    code = "exception_refused"


@transaction.atomic
def quote(
    *,
    actor: Actor,
    client_id: int,
    scheme_version_id: int,
    amount_minor: int,
    tenor_days: int,
    grade: str | None,
    segment: str | None,
    portfolio: Portfolio,
    on: date,
    at: datetime,
    key: str = "",
) -> QuoteView:
    """Tell a client a price that holds for a while, with its build-up. The same key is the same quote (I41).

    What is not known adds what the grid says for it, never nothing. Raises `SchemeWithdrawn` for a version that is not
    offered, `QuoteRefused`, `NoPrice`, `QuoteKeyReused`, `ClientNotFound`.
    """
    require(actor, "pricing.quote")
    require_client(actor, client_id)
    asked = fingerprint(
        {
            "client": client_id,
            "version": scheme_version_id,
            "amount": amount_minor,
            "tenor": tenor_days,
            "grade": grade,
            "segment": segment,
            "portfolio": [list(lot) for lot in sorted(portfolio)],
        }
    )
    if key:
        lock_name(f"pricing.quote:{key}")
        told = Quote.objects.filter(key=key).values_list("id", "key_hash").first()
        if told is not None:
            if told[1] != asked:
                raise QuoteKeyReused("This key was used for another quote. Nothing was done; use a new key.", key=key)
            return get_quote(told[0])
    version = _offered(scheme_version_id)
    _check_ask(version.terms, amount_minor, tenor_days)
    published = use_publication(kind=GRID, on=on, at=at)
    assert published.id is not None, "what is used is on record"
    grid = read_grid(published.id)
    inputs = gather_inputs(
        terms=version.terms,
        tenor_days=tenor_days,
        grade=grade,
        segment=segment,
        portfolio=portfolio,
        on=on,
        at=at,
    )
    priced = rules.price(grid, inputs)
    row = Quote.objects.create(
        key=key or f"quote:{fingerprint({'asked': asked, 'at': at.isoformat(), 'by': actor.ref})}",
        key_hash=asked,
        client_id=client_id,
        scheme_version_id=scheme_version_id,
        scheme_code=version.scheme_code,
        grid_id=published.id,
        amount_minor=amount_minor,
        currency=version.terms.currency,
        tenor_days=tenor_days,
        grade=grade or "",
        segment=segment or "",
        inputs=rules.inputs_to_json(inputs),
        answer=rules.answer_text(priced),
        rate_bp=priced.rate_bp,
        quoted_on=on,
        quoted_at=at,
        quoted_by=actor.ref,
        valid_until=at + timedelta(hours=grid.valid_hours),
    )
    record(
        actor=actor,
        action="pricing.quote",
        subject=f"client:{client_id}",
        inputs={"quote_id": row.pk, "rate_bp": priced.rate_bp, "grid_version": published.version},
        at=at,
    )
    return get_quote(row.pk)


def work_out(
    *,
    actor: Actor,
    scheme_version_id: int,
    amount_minor: int,
    tenor_days: int,
    grade: str | None,
    segment: str | None,
    portfolio: Portfolio,
    on: date,
    at: datetime,
) -> tuple[Price, PriceInputs]:
    """What a quote would say now, for a calculator: nothing is written. Raises what `quote` raises."""
    require(actor, "pricing.view")
    version = _offered(scheme_version_id)
    _check_ask(version.terms, amount_minor, tenor_days)
    inputs = gather_inputs(
        terms=version.terms,
        tenor_days=tenor_days,
        grade=grade,
        segment=segment,
        portfolio=portfolio,
        on=on,
        at=at,
    )
    return rules.price(read_grid(in_force(GRID, on).id), inputs), inputs


def _offered(scheme_version_id: int) -> VersionView:
    version = get_version(scheme_version_id)
    if version.state is not VersionState.PUBLISHED:
        raise SchemeWithdrawn(
            "Version {version} of {scheme_code} is not offered. Ask for a price on another one.",
            version=version.version,
            scheme_code=version.scheme_code,
        )
    return version


def _check_ask(terms: SchemeTerms, amount_minor: int, tenor_days: int) -> None:
    if not 0 < amount_minor <= terms.limit_minor:
        raise QuoteRefused("The amount must be above zero and within the scheme's limit.", most_minor=terms.limit_minor)
    if not 0 < tenor_days <= terms.tenor_days:
        raise QuoteRefused("The scheme lends for 1 to {most_days} days.", most_days=terms.tenor_days)


@transaction.atomic
def request_exception(*, actor: Actor, quote_id: int, rate_bp: int, reason: str, at: datetime) -> int:
    """Ask a second person for another price, within the grid's bounds. Returns the approval's id.

    Raises `ExceptionOutOfBounds`, `ExceptionRefused`, and what `require_quote` raises.
    """
    require(actor, "pricing.quote")
    read_quote(actor, quote_id)
    row = _locked(quote_id)
    require_quote(quote_id, at)
    said = reason.strip()
    if not said or len(said) > REASON_CHARS_MAX:
        raise ExceptionRefused("Say why, in at most {reason_chars_max} characters.", reason_chars_max=REASON_CHARS_MAX)
    if row.exceptions.exclude(state=ExceptionState.REFUSED).exists():
        raise ExceptionRefused("Another price was asked for already on this quote. That one comes first.")
    inputs = rules.inputs_from_json(row.inputs)
    rules.check_exception(read_grid(row.grid_id), rules.price_from_text(row.answer), inputs.base_bp, rate_bp)
    approval_id = request_approval(
        actor=actor,
        kind=EXCEPTION_KIND,
        subject=f"quote:{quote_id}",
        payload=_payload(row, rate_bp),
        reason=said,
        at=at,
    )
    PriceException.objects.create(
        quote=row, rate_bp=rate_bp, reason=said, asked_by=actor.ref, asked_at=at, approval_id=approval_id
    )
    record(
        actor=actor,
        action="pricing.ask_exception",
        subject=f"quote:{quote_id}",
        reason=said,
        inputs={"rate_bp": rate_bp, "listed_bp": row.rate_bp, "approval_id": approval_id},
        at=at,
    )
    return approval_id


@transaction.atomic
def follow_exception(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Do what a second person said on another price. Idempotent; nothing for other kinds of approval."""
    require(actor, "pricing.quote")
    approval = get_approval(approval_id)
    if approval.kind != EXCEPTION_KIND:
        return
    row = PriceException.objects.select_for_update().filter(approval_id=approval_id).first()
    if row is None or row.state != ExceptionState.ASKED:
        return
    is_granted = approval.state is ApprovalState.APPROVED
    row.state = ExceptionState.GRANTED if is_granted else ExceptionState.REFUSED
    row.decided_by = (approval.decided_by or "") if approval.state is not ApprovalState.WITHDRAWN else ""
    row.decided_at = at
    row.save(update_fields=["state", "decided_by", "decided_at"])
    record(
        actor=actor,
        action="pricing.exception",
        subject=f"quote:{row.quote_id}",
        inputs={"state": row.state, "rate_bp": row.rate_bp, "approval_id": approval_id},
        at=at,
    )


def _locked(quote_id: int) -> Quote:
    row = Quote.objects.select_for_update(of=("self",)).select_related("client").filter(id=quote_id).first()
    if row is None:
        raise QuoteNotFound("There is no quote {quote_id}.", quote_id=quote_id)
    return row


def _payload(row: Quote, rate_bp: int) -> dict[str, Any]:
    return {
        "quote": row.pk,
        "client": row.client.number,
        "scheme": row.scheme_code,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "listed_bp": row.rate_bp,
        "rate_bp": rate_bp,
        "grade": row.grade,
    }
