"""What a bureau report must be to be taken, and how it is sealed."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.imports.types import ImportColumn, Row, RowProblem

_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?", re.ASCII)

WHOLE = (
    "score",
    "open_accounts",
    "delinquencies_24m",
    "worst_days_late_24m",
    "enquiries_6m",
    "oldest_account_months",
    "public_records",
)
"""Columns of whole numbers. An empty cell is not reported, and not zero."""

COLUMNS = (
    ImportColumn("client_number", is_required=True, chars_max=24),
    ImportColumn("report_on", is_required=True, chars_max=10),
    ImportColumn("bureau", is_required=True, chars_max=40),
    ImportColumn("reference", is_required=True, chars_max=60),
    *(ImportColumn(name, chars_max=9) for name in WHOLE),
    ImportColumn("utilisation_pct", chars_max=6),
    ImportColumn("total_debt", chars_max=20),
    ImportColumn("currency", chars_max=3),
)


def context(client_id: int, place: uuid.UUID) -> str:
    """The place of a report, under which it is sealed."""
    return f"client:{client_id}:bureau:{place}"


def check_row(row: Row) -> list[RowProblem]:
    """What is wrong with a row of a file of reports."""
    problems = [RowProblem("not_a_number", name) for name in WHOLE if row.get(name) and not _WHOLE.fullmatch(row[name])]
    if not _is_day(row["report_on"]):
        problems.append(RowProblem("not_a_date", "report_on"))
    if (share := row.get("utilisation_pct", "")) and not _PERCENT.fullmatch(share):
        problems.append(RowProblem("not_a_number", "utilisation_pct"))
    if (debt := row.get("total_debt", "")) and not _AMOUNT.fullmatch(debt):
        problems.append(RowProblem("not_an_amount", "total_debt"))
    if debt and row.get("currency", "") not in MINOR_DIGITS:
        problems.append(RowProblem("not_an_option", "currency"))
    return problems


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def values_of(row: Row) -> dict[str, Any]:
    """The figures of a checked row; what is not reported is None. Shares in basis points, amounts in minor units."""
    values: dict[str, Any] = {name: int(row[name]) if row.get(name) else None for name in WHOLE}
    share, debt, currency = row.get("utilisation_pct"), row.get("total_debt"), row.get("currency") or None
    values["utilisation"] = _scaled(share, 2) if share else None
    values["total_debt"] = _scaled(debt, MINOR_DIGITS[currency]) if debt and currency else None
    values["currency"] = currency
    return values


def _scaled(text: str, digits: int) -> int:
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(2, "0")[:2]) if digits == 2 else int(whole)


def values_to_bytes(values: Mapping[str, Any]) -> bytes:
    """The figures as they are sealed."""
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":")).encode()


def values_from_bytes(plain: bytes) -> dict[str, Any]:
    """The figures as they were sealed."""
    found: dict[str, Any] = json.loads(plain)
    return found
