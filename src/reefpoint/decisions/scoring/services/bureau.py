"""Files of bureau reports: one row a client, its figures sealed.

A report is taken only of a client whose consent to a credit check is in force; a bureau's reference is taken once.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

from reefpoint.decisions.scoring.models import BureauReport
from reefpoint.decisions.scoring.rules import bureau
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.imports.types import BatchFacts, ImportKind, NumberedRow, RowProblem
from reefpoint.platform.vault.services import seal_many
from reefpoint.records.parties.selectors.clients import find_client_ids
from reefpoint.records.parties.selectors.consents import load_consenting
from reefpoint.records.parties.types import ConsentPurpose


def take_reports(actor: Actor, facts: BatchFacts, rows: Sequence[NumberedRow]) -> Mapping[int, RowProblem]:
    """Keep a batch of reports; refused are those of strangers, without consent, of the future, or taken before."""
    found = find_client_ids(actor, [one.row["client_number"] for one in rows])
    consenting = load_consenting(found.values(), ConsentPurpose.CREDIT_CHECK)
    references = [one.row["reference"] for one in rows]
    known = set(BureauReport.objects.filter(reference__in=references).values_list("bureau", "reference"))
    refused: dict[int, RowProblem] = {}
    taken: list[tuple[int, NumberedRow]] = []
    for one in rows:
        client_id = found.get(one.row["client_number"])
        key = (one.row["bureau"], one.row["reference"])
        if client_id is None:
            refused[one.line] = RowProblem("unknown_client", "client_number")
        elif client_id not in consenting:
            refused[one.line] = RowProblem("no_consent", "client_number")
        elif date.fromisoformat(one.row["report_on"]) > facts.on:
            refused[one.line] = RowProblem("in_future", "report_on")
        elif key in known:
            refused[one.line] = RowProblem("taken_before", "reference")
        else:
            known.add(key)
            taken.append((client_id, one))
    places = [uuid.uuid4() for _ in taken]
    sealed = seal_many(
        [
            (bureau.values_to_bytes(bureau.values_of(one.row)), bureau.context(client_id, place))
            for (client_id, one), place in zip(taken, places, strict=True)
        ]
    )
    BureauReport.objects.bulk_create(
        BureauReport(
            client_id=client_id,
            place=place,
            key_id=blob.key_id,
            blob=blob.blob,
            bureau=one.row["bureau"],
            reference=one.row["reference"],
            report_on=date.fromisoformat(one.row["report_on"]),
            received_at=facts.at,
            import_id=facts.import_id,
        )
        for (client_id, one), place, blob in zip(taken, places, sealed, strict=True)
    )
    return refused


BUREAU_REPORTS = ImportKind(
    name="bureau_reports",
    right="scoring.import_bureau",
    columns=bureau.COLUMNS,
    check=bureau.check_row,
    take=take_reports,
)
