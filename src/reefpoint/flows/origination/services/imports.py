"""Files of leads and of clients.

A file brings neither documents nor declarations nor a questionnaire. So an imported client is a prospect with an
application that was begun and filled from the row: nobody becomes a client by import, and each is screened, assessed
and decided upon as anybody else once the application is completed and handed in.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from reefpoint.flows.origination.models import Application, SectionDraft, Step
from reefpoint.flows.origination.rules.answers import check_section, clean_section
from reefpoint.flows.origination.rules.leads import EMAIL, LANGUAGES, check_lead, plain_email
from reefpoint.flows.origination.selectors.applications import section_context
from reefpoint.flows.origination.services.leads import add_leads
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.leads import LeadChannel, LeadDraft
from reefpoint.flows.origination.types.questions import Plain, Section, SectionData
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.database.bulk import insert_columns, next_ids
from reefpoint.platform.imports.types import BatchFacts, ImportColumn, ImportKind, NumberedRow, Row, RowProblem
from reefpoint.platform.vault.services import seal_many
from reefpoint.records.parties.selectors.clients import find_taken_emails
from reefpoint.records.parties.services import begin_prospects
from reefpoint.records.parties.types import ClientDraft, ClientKind

_PLAIN_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?")
_YES = frozenset({"yes", "y", "true", "1", "是"})
_NO = frozenset({"", "no", "n", "false", "0", "否"})
_KINDS = frozenset(kind.value for kind in ClientKind)


def _amount(text: str) -> int | None:
    """Minor units of an amount such as 50000 or 50000.00; None for anything else."""
    return int(Decimal(text).scaleb(2)) if _PLAIN_AMOUNT.fullmatch(text) else None


# Leads


def check_lead_row(row: Row) -> list[RowProblem]:
    """What is wrong with a row of a file of leads."""
    problems = []
    if row.get("kind", "") not in _KINDS | {""}:
        problems.append(RowProblem("not_an_option", "kind"))
    if (loan := row.get("loan_wanted", "")) and not _amount(loan):
        problems.append(RowProblem("not_an_amount", "loan_wanted"))
    if row.get("may_contact", "").casefold() not in _YES | _NO:
        problems.append(RowProblem("not_yes_or_no", "may_contact"))
    if problems:
        return problems
    return [RowProblem(problem.code.value, problem.field) for problem in check_lead(_lead_of(row))]


def _lead_of(row: Row) -> LeadDraft:
    loan = row.get("loan_wanted", "")
    return LeadDraft(
        name=row["name"],
        channel=LeadChannel.IMPORT,
        kind=ClientKind(row.get("kind") or ClientKind.INDIVIDUAL),
        name_zh=row.get("name_zh", ""),
        email=row.get("email", ""),
        phone=row.get("phone", ""),
        language=row.get("language") or "en",
        country=row.get("country", "").upper(),
        source=row.get("source", ""),
        loan_wanted_minor=_amount(loan) if loan else None,
        note=row.get("note", ""),
        may_contact=row.get("may_contact", "").casefold() in _YES,
    )


def take_leads(actor: Actor, facts: BatchFacts, rows: Sequence[NumberedRow]) -> Mapping[int, RowProblem]:
    """Keep a batch of leads. Those that look like others are listed for a person and are no reason to refuse."""
    add_leads(actor=actor, drafts=[_lead_of(one.row) for one in rows], at=facts.at, import_id=facts.import_id)
    return {}


LEADS = ImportKind(
    name="leads",
    right="leads.import",
    columns=(
        ImportColumn("name", is_required=True),
        ImportColumn("name_zh"),
        ImportColumn("email", chars_max=254),
        ImportColumn("phone", chars_max=40),
        ImportColumn("kind", chars_max=12),
        ImportColumn("language", chars_max=10),
        ImportColumn("country", chars_max=2),
        ImportColumn("source", chars_max=120),
        ImportColumn("loan_wanted", chars_max=20),
        ImportColumn("note", chars_max=2000),
        ImportColumn("may_contact", chars_max=5),
    ),
    check=check_lead_row,
    take=take_leads,
)

# Clients

_AMOUNTS = {
    "annual_income": "annual_income_minor",
    "liquid_assets": "liquid_assets_minor",
    "net_worth": "net_worth_minor",
}
_IDENTITY = ("name", "name_zh", "birth_or_incorporated_on", "nationality", "residence", "address", "phone")
_WEALTH = ("currency", "occupation", "employer_or_industry")


def check_client_row(row: Row) -> list[RowProblem]:
    """What is wrong with a row of a file of clients."""
    problems = [RowProblem("not_an_amount", name) for name in _AMOUNTS if row.get(name) and _amount(row[name]) is None]
    if row["kind"] not in _KINDS:
        problems.append(RowProblem("not_an_option", "kind"))
    if not EMAIL.fullmatch(plain_email(row["email"])):
        problems.append(RowProblem("not_an_email", "email"))
    if (row.get("language") or "en") not in LANGUAGES:
        problems.append(RowProblem("not_an_option", "language"))
    if problems:
        return problems
    kind = ClientKind(row["kind"])
    return [
        RowProblem(problem.code.value, _column_of(problem.field))
        for section, data in _sections_of(row, kind).items()
        for problem in check_section(section, data, kind, is_final=False)
    ]


def _column_of(field: str) -> str:
    return field.replace("identifiers.0.", "identifier_").removesuffix("_minor")


def _sections_of(row: Row, kind: ClientKind) -> dict[Section, SectionData]:
    identity: SectionData = {name: row.get(name, "") for name in _IDENTITY}
    if row.get("identifier_number"):
        identity["identifiers"] = [
            {
                "kind": row.get("identifier_kind", ""),
                "number": row["identifier_number"],
                "country": row.get("identifier_country", ""),
            }
        ]
    wealth: SectionData = {name: row.get(name, "") for name in _WEALTH}
    wealth |= {field: _amount(row[name]) for name, field in _AMOUNTS.items() if row.get(name)}
    if kind is not ClientKind.INDIVIDUAL and not wealth["occupation"]:
        del wealth["occupation"]
    return {Section.IDENTITY: identity, Section.WEALTH: wealth}


def take_clients(actor: Actor, facts: BatchFacts, rows: Sequence[NumberedRow]) -> Mapping[int, RowProblem]:
    """Put a batch of clients on record as prospects with applications begun; an address that is taken is refused."""
    emails = {one.line: plain_email(one.row["email"]) for one in rows}
    taken = find_taken_emails(emails.values())
    refused = {line: RowProblem("email_taken", "email") for line, email in emails.items() if email in taken}
    seen: Counter[str] = Counter()
    for line, email in emails.items():
        seen[email] += 1
        if seen[email] > 1 and line not in refused:
            refused[line] = RowProblem("email_twice", "email")
    kept = [one.row for one in rows if one.line not in refused]
    drafts = [
        ClientDraft(
            name=row["name"],
            name_zh=row.get("name_zh", ""),
            email=plain_email(row["email"]),
            kind=ClientKind(row["kind"]),
            language=row.get("language") or "en",
        )
        for row in kept
    ]
    client_ids = begin_prospects(
        actor=actor, drafts=drafts, source=f"import:{facts.import_id}", on=facts.on, at=facts.at
    )
    _begin_all(actor, facts, client_ids, kept)
    return refused


def _begin_all(actor: Actor, facts: BatchFacts, client_ids: Sequence[int], rows: Sequence[Row]) -> None:
    ids = next_ids(Application._meta.db_table, len(rows))
    begun = (facts.at, facts.at, 0, "", "")
    insert_columns(
        Application._meta.db_table,
        {
            "id": "bigint",
            "client_id": "bigint",
            "kind": "text",
            "channel": "text",
            "state": "text",
            "begun_at": "timestamptz",
            "waits_since": "timestamptz",
            "submissions": "integer",
            "officer": "text",
            "officer_name": "text",
        },
        [
            (one, client_id, row["kind"], LeadChannel.IMPORT.value, ApplicationState.DRAFT.value, *begun)
            for one, client_id, row in zip(ids, client_ids, rows, strict=True)
        ],
    )
    _keep_sections(actor, facts, ids, rows)
    insert_columns(
        Step._meta.db_table,
        {
            "application_id": "bigint",
            "at": "timestamptz",
            "actor": "text",
            "actor_name": "text",
            "action": "text",
            "state": "text",
            "words": "text",
        },
        [
            (one, facts.at, actor.ref, actor.name, "begin", ApplicationState.DRAFT.value, f"import:{facts.import_id}")
            for one in ids
        ],
    )


def _keep_sections(actor: Actor, facts: BatchFacts, ids: Sequence[int], rows: Sequence[Row]) -> None:
    written: list[tuple[int, Section, SectionData]] = []
    for application_id, row in zip(ids, rows, strict=True):
        kind = ClientKind(row["kind"])
        for section, data in _sections_of(row, kind).items():
            if kept := clean_section(section, data, kind):
                written.append((application_id, section, kept))
    sealed = seal_many([(_plain(kept), section_context(one, section.value)) for one, section, kept in written])
    insert_columns(
        SectionDraft._meta.db_table,
        {
            "application_id": "bigint",
            "section": "text",
            "key_id": "bigint",
            "blob": "bytea",
            "saved_at": "timestamptz",
            "saved_by": "text",
        },
        [
            (one, section.value, value.key_id, f"\\x{value.blob.hex()}", facts.at, actor.ref)
            for (one, section, _), value in zip(written, sealed, strict=True)
        ],
    )


def _plain(data: Mapping[str, Plain]) -> bytes:
    return json.dumps(data, ensure_ascii=False, sort_keys=True).encode()


CLIENTS = ImportKind(
    name="clients",
    right="clients.import",
    columns=(
        ImportColumn("name", is_required=True),
        ImportColumn("name_zh"),
        ImportColumn("kind", is_required=True, chars_max=12),
        ImportColumn("email", is_required=True, chars_max=254),
        ImportColumn("language", chars_max=10),
        ImportColumn("birth_or_incorporated_on", chars_max=10),
        ImportColumn("nationality", chars_max=2),
        ImportColumn("residence", chars_max=2),
        ImportColumn("address", chars_max=300),
        ImportColumn("phone", chars_max=40),
        ImportColumn("identifier_kind", chars_max=10),
        ImportColumn("identifier_number", chars_max=60),
        ImportColumn("identifier_country", chars_max=2),
        ImportColumn("currency", chars_max=3),
        ImportColumn("annual_income", chars_max=20),
        ImportColumn("liquid_assets", chars_max=20),
        ImportColumn("net_worth", chars_max=20),
        ImportColumn("occupation"),
        ImportColumn("employer_or_industry"),
    ),
    check=check_client_row,
    take=take_clients,
)
