"""What the monitoring pages print: facts, parameters and consequences in words."""

from django import template
from django.utils.translation import get_language, gettext_lazy

from reefpoint.decisions.monitoring.types import Parameter, ParameterKind
from reefpoint.surfaces.web.figures import money_text, percent_text, quantity_text

register = template.Library()

WORDS = {
    "test": gettext_lazy("Test"),
    "shadow": gettext_lazy("Shadow"),
    "live": gettext_lazy("Live"),
    "alert": gettext_lazy("Alert"),
    "hold": gettext_lazy("Cash held"),
    "block": gettext_lazy("Payments blocked"),
    "read": gettext_lazy("the text was read"),
    "excerpt": gettext_lazy("an excerpt was read"),
    "unverified": gettext_lazy("not verified"),
    "default": gettext_lazy("our own default"),
    "money": gettext_lazy("money"),
    "count": gettext_lazy("count"),
    "percent": gettext_lazy("percent"),
    "basis_points": gettext_lazy("basis points"),
    "hours": gettext_lazy("hours"),
    "days": gettext_lazy("days"),
    "countries": gettext_lazy("countries"),
    "fires": gettext_lazy("Fires"),
    "below": gettext_lazy("Just below"),
    "outside": gettext_lazy("Just outside the window"),
    "benign": gettext_lazy("Harmless look-alike"),
    "client": gettext_lazy("client"),
    "counterparty": gettext_lazy("counterparty account"),
    "instrument": gettext_lazy("client and security"),
    "device": gettext_lazy("device"),
    "group": gettext_lazy("group"),
    "activity": gettext_lazy("each activity"),
    "deposit": gettext_lazy("Deposit"),
    "withdrawal": gettext_lazy("Withdrawal"),
    "drawdown": gettext_lazy("Drawdown"),
    "repayment": gettext_lazy("Repayment"),
    "securities_in": gettext_lazy("Securities received"),
    "transfer_in": gettext_lazy("Transfer received"),
    "order": gettext_lazy("Order"),
    "buy": gettext_lazy("Purchase"),
    "sell": gettext_lazy("Sale"),
    "session_close": gettext_lazy("Close of a session"),
    "price_fall": gettext_lazy("Fall of a price"),
    "profile_change": gettext_lazy("Changed profile"),
    "bank_change": gettext_lazy("Changed bank account"),
    "contact_change": gettext_lazy("Changed contact"),
    "sign_in": gettext_lazy("Sign-in"),
    "group_change": gettext_lazy("Changed group"),
    "screening_hit": gettext_lazy("Screening hit"),
    "application": gettext_lazy("Application"),
    "payment_request": gettext_lazy("Payment asked for"),
}


@register.filter
def rule_word(key: object) -> str:
    """A mode, consequence, grade, kind or pivot in words."""
    return str(WORDS.get(str(key), key))


@register.filter
def in_words(thing: object, name: str) -> str:
    """A text of a rule or a fact (`title`, `what`) in the reader's language."""
    is_chinese = (get_language() or "").startswith("zh")
    return str(getattr(thing, f"{name}_zh" if is_chinese else name))


@register.filter
def parameter_value(parameter: Parameter) -> str:
    """A parameter's figure with its unit."""
    value = parameter.value
    if isinstance(value, tuple):
        return " ".join(value)
    match parameter.kind:
        case ParameterKind.MONEY:
            return money_text(value)
        case ParameterKind.PERCENT:
            return f"{value}%"
        case ParameterKind.BASIS_POINTS:
            return percent_text(value)
        case ParameterKind.HOURS | ParameterKind.DAYS:
            return f"{quantity_text(value)} {rule_word(parameter.kind)}"
    return quantity_text(value)


@register.filter
def typed_value(parameter: Parameter) -> str:
    """A parameter's figure as it is typed into a form."""
    value = parameter.value
    if isinstance(value, tuple):
        return " ".join(value)
    return money_text(value) if parameter.kind is ParameterKind.MONEY else str(value)


@register.filter
def given_value(given: dict[str, str], parameter: Parameter) -> str:
    """What was typed for a parameter, or its figure before anything was."""
    return given.get(f"p_{parameter.name}", typed_value(parameter)) if given else typed_value(parameter)


@register.filter
def named_client(clients: dict[int, str], client_id: int) -> str:
    """A client's number and name."""
    return clients.get(client_id, str(client_id))
