"""Telling the risk desk that prices stay away (I12): once a name and spell, and once for the book as a whole."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from reefpoint.decisions.margin.events import PriceAlertCleared, PriceAlertRaised
from reefpoint.decisions.margin.models import PriceAlert
from reefpoint.decisions.margin.rules import PRICE_COVERAGE_MIN_BP, is_covered
from reefpoint.decisions.margin.selectors.standing import get_price_coverage_bp, load_sheet
from reefpoint.platform.access.selectors import list_people
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import percent
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish
from reefpoint.platform.notifications.services import queue_notice

THE_BOOK = "the book"


@transaction.atomic
def review_price_alerts(*, actor: Actor, at: datetime) -> tuple[int, int]:
    """Raise an alert for every listed name whose price is missing or stale at `at`, and one for too little coverage.

    An alert that is open is not raised again; it is cleared when the name is priced again, suspended, or the coverage
    is back. Returns how many were raised and how many cleared. Suspended names raise none: they trade nowhere.
    """
    lock_name("price alerts")
    troubles = _troubles(at)
    open_ones = {alert.instrument_id: alert for alert in PriceAlert.objects.filter(cleared_at=None)}
    over = [alert for instrument_id, alert in sorted(open_ones.items(), key=_by_name) if instrument_id not in troubles]
    for alert in over:
        _clear(actor, alert, at)
    fresh = [(key, what) for key, what in sorted(troubles.items(), key=_by_name) if key not in open_ones]
    for instrument_id, (name, detail) in fresh:
        _raise(actor, instrument_id, name, detail, at)
    return len(fresh), len(over)


def _troubles(at: datetime) -> Mapping[int | None, tuple[str, str]]:
    """What is wrong now, by instrument id, None for the book: a name and a sentence."""
    sheet = load_sheet([], at=at)
    found: dict[int | None, tuple[str, str]] = {}
    for instrument in sheet.instruments:
        price = sheet.prices.get(instrument.id)
        if instrument.is_suspended or (price is not None and not price.is_stale):
            continue
        told = {"symbol": instrument.symbol, "on": price and price.on}
        never = Sentence("{symbol}: there was never a price", told)
        last = never if price is None else Sentence("{symbol}: the last price is of {on}", told)
        found[instrument.id] = (instrument.symbol, str(last))
    coverage_bp = get_price_coverage_bp(sheet)
    if not is_covered(coverage_bp):
        words = Sentence(
            "current prices cover {coverage} of the book, and it needs {least}",
            {"coverage": percent(coverage_bp), "least": percent(PRICE_COVERAGE_MIN_BP)},
        )
        found[None] = (THE_BOOK, str(words))
    return found


def _by_name(item: tuple[int | None, object]) -> int:
    """The book first, then the names in the order of their ids."""
    return item[0] or 0


def _raise(actor: Actor, instrument_id: int | None, name: str, detail: str, at: datetime) -> None:
    alert = PriceAlert.objects.create(instrument_id=instrument_id, raised_at=at, detail=detail)
    record(actor=actor, action="margin.raise_price_alert", subject=f"price_alert:{alert.pk}", reason=detail, at=at)
    publish(PriceAlertRaised(at=at, alert_id=alert.pk, instrument_id=instrument_id))
    for person in list_people():
        if person.is_active and RoleName.RISK_OFFICER in person.roles:
            queue_notice(
                actor=actor,
                key=f"price_alert:{alert.pk}:{person.id}",
                client_id=None,
                to=person.email,
                subject=f"No current price for {name} / 行情过期：{name}",
                body=f"{detail}.\n\nUntil it is priced again there is no new credit on it and nothing of it is sold by "
                "itself; the rest of each account still acts.\n\n"
                "在取得新价格之前，该证券不提供新增授信，也不会被自动卖出；账户的其余部分照常运作。\n",
                about=f"price_alert:{alert.pk}",
                at=at,
            )


def _clear(actor: Actor, alert: PriceAlert, at: datetime) -> None:
    alert.cleared_at = at
    alert.save(update_fields=["cleared_at"])
    record(actor=actor, action="margin.clear_price_alert", subject=f"price_alert:{alert.pk}", at=at)
    publish(PriceAlertCleared(at=at, alert_id=alert.pk, instrument_id=alert.instrument_id))
