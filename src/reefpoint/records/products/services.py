"""Loading rule packs, drafting scheme versions and publishing them."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.products.adapters.packs import RulePackNotFound, read_pack_file
from reefpoint.records.products.models import RulePack, Scheme, SchemeVersion
from reefpoint.records.products.rules import pack_to_json, terms_to_json
from reefpoint.records.products.types import Problem, SchemeDraft


class RulePackConflict(Refusal):
    """This version of the rule pack was loaded before with other rules."""

    code = "rule_pack_conflict"


class TermsRefused(Refusal):
    """Terms that contradict themselves or break a rule of their jurisdiction."""

    code = "terms_refused"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems), problems=list(problems))
        self.problems = tuple(problems)


@transaction.atomic
def load_rule_pack(*, actor: Actor, jurisdiction: str, at: datetime) -> int:
    """Load the rule pack that comes with the program. Idempotent; returns its id.

    Raises `RulePackNotFound`, and `RulePackConflict` if the same version is on record with other rules.
    """
    require(actor, "rules.load")
    pack = read_pack_file(jurisdiction)
    rules = pack_to_json(pack)
    digest = hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
    row, is_new = RulePack.objects.get_or_create(
        jurisdiction=pack.jurisdiction,
        version=pack.version,
        defaults={
            "effective_from": pack.effective_from,
            "rules": rules,
            "content_hash": digest,
            "loaded_at": at,
        },
    )
    if row.content_hash != digest:
        raise RulePackConflict(
            f"Rule pack {jurisdiction} version {pack.version} is on record with other rules. "
            "Give changed rules a new version.",
            jurisdiction=jurisdiction,
        )
    if is_new:
        record(
            actor=actor,
            action="rules.load",
            subject=f"rule_pack:{row.pk}",
            inputs={"jurisdiction": pack.jurisdiction, "version": pack.version, "content_hash": digest},
            at=at,
        )
    return row.pk


@transaction.atomic
def draft_scheme_version(*, actor: Actor, draft: SchemeDraft, effective_from: date, at: datetime) -> int:
    """Write down the next version of a scheme, and the scheme itself if it is new. Returns the version's id.

    The terms of a draft never change: other terms are another draft. Raises `RulePackNotFound`.
    """
    require(actor, "schemes.draft")
    pack = RulePack.objects.filter(jurisdiction=draft.terms.rule_pack).order_by("-version").first()
    if pack is None:
        raise RulePackNotFound(
            f"No rule pack of {draft.terms.rule_pack} is loaded. Load it before drafting schemes under it.",
            jurisdiction=draft.terms.rule_pack,
        )
    scheme, _ = Scheme.objects.get_or_create(code=draft.code, defaults={"name": draft.name, "name_zh": draft.name_zh})
    Scheme.objects.select_for_update().get(id=scheme.pk)
    newest = scheme.versions.aggregate(newest=Max("version"))["newest"] or 0
    terms = terms_to_json(draft.terms)
    version = SchemeVersion.objects.create(
        scheme=scheme,
        version=newest + 1,
        rule_pack=pack,
        terms=terms,
        effective_from=effective_from,
        maker=actor.ref,
    )
    record(
        actor=actor,
        action="schemes.draft",
        subject=f"scheme_version:{version.pk}",
        inputs={"scheme": draft.code, "version": version.version, "effective_from": effective_from, "terms": terms},
        at=at,
    )
    return version.pk
