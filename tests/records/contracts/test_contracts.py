"""A contract from its terms to both signatures: what it takes, what is refused, what is on record."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from tests.records.contracts.cases import AT, ON, SYSTEM, TERMS, Cast, proof
from tests.records.contracts.test_templates import publish

from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.events.models import Event
from reefpoint.records.contracts.adapters.shipped import shipped_disclosures
from reefpoint.records.contracts.models import Acknowledgement, Contract, File, Signature
from reefpoint.records.contracts.rules.disclosures import REQUIRED
from reefpoint.records.contracts.rules.sample import RENEWED_TERMS
from reefpoint.records.contracts.selectors import (
    DISCLOSURES,
    ContractErased,
    ContractNotFound,
    NoContractInForce,
    find_contracts,
    get_contract,
    list_contracts,
    require_in_force,
    verify_contracts,
    verify_file,
)
from reefpoint.records.contracts.services import (
    DisclosuresMissing,
    DisclosureUnknown,
    NotACountersigner,
    OfferLapsed,
    StrongAuthenticationNeeded,
    acknowledge,
    countersign,
    erase_contracts,
    lapse_contracts,
    offer_contract,
    open_file,
    prepare_contract,
    sign_as_client,
    withdraw_contract,
)
from reefpoint.records.contracts.types import Authentication, ContractState, ContractTerms, FileKind, Language
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.selectors.clients import ClientNotOpen
from reefpoint.records.parties.selectors.licences import list_licences
from reefpoint.records.parties.services import LicenceRefused, revoke_licence
from reefpoint.records.parties.types import ClientStatus


def state_of(contract_id: int) -> str:
    return Contract.objects.values_list("state", flat=True).get(pk=contract_id)


def renewing(contract_id: int | None) -> ContractTerms:
    """Terms of a renewal that amends a contract."""
    assert RENEWED_TERMS.renewal is not None
    return replace(RENEWED_TERMS, renewal=replace(RENEWED_TERMS.renewal, amends_id=contract_id))


def end_the_licence() -> None:
    [licence] = list_licences()
    revoke_licence(actor=SYSTEM, licence_id=licence.id, reason="taken away", at=AT)


def test_a_contract_is_offered_acknowledged_signed_by_both_and_in_force(people: Cast) -> None:
    contract_id = people.signed()
    with pytest.raises(NoContractInForce):
        require_in_force(contract_id, people.fang_id)
    countersign(actor=people.officer, contract_id=contract_id, authentication=proof(), at=AT)
    require_in_force(contract_id, people.fang_id)
    with pytest.raises(NoContractInForce):
        require_in_force(contract_id, people.outsider_id)

    held = get_contract(people.fang, contract_id, at=AT)
    assert held.state is ContractState.IN_FORCE
    assert [one.signer_name for one in held.signatures] == ["Wang Fang", "Olga Officer"]
    assert [one.authentication.methods for one in held.signatures] == [("password", "totp")] * 2
    assert {one.address for one in held.acknowledgements} == {"203.0.113.7"}
    name, paper = open_file(actor=people.fang, contract_id=contract_id, at=AT)
    assert name == f"{held.number}-in_force.pdf"
    report = verify_file(paper)
    assert report.is_genuine, report
    assert report.filed_as == (held.number, FileKind.IN_FORCE)
    assert [(one.signer_name, one.signed_at) for one in report.signatures] == [("Wang Fang", AT), ("Olga Officer", AT)]
    assert verify_contracts() == []
    told = Event.objects.filter(stream=f"contract:{contract_id}").order_by("id").values_list("name", flat=True)
    assert list(told) == ["contracts.offered", "contracts.signed_by_client", "contracts.in_force"]


# I67


@pytest.mark.parametrize("left_out", REQUIRED)
def test_i67_nothing_is_signed_while_one_disclosure_is_not_acknowledged(people: Cast, left_out: str) -> None:
    contract_id = people.offer()
    for one in get_contract(people.fang, contract_id, at=AT).disclosures:
        if one.id != left_out:
            acknowledge(actor=people.fang, contract_id=contract_id, disclosure=one.id, text_hash=one.text_hash, at=AT)
    with pytest.raises(DisclosuresMissing) as refused:
        people.sign(contract_id)
    assert refused.value.facts["names"] == [left_out]
    assert state_of(contract_id) == "offered"
    assert not Signature.objects.exists()


def test_i67_the_database_itself_refuses_a_signature_before_all_was_acknowledged(people: Cast) -> None:
    contract_id = people.offer()
    people.acknowledge(contract_id, leave_out=1)
    with pytest.raises(IntegrityError, match="a disclosure in force was not acknowledged"), transaction.atomic():
        Contract.objects.filter(id=contract_id).update(state="signed_by_client", signed_on=ON)
    people.acknowledge(contract_id)
    with pytest.raises(IntegrityError, match="has no signature of its client"), transaction.atomic():
        Contract.objects.filter(id=contract_id).update(state="signed_by_client", signed_on=ON)


def test_i67_changed_disclosures_must_be_acknowledged_again(people: Cast) -> None:
    contract_id = people.offer()
    people.acknowledge(contract_id)
    content = shipped_disclosures()
    content["disclosures"][0]["text"]["en"] = "You can lose far more than you deposited."
    publish(people, DISCLOSURES["US"], content, ON)

    with pytest.raises(DisclosuresMissing) as refused:
        people.sign(contract_id)
    assert refused.value.facts["names"] == ["lose_more_than_deposited"]
    old = Acknowledgement.objects.get(contract_id=contract_id, disclosure="lose_more_than_deposited")
    with pytest.raises(DisclosureUnknown):
        acknowledge(
            actor=people.fang, contract_id=contract_id, disclosure=old.disclosure, text_hash=old.text_hash, at=AT
        )
    people.acknowledge(contract_id)
    people.sign(contract_id)
    assert state_of(contract_id) == "signed_by_client"


def test_what_was_acknowledged_signed_and_filed_is_never_changed(people: Cast) -> None:
    contract_id = people.signed()
    for change in (
        lambda: Acknowledgement.objects.update(text_hash="0" * 64),
        lambda: Signature.objects.all().delete(),
        lambda: File.objects.update(sha256="0" * 64),
        lambda: Contract.objects.filter(id=contract_id).update(limit_minor=1),
        lambda: Contract.objects.filter(id=contract_id).update(terms={"other": 1}),
        lambda: Contract.objects.filter(id=contract_id).update(state="offered"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


# I68


def test_i68_without_a_licence_nothing_is_prepared_offered_or_signed(people: Cast) -> None:
    drafted, offered, signed = (
        people.prepare(),
        people.offer(replace(TERMS, grace_days=1)),
        people.signed(replace(TERMS, grace_days=2)),
    )
    people.acknowledge(offered)
    end_the_licence()
    for act in (
        lambda: people.prepare(replace(TERMS, grace_days=9)),
        lambda: offer_contract(actor=people.maker, contract_id=drafted, at=AT),
        lambda: people.sign(offered),
        lambda: countersign(actor=people.officer, contract_id=signed, authentication=proof(), at=AT),
    ):
        with pytest.raises(LicenceRefused):
            act()
    assert [state_of(one) for one in (drafted, offered, signed)] == ["draft", "offered", "signed_by_client"]
    assert Contract.objects.count() == 3


def test_a_blocked_client_signs_nothing(people: Cast) -> None:
    contract_id = people.offer()
    people.acknowledge(contract_id)
    Client.objects.filter(id=people.fang_id).update(status=ClientStatus.BLOCKED)
    with pytest.raises(ClientNotOpen):
        people.sign(contract_id)
    assert state_of(contract_id) == "offered"


# Who signs, and how


@pytest.mark.parametrize(
    "weak",
    [
        Authentication(("password",), AT),
        Authentication(("totp",), AT),
        Authentication(("password", "recovery_codes"), AT),
        Authentication(("password", "totp"), AT - timedelta(seconds=301)),
        Authentication(("password", "totp"), AT + timedelta(seconds=1)),
    ],
)
def test_a_signature_takes_a_password_and_a_second_factor_shown_just_before(people: Cast, weak: Authentication) -> None:
    contract_id = people.offer()
    people.acknowledge(contract_id)
    with pytest.raises(StrongAuthenticationNeeded):
        sign_as_client(actor=people.fang, contract_id=contract_id, authentication=weak, at=AT)
    assert not Signature.objects.exists()


def test_i63_whoever_prepared_a_contract_does_not_sign_it_for_the_desk(people: Cast) -> None:
    contract_id = prepare_contract(
        actor=people.officer, client_id=people.fang_id, terms=TERMS, language=Language.EN, on=ON, at=AT
    )
    offer_contract(actor=people.officer, contract_id=contract_id, at=AT)
    people.acknowledge(contract_id)
    people.sign(contract_id)
    for actor in (people.officer, SYSTEM):
        with pytest.raises(NotACountersigner):
            countersign(actor=actor, contract_id=contract_id, authentication=proof(), at=AT)
    assert state_of(contract_id) == "signed_by_client"


def test_i41_a_signature_given_twice_is_one(people: Cast) -> None:
    contract_id = people.signed()
    people.sign(contract_id)
    for _ in range(2):
        countersign(actor=people.officer, contract_id=contract_id, authentication=proof(), at=AT)
    offer = people.offer(replace(TERMS, grace_days=8))
    offer_contract(actor=people.maker, contract_id=offer, at=AT)
    assert Signature.objects.count() == 2
    assert File.objects.filter(contract_id=contract_id).count() == 3


def test_each_signature_has_a_key_of_its_own(people: Cast) -> None:
    people.signed()
    people.signed(replace(TERMS, grace_days=8))
    assert len({bytes(one.certificate) for one in Signature.objects.all()}) == 2


# I66


def test_i66_a_client_sees_their_own_contracts_and_no_draft(people: Cast) -> None:
    drafted, offered = people.prepare(replace(TERMS, grace_days=1)), people.offer()
    assert [one.id for one in list_contracts(people.fang, people.fang_id)] == [offered]
    assert list_contracts(people.outsider, people.outsider_id) == []
    for actor, contract_id in ((people.outsider, offered), (people.fang, drafted)):
        with pytest.raises(ContractNotFound):
            get_contract(actor, contract_id, at=AT)
        with pytest.raises(ContractNotFound):
            open_file(actor=actor, contract_id=contract_id, at=AT)
        with pytest.raises(ContractNotFound):
            sign_as_client(actor=actor, contract_id=contract_id, authentication=proof(), at=AT)
    with pytest.raises(ContractNotFound):
        list_contracts(people.outsider, people.fang_id)
    with pytest.raises(Refusal):
        find_contracts(people.fang, offset=0)


def test_each_look_at_a_paper_is_in_the_audit_log(people: Cast) -> None:
    contract_id = people.offer()
    open_file(actor=people.fang, contract_id=contract_id, at=AT)
    [entry] = Entry.objects.filter(action="contracts.open_file")
    assert (entry.actor, entry.subject) == (people.fang.ref, f"contract:{contract_id}")


# Ends


def at_noon(on: date) -> datetime:
    return AT + (on - ON)


def test_an_offer_that_is_not_signed_in_time_lapses(people: Cast) -> None:
    contract_id = people.offer()
    people.acknowledge(contract_id)
    last, after = at_noon(TERMS.sign_by), at_noon(TERMS.sign_by) + timedelta(days=1)
    assert lapse_contracts(actor=SYSTEM, at=last) == []
    with pytest.raises(OfferLapsed):
        people.sign(contract_id, at=after)
    assert lapse_contracts(actor=SYSTEM, at=after) == [contract_id]
    assert state_of(contract_id) == "lapsed"
    with pytest.raises(InvalidTransition):
        people.sign(contract_id, at=after)
    assert verify_contracts() == []


def test_what_the_client_signed_on_the_last_day_can_be_countersigned_for_three_days_more(people: Cast) -> None:
    contract_id, last = people.offer(), at_noon(TERMS.sign_by)
    people.acknowledge(contract_id, at=last)
    people.sign(contract_id, at=last)
    third, fourth = last + timedelta(days=3), last + timedelta(days=4)
    assert lapse_contracts(actor=SYSTEM, at=third) == []
    with pytest.raises(OfferLapsed):
        countersign(actor=people.officer, contract_id=contract_id, authentication=proof(fourth), at=fourth)
    countersign(actor=people.officer, contract_id=contract_id, authentication=proof(third), at=third)
    assert state_of(contract_id) == "in_force"


def test_a_contract_is_withdrawn_by_the_desk_or_declined_by_its_client_and_never_once_in_force(people: Cast) -> None:
    withdrawn, declined, in_force = (
        people.offer(),
        people.offer(replace(TERMS, grace_days=1)),
        people.signed(replace(TERMS, grace_days=2)),
    )
    withdraw_contract(actor=people.maker, contract_id=withdrawn, reason="a better one", at=AT)
    withdraw_contract(actor=people.fang, contract_id=declined, reason="", at=AT)
    countersign(actor=people.officer, contract_id=in_force, authentication=proof(), at=AT)
    for act in (people.maker, people.fang):
        with pytest.raises(InvalidTransition):
            withdraw_contract(actor=act, contract_id=in_force, reason="no", at=AT)
    assert [state_of(one) for one in (withdrawn, declined, in_force)] == ["withdrawn", "withdrawn", "in_force"]
    with pytest.raises(InvalidTransition):
        people.acknowledge(withdrawn)


# The register


def test_a_changed_file_is_found_by_the_verify_command(people: Cast) -> None:
    contract_id = people.signed()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE contracts_file SET sha256 = %s WHERE contract_id = %s AND kind = 'offered'", ["0" * 64, contract_id]
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert [finding.check for finding in verify_contracts()] == ["contracts.file", "contracts.filed"]


def test_a_signed_file_that_was_not_filed_here_is_not_genuine(people: Cast) -> None:
    contract_id = people.signed()
    _, paper = open_file(actor=people.fang, contract_id=contract_id, at=AT)
    report = verify_file(paper + b"\n")
    assert (report.filed_as, report.is_genuine) == (None, False)
    assert verify_file(b"no pdf").trouble.startswith("The file cannot be read")


def test_what_no_law_keeps_is_erased_and_the_rest_stays(people: Cast) -> None:
    contract_id = people.signed()
    assert erase_contracts(actor=SYSTEM, client_id=people.fang_id, kept=("account",), at=AT) == 0
    assert erase_contracts(actor=SYSTEM, client_id=people.fang_id, kept=(), at=AT) == 1
    with pytest.raises(ContractErased):
        get_contract(people.officer, contract_id, at=AT)
    with pytest.raises(ContractErased):
        open_file(actor=people.officer, contract_id=contract_id, at=AT)
    assert Signature.objects.count() == 1
    assert verify_contracts() == []


def test_a_renewal_amends_a_contract_in_force_of_the_same_client_and_no_other(people: Cast) -> None:
    contract_id = people.signed()
    renewal = renewing(contract_id)
    for actor_id in (people.fang_id, people.outsider_id):
        with (
            pytest.raises(IntegrityError, match="not in force, or not a contract of this client"),
            transaction.atomic(),
        ):
            prepare_contract(
                actor=people.maker, client_id=actor_id, terms=renewal, language=Language.EN, on=ON, at=AT, key="x"
            )
    countersign(actor=people.officer, contract_id=contract_id, authentication=proof(), at=AT)
    amendment = people.signed(renewal)
    assert get_contract(people.officer, contract_id, at=AT).amendments == ()
    countersign(actor=people.officer, contract_id=amendment, authentication=proof(), at=AT)
    assert [one.id for one in get_contract(people.officer, contract_id, at=AT).amendments] == [amendment]
    amended = get_contract(people.fang, amendment, at=AT).amends
    assert amended is not None
    assert amended.id == contract_id
    assert verify_contracts() == []


def test_i67_a_renewal_is_not_signed_before_its_disclosures_were_acknowledged_again(people: Cast) -> None:
    people.signed()
    renewal = people.offer(RENEWED_TERMS)
    with pytest.raises(DisclosuresMissing):
        people.sign(renewal)
    assert state_of(renewal) == ContractState.OFFERED
