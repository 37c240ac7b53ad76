"""What tests of collateral begin with."""

from collections.abc import Callable, Mapping
from datetime import date

import pytest
from tests.desk import MONDAY, SYSTEM, noon

from reefpoint.decisions.collateral.events import CollateralChanged
from reefpoint.decisions.collateral.models import Assessment, HaircutRelease, HaircutStep
from reefpoint.decisions.collateral.selectors.house import HOUSE
from reefpoint.platform.events.services import publish
from reefpoint.platform.publications.services import keep_shipped

PutInForce = Callable[[Mapping[int, Mapping[date, int]]], int]


@pytest.fixture
def put_in_force() -> PutInForce:
    """Steps of names put straight on record, as a release would leave them, and told to the monitor."""

    def put(steps: Mapping[int, Mapping[date, int]]) -> int:
        at = noon(MONDAY)
        house = keep_shipped(kind=HOUSE, at=at)
        assessment = Assessment.objects.create(
            on=MONDAY, at=at, maker="user:1", house_id=house.id, packs={}, parameters={}, assumptions=[]
        )
        release = HaircutRelease.objects.create(
            assessment=assessment,
            approval_id=assessment.pk,
            maker="user:1",
            checker=SYSTEM.ref,
            reason="a test",
            effect={},
            on=MONDAY,
            at=at,
        )
        HaircutStep.objects.bulk_create(
            HaircutStep(release=release, instrument_id=instrument_id, effective_on=on, haircut_bp=bp)
            for instrument_id, days in steps.items()
            for on, bp in days.items()
        )
        publish(CollateralChanged(at=at, on=MONDAY))
        return release.pk

    return put
