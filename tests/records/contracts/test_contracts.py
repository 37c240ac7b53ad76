"""A contract from its terms to both signatures: what it takes, what is refused, what is on record."""

from tests.records.contracts.cases import AT, Cast, proof

from reefpoint.records.contracts.selectors import get_contract, verify_contracts, verify_file
from reefpoint.records.contracts.services import countersign, open_file
from reefpoint.records.contracts.types import ContractState, FileKind


def test_a_contract_is_offered_acknowledged_signed_by_both_and_in_force(people: Cast) -> None:
    contract_id = people.signed()
    countersign(actor=people.officer, contract_id=contract_id, authentication=proof(), at=AT)

    held = get_contract(people.fang, contract_id, at=AT)
    assert held.state is ContractState.IN_FORCE
    assert [one.signer_name for one in held.signatures] == ["Wang Fang", "Olga Officer"]
    name, paper = open_file(actor=people.fang, contract_id=contract_id, at=AT)
    assert name == f"{held.number}-in_force.pdf"
    report = verify_file(paper)
    assert report.is_genuine, report
    assert report.filed_as == (held.number, FileKind.IN_FORCE)
    assert [(one.signer_name, one.signed_at) for one in report.signatures] == [("Wang Fang", AT), ("Olga Officer", AT)]
    assert verify_contracts() == []
