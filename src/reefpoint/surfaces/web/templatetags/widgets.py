"""The table widget's cells."""

from collections.abc import Callable
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reefpoint.surfaces.web.tables import Column, Table
from reefpoint.surfaces.web.templatetags import figures

register = template.Library()

PRINTED: dict[str, Callable[[Any], SafeString | str]] = {
    "money": figures.money,
    "quantity": figures.quantity,
    "price": figures.price,
    "percent": figures.percent,
    "day": figures.day,
    "instant": figures.instant,
    "band": figures.band,
    "state": figures.state,
}


def printed(column: Column, value: Any) -> SafeString | str:
    """A value as its column prints it."""
    if column.kind in PRINTED:
        return PRINTED[column.kind](value)
    if value in (None, ""):
        return "–"
    if column.kind == "told":
        return figures.told(str(value))
    return format_html("<code>{}</code>", value) if column.kind == "code" else str(value)


@register.simple_tag(takes_context=True)
def cell(context: template.Context, column: Column, row: Any) -> SafeString | str:
    """One cell of one row."""
    if column.kind == "custom":
        return SafeString(render_to_string(column.template, {"row": row, "column": column}))
    value = getattr(row, column.key)
    is_money = column.kind == "money"
    words = figures.money(value, str(getattr(row, "currency", ""))) if is_money else printed(column, value)
    return format_html('<a href="{}">{}</a>', column.link(row), words) if column.link else words


@register.simple_tag
def row_id(table: Table, row: Any) -> str:
    """A stable id for a row, so that a refresh changes it in place."""
    return table.row_id(row) if table.row_id else ""


@register.simple_tag
def total(sums: dict[str, int], column: Column) -> SafeString | str:
    """The sum of a column over everything that is filtered."""
    return printed(column, sums[column.key]) if column.key in sums else ""


AUTOCOMPLETE = {"name": "name", "phone": "tel", "address": "street-address", "birth_or_incorporated_on": "bday"}


@register.filter
def autocomplete_of(path: str) -> str:
    """What a browser may fill in by itself; nothing for most."""
    return AUTOCOMPLETE.get(path, "off")
