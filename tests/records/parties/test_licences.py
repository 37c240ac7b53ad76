"""The one gate (I68): which authorisation opens what, and that an end takes force the same minute."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from tests.records.parties.test_documents import pdf

from reefpoint.platform.access.services import ReasonNeeded
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import system_actor
from reefpoint.records.parties.models import Licence
from reefpoint.records.parties.rules import PERMITS, TIME_ZONES
from reefpoint.records.parties.selectors.licences import list_licence_standings, list_licences
from reefpoint.records.parties.services import (
    LicenceMalformed,
    LicenceRefused,
    UnlicensedLending,
    add_licence_evidence,
    open_licence_evidence,
    record_licence,
    require_licence,
    revoke_licence,
)
from reefpoint.records.parties.types import Activity, LicenceStanding

DESK = system_actor("desk")
ON = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
CN_PERMIT = "cn.securities_company_margin_financing"
pytestmark = pytest.mark.django_db


def licence(place: str, permit: str, activity: str = Activity.MARGIN_LENDING, valid_to: date | None = None) -> int:
    return record_licence(
        actor=DESK,
        jurisdiction=place,
        activity=activity,
        permit=permit,
        number="N-1",
        holder="Reef",
        valid_from=date(2026, 1, 1),
        valid_to=valid_to,
        evidence="public register",
        at=AT,
    )


def is_open(place: str, activity: str, at: datetime = AT, on: date = ON) -> bool:
    try:
        require_licence(jurisdiction=place, activity=activity, on=on, at=at)
    except LicenceRefused:
        return False
    return True


@pytest.mark.parametrize("permit", ["", "us.bank", "cn.private_fund_manager", "cn.microloan", "cn.p2p", "CN_PERMIT"])
def test_i68_in_mainland_china_nothing_but_a_securities_companys_approval_can_be_recorded(permit: str) -> None:
    with pytest.raises(UnlicensedLending) as refused:
        licence("CN", permit)
    assert refused.value.code == "cn.refuse.r01"
    assert (Licence.objects.count(), Entry.objects.count()) == (0, 0)
    assert not any(is_open("CN", activity) for activity in Activity)


def test_i68_the_database_refuses_any_other_permit_in_mainland_china() -> None:
    licence("CN", CN_PERMIT)
    assert all(is_open("CN", activity) for activity in Activity)
    with pytest.raises(IntegrityError, match="cn_securities_companies_only"), transaction.atomic():
        Licence.objects.update(permit="cn.microloan")


@pytest.mark.parametrize(("place", "permit"), [("HK", "us.bank"), ("US", "hk.type_1_dealing"), ("SG", "sg.bank")])
def test_i68_a_permit_opens_nothing_where_the_table_does_not_say_so(place: str, permit: str) -> None:
    with pytest.raises(LicenceMalformed, match="does not open"):
        licence(place, permit)
    assert not is_open(place, "margin_lending")


def test_i68_a_licence_for_one_step_opens_that_step_alone_and_lending_opens_every_step() -> None:
    licence("HK", "hk.type_1_dealing", Activity.MARKETING)
    assert [activity for activity in Activity if is_open("HK", activity)] == [Activity.MARKETING]
    licence("US", "us.bank")
    assert all(is_open("US", activity) for activity in Activity)
    assert not is_open("US", "advice")


def test_i68_a_revoked_licence_opens_nothing_from_that_minute() -> None:
    licence_id = licence("US", "us.bank")
    with pytest.raises(ReasonNeeded):
        revoke_licence(actor=DESK, licence_id=licence_id, reason=" ", at=AT)
    assert is_open("US", "disbursing", at=AT)
    revoke_licence(actor=DESK, licence_id=licence_id, reason="the authority's letter", at=AT)
    assert not is_open("US", "disbursing", at=AT)
    assert is_open("US", "disbursing", at=AT - timedelta(minutes=1))
    with pytest.raises(LicenceMalformed):
        revoke_licence(actor=DESK, licence_id=licence_id, reason="again", at=AT)


@pytest.mark.parametrize(
    ("place", "permit", "last_minute"),
    [
        ("US", "us.bank", datetime(2026, 11, 24, 4, 59, tzinfo=UTC)),
        ("HK", "hk.type_8_margin_financing", datetime(2026, 11, 23, 15, 59, tzinfo=UTC)),
        ("CN", CN_PERMIT, datetime(2026, 11, 23, 15, 59, tzinfo=UTC)),
    ],
)
def test_i68_a_licence_runs_out_at_midnight_where_it_is_though_the_business_day_is_still_open(
    place: str, permit: str, last_minute: datetime
) -> None:
    licence(place, permit, valid_to=ON)
    assert is_open(place, "margin_lending", at=last_minute)
    assert not is_open(place, "margin_lending", at=last_minute + timedelta(minutes=1))
    assert not is_open(place, "margin_lending", at=last_minute, on=ON + timedelta(days=1))


def test_every_jurisdiction_with_permits_has_a_clock() -> None:
    assert PERMITS.keys() == TIME_ZONES.keys()


def test_the_register_says_how_each_licence_stands() -> None:
    licence("US", "us.bank", valid_to=ON)
    licence("HK", "hk.authorized_institution")
    Licence.objects.filter(jurisdiction="HK").update(permit="unspecified")
    assert not is_open("HK", "margin_lending")
    later = datetime(2026, 11, 25, tzinfo=UTC)
    assert [standing for _, standing in list_licence_standings(at=later)] == [
        LicenceStanding.UNSPECIFIED,
        LicenceStanding.EXPIRED,
    ]


def test_the_document_of_a_licence_is_kept_sealed_and_handed_out_with_an_audit_row() -> None:
    licence_id = licence("US", "us.bank")
    add_licence_evidence(actor=DESK, licence_id=licence_id, file_name="permit.pdf", content=pdf(), at=AT)
    assert list_licences()[0].evidence_file == "permit.pdf"
    assert open_licence_evidence(actor=DESK, licence_id=licence_id, at=AT).content == pdf()
    assert Entry.objects.filter(action="licences.open_evidence", subject=f"licence:{licence_id}").count() == 1
    with pytest.raises(LicenceMalformed, match="on file already"):
        add_licence_evidence(actor=DESK, licence_id=licence_id, file_name="permit.pdf", content=pdf(), at=AT)
