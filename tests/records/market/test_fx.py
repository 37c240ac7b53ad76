"""Rates between currencies: whole versions, never changed, and no rate that nobody would believe."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from tests.desk import MONDAY, SYSTEM, TUESDAY, noon
from tests.records.market.conftest import OLIVIA, RAVI

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.states import InvalidTransition
from reefpoint.records.market.models import FxRate, FxVersion, HeldFx
from reefpoint.records.market.selectors.fx import is_fx_usable, latest_fx, list_held_fx
from reefpoint.records.market.selectors.proof import verify_market
from reefpoint.records.market.services.fx import (
    FxKeyConflict,
    FxRefused,
    confirm_held_fx,
    discard_held_fx,
    record_fx,
)
from reefpoint.records.market.services.prices import SecondPersonNeeded
from reefpoint.records.market.types import FxRecorded

pytestmark = pytest.mark.django_db


def rates(key: str = "monday", base: str = "USD", actor: Actor = SYSTEM, **given: str) -> FxRecorded:
    return record_fx(actor=actor, source="ECB", key=key, base=base, rates=given, on=MONDAY, at=noon(MONDAY))


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


def held(rate: str = "0.064", **others: str) -> int:
    """Olivia brings a version after Monday's 0.128 dollars for a Hong Kong dollar; the id of what is held."""
    rates(HKD="0.128")
    made = rates("tuesday", actor=OLIVIA, HKD=rate, **others)
    assert made.version_id is None
    assert made.held_id is not None
    return made.held_id


def test_i14_a_version_that_moved_by_a_quarter_is_held_whole_and_values_nothing() -> None:
    held_id = held("0.16", CNY="0.14")
    assert latest_fx().rates_e8 == {"HKD": 12_800_000}
    [waiting] = list_held_fx()
    assert [(one.currency, one.last_e8, one.rate_e8, one.is_too_far, one.move_bp) for one in waiting.moves] == [
        ("CNY", 0, 14_000_000, False, None),
        ("HKD", 12_800_000, 16_000_000, True, 2_500),
    ]
    assert rates("tuesday", HKD="0.16", CNY="0.14") == FxRecorded(None, held_id)
    with pytest.raises(FxKeyConflict):
        rates("tuesday", HKD="0.161")
    assert rates("just inside", HKD="0.1599").held_id is None


def test_i14_another_base_does_not_let_an_unbelievable_rate_pass() -> None:
    rates(HKD="0.128")
    assert rates("by the other side", base="HKD", USD="15.6").held_id is not None
    assert rates("as it was", base="HKD", USD="7.8").held_id is None


def test_i63_held_rates_count_from_their_instant_once_a_second_person_confirms_them() -> None:
    held_id = held()
    with pytest.raises(SecondPersonNeeded):
        confirm_held_fx(actor=OLIVIA, held_id=held_id, at=noon(TUESDAY), reason="I brought it")
    assert FxVersion.objects.count() == 1
    version_id = confirm_held_fx(actor=RAVI, held_id=held_id, at=noon(TUESDAY), reason="the peg was given up")
    assert latest_fx().id == version_id
    assert latest_fx().rates_e8 == {"HKD": 6_400_000}
    assert latest_fx(noon(MONDAY)).rates_e8 == {"HKD": 12_800_000}
    assert rates("tuesday", HKD="0.064") == FxRecorded(version_id, held_id)
    assert verify_market() == []
    with pytest.raises(InvalidTransition):
        discard_held_fx(actor=RAVI, held_id=held_id, at=noon(TUESDAY), reason="after all")


def test_held_rates_that_were_wrong_are_discarded_and_never_confirmed_by_hand() -> None:
    held_id = held()
    with pytest.raises(IntegrityError), transaction.atomic():
        HeldFx.objects.filter(id=held_id).update(
            state="confirmed", decided_by=OLIVIA.ref, decided_at=noon(MONDAY), decision_reason="-"
        )
    discard_held_fx(actor=OLIVIA, held_id=held_id, at=noon(TUESDAY), reason="a slipped digit")
    assert (list_held_fx(), FxVersion.objects.count()) == ([], 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        HeldFx.objects.filter(id=held_id).update(state="held", decided_by="", decided_at=None)
