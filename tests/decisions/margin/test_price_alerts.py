"""A price that stays away is told to the risk desk, once a spell (I12)."""

from datetime import timedelta

from tests.desk import HALF_DAY, MONDAY, TUESDAY, WEDNESDAY, Desk, close, noon

from reefpoint.decisions.margin.models import PriceAlert
from reefpoint.decisions.margin.services.price_alerts import review_price_alerts
from reefpoint.platform.access.services import create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.models import Event
from reefpoint.platform.notifications.models import Notice

SCHEDULER = system_actor("scheduler")
PRICES = {"AAPL": "100", "JPM": "100", "KO": "50"}


def hire_officer() -> str:
    create_user(
        actor=system_actor("setup"),
        email="night@desk.example",
        name="Night Officer",
        password="a long enough secret 5",
        roles=[RoleName.RISK_OFFICER],
        at=noon(MONDAY),
    )
    return "night@desk.example"


def told() -> list[str]:
    return list(
        Event.objects.filter(name__startswith="margin.PriceAlert").order_by("id").values_list("name", flat=True)
    )


def test_i12_a_stale_price_and_the_lost_coverage_are_told_once_and_cleared_when_fresh(desk: Desk) -> None:
    officer = hire_officer()
    desk.prices(TUESDAY, **PRICES)
    assert review_price_alerts(actor=SCHEDULER, at=noon(TUESDAY)) == (0, 0)

    desk.prices(WEDNESDAY, **{name: price for name, price in PRICES.items() if name != "AAPL"})
    at = close(WEDNESDAY)
    raised, cleared = review_price_alerts(actor=SCHEDULER, at=at)

    apple = desk.instruments["AAPL"]
    alerts = list(PriceAlert.objects.order_by("id"))
    assert [alert.instrument_id for alert in alerts] == [None, apple]  # Apple is most of this book
    assert (raised, cleared) == (2, 0)
    alert = alerts[-1]
    assert (alert.raised_at, alert.cleared_at, alert.detail) == (at, None, f"AAPL: the last price is of {TUESDAY}")
    notices = Notice.objects.filter(to=officer, about=f"price_alert:{alert.pk}")
    assert [notice.client_id for notice in notices] == [None]
    assert told() == ["margin.PriceAlertRaised"] * raised

    assert review_price_alerts(actor=SCHEDULER, at=at + timedelta(minutes=1)) == (0, 0)
    assert len(list_entries(action="margin.raise_price_alert")) == raised

    desk.prices(WEDNESDAY, at + timedelta(minutes=2), AAPL="101")
    later = at + timedelta(minutes=3)
    assert review_price_alerts(actor=SCHEDULER, at=later) == (0, raised)
    assert set(PriceAlert.objects.values_list("cleared_at", flat=True)) == {later}
    assert told()[raised:] == ["margin.PriceAlertCleared"] * raised

    assert review_price_alerts(actor=SCHEDULER, at=close(HALF_DAY))[0] > 0  # a new spell is a new alert
    assert PriceAlert.objects.filter(instrument_id=apple).count() == 2


def test_i12_a_suspended_name_raises_no_alert(desk: Desk) -> None:
    desk.prices(TUESDAY, **PRICES)
    desk.suspend("KO", is_suspended=True, at=noon(TUESDAY))
    desk.prices(WEDNESDAY, **{name: price for name, price in PRICES.items() if name != "KO"})

    assert review_price_alerts(actor=SCHEDULER, at=close(WEDNESDAY)) == (0, 0)
    assert Notice.objects.filter(about__startswith="price_alert").count() == 0
