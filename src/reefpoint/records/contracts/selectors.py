"""Templates, contracts as their readers may see them, whether a file is genuine, and the proof of it all."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, cast

from django.db.models import QuerySet

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.selectors import load_inputs
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.platform.publications.selectors import get_published, in_force, shipped
from reefpoint.platform.publications.types import Content, PublicationKind, PublicationView
from reefpoint.platform.vault.services import open_many, open_sealed
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.contracts import rules
from reefpoint.records.contracts.adapters.certificates import to_pem
from reefpoint.records.contracts.adapters.shipped import shipped_disclosures, template_source
from reefpoint.records.contracts.adapters.typesetting import typeset
from reefpoint.records.contracts.models import Acknowledgement, Contract, File, Move, Root, Signature
from reefpoint.records.contracts.rules.disclosures import find_disclosure_problems, read_disclosures
from reefpoint.records.contracts.rules.document import build_document, clauses_of
from reefpoint.records.contracts.rules.fields import fields_for
from reefpoint.records.contracts.rules.paper import Paper, Parties
from reefpoint.records.contracts.rules.sample import sample_paper
from reefpoint.records.contracts.rules.templates import (
    JURISDICTIONS,
    UnreadableTemplate,
    clause_list,
    find_problems,
    read_template,
)
from reefpoint.records.contracts.rules.values import from_json
from reefpoint.records.contracts.types import (
    AcknowledgementView,
    Authentication,
    ContractRow,
    ContractState,
    ContractTerms,
    ContractView,
    Disclosure,
    Document,
    FileKind,
    FileView,
    Heading,
    Language,
    MoveView,
    PaperKind,
    SignatureView,
    SignerRole,
    Template,
    TemplateProblem,
    VerificationReport,
    template_key,
)
from reefpoint.records.parties.rules import local_day
from reefpoint.records.parties.selectors.clients import client_texts, find_own_client, visible_clients

VERIFY_BYTES_MAX = 20 * 1024 * 1024
_BATCH = 100


class TemplateRefused(Refusal):
    """A template, or disclosures, that are not whole. `problems` say what is wrong with which clause."""

    code = "template_refused"

    def __init__(self, problems: Sequence[TemplateProblem]) -> None:
        super().__init__(
            "The template is not whole: {problems}",
            problems=[problem.message for problem in problems],
        )
        self.problems = tuple(problems)


class ContractNotFound(NotFound):
    """No contract of this id is the reader's to see (I66)."""


class ContractErased(Refusal):
    """What the contract said was erased when no law kept it any longer."""

    code = "contract_erased"


class NoContractInForce(Refusal):
    """The client has signed no contract that is in force."""

    code = "no_contract_in_force"


# Templates


def _check_template(key: str, jurisdiction: str, content: Content) -> None:
    try:
        template = read_template(content)
    except UnreadableTemplate as problem:
        raise TemplateRefused([TemplateProblem("", "unreadable", str(problem))]) from problem
    problems = find_problems(template, fields_for(key), clause_list(key))
    if template.jurisdiction != jurisdiction:
        problems.append(TemplateProblem("", "jurisdiction", f"This is a template for {template.jurisdiction}."))
    if problems:
        raise TemplateRefused(problems)


def _check_disclosures(content: Content) -> None:
    problems = find_disclosure_problems(content)
    if problems:
        raise TemplateRefused(problems)


DRAFT, PUBLISH = "contracts.draft_template", "contracts.publish_template"


def _template_kind(place: str, paper: PaperKind) -> PublicationKind:
    key = template_key(place, paper)
    return PublicationKind(
        name=f"contracts.template.{place}" if paper is PaperKind.LOAN else f"contracts.renewal.{place}",
        right=DRAFT,
        approval=PUBLISH,
        check=lambda content: _check_template(key, place, content),
        shipped=template_source(key),
    )


TEMPLATES: Mapping[str, PublicationKind] = {
    template_key(place, paper): _template_kind(place, paper) for paper in PaperKind for place in JURISDICTIONS
}
"""By `types.template_key`: of each jurisdiction one for its contracts and one for its renewals."""
DISCLOSURES: Mapping[str, PublicationKind] = {
    place: PublicationKind(
        name=f"contracts.disclosures.{place}",
        right=DRAFT,
        approval=PUBLISH,
        check=_check_disclosures,
        shipped=shipped_disclosures,
    )
    for place in JURISDICTIONS
}


@lru_cache(maxsize=256)
def read_published_template(publication_id: int) -> Template:
    """The template of a publication, read once a process."""
    return read_template(get_published(publication_id).content)


def find_template(key: str, on: date) -> tuple[PublicationView, Template]:
    """The template of a key in force on a day, with its version."""
    version = in_force(TEMPLATES[key], on)
    return version, read_template(version.content)


def find_disclosures(jurisdiction: str, on: date) -> tuple[Disclosure, ...]:
    """What must be acknowledged before a contract is signed on a day."""
    version = in_force(DISCLOSURES[jurisdiction], on)
    return _read_disclosures(version.id, jurisdiction)


@lru_cache(maxsize=64)
def _read_disclosures(publication_id: int | None, jurisdiction: str) -> tuple[Disclosure, ...]:
    kind = DISCLOSURES[jurisdiction]
    return read_disclosures((shipped(kind) if publication_id is None else get_published(publication_id)).content)


def list_problems(content: Content, key: str) -> list[TemplateProblem]:
    """What keeps a template from being published under a key; empty when it is whole."""
    try:
        return find_problems(read_template(content), fields_for(key), clause_list(key))
    except UnreadableTemplate as problem:
        return [TemplateProblem("", "unreadable", str(problem))]


def preview_template(actor: Actor, key: str, content: Content, version: int, language: Language, on: date) -> bytes:
    """A template as it would be printed for a made-up client, as PDF. Raises `TemplateRefused` unless it is whole."""
    require(actor, "contracts.view")
    problems = list_problems(content, key)
    if problems:
        raise TemplateRefused(problems)
    template = read_template(content)
    disclosures = find_disclosures(template.jurisdiction, on)
    paper = sample_paper(template, version, disclosures, language, is_renewal=key != template.jurisdiction)
    return typeset(build_document(paper), at=paper_instant(paper.dated_on))


# Contracts


def find_contracts(
    actor: Actor,
    *,
    text: str = "",
    state: str = "",
    jurisdiction: str = "",
    client_id: int | None = None,
    order: str = "-id",
    offset: int = 0,
    limit: int = 50,
) -> Listing[ContractRow]:
    """One page of the contracts in the reader's scope that match. Two queries.

    Raises `ValueError` for an order that contracts do not have.
    """
    require(actor, "contracts.view")
    if order.lstrip("-") not in CONTRACT_ORDERS:
        raise ValueError(f"contracts have no order {order!r}")
    rows = Contract.objects.select_related("client").defer("terms")
    if not (actor.is_system or actor.sees_all_clients):
        rows = rows.filter(client__in=visible_clients(actor))
    exact = {"state": state, "jurisdiction": jurisdiction, "client_id": client_id}
    rows = rows.filter(holding(text, "number", *client_texts()), **{name: one for name, one in exact.items() if one})
    page = rows.order_by(order, "-id")
    return cut(page, offset=offset, limit=limit, view=each(_row))


CONTRACT_ORDERS = frozenset({"id", "client__name", "state", "limit_minor", "dated_on", "sign_by"})


def list_contracts(actor: Actor, client_id: int) -> list[ContractRow]:
    """A client's contracts, newest first: the client's own without drafts, or for staff in scope all.

    Raises `ContractNotFound` for a client who is not the reader's.
    """
    rows = Contract.objects.filter(client_id=client_id).select_related("client").defer("terms").order_by("-id")
    own = find_own_client(actor)
    if own is not None:
        require(actor, "portal.borrow")
        if own.id != client_id:
            raise ContractNotFound("There is no such client.")
        rows = rows.exclude(state=ContractState.DRAFT).exclude(id__in=_never_offered())
    else:
        require(actor, "contracts.view")
        if not visible_clients(actor).filter(id=client_id).exists():
            raise ContractNotFound("There is no such client.")
    return [_row(row) for row in rows]


def _never_offered() -> QuerySet[Contract, int]:
    """Contracts that ended on the desk, before a client could see them."""
    ended = Contract.objects.filter(state__in=(ContractState.LAPSED, ContractState.WITHDRAWN))
    return ended.exclude(moves__state=ContractState.OFFERED).values_list("id", flat=True)


def find_contract_row(actor: Actor, contract_id: int) -> Contract:
    """The contract if it is the reader's: the client's own once it was offered, or one in the scope of staff.

    For this app alone. Raises `ContractNotFound`.
    """
    rows = Contract.objects.filter(id=contract_id).select_related("client")
    own = find_own_client(actor)
    if own is not None:
        require(actor, "portal.borrow")
        rows = rows.filter(client_id=own.id).exclude(state=ContractState.DRAFT).exclude(id__in=_never_offered())
    else:
        require(actor, "contracts.view")
        if not (actor.is_system or actor.sees_all_clients):
            rows = rows.filter(client__in=visible_clients(actor))
    row = rows.first()
    if row is None:
        raise ContractNotFound("There is no such contract, or it is not yours to see.", contract_id=contract_id)
    return row


def get_contract(actor: Actor, contract_id: int, *, at: datetime) -> ContractView:
    """A contract with everything that was done with it; `at` tells which disclosures are in force.

    After the client has signed, the disclosures are those in force on that day. Raises `ContractNotFound`,
    `ContractErased`.
    """
    row = find_contract_row(actor, contract_id)
    terms = terms_of(row)
    on = row.signed_on or local_day(row.jurisdiction, at)
    return ContractView(
        **vars(_row(row)),
        terms=terms,
        terms_hash=row.terms_hash,
        template_id=row.template_id,
        template_version=get_published(row.template_id).version,
        lender_name=row.lender_name,
        licence_number=row.licence_number,
        prepared_by=row.prepared_by,
        disclosures=find_disclosures(row.jurisdiction, on),
        acknowledgements=tuple(
            AcknowledgementView(one.disclosure, one.text_hash, one.acknowledged_at, one.acknowledged_by, one.address)
            for one in Acknowledgement.objects.filter(contract=row)
        ),
        signatures=tuple(_signature(one) for one in Signature.objects.filter(contract=row).defer("certificate")),
        files=tuple(
            FileView(FileKind(one.kind), one.sha256, one.size_bytes, one.filed_at)
            for one in File.objects.filter(contract=row).defer("blob")
        ),
        moves=tuple(
            MoveView(ContractState(one.state), one.at, one.by, one.reason) for one in Move.objects.filter(contract=row)
        ),
        amends=None if row.amends is None else _row(row.amends),
        amendments=tuple(_row(one) for one in _amendments(row.pk)),
    )


def _amendments(contract_id: int) -> QuerySet[Contract]:
    """The renewals in force that amend a contract, oldest first."""
    rows = Contract.objects.filter(amends_id=contract_id, state=ContractState.IN_FORCE)
    return rows.select_related("client").defer("terms").order_by("id")


def list_amendments(contract_id: int) -> list[ContractRow]:
    """The renewals in force that amend a contract, oldest first: what it says now is what the last of them says."""
    return [_row(one) for one in _amendments(contract_id)]


def states_of(contract_ids: Collection[int]) -> dict[int, ContractState]:
    """Where each of these contracts stands."""
    rows = Contract.objects.filter(id__in=contract_ids).values_list("id", "state")
    return {contract_id: ContractState(state) for contract_id, state in rows}


def find_in_force(contract_id: int) -> ContractRow | None:
    """A contract of this id that both have signed; None for one that never came into force."""
    rows = Contract.objects.filter(id=contract_id, state=ContractState.IN_FORCE).select_related("client")
    row = rows.defer("terms").first()
    return None if row is None else _row(row)


def require_in_force(contract_id: int, client_id: int) -> None:
    """The one gate: raise `NoContractInForce` unless this contract of this client is signed by both."""
    if not Contract.objects.filter(id=contract_id, client_id=client_id, state=ContractState.IN_FORCE).exists():
        raise NoContractInForce(
            "The contract is not in force: both sides must have signed it. Nothing was done.", contract_id=contract_id
        )


def terms_of(row: Contract) -> ContractTerms:
    """The terms as they were agreed. Raises `ContractErased`."""
    if not row.terms:
        raise ContractErased("What contract {number} said was erased.", contract_id=row.pk, number=row.number)
    return from_json(ContractTerms, row.terms["terms"])


def paper_of(row: Contract) -> Paper:
    """All that the contract's document is made from, as stored. Raises `ContractErased`."""
    terms = terms_of(row)
    template = get_published(row.template_id)
    return Paper(
        number=str(row.number),
        dated_on=row.dated_on,
        language=Language(row.language),
        parties=Parties(**row.terms["parties"]),
        terms=terms,
        template=read_published_template(row.template_id),
        template_version=template.version,
        disclosures=tuple(read_disclosures({"disclosures": row.terms["disclosures"]})),
    )


def read_document(actor: Actor, contract_id: int) -> Document:
    """What the contract says, in the order of print. Raises `ContractNotFound`, `ContractErased`."""
    return build_document(paper_of(find_contract_row(actor, contract_id)))


def read_clauses(actor: Actor, contract_id: int) -> tuple[Heading, ...]:
    """The clauses with the client's own figures in them. Raises `ContractNotFound`, `ContractErased`."""
    return clauses_of(paper_of(find_contract_row(actor, contract_id)))


def paper_instant(on: date) -> datetime:
    """The instant that a paper of this date carries: the first of that day, wherever it is made."""
    return datetime.combine(on, time(), UTC)


def file_context(contract_id: int, kind: str) -> str:
    """The place of a filed paper, under which it is sealed."""
    return f"contract:{contract_id}:file:{kind}"


def root_context(serial: str) -> str:
    """The place of the root's key, under which it is sealed."""
    return f"contracts:root:{serial}"


def newest_file(row: Contract) -> tuple[File, bytes]:
    """The latest paper of a contract with its bytes. Raises `ContractErased`, `SealBroken`."""
    file = File.objects.filter(contract=row).order_by("-id").first()
    assert file is not None, "a contract is made with its paper"
    return file, open_file_row(file)


def open_file_row(file: File) -> bytes:
    """The bytes of a filed paper. Raises `ContractErased`, `SealBroken`."""
    if file.blob is None:
        raise ContractErased("This paper was erased.", contract_id=file.contract_id)
    sealed = Sealed(file.key_id, bytes(file.blob))
    return open_sealed(sealed, context=file_context(file.contract_id, file.kind))


# Verification


def root_certificate() -> bytes | None:
    """The desk's root certificate as PEM, for import into a reader of PDF; None before the first signature."""
    root = Root.objects.first()
    return None if root is None else to_pem(bytes(root.certificate))


def verify_file(content: bytes) -> VerificationReport:
    """Whether a file is what was signed here: each signature by itself, and its bytes against the register."""
    from reefpoint.records.contracts.adapters.signing import (  # noqa: PLC0415 - slow to import
        NotReadable,
        check_signatures,
    )

    digest = rules.file_hash(content)
    filed = File.objects.filter(sha256=digest).select_related("contract").defer("blob").first()
    filed_as = None if filed is None else (str(filed.contract.number), FileKind(filed.kind))
    if len(content) > VERIFY_BYTES_MAX:
        return VerificationReport(digest, (), filed_as, "The file is larger than 20 MB.")
    try:
        signatures = check_signatures(content, [bytes(one.certificate) for one in Root.objects.all()])
    except NotReadable as problem:
        return VerificationReport(digest, (), filed_as, f"The file cannot be read as a PDF: {problem}.")
    return VerificationReport(digest, tuple(signatures), filed_as)


_ERASABLE = (Contract, File, Acknowledgement, Signature, Move)


def verify_contracts() -> list[Finding]:
    """Each filed paper has the bytes that were filed and logged, each contract walked its table, each guard stands."""
    findings: list[Finding] = []
    after = 0
    while files := list(File.objects.filter(id__gt=after, blob__isnull=False).order_by("id")[:_BATCH]):
        after = files[-1].pk
        findings += _verify_files(files)
    walks: dict[int, list[ContractState]] = {}
    for contract_id, state in Move.objects.order_by("id").values_list("contract_id", "state").iterator():
        walks.setdefault(contract_id, []).append(ContractState(state))
    for contract_id, state in Contract.objects.order_by("id").values_list("id", "state").iterator():
        walk = walks.get(contract_id, [])
        if walk[:1] != [ContractState.DRAFT] or walk[-1] != state or not rules.STATES.is_walk(walk):
            findings.append(
                Finding("contracts.state", f"contract:{contract_id}", f"it is {state} after {', '.join(walk)}")
            )
    table = Contract._meta.db_table
    return findings + verify_guards(
        (),
        [
            *guards_of(model._meta.db_table for model in _ERASABLE),
            *((table, f"{table}_{name}") for name in ("moves", "made", "amends")),
        ],
    )


def count_erased_contracts() -> int:
    """Contracts whose terms and papers were erased: the proof says so, for their bytes are gone."""
    return Contract.objects.filter(terms={}).count()


def _verify_files(files: Sequence[File]) -> list[Finding]:
    try:
        plains = open_many(
            [
                (Sealed(one.key_id, bytes(cast(bytes, one.blob))), file_context(one.contract_id, one.kind))
                for one in files
            ]
        )
    except Refusal as problem:
        if len(files) > 1:
            return [finding for one in files for finding in _verify_files([one])]
        return [Finding("contracts.file", f"contract:{files[0].contract_id}", problem.message)]
    findings = []
    logged = load_inputs(FILED, [f"contract:{one.contract_id}" for one in files])
    for file, plain in zip(files, plains, strict=True):
        subject = f"contract:{file.contract_id}"
        if rules.file_hash(plain) != file.sha256:
            findings.append(Finding("contracts.file", subject, f"its file {file.kind} is not the one that was filed"))
        if file.sha256 not in [inputs.get("sha256") for inputs in logged.get(subject, ())]:
            findings.append(
                Finding("contracts.filed", subject, f"the audit log knows no file {file.kind} with its hash")
            )
    return findings


FILED = "contracts.file"
"""The audited action under which the hash of each paper stands in the sealed chain."""


def _row(row: Contract) -> ContractRow:
    return ContractRow(
        id=row.pk,
        number=str(row.number),
        client_id=row.client_id,
        client_number=str(row.client.number),
        client_name=row.client.name,
        client_name_zh=row.client.name_zh,
        state=ContractState(row.state),
        jurisdiction=row.jurisdiction,
        scheme_code=row.scheme_code,
        currency=row.currency,
        limit_minor=row.limit_minor,
        language=Language(row.language),
        dated_on=row.dated_on,
        sign_by=row.sign_by,
        prepared_at=row.prepared_at,
        paper=PaperKind(row.paper),
        amends_id=row.amends_id,
    )


def _signature(row: Signature) -> SignatureView:
    proof: Mapping[str, Any] = row.authentication
    return SignatureView(
        role=SignerRole(row.role),
        signer=f"user:{row.user_id}",
        signer_name=row.signer_name,
        signed_at=row.signed_at,
        authentication=Authentication(
            tuple(proof["methods"]), datetime.fromisoformat(proof["at"]), proof["address"], proof["session_hash"]
        ),
        certificate_serial=row.certificate_serial,
        file_hash=row.file_hash,
    )
