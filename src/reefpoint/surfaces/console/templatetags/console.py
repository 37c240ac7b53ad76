"""What only the console prints: subjects as links, payloads as they were shown."""

from collections.abc import Mapping, Sequence

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

PAGES = {
    "account": "console:account",
    "approval": "console:approval",
    "call": "console:call",
    "client": "console:client",
    "liquidation": "console:liquidation",
    "scheme": "console:scheme",
}


@register.filter
def subject(name: str) -> SafeString | str:
    """A subject such as `account:17` as a link to its page, where it has one."""
    kind, _, key = name.partition(":")
    if kind not in PAGES or not key.isdigit():
        return name
    try:
        return format_html('<a href="{}">{}</a>', reverse(PAGES[kind], args=[int(key)]), name)
    except NoReverseMatch:
        return name


@register.filter
def payload(value: object) -> SafeString:
    """A payload in full: maps as terms with their values, lists in order, nothing rounded or left out."""
    if isinstance(value, Mapping):
        rows = ((key, payload(held)) for key, held in value.items())
        return format_html('<dl class="payload-map">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = format_html_join("", "<li>{}</li>", ((payload(held),) for held in value))
        return format_html('<ol class="payload-list">{}</ol>', items)
    return format_html("{}", {True: "true", False: "false", None: "null"}.get(value, value))  # type: ignore[call-overload]
