"""Contracts: read, offered, withdrawn, acknowledged; templates; whether a file is genuine.

Nobody signs by a program: a signature takes a password and a second factor, which a key cannot show.
"""

from typing import Annotated, Any

from django.http import HttpResponse
from ninja import File, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.contracts.rules.values import to_json
from reefpoint.records.contracts.selectors import (
    TEMPLATES,
    VERIFY_BYTES_MAX,
    ContractNotFound,
    find_contracts,
    find_template,
    get_contract,
    list_problems,
    verify_file,
)
from reefpoint.records.contracts.services import acknowledge, offer_contract, open_file, withdraw_contract
from reefpoint.records.contracts.types import ContractRow, ContractState, Language
from reefpoint.surfaces.api.base import Caller, Id, In, Limit, Listed, Offset, SafeText, answers, now, router, today

contracts = router("contracts")
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileTooLarge(Refusal):
    """A file that is not looked at."""

    code = "file_too_large"


class ContractDisclosure(Schema):
    """One disclosure in force, whose `text_hash` goes back with its acknowledgement."""

    id: str
    title: str
    text: str
    text_hash: str
    is_acknowledged: bool


class ContractSignature(Schema):
    """Who signed, and the hash of the file with this signature."""

    role: str
    signer_name: str
    signed_at: str
    methods: list[str]
    certificate_serial: str
    file_hash: str


class ContractOut(Schema):
    """A contract: its terms as data (money in minor units, rates in basis points), and what was done with it."""

    id: int
    number: str
    client_id: int
    state: ContractState
    language: Language
    sign_by: str
    template: str
    terms: dict[str, Any]
    terms_hash: str
    disclosures: list[ContractDisclosure]
    signatures: list[ContractSignature]


class ContractTemplateOut(Schema):
    """The template in force, and what keeps it from being whole."""

    version: int
    is_shipped: bool
    content: dict[str, Any]
    problems: list[str]


class FileReport(Schema):
    """Whether a file is what was signed here. `filed_as` is the contract and the paper with exactly these bytes."""

    is_genuine: bool
    is_signed: bool
    sha256: str
    filed_as: list[str] | None
    signers: list[str]
    trouble: str


class ContractReason(In):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=300)]


class AcknowledgementIn(In):
    """One disclosure in the words that were read."""

    disclosure: Annotated[str, Field(min_length=1, max_length=40)]
    text_hash: Hash


@contracts.get("", response=answers(Listed[ContractRow]))
def list_contracts(
    request: Caller,
    text: SafeText = "",
    state: ContractState | None = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[ContractRow]:
    """Contracts in scope, newest first."""
    found = find_contracts(request.auth, text=text, state=state or "", offset=offset, limit=limit)
    return Listed(count=found.count, items=list(found.rows))


@contracts.get("/templates/{place}", response=answers(ContractTemplateOut))
def read_template(request: Caller, place: SafeText) -> ContractTemplateOut:
    """The template in force in a jurisdiction, such as `US`; of its renewals, such as `US-renewal`."""
    require(request.auth, "contracts.view")
    if place not in TEMPLATES:
        raise ContractNotFound("There are no contracts of this jurisdiction.")
    version, _template = find_template(place, today())
    return ContractTemplateOut(
        version=version.version,
        is_shipped=version.is_shipped,
        content=dict(version.content),
        problems=[one.message for one in list_problems(version.content, place)],
    )


@contracts.post("/verification", response=answers(FileReport))
def verify(request: Caller, file: File[UploadedFile]) -> FileReport:
    """Whether a PDF is what was signed here, byte for byte. The file is not kept."""
    require(request.auth, "contracts.view")
    if (file.size or 0) > VERIFY_BYTES_MAX:
        raise FileTooLarge("The file is larger than 20 MB.")
    report = verify_file(file.read(VERIFY_BYTES_MAX + 1))
    return FileReport(
        is_genuine=report.is_genuine,
        is_signed=report.is_signed,
        sha256=report.sha256,
        filed_as=None if report.filed_as is None else [report.filed_as[0], report.filed_as[1].value],
        signers=[one.signer_name for one in report.signatures],
        trouble=report.trouble,
    )


@contracts.get("/{contract_id}", response=answers(ContractOut))
def read_contract(request: Caller, contract_id: Id) -> ContractOut:
    """One contract, for staff in scope or its client."""
    found = get_contract(request.auth, contract_id, at=now())
    missing = {one.id for one in found.missing_disclosures}
    return ContractOut(
        id=found.id,
        number=found.number,
        client_id=found.client_id,
        state=found.state,
        language=found.language,
        sign_by=found.sign_by.isoformat(),
        template=f"{found.jurisdiction} v{found.template_version}",
        terms=to_json(found.terms),
        terms_hash=found.terms_hash,
        disclosures=[
            ContractDisclosure(
                id=one.id,
                title=one.title[found.language],
                text=one.text[found.language],
                text_hash=one.text_hash,
                is_acknowledged=one.id not in missing,
            )
            for one in found.disclosures
        ],
        signatures=[
            ContractSignature(
                role=one.role.value,
                signer_name=one.signer_name,
                signed_at=one.signed_at.isoformat(),
                methods=list(one.authentication.methods),
                certificate_serial=one.certificate_serial,
                file_hash=one.file_hash,
            )
            for one in found.signatures
        ],
    )


@contracts.get("/{contract_id}/paper", response=answers(bytes))
def read_paper(request: Caller, contract_id: Id) -> HttpResponse:
    """The latest paper as PDF; that it was handed out goes into the audit log."""
    _name, content = open_file(actor=request.auth, contract_id=contract_id, at=now())
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = "attachment"
    return response


@contracts.post("/{contract_id}/offer", response=answers(None, 204))
def offer(request: Caller, contract_id: Id) -> Status[None]:
    """Show a contract to its client. Again is the same."""
    offer_contract(actor=request.auth, contract_id=contract_id, at=now())
    return Status(204, None)


@contracts.post("/{contract_id}/withdrawal", response=answers(None, 204))
def withdraw(request: Caller, contract_id: Id, given: ContractReason) -> Status[None]:
    """Take a contract back, or decline it as its client."""
    withdraw_contract(actor=request.auth, contract_id=contract_id, reason=given.reason, at=now())
    return Status(204, None)


@contracts.post("/{contract_id}/acknowledgements", response=answers(None, 204))
def acknowledge_disclosure(request: Caller, contract_id: Id, given: AcknowledgementIn) -> Status[None]:
    """Record that the client who calls has read one disclosure in these words."""
    acknowledge(
        actor=request.auth,
        contract_id=contract_id,
        disclosure=given.disclosure,
        text_hash=given.text_hash,
        at=now(),
    )
    return Status(204, None)
