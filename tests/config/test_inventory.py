"""The inventory of personal data names every table and every free field: a new one without a class fails here."""

from django.apps import apps
from django.db import models

from reefpoint.platform.basics.personal_data import CODES, INVENTORY, NOTHING_PERSONAL, STAYS, Held

FREE = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.GenericIPAddressField)
MODELS = {one._meta.label: one for one in apps.get_models() if one.__module__.startswith("reefpoint.")}


def unnamed_fields(model: type[models.Model], held: Held) -> set[str]:
    """Fields that can hold words and that neither an erasure blanks nor the inventory explains."""
    free = {field.name for field in model._meta.concrete_fields if isinstance(field, FREE) and not field.choices}
    return set() if held.is_deleted else free - held.blank.keys() - held.stays.keys() - CODES


def reaches_a_client(model: type[models.Model]) -> bool:
    return any(field.name in {"client", "client_id"} for field in model._meta.concrete_fields)


def test_every_table_has_its_class_and_every_free_field_its_fate() -> None:
    assert MODELS.keys() == INVENTORY.keys() | STAYS.keys() | NOTHING_PERSONAL
    assert not INVENTORY.keys() & STAYS.keys()
    assert not NOTHING_PERSONAL & (INVENTORY.keys() | STAYS.keys())
    assert {label: gone for label, held in INVENTORY.items() if (gone := unnamed_fields(MODELS[label], held))} == {}


def test_a_new_free_field_on_a_client_would_be_found() -> None:
    held = Held(INVENTORY["credit.CreditDecision"].kept_as, blank={"inputs": {}, "answer": ""})
    assert unnamed_fields(MODELS["credit.CreditDecision"], held) == {"proposal", "closing_note"}


def test_a_table_with_words_about_a_client_is_never_said_to_hold_nothing() -> None:
    wordy = {
        label
        for label in NOTHING_PERSONAL
        if reaches_a_client(MODELS[label]) and unnamed_fields(MODELS[label], Held(()))
    }
    assert wordy == set()
