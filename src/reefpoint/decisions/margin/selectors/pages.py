"""What people see of margin: the board, the list of accounts, one account with its terms, and calls.

Every read takes the actor and shows the clients in their scope alone. The number of queries does not depend on the
number of accounts.
"""

from collections.abc import Collection
from datetime import datetime
from itertools import groupby

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce

from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.margin import rules
from reefpoint.decisions.margin.models import MarginCall, MarginSnapshot, MarginState
from reefpoint.decisions.margin.selectors.calls import call_facts
from reefpoint.decisions.margin.selectors.standing import book_of, load_sheet, standings
from reefpoint.decisions.margin.types import (
    AccountPage,
    AccountRow,
    Band,
    BandRow,
    Board,
    CallCause,
    CallFacts,
    CallRow,
    CallState,
    ConcentrationRow,
    Cures,
    DeadlineRow,
    Distance,
    MaintenanceDistance,
    PositionRow,
    RatioBucket,
    SnapshotRow,
    WorstRow,
)
from reefpoint.engine.cures import fall_to_line_bp, fall_to_requirement_bp, find_cures, ratio_at_requirement_bp
from reefpoint.engine.explain import explain_account
from reefpoint.engine.valuation import value_book
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.basics.money import held_minor, owed_minor, price_units_per_minor
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.facilities import get_facility
from reefpoint.records.accounts.selectors.loans import list_loans
from reefpoint.records.accounts.selectors.owners import get_own_account, get_owner
from reefpoint.records.accounts.selectors.positions import names_held
from reefpoint.records.accounts.types import AccountOwner
from reefpoint.records.market.selectors import latest_prices, list_instruments
from reefpoint.records.parties.selectors.clients import client_texts, visible_clients
from reefpoint.records.products.selectors import get_terms, get_version

WORST_ROWS = 20
SPARK_SESSIONS = 30
BUCKET_BP = 1_000
FIRST_BUCKET = 10
LAST_BUCKET = 30
BP = 10_000

ACCOUNT_ORDERS = {
    "number": "account__number",
    "client_name": "account__client__name",
    "scheme_code": "account__scheme_version__scheme__code",
    "status": "account__status",
    "band": "band",
    "band_since": "band_since",
    "ratio_bp": "ratio_bp",
    "market_minor": "market_minor",
    "cash_minor": "cash_minor",
    "debt_minor": "debt_minor",
    "equity_minor": "equity_minor",
}
CALL_ORDERS = {
    "number": "number",
    "account_number": "account__number",
    "client_name": "account__client__name",
    "cause": "cause",
    "state": "state",
    "opened_at": "opened_at",
    "deadline_at": "deadline_at",
    "amount_minor": "amount_minor",
    "ratio_bp": "ratio_bp",
    "closed_at": "closed_at",
}


def get_board(actor: Actor) -> Board:
    """The book in the actor's scope, as it stood when it was last valued."""
    require(actor, "margin.view")
    states = _states(actor)
    bands = _bands(states)
    return Board(
        bands=bands,
        debt_minor=sum(row.debt_minor for row in bands),
        assets_minor=sum(row.assets_minor for row in bands),
        accounts=sum(row.accounts for row in bands),
        histogram=_histogram(states),
        worst=_worst(states),
        deadlines=_deadlines(actor),
        concentration=_concentration(actor),
        valued_at=states.order_by("-valued_at").values_list("valued_at", flat=True).first(),
    )


def get_bands(actor: Actor) -> tuple[BandRow, ...]:
    """The book in the actor's scope by band, worst first, unknown last."""
    require(actor, "margin.view")
    return _bands(_states(actor))


def list_accounts(
    actor: Actor,
    *,
    text: str = "",
    band: str = "",
    scheme: str = "",
    status: str = "",
    client_id: int | None = None,
    order: str = "ratio_bp",
    offset: int = 0,
    limit: int = 50,
) -> Listing[AccountRow]:
    """One page of the measured accounts in scope that match; `band` is a band's number. Sums: securities, cash, debt,
    equity. Raises `KeyError` for an order that accounts do not have.
    """
    require(actor, "account.view")
    rows = _states(actor).annotate(
        cash_minor=F("assets_minor") - F("market_minor"), equity_minor=F("assets_minor") - F("debt_minor")
    )
    rows = rows.filter(holding(text, *_ACCOUNT_TEXTS))
    exact = {
        "band": int(band) if band else None,
        "account__scheme_version__scheme__code": scheme or None,
        "account__status": status or None,
        "account__client_id": client_id,
    }
    rows = rows.filter(**{key: value for key, value in exact.items() if value is not None})
    summed = ("market_minor", "cash_minor", "debt_minor", "equity_minor")
    totals = rows.aggregate(count=Count("pk"), **{f"{key}_sum": Coalesce(Sum(key), 0) for key in summed})
    page = rows.select_related("account__client", "account__scheme_version__scheme").order_by(
        _order(ACCOUNT_ORDERS, order), "account_id"
    )
    sums = {key: totals[f"{key}_sum"] for key in summed}
    return cut(page, offset=offset, limit=limit, view=each(_account_row), count=totals["count"], sums=sums)


def list_calls(
    actor: Actor,
    *,
    text: str = "",
    state: str = "",
    cause: str = "",
    account_id: int | None = None,
    order: str = "deadline_at",
    offset: int = 0,
    limit: int = 50,
) -> Listing[CallRow]:
    """One page of the calls in scope that match, with the account's ratio now. Sums: the amounts called.

    Raises `KeyError` for an order that calls do not have.
    """
    require(actor, "margin.view")
    rows = _calls(actor)
    rows = rows.filter(holding(text, "number", *_ACCOUNT_TEXTS))
    if state:
        rows = rows.filter(state=state)
    if cause:
        rows = rows.filter(cause=cause)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    totals = rows.aggregate(count=Count("pk"), amount=Coalesce(Sum("amount_minor"), 0))
    page = rows.select_related("account__client").order_by(_order(CALL_ORDERS, order), "id")
    sums = {"amount_minor": totals["amount"]}
    return cut(page, offset=offset, limit=limit, view=_call_rows, count=totals["count"], sums=sums)


def _call_rows(calls: list[MarginCall]) -> list[CallRow]:
    now = _ratios_now(calls)
    return [_call_row(call, now.get(call.account_id)) for call in calls]


def get_call(actor: Actor, call_id: int) -> tuple[CallFacts, CallRow]:
    """One call with its facts, and as lists show it. Raises `NotFound` outside the actor's scope (I66)."""
    require(actor, "margin.view")
    call = _calls(actor).select_related("account__client").filter(id=call_id).first()
    if call is None:
        raise NotFound("There is no call {call_id}, or it is not yours to see.", call_id=call_id)
    return call_facts(call), _call_row(call, _ratios_now([call]).get(call.account_id))


def get_account_page(actor: Actor, account_id: int, *, at: datetime) -> AccountPage:
    """One account: where it stands on the prices known at `at`, and why, line by line.

    Raises `NotFound` outside the actor's scope (I66).
    """
    require(actor, "account.view")
    return _account_page(get_owner(actor, account_id), at)


def get_own_account_page(actor: Actor, account_id: int, *, at: datetime) -> AccountPage:
    """The same for its own client on the portal. Raises `NotFound` for any account that is not theirs (I66)."""
    return _account_page(get_own_account(actor, account_id), at)


def _account_page(owner: AccountOwner, at: datetime) -> AccountPage:
    account_id = owner.account_id
    account = get_account(account_id)
    sheet = load_sheet([account.scheme_version_id], at=at)
    book = book_of([account], sheet)
    limit_bp = rules.DAILY_FALL_LIMIT_BP
    explained = explain_account(book, sheet.marks, sheet.lines, limit_bp=limit_bp)
    standing = standings([account], value_book(book, sheet.marks, sheet.lines))[0]
    terms = sheet.terms[account.scheme_version_id]
    desk_bp = haircuts_in_force(at.date())
    state = MarginState.objects.filter(account_id=account_id).first()
    positions = []
    for term in explained.terms:
        instrument = sheet.instruments[term.instrument]
        price = sheet.prices.get(instrument.id)
        positions.append(
            PositionRow(
                instrument_id=instrument.id,
                symbol=instrument.symbol,
                name=instrument.name,
                name_zh=instrument.name_zh,
                quantity=term.quantity,
                price_units=term.price_units,
                price_on=price.on if price else None,
                value_minor=held_minor(term.value_units, account.currency),
                share_bp=term.share_bp,
                haircut_bp=term.haircut_bp,
                lendable_minor=held_minor(term.lendable_units, account.currency),
                maintenance_bp=term.maintenance_bp,
                requirement_minor=owed_minor(term.requirement_units, account.currency),
                is_stale=term.is_stale,
                is_suspended=term.is_suspended,
                is_price_missing=term.is_price_missing,
                is_accepted=terms.accepts(instrument.symbol),
                own_haircut_bp=terms.haircut_bp(instrument.symbol),
                desk_haircut_bp=desk_bp.get(instrument.id),
                last_price_units=price.price_units if price else 0,
                currency=instrument.currency,
                rate_e8=sheet.rate_e8(account.currency, instrument.currency),
                fx_name=sheet.fx.name if sheet.fx and instrument.currency != account.currency else "",
            )
        )
    snapshots = MarginSnapshot.objects.filter(account_id=account_id).order_by("on")
    calls = MarginCall.objects.filter(account_id=account_id).order_by("-opened_at", "-id")
    return AccountPage(
        account=account,
        facility=get_facility(account_id),
        loans=tuple(list_loans(account_id)),
        scheme=get_version(account.scheme_version_id),
        client_name=owner.client_name,
        client_name_zh=owner.client_name_zh,
        client_number=owner.client_number,
        standing=standing,
        band=Band(state.band) if state and not standing.is_unknown else standing.band,
        band_since=state.band_since if state else None,
        is_enforced=state is not None and state.is_enforced,
        valued_at=state.valued_at if state else None,
        positions=tuple(sorted(positions, key=lambda row: (-row.value_minor, row.symbol))),
        distances=tuple(Distance(one.band, one.line_bp, one.fall_bp, one.limit_days) for one in explained.distances),
        limit_bp=limit_bp,
        cures=_cures(explained.assets_units, explained.owed_units, terms.cure_bp, account.currency)
        if standing.ratio_bp is not None and standing.ratio_bp < terms.cure_bp
        else None,
        maintenance=MaintenanceDistance(
            ratio_at_requirement_bp(explained.assets_units, explained.requirement_units),
            fall_to_requirement_bp(
                explained.market_units, explained.assets_units, explained.owed_units, explained.requirement_units
            )
            if not standing.is_unknown
            else None,
            standing.equity_minor - standing.requirement_minor,
        ),
        snapshots=tuple(
            SnapshotRow(row.on, row.ratio_bp, row.assets_minor, row.debt_minor, Band(row.band)) for row in snapshots
        ),
        calls=tuple(call_facts(call) for call in calls),
    )


def _states(actor: Actor) -> QuerySet[MarginState]:
    return MarginState.objects.filter(account__client__in=visible_clients(actor))


def _calls(actor: Actor) -> QuerySet[MarginCall]:
    return MarginCall.objects.filter(account__client__in=visible_clients(actor))


def _ratios_now(calls: Collection[MarginCall]) -> dict[int, int | None]:
    states = MarginState.objects.filter(account_id__in=[call.account_id for call in calls])
    return dict(states.values_list("account_id", "ratio_bp"))


_ACCOUNT_TEXTS = ("account__number", *client_texts("account__client"))


def _order(orders: dict[str, str], order: str) -> OrderBy:
    field = F(orders[order.lstrip("-")])
    return field.desc(nulls_last=True) if order.startswith("-") else field.asc(nulls_last=True)


def _bands(states: QuerySet[MarginState]) -> tuple[BandRow, ...]:
    found = {
        row["band"]: row
        for row in states.values("band").annotate(
            accounts=Count("pk"), debt=Coalesce(Sum("debt_minor"), 0), assets=Coalesce(Sum("assets_minor"), 0)
        )
    }
    nothing = {"accounts": 0, "debt": 0, "assets": 0}
    return tuple(
        BandRow(band, row["accounts"], row["debt"], row["assets"])
        for band in (Band.CLOSE_OUT, Band.CALL, Band.WARNING, Band.SAFE, Band.UNKNOWN)
        for row in [found.get(band.value, nothing)]
    )


def _histogram(states: QuerySet[MarginState]) -> tuple[RatioBucket, ...]:
    counted = (
        states.filter(ratio_bp__isnull=False)
        .annotate(bucket=F("ratio_bp") / BUCKET_BP)
        .values_list("bucket", "band")
        .annotate(Count("pk"))
        .order_by("bucket", "band")
    )
    buckets: dict[int, dict[Band, int]] = {bucket: {} for bucket in range(FIRST_BUCKET, LAST_BUCKET + 1)}
    for bucket, band, count in counted:
        kept = buckets[min(max(bucket, FIRST_BUCKET), LAST_BUCKET)]
        kept[Band(band)] = kept.get(Band(band), 0) + count
    return tuple(
        RatioBucket(
            bucket * BUCKET_BP, (bucket + 1) * BUCKET_BP if bucket < LAST_BUCKET else None, tuple(counts.items())
        )
        for bucket, counts in buckets.items()
    )


def _worst(states: QuerySet[MarginState]) -> tuple[WorstRow, ...]:
    rows = list(
        states.filter(ratio_bp__isnull=False)
        .select_related("account__client")
        .order_by("ratio_bp", "account_id")[:WORST_ROWS]
    )
    snapshots = MarginSnapshot.objects.filter(account_id__in=[row.account_id for row in rows], ratio_bp__isnull=False)
    history = {
        account_id: [ratio for _, ratio in group if ratio is not None][-SPARK_SESSIONS:]
        for account_id, group in groupby(
            snapshots.order_by("account_id", "on").values_list("account_id", "ratio_bp"), key=lambda pair: pair[0]
        )
    }
    return tuple(_worst_row(row, history.get(row.account_id, [])) for row in rows)


def _worst_row(state: MarginState, history: list[int]) -> WorstRow:
    account = state.account
    terms = get_terms(account.scheme_version_id)
    lines = ((Band.WARNING, terms.warning_bp), (Band.CALL, terms.call_bp), (Band.CLOSE_OUT, terms.close_out_bp))
    next_band, line_bp = next(((band, line_bp) for band, line_bp in lines if band > state.band), (None, 0))
    scale = price_units_per_minor(account.currency)
    market, assets, debt = (minor * scale for minor in (state.market_minor, state.assets_minor, state.debt_minor))
    fall_bp = fall_to_line_bp(market, assets - market, debt, line_bp) if next_band else None
    asked_bp = fall_to_requirement_bp(market, assets, debt, state.requirement_minor * scale)
    is_maintenance_next = state.band < Band.CALL and asked_bp is not None and (fall_bp is None or asked_bp < fall_bp)
    return WorstRow(
        account_id=account.id,
        number=account.number,
        client_name=account.client.name,
        client_name_zh=account.client.name_zh,
        band=Band(state.band),
        ratio_bp=state.ratio_bp,
        debt_minor=state.debt_minor,
        next_band=next_band,
        is_maintenance_next=is_maintenance_next,
        fall_bp=asked_bp if is_maintenance_next else fall_bp,
        call_bp=terms.call_bp,
        spark=(*history, state.ratio_bp) if state.ratio_bp is not None else tuple(history),
    )


def _deadlines(actor: Actor) -> tuple[DeadlineRow, ...]:
    calls = MarginCall.objects.filter(state=CallState.OPEN, account__client__in=visible_clients(actor))
    rows = calls.values("deadline_at").annotate(
        calls=Count("pk"),
        for_maintenance=Count("pk", filter=Q(cause=CallCause.MAINTENANCE)),
        amount=Sum("amount_minor"),
    )
    return tuple(
        DeadlineRow(row["deadline_at"], row["calls"], row["for_maintenance"], row["amount"])
        for row in rows.order_by("deadline_at")
    )


def _concentration(actor: Actor) -> tuple[ConcentrationRow, ...]:
    prices = latest_prices()
    instruments = {instrument.id: instrument for instrument in list_instruments()}
    valued = [
        (held, instruments[held.instrument_id], price, held.quantity * price.price_units)
        for held in names_held(actor)
        for price in [prices.get(held.instrument_id)]
        if price is not None
    ]
    whole = sum(units for *_, units in valued) or 1
    rows = [
        ConcentrationRow(
            instrument_id=held.instrument_id,
            symbol=instrument.symbol,
            name=instrument.name,
            name_zh=instrument.name_zh,
            value_minor=held_minor(units, instrument.currency),
            share_bp=units * BP // whole,
            holders=held.holders,
            is_stale=price.is_stale,
        )
        for held, instrument, price, units in valued
    ]
    return tuple(sorted(rows, key=lambda row: (-row.value_minor, row.symbol)))


def _account_row(state: MarginState) -> AccountRow:
    account = state.account
    return AccountRow(
        account_id=account.id,
        number=account.number,
        client_id=account.client_id,
        client_name=account.client.name,
        client_name_zh=account.client.name_zh,
        scheme_code=account.scheme_version.scheme.code,
        status=account.status,
        band=Band(state.band),
        band_since=state.band_since,
        ratio_bp=state.ratio_bp,
        market_minor=state.market_minor,
        cash_minor=state.assets_minor - state.market_minor,
        debt_minor=state.debt_minor,
        equity_minor=state.assets_minor - state.debt_minor,
        valued_at=state.valued_at,
        currency=account.currency,
    )


def _call_row(call: MarginCall, ratio_now_bp: int | None) -> CallRow:
    return CallRow(
        id=call.id,
        number=call.number,
        account_id=call.account_id,
        account_number=call.account.number,
        client_name=call.account.client.name,
        client_name_zh=call.account.client.name_zh,
        cause=CallCause(call.cause),
        state=CallState(call.state),
        opened_at=call.opened_at,
        deadline_at=call.deadline_at,
        amount_minor=call.amount_minor,
        ratio_bp=call.ratio_bp,
        cure_bp=call.cure_bp,
        ratio_now_bp=ratio_now_bp,
        closed_at=call.closed_at,
        currency=call.account.currency,
    )


def _cures(assets_units: int, debt_units: int, cure_bp: int, currency: str) -> Cures:
    found = find_cures(assets_units, debt_units, cure_bp, 0)
    return Cures(
        add_collateral_minor=owed_minor(found.deposit_units, currency),
        repay_minor=owed_minor(found.repayment_units, currency),
        sell_minor=owed_minor(found.sale_units, currency) if found.sale_units is not None else None,
    )
