"""The proof that profiles are what was recorded, and traits what follows from them."""

from collections.abc import Collection

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.vault.services import digest_many
from reefpoint.records.parties.models import (
    BankAccount,
    Client,
    Consent,
    Document,
    Erasure,
    LegalHold,
    Profile,
    TraitRow,
)
from reefpoint.records.parties.rules import PROFILE_TRAITS, traits_of
from reefpoint.records.parties.selectors.profiles import newest_profiles

VERIFY_BATCH = 500


def count_erased_clients() -> int:
    """Clients whose profiles were erased: the proof says so, for nothing is left to compare digests with."""
    return Client.objects.filter(profiles__erased_at__isnull=False).distinct().count()


def verify_parties() -> list[Finding]:
    """Every profile has the content that was recorded, and the traits that follow from the newest one.

    That sealed rows open at all is proved by `verify_vault`; here their content is compared with its index.
    """
    findings: list[Finding] = []
    after = 0
    while ids := list(
        Profile.objects.filter(client_id__gt=after, erased_at=None)
        .order_by("client_id")
        .values_list("client_id", flat=True)
        .distinct()[:VERIFY_BATCH]
    ):
        after = ids[-1]
        try:
            findings += _verify_profiles(ids)
        except Refusal as problem:
            findings.append(Finding("parties.profile", f"clients:{ids[0]}-{ids[-1]}", problem.message))
    erasures = Erasure._meta.db_table
    guards = guards_of(one._meta.db_table for one in (Profile, BankAccount, Document, Consent, LegalHold))
    return findings + verify_guards([erasures], [*guards, (erasures, f"{erasures}_not_held")])


def _verify_profiles(client_ids: Collection[int]) -> list[Finding]:
    findings = []
    emails = dict(Client.objects.filter(id__in=client_ids).values_list("id", "email"))
    held: dict[int, set[tuple[str, bytes]]] = {client_id: set() for client_id in client_ids}
    rows = TraitRow.objects.filter(client_id__in=client_ids, until=None, kind__in=PROFILE_TRAITS)
    for client_id, kind, index in rows.values_list("client_id", "kind", "digest"):
        held[client_id].add((kind, bytes(index)))
    for row, profile in newest_profiles(client_ids):
        wanted = list(traits_of(profile, emails[row.client_id]))
        indexes = digest_many([(kind.value, text) for kind, text in wanted])
        if held[row.client_id] != {(kind.value, index) for (kind, _), index in zip(wanted, indexes, strict=True)}:
            findings.append(
                Finding("parties.traits", f"client:{row.client_id}", "the traits are not those of the newest profile")
            )
    return findings
