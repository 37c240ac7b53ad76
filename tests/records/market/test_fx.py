"""Rates between currencies: whole versions, never changed, and no rate that nobody would believe."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from tests.desk import MONDAY, SYSTEM, TUESDAY, noon

from reefpoint.records.market.models import FxRate, FxVersion
from reefpoint.records.market.selectors.fx import is_fx_usable, latest_fx
from reefpoint.records.market.services.fx import FxKeyConflict, FxRefused, record_fx

pytestmark = pytest.mark.django_db


def rates(key: str = "monday", base: str = "USD", **given: str) -> int:
    return record_fx(actor=SYSTEM, source="ECB", key=key, base=base, rates=given, on=MONDAY, at=noon(MONDAY))


def test_rates_of_one_version_cross_through_its_base() -> None:
    rates(HKD="0.128", CNY="0.14")
    fx = latest_fx(noon(TUESDAY))
    assert fx is not None
    assert fx.rate_e8("USD", "HKD") == 12_800_000
    assert fx.rate_e8("CNY", "HKD") == 91_428_571
    assert fx.rate_e8("HKD", "USD") == 781_250_000
    assert fx.rate_e8("HKD", "HKD") == 100_000_000
    assert fx.rate_e8("USD", "EUR") == 0
    assert latest_fx(noon(MONDAY).replace(hour=1)) is None


@pytest.mark.parametrize(
    ("currency", "rate", "why"),
    [
        ("XXX", "1", "keeps no such currency"),
        ("USD", "1", "no rate to itself"),
        ("HKD", "0", "above zero"),
        ("HKD", "-1", "above zero"),
        ("HKD", "nan", "cannot be read"),
        ("HKD", Decimal("NaN"), "above zero"),
        ("HKD", Decimal("Infinity"), "above zero"),
        ("HKD", "1e3", "cannot be read"),
        ("HKD", "0.123456789", "8 decimals"),
        ("HKD", "99999999", "8 decimals"),
        ("HKD", "0.064", "moved by more than 25%"),
    ],
)
def test_i14_a_rate_that_cannot_be_refuses_the_whole_version_and_names_the_currency(
    currency: str, rate: str | Decimal, why: str
) -> None:
    rates(HKD="0.128")
    with pytest.raises(FxRefused, match=why) as refused:
        record_fx(
            actor=SYSTEM,
            source="ECB",
            key="tuesday",
            base="USD",
            rates={"CNY": "0.14", currency: rate},
            on=TUESDAY,
            at=noon(TUESDAY),
        )
    assert currency in str(refused.value)
    assert FxVersion.objects.count() == 1


def test_i41_the_same_key_is_one_version_and_other_rates_under_it_are_refused() -> None:
    first = rates(HKD="0.128")
    assert rates(HKD="0.1280") == first
    with pytest.raises(FxKeyConflict):
        rates(HKD="0.129")
    assert FxRate.objects.count() == 1


def test_a_version_is_never_changed_not_even_by_hand() -> None:
    rates(HKD="0.128")
    for change in ("UPDATE market_fxrate SET rate_e8 = 1", "DELETE FROM market_fxversion"):
        with pytest.raises(DatabaseError), transaction.atomic():
            FxRate.objects.raw(change)._fetch_all()


def test_rates_are_too_old_after_a_long_weekend() -> None:
    rates(HKD="0.128")
    fx = latest_fx()
    assert is_fx_usable(fx, MONDAY.replace(day=29))
    assert not is_fx_usable(fx, MONDAY.replace(day=30))
    assert not is_fx_usable(None, MONDAY)
