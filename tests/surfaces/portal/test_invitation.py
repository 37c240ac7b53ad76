"""A client whom the desk put on record comes to the portal: invited by a person, accepted at the address on record."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from tests.desk import MONDAY, SYSTEM, Desk
from tests.surfaces.conftest import signed_in_as
from tests.surfaces.portal.conftest import AT, Applicant, NewApplicant

from reefpoint.platform.access.services import actor_for
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.selectors.clients import ClientNotFound
from reefpoint.records.parties.services import (
    AlreadyOnPortal,
    NoInvitation,
    NotToInvite,
    accept_invitation,
    block_client,
    invite_to_portal,
    register_client,
)
from reefpoint.records.parties.types import ClientDraft

pytestmark = pytest.mark.django_db


def brought_on(desk: Desk, email: str = "fang@mail.test") -> int:
    """A client of the manager's whom the desk put on record."""
    draft = ClientDraft(
        "Wang Fang", email, name_zh="王芳", language="zh-hans", relationship_manager_id=desk.manager.user_id
    )
    return register_client(actor=SYSTEM, draft=draft, on=MONDAY, at=AT)


def test_a_client_is_invited_on_the_page_accepts_on_the_portal_and_sees_their_records(
    offered: Desk, applicant: NewApplicant
) -> None:
    client_id = brought_on(offered)
    fang = applicant("Fang")
    assert "For whom do you apply?" in fang.text("")
    desk = signed_in_as(offered.manager)
    page = f"/clients/{client_id}/"
    assert "Invite to the portal" in desk.get(page).content.decode()
    desk.post(f"{page}invitation/")
    assert "Invited, until" in desk.get(page).content.decode()
    letter = Notice.objects.get(client_id=client_id)
    assert (letter.to, letter.subject) == ("fang@mail.test", "邀请您使用客户门户")
    assert "王芳" in letter.body

    assert "Connect my sign-in with my records" in fang.text("")
    assert Client.objects.get(id=client_id).portal_user_id is None, "seeing the invitation accepts nothing"
    fang.post("invitation/")
    assert Client.objects.get(id=client_id).portal_user_id == fang.user_id
    assert f"C-{client_id:06d}" in fang.text("")
    shown = desk.get(page).content.decode()
    assert "Uses it" in shown
    assert "Invite" not in shown
    actions = Entry.objects.filter(subject=f"client:{client_id}").order_by("id").values_list("action", flat=True)
    assert list(actions)[-2:] == ["clients.invite", "clients.accept_invitation"]


def test_an_address_alone_opens_nothing(offered: Desk, applicant: NewApplicant) -> None:
    client_id = brought_on(offered)
    fang = applicant("Fang")
    assert "Ask your contact at the desk to invite you" in fang.post("begin/", {"kind": "individual"}).content.decode()
    with pytest.raises(NoInvitation):
        accept_invitation(actor=actor_of(fang), at=AT)
    assert Client.objects.get(id=client_id).portal_user_id is None


def test_an_invitation_is_for_its_address_for_its_time_and_until_it_is_taken_back(
    offered: Desk, applicant: NewApplicant
) -> None:
    client_id = brought_on(offered)
    fang, other = applicant("Fang"), applicant("Mallory")
    until = invite_to_portal(actor=offered.manager, client_id=client_id, at=AT)
    assert until == AT + timedelta(days=14)
    for who, at in ((other, AT), (fang, until)):
        with pytest.raises(NoInvitation):
            accept_invitation(actor=actor_of(who), at=at)
    signed_in_as(offered.manager).post(f"/clients/{client_id}/invitation/", {"change": "end"})
    with pytest.raises(NoInvitation):
        accept_invitation(actor=actor_of(fang), at=AT)
    assert Client.objects.get(id=client_id).portal_user_id is None


def test_nobody_accepts_for_a_client_who_was_blocked_meanwhile(offered: Desk, applicant: NewApplicant) -> None:
    client_id = brought_on(offered)
    fang = applicant("Fang")
    invite_to_portal(actor=offered.manager, client_id=client_id, at=AT)
    block_client(actor=SYSTEM, client_id=client_id, reason="a hit", at=AT)
    with pytest.raises(NoInvitation):
        accept_invitation(actor=actor_of(fang), at=AT)
    with pytest.raises(NotToInvite):
        invite_to_portal(actor=offered.manager, client_id=client_id, at=AT)


def test_who_is_on_the_portal_is_not_invited_and_accepts_no_second_record(
    offered: Desk, applicant: NewApplicant
) -> None:
    fang = applicant("Fang")
    fang.begin()
    own = Client.objects.get(portal_user_id=fang.user_id)
    Client.objects.filter(id=own.pk).update(relationship_manager_id=offered.manager.user_id)
    with pytest.raises(AlreadyOnPortal):
        invite_to_portal(actor=offered.manager, client_id=own.pk, at=AT)
    Client.objects.filter(id=own.pk).update(email="older@mail.test")
    invite_to_portal(actor=offered.manager, client_id=brought_on(offered), at=AT)
    with pytest.raises(AlreadyOnPortal):
        accept_invitation(actor=actor_of(fang), at=AT)


def test_a_manager_invites_only_their_own_and_a_client_invites_nobody(offered: Desk, applicant: NewApplicant) -> None:
    client_id = brought_on(offered)
    Client.objects.filter(id=client_id).update(relationship_manager_id=None)
    with pytest.raises(ClientNotFound):
        invite_to_portal(actor=offered.manager, client_id=client_id, at=AT)
    cache.clear()
    assert applicant("Fang").browser.post(f"/clients/{client_id}/invitation/").status_code == 403


def actor_of(applicant: Applicant) -> Actor:
    """Whoever is signed in there, as the doer of a service call."""
    return actor_for(get_user_model().objects.get(pk=applicant.user_id))
