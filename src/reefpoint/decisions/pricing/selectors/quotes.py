"""Quotes as people and other parts read them, and the proof that each can be made again."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.models import PriceException, Quote, RateProposal
from reefpoint.decisions.pricing.selectors.grid import read_grid
from reefpoint.decisions.pricing.types import (
    ExceptionState,
    ExceptionView,
    ProposalState,
    ProposalView,
    QuoteRow,
    QuoteView,
    RatePart,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.records.parties.selectors.clients import can_see_client, client_texts, visible_clients
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.types import VersionState

QUOTE_ORDERS = frozenset({"id", "client_number", "scheme_code", "amount_minor", "rate_bp", "quoted_at", "valid_until"})


class QuoteNotFound(NotFound):
    """There is no such quote, or it is not this person's to see."""


class QuoteExpired(Refusal):
    """A quote that was told too long ago."""

    code = "quote_expired"


class SchemeWithdrawn(Refusal):
    """The scheme version of a quote is not offered any more."""

    code = "scheme_withdrawn"


class QuoteErased(Refusal):
    """What a quote rested on was erased; there is nothing left to open or to replay."""

    code = "quote_erased"


def get_quote(quote_id: int) -> QuoteView:
    """A quote in full, for the program. Raises `QuoteNotFound`, `QuoteErased`."""
    row = _quotes().filter(id=quote_id).first()
    if row is None:
        raise QuoteNotFound("There is no quote {quote_id}.", quote_id=quote_id)
    _check_not_erased(row)
    return quote_view(row)


def _check_not_erased(row: Quote) -> None:
    if not row.answer:
        raise QuoteErased(
            "What quote {quote_id} was worked out from was erased with the client's data: no law keeps it any more. "
            "Its rate and dates stand in the list of quotes.",
            quote_id=row.pk,
        )


def read_quote(actor: Actor, quote_id: int) -> QuoteView:
    """The same for somebody who asks. Raises `QuoteNotFound` for a client out of scope."""
    require(actor, "pricing.view")
    found = get_quote(quote_id)
    if not can_see_client(actor, found.client_id):
        raise QuoteNotFound("There is no quote {quote_id}.", quote_id=quote_id)
    return found


def require_quote(quote_id: int, at: datetime) -> QuoteView:
    """The quote if it can still be taken up. Raises `QuoteExpired`, `SchemeWithdrawn`, `QuoteNotFound`."""
    found = get_quote(quote_id)
    if get_version(found.scheme_version_id).state is not VersionState.PUBLISHED:
        raise SchemeWithdrawn(
            "The scheme {scheme_code} of this quote is not offered any more. Ask for a price on another one.",
            quote_id=quote_id,
            scheme_code=found.scheme_code,
        )
    if at > found.valid_until:
        raise QuoteExpired(
            "The quote held until {valid_until:%Y-%m-%d %H:%M} UTC. Ask for a new one; nothing was done.",
            quote_id=quote_id,
            valid_until=found.valid_until,
        )
    return found


def quoted_rates(quote_ids: Collection[int]) -> dict[int, int]:
    """The rate that each of these quotes tells now, a granted exception's among them. Two queries."""
    return {row.pk: quote_view(row).rate_bp for row in _quotes().filter(id__in=quote_ids)}


def count_valid_quotes(version_id: int, at: datetime) -> int:
    """How many prices under a scheme version still hold."""
    return Quote.objects.filter(scheme_version_id=version_id, valid_until__gte=at).count()


def find_quotes(
    actor: Actor,
    *,
    text: str = "",
    state: str = "",
    scheme: str = "",
    client_id: int | None = None,
    at: datetime,
    order: str = "-id",
    offset: int = 0,
    limit: int = 50,
) -> Listing[QuoteRow]:
    """Quotes in scope; `state` is `valid`, `expired` or `exception`, `scheme` a code. Three queries."""
    require(actor, "pricing.view")
    if order.lstrip("-") not in QUOTE_ORDERS:
        raise ValueError(f"quotes have no order {order!r}")
    rows = _quotes().filter(client__in=visible_clients(actor))
    rows = rows.filter(holding(text, *client_texts(), "scheme_code"))
    if state == "exception":
        rows = rows.filter(exceptions__isnull=False).distinct()
    elif state:
        rows = rows.filter(valid_until__gte=at) if state == "valid" else rows.filter(valid_until__lt=at)
    if scheme:
        rows = rows.filter(scheme_code=scheme)
    if client_id is not None:
        rows = rows.filter(client_id=client_id)
    page = rows.order_by(order.replace("client_number", "client__number"), "id")
    return cut(page, offset=offset, limit=limit, view=each(_row))


def _quotes() -> QuerySet[Quote]:
    asked = PriceException.objects.order_by("-id")
    return Quote.objects.select_related("client", "grid").prefetch_related(Prefetch("exceptions", asked))


def replay_quote(quote_id: int) -> bool:
    """Whether a quote's stored inputs come to the same bytes under the stored grid (I60)."""
    row = Quote.objects.filter(id=quote_id).first()
    if row is None:
        raise QuoteNotFound("There is no quote {quote_id}.", quote_id=quote_id)
    _check_not_erased(row)
    return _replayed(row) == row.answer


def _replayed(row: Quote | RateProposal) -> str:
    return rules.answer_text(rules.price(read_grid(row.grid_id), rules.inputs_from_json(row.inputs)))


def verify_pricing() -> list[Finding]:
    """Every quote and new rate that its inputs and grid do not give again to the byte (I60), and every guard gone."""
    findings = [
        Finding("pricing.replay", f"quote:{row.pk}", "its inputs and grid do not give it again")
        for row in Quote.objects.exclude(answer="").order_by("id").iterator(chunk_size=500)
        if _replayed(row) != row.answer or rules.price_from_text(row.answer).rate_bp != row.rate_bp
    ]
    findings += [
        Finding("pricing.replay", f"rate_proposal:{row.pk}", "its inputs and grid do not give it again")
        for row in RateProposal.objects.exclude(answer="").order_by("id").iterator(chunk_size=500)
        if _replayed(row) != row.answer or rules.price_from_text(row.answer).rate_bp != row.new_bp
    ]
    return findings + verify_guards((), guards_of(one._meta.db_table for one in (Quote, PriceException, RateProposal)))


def count_erased_prices() -> int:
    """Quotes and new rates whose inputs were erased: the proof says so, for it cannot make them again."""
    return Quote.objects.filter(answer="").count() + RateProposal.objects.filter(answer="").count()


def quote_view(row: Quote) -> QuoteView:
    """A quote with its build-up, and the exception to it if one was asked for."""
    priced = rules.price_from_text(row.answer)
    asked = _newest(row.exceptions.all())
    rate, parts = row.rate_bp, priced.parts
    if asked is not None and asked.state is ExceptionState.GRANTED:
        rate = asked.rate_bp
        words = ("An exception that two people granted", "经双人批准的价格例外")
        parts = (*parts, RatePart("exception", rate - row.rate_bp, *words, f"exception:{asked.id}"))
    return QuoteView(
        id=row.pk,
        client_id=row.client_id,
        client_number=row.client.number,
        client_name=row.client.name,
        client_name_zh=row.client.name_zh,
        scheme_code=row.scheme_code,
        scheme_version_id=row.scheme_version_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        tenor_days=row.tenor_days,
        grade=row.grade,
        segment=row.segment,
        rate_bp=rate,
        listed_bp=row.rate_bp,
        parts=parts,
        floor_bp=priced.floor_bp,
        cap_bp=priced.cap_bp,
        grid_version=row.grid.version,
        grid_id=row.grid_id,
        inputs=rules.inputs_from_json(row.inputs),
        quoted_on=row.quoted_on,
        quoted_at=row.quoted_at,
        quoted_by=row.quoted_by,
        valid_until=row.valid_until,
        exception=asked,
    )


def _newest(rows: Iterable[PriceException]) -> ExceptionView | None:
    row = next(iter(rows), None)
    if row is None:
        return None
    return ExceptionView(
        id=row.pk,
        quote_id=row.quote_id,
        rate_bp=row.rate_bp,
        reason=row.reason,
        state=ExceptionState(row.state),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        approval_id=row.approval_id,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def _row(row: Quote) -> QuoteRow:
    asked = _newest(row.exceptions.all())
    same = ("id", "client_id", "scheme_code", "amount_minor", "currency", "tenor_days", "grade", "valid_until")
    return QuoteRow(
        **{name: getattr(row, name) for name in (*same, "quoted_at")},
        client_number=row.client.number,
        client_name=row.client.name,
        client_name_zh=row.client.name_zh,
        rate_bp=asked.rate_bp if asked is not None and asked.state is ExceptionState.GRANTED else row.rate_bp,
        listed_bp=row.rate_bp,
        exception=asked.state.value if asked else "",
    )


def list_proposals(actor: Actor, *, state: str = "", limit: int = 200) -> list[ProposalView]:
    """New rates for loans of clients in scope, newest first."""
    require(actor, "pricing.view")
    rows = RateProposal.objects.filter(loan__account__client__in=visible_clients(actor))
    if state:
        rows = rows.filter(state=state)
    return [
        ProposalView(
            id=row.pk,
            loan_id=row.loan_id,
            loan_number=row.loan.number,
            account_id=row.loan.account_id,
            account_number=row.loan.account.number,
            client_id=row.loan.account.client_id,
            currency=row.loan.account.currency,
            principal_minor=row.loan.principal_minor,
            old_bp=row.old_bp,
            new_bp=row.new_bp,
            parts=rules.price_from_text(row.answer).parts if row.answer else (),
            proposed_on=row.proposed_on,
            effective_on=row.effective_on,
            state=ProposalState(row.state),
        )
        for row in rows.select_related("loan__account").order_by("-id")[:limit]
    ]
