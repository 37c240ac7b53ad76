"""Words of alerts and cases."""

from django import template
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from reefpoint.decisions.cases.types import CaseRow

register = template.Library()

DISPOSITION_WORDS = {
    "no_suspicion": gettext_lazy("No suspicion"),
    "monitoring": gettext_lazy("Watched more closely"),
    "reported": gettext_lazy("Reported to the authority"),
    "relationship_ended": gettext_lazy("Relationship ended"),
}
ENTRY_WORDS = {
    "opened": gettext_lazy("Case opened"),
    "alert_added": gettext_lazy("Alerts taken in"),
    "client_linked": gettext_lazy("Client linked"),
    "assigned": gettext_lazy("Assigned"),
    "note": gettext_lazy("Note"),
    "document_added": gettext_lazy("Document added"),
    "report_made": gettext_lazy("Report extract made"),
    "proposed": gettext_lazy("Closing proposed"),
    "refused": gettext_lazy("Closing refused"),
    "taken_back": gettext_lazy("Proposal taken back"),
    "closed": gettext_lazy("Closed by a second person"),
}
ACTIVITY_WORDS = {
    "deposit": gettext_lazy("Deposit"),
    "withdrawal": gettext_lazy("Withdrawal"),
    "drawdown": gettext_lazy("Drawdown"),
    "repayment": gettext_lazy("Repayment"),
    "securities_in": gettext_lazy("Securities received"),
    "transfer_in": gettext_lazy("Securities transferred in"),
    "order": gettext_lazy("Order"),
    "buy": gettext_lazy("Bought"),
    "sell": gettext_lazy("Sold"),
    "session_close": gettext_lazy("End of a session"),
    "price_fall": gettext_lazy("Fall of a price"),
    "profile_change": gettext_lazy("Profile changed"),
    "bank_change": gettext_lazy("Bank account changed"),
    "contact_change": gettext_lazy("Contact changed"),
    "sign_in": gettext_lazy("Sign-in"),
    "group_change": gettext_lazy("Group changed"),
    "screening_hit": gettext_lazy("Screening hit"),
    "application": gettext_lazy("Application"),
}


@register.filter
def disposition_word(value: object) -> str:
    """What a case came to, in words."""
    return str(DISPOSITION_WORDS.get(str(value), value or "–"))


@register.filter
def entry_word(value: object) -> str:
    """What happened on a case, in words."""
    return str(ENTRY_WORDS.get(str(value), value))


@register.filter
def activity_word(value: object) -> str:
    """What a client did, in words."""
    return str(ACTIVITY_WORDS.get(str(value), value))


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


@register.filter
def rule_title(row: object) -> str:
    """A rule's title in the reader's language."""
    return str(getattr(row, "rule_title_zh" if _is_chinese() else "rule_title"))


@register.filter
def rule_what(explained: object) -> str:
    """What a rule looks for, in the reader's language."""
    return str(getattr(explained, "what_zh" if _is_chinese() else "what"))


@register.filter
def case_clients(row: CaseRow) -> str:
    """Whom a case is about, in the reader's language; of many, the first two."""
    names = [chinese if chinese and _is_chinese() else name for name, chinese in row.client_names]
    if len(names) > 2:
        return _("%(names)s and %(count)s more") % {"names": ", ".join(names[:2]), "count": len(names) - 2}
    return ", ".join(names)
