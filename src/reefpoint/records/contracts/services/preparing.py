"""Making a contract from its terms, and offering it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.contracts import rules
from reefpoint.records.contracts.adapters.typesetting import layout_hash, typeset
from reefpoint.records.contracts.events import ContractOffered
from reefpoint.records.contracts.models import Contract, Move
from reefpoint.records.contracts.rules.document import build_document
from reefpoint.records.contracts.rules.paper import Parties, find_missing, find_wrong
from reefpoint.records.contracts.rules.templates import JURISDICTIONS
from reefpoint.records.contracts.rules.values import to_json
from reefpoint.records.contracts.selectors import DISCLOSURES, TEMPLATES, paper_instant, paper_of
from reefpoint.records.contracts.services.filing import file_paper, move
from reefpoint.records.contracts.types import ContractState, ContractTerms, FileKind, Language, template_key
from reefpoint.records.parties.rules import local_day
from reefpoint.records.parties.selectors.clients import get_client, require_client, require_open_for_business
from reefpoint.records.parties.services import require_licence
from reefpoint.records.parties.types import Activity

_READER = system_actor("contracts")


class MissingField(Refusal):
    """Terms that lack something that the contract must say. `names` are the fields."""

    code = "contract_field_missing"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            "The contract cannot be made without {names}. Nothing was stored.",
            names=list(names),
        )
        self.names = tuple(names)


class ContractMalformed(Refusal):
    """Terms that do not fit together, or hold characters that hide something."""

    code = "contract_malformed"


class ContractTaken(Refusal):
    """The same key was used for another contract (I41)."""

    code = "contract_key_reused"


@transaction.atomic
def prepare_contract(
    *,
    actor: Actor,
    client_id: int,
    terms: ContractTerms,
    language: Language,
    on: date,
    at: datetime,
    key: str = "",
) -> int:
    """Make the personal contract, dated `on`, with its paper. Returns its id; `offer_contract` shows it to the client.

    The template is the one in force on `on` for the jurisdiction and the kind of paper. The same terms again are the
    same contract while it lives; with a `key`, the same key is the same contract for ever, and other content under it
    raises `ContractTaken`.
    Nothing is stored on `MissingField`, `ContractMalformed`, `Unprintable`, `LicenceRefused`, `ClientNotOpen`.
    """
    require(actor, "contracts.prepare")
    require_client(actor, client_id)
    _check(terms, on)
    licence = require_licence(jurisdiction=terms.jurisdiction, activity=Activity.OFFERING, on=on, at=at)
    require_open_for_business(client_id)
    lock_name(f"contracts:{client_id}")
    client = get_client(_READER, client_id)
    template = use_publication(kind=TEMPLATES[template_key(terms.jurisdiction, terms.paper)], on=on, at=at)
    disclosures = use_publication(kind=DISCLOSURES[terms.jurisdiction], on=on, at=at)
    assert template.id is not None, "what was shipped is on record once it is used"
    parties = Parties(
        lender_name=licence.holder,
        licence_number=licence.number,
        client_name=client.name,
        client_name_zh=client.name_zh,
        client_number=client.number,
    )
    content = {
        "terms": to_json(terms),
        "parties": vars(parties),
        "disclosures": disclosures.content["disclosures"],
        "template": template.id,
        "layout": layout_hash(),
        "language": language.value,
        "dated_on": on.isoformat(),
    }
    digest = rules.content_hash(content)
    held = _find_same(client_id, key, digest)
    if held is not None:
        return held
    row = Contract.objects.create(
        client_id=client_id,
        template_id=template.id,
        key=key,
        jurisdiction=terms.jurisdiction,
        language=language,
        dated_on=on,
        sign_by=terms.sign_by,
        scheme_code=terms.scheme_code,
        currency=terms.currency,
        limit_minor=terms.limit_minor,
        lender_name=licence.holder,
        licence_number=licence.number,
        terms=content,
        terms_hash=digest,
        prepared_at=at,
        prepared_by=actor.ref,
        paper=terms.paper.value,
        amends_id=terms.renewal.amends_id if terms.renewal else None,
    )
    Move.objects.create(contract=row, state=ContractState.DRAFT, at=at, by=actor.ref)
    paper = typeset(_document(row), at=paper_instant(on))
    record(
        actor=actor,
        action="contracts.prepare",
        subject=f"contract:{row.pk}",
        inputs={
            "client_id": client_id,
            "terms_hash": digest,
            "template": template.id,
            "template_version": template.version,
            "language": language.value,
            "key": key,
        },
        at=at,
    )
    file_paper(row, FileKind.OFFERED, paper, actor=actor, at=at)
    return row.pk


def _check(terms: ContractTerms, on: date) -> None:
    missing = find_missing(terms)
    if missing:
        raise MissingField(missing)
    if terms.jurisdiction not in JURISDICTIONS:
        raise ContractMalformed("There are no contracts for {jurisdiction}.", jurisdiction=terms.jurisdiction[:20])
    wrong = find_wrong(terms, on)
    if wrong:
        raise ContractMalformed("{problems}", problems=wrong)
    hidden = {found for text in _texts(to_json(terms)) if (found := find_unsafe(text))}
    if hidden:
        raise ContractMalformed("A text of the terms holds a character that may not come in: {hidden}.", hidden=hidden)


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
        case _:
            return []


def _find_same(client_id: int, key: str, digest: str) -> int | None:
    if key:
        row = Contract.objects.filter(client_id=client_id, key=key).first()
        if row is not None and row.terms_hash != digest:
            raise ContractTaken(
                "The key {key} belongs to contract {number}, whose terms are others. Nothing was stored.",
                key=key,
                number=row.number,
            )
    else:
        row = Contract.objects.filter(
            client_id=client_id, terms_hash=digest, key="", state__in=rules.STATES.live
        ).first()
    return None if row is None else row.pk


def _document(row: Contract) -> Any:
    row.refresh_from_db(fields=["number"])
    try:
        return build_document(paper_of(row))
    except KeyError as lacking:
        raise MissingField([str(lacking.args[0])]) from lacking


@transaction.atomic
def offer_contract(*, actor: Actor, contract_id: int, at: datetime) -> None:
    """Show a contract to its client, who can read, acknowledge and sign it until its last day. Idempotent.

    Raises `LicenceRefused`, `ClientNotOpen`, `ContractMalformed` when its last day of signing has passed.
    """
    require(actor, "contracts.prepare")
    row = Contract.objects.select_for_update().filter(id=contract_id).first()
    if row is None:
        raise ContractMalformed("There is no contract {contract_id}.", contract_id=contract_id)
    require_client(actor, row.client_id)
    if row.state == ContractState.OFFERED:
        return
    on = local_day(row.jurisdiction, at)
    require_licence(jurisdiction=row.jurisdiction, activity=Activity.OFFERING, on=on, at=at)
    require_open_for_business(row.client_id)
    if row.sign_by < on:
        raise ContractMalformed("The last day to sign it was {sign_by}. Prepare another one.", sign_by=row.sign_by)
    move(row, ContractState.OFFERED, actor=actor, at=at)
    record(actor=actor, action="contracts.offer", subject=f"contract:{contract_id}", at=at)
    publish(ContractOffered(contract_id=contract_id, client_id=row.client_id, at=at))
