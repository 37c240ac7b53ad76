"""What is done on cases: `work` from opening to closing, `reports` for what goes to the authority."""

from reefpoint.decisions.cases.services.reports import make_report, open_report
from reefpoint.decisions.cases.services.work import (
    add_alerts,
    add_document,
    add_note,
    assign_case,
    link_client,
    open_case,
    open_document,
    propose_disposition,
    settle_decision,
)

__all__ = [
    "add_alerts",
    "add_document",
    "add_note",
    "assign_case",
    "link_client",
    "make_report",
    "open_case",
    "open_document",
    "open_report",
    "propose_disposition",
    "settle_decision",
]
