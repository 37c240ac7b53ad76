"""How long which law keeps what of a client, and whose time has run out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from reefpoint.flows.origination.selectors.leads import idle_leads, idle_prospects
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.months import months_after
from reefpoint.platform.basics.personal_data import INVENTORY, DataCategory, is_kept
from reefpoint.records.accounts.selectors.accounts import account_ids_of_clients, load_accounts
from reefpoint.records.parties.rules import kept_until, retentions
from reefpoint.records.parties.selectors.data_rights import load_retention_facts
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.parties.types import Retention, RetentionFacts, RetentionRule
from reefpoint.records.products.selectors import get_terms, list_rule_packs
from reefpoint.records.products.types import Pack

RETENTION: dict[str, tuple[DataCategory, ...]] = {
    "us.records.core": (DataCategory.ACCOUNT, DataCategory.IDENTITY),
    "us.records.bsa": (DataCategory.IDENTITY, DataCategory.DILIGENCE),
    "us.records.regb": (DataCategory.APPLICATION,),
    "hk.records.kor": (DataCategory.ACCOUNT,),
    "hk.aml.records": (DataCategory.ACCOUNT, DataCategory.IDENTITY, DataCategory.DILIGENCE),
    "cn.aml.record_years": (DataCategory.ACCOUNT, DataCategory.IDENTITY, DataCategory.DILIGENCE),
    "cn.records.securities_company": (DataCategory.ACCOUNT, DataCategory.IDENTITY, DataCategory.DILIGENCE),
}
"""Which rules of the packs keep which class of record."""

GRACE_DAYS = 90
"""Default of the house: nobody is proposed for erasure before so many days have passed since they left."""

LEAD_MONTHS = 24
"""Default of the house: how long somebody who asked and never applied is kept after the last touch, unless a rule on
applications that is loaded keeps longer."""

PROSPECT_MONTHS = 12
"""Default of the house: after so long without a touch a prospect is closed, and kept from then on as who left."""

SWEEP_CLIENTS_MAX = 100
"""So many clients are erased on one approval; a second person can read that many."""

_MONTHS = {"years": 12, "months": 1}
_CHUNK = 500


@dataclass(frozen=True)
class RunOut:
    """A client of whom something has run out: what goes now, and what stays until when.

    `tables` are those of the inventory that an erasure would take now.
    """

    client_id: int
    number: str
    name: str
    closed_on: date | None
    goes: tuple[DataCategory, ...]
    kept: Mapping[DataCategory, date]
    tables: tuple[str, ...]
    is_held: bool


def plan_retention(client_id: int, on: date) -> dict[DataCategory, Retention]:
    """What the laws of this client's jurisdictions say of each category of data, with the longest one's last day.

    The jurisdictions are those under whose rules the accounts stand and that of residence; without any, all that are
    loaded on this desk. Raises `NotFound`.
    """
    facts = load_retention_facts([client_id])
    if not facts:
        raise NotFound("There is no such client.", client_id=client_id)
    return plan_retentions(facts, on)[client_id]


def plan_retentions(facts: Collection[RetentionFacts], on: date) -> dict[int, dict[DataCategory, Retention]]:
    """The same for many clients, in as many queries as for one."""
    ids = [one.client_id for one in facts]
    found: dict[int, set[str]] = defaultdict(set)
    for account in load_accounts(account_ids_of_clients(ids)):
        found[account.client_id].add(get_terms(account.scheme_version_id).rule_pack)
    for client_id, profile in load_profiles(ids).items():
        found[client_id].add(profile.residence)
    packs = {pack.jurisdiction: pack for pack in list_rule_packs()}
    rules = {jurisdiction: list(_retention_rules(pack, on)) for jurisdiction, pack in packs.items()}
    plans = {}
    for one in facts:
        wanted = found[one.client_id] & packs.keys() or packs.keys()
        plans[one.client_id] = retentions(
            [rule for jurisdiction in sorted(wanted) for rule in rules[jurisdiction]],
            ended_on=(one.closed_on or on) if one.accepted_on else None,
            decided_on=one.closed_on or on,
        )
    return plans


def list_retention_rules(on: date) -> list[RetentionRule]:
    """Every rule of the loaded packs that keeps personal data, by jurisdiction."""
    packs = sorted(list_rule_packs(), key=lambda pack: pack.jurisdiction)
    return [rule for pack in packs for rule in _retention_rules(pack, on)]


def _retention_rules(pack: Pack, on: date) -> Iterable[RetentionRule]:
    for rule in pack.in_force(on):
        for category in RETENTION.get(rule.id, ()):
            yield RetentionRule(
                id=rule.id,
                jurisdiction=pack.jurisdiction,
                category=category,
                months=int(cast(int, rule.value)) * _MONTHS[rule.unit],
                source=f"{rule.source} {rule.article}".strip(),
                evidence=rule.evidence,
            )


@dataclass(frozen=True)
class Silence:
    """Who asked and never went on: how long each is kept, and how many the next night takes."""

    lead_months: int
    lead_rule: str
    prospect_months: int
    leads_before: date
    prospects_before: date
    leads_due: int
    prospects_due: int


def read_silence(actor: Actor, on: date) -> Silence:
    """How long leads and prospects are kept, and of how many that time is over."""
    require(actor, "clients.erase")
    return find_silence(on)


def find_silence(on: date) -> Silence:
    """The same for the program: the longest rule on applications of all loaded packs, or the house's own period."""
    keeping = [rule for rule in list_retention_rules(on) if rule.category is DataCategory.APPLICATION]
    longest = max(keeping, key=lambda rule: (rule.months, rule.id), default=None)
    is_law = longest is not None and longest.months >= LEAD_MONTHS
    months = longest.months if longest is not None and is_law else LEAD_MONTHS
    leads_before, prospects_before = months_after(on, -months), months_after(on, -PROSPECT_MONTHS)
    return Silence(
        lead_months=months,
        lead_rule=longest.id if longest is not None and is_law else "",
        prospect_months=PROSPECT_MONTHS,
        leads_before=leads_before,
        prospects_before=prospects_before,
        leads_due=idle_leads(leads_before).count(),
        prospects_due=idle_prospects(prospects_before).count(),
    )


def kept_days(found: Mapping[DataCategory, Retention], on: date) -> dict[DataCategory, date]:
    """The categories that a law still keeps on a day, with the last day of each."""
    days = {category: kept_until(found, [category], on) for category in DataCategory}
    return {category: day for category, day in days.items() if day is not None}


def find_run_out(actor: Actor, on: date, *, limit: int = SWEEP_CLIENTS_MAX) -> list[RunOut]:
    """Clients who left and of whom some class of record is kept by no law any more, first those who left first.

    This is the dry run: it says what an erasure would take and changes nothing. Who is under a legal hold is told too.
    """
    require(actor, "clients.erase")
    facts = load_retention_facts(closed_by=on - timedelta(days=GRACE_DAYS))
    found: list[RunOut] = []
    for start in range(0, len(facts), _CHUNK):
        found += run_out(facts[start : start + _CHUNK], on)
        if len(found) >= limit:
            break
    return found[:limit]


def run_out(facts: Collection[RetentionFacts], on: date) -> list[RunOut]:
    """What has run out of these clients; nobody of whom an erasure would take nothing."""
    plans = plan_retentions(facts, on)
    found = []
    for one in facts:
        kept = kept_days(plans[one.client_id], on)
        before = frozenset(DataCategory) if one.left is None else one.left
        tables = tuple(label for label in INVENTORY if is_kept(label, before) and not is_kept(label, kept))
        # devices, network addresses and other documents go with the first erasure, whatever is kept
        if tables or one.left is None:
            found.append(
                RunOut(
                    client_id=one.client_id,
                    number=one.number,
                    name=one.name,
                    closed_on=one.closed_on,
                    goes=tuple(sorted(before - kept.keys())),
                    kept=kept,
                    tables=tables,
                    is_held=one.is_held,
                )
            )
    return found
