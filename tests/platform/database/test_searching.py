"""What somebody typed into a field of search finds rows, whatever was typed."""

from django.db.models import Q

from reefpoint.platform.database.searching import holding


def test_a_text_is_looked_for_in_every_field_without_what_the_database_cannot_take() -> None:
    assert holding(" A\x00nna ", "number", "name") == Q(number__icontains="Anna") | Q(name__icontains="Anna")


def test_where_nothing_was_typed_every_row_is_found() -> None:
    assert holding(" \x00 ", "number") == Q()
