"""Loading rule packs, drafting scheme versions and publishing them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.promises import find_promises
from reefpoint.platform.events.services import publish
from reefpoint.records.products.adapters.packs import RulePackNotFound, read_pack_file
from reefpoint.records.products.events import SchemeVersionPublished
from reefpoint.records.products.models import RulePack, Scheme, SchemeVersion
from reefpoint.records.products.rules import (
    VERSION_STATES,
    check_terms,
    fingerprint,
    pack_from_json,
    pack_to_json,
    terms_from_json,
    terms_to_json,
)
from reefpoint.records.products.selectors import SchemeVersionNotFound, find_currency_problems
from reefpoint.records.products.types import Problem, SchemeDraft, VersionState

PUBLISH_KIND = "scheme.publish"
"""The kind of approval that releases a scheme version."""


class RulePackConflict(Refusal):
    """This version of the rule pack was loaded before with other rules."""

    code = "rule_pack_conflict"


class TermsRefused(Refusal):
    """Terms that contradict themselves or break a rule of their jurisdiction."""

    code = "terms_refused"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("{problems}", problems=[problem.message for problem in problems])
        self.problems = tuple(problems)


class PublicationRefused(Refusal):
    """A version that cannot go forward now, for a reason other than its terms."""

    code = "publication_refused"


@transaction.atomic
def load_rule_pack(*, actor: Actor, jurisdiction: str, at: datetime) -> int:
    """Load the rule pack that comes with the program. Idempotent; returns its id.

    Raises `RulePackNotFound`, and `RulePackConflict` if the same version is on record with other rules.
    """
    require(actor, "rules.load")
    pack = read_pack_file(jurisdiction)
    rules = pack_to_json(pack)
    digest = fingerprint(rules)
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
            "Rule pack {jurisdiction} version {version} is on record with other rules. "
            "Give changed rules a new version.",
            jurisdiction=jurisdiction,
            version=pack.version,
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


class PromiseRefused(Refusal):
    """A text under the rules of mainland China that promises a return or denies a risk."""

    code = "cn.refuse.r10"


@transaction.atomic
def draft_scheme_version(*, actor: Actor, draft: SchemeDraft, effective_from: date, at: datetime) -> int:
    """Write down the next version of a scheme, and the scheme itself if it is new. Returns the version's id.

    The terms of a draft never change: other terms are another draft. Raises `RulePackNotFound`,
    `PromiseRefused`.
    """
    require(actor, "schemes.draft")
    pack = RulePack.objects.filter(jurisdiction=draft.terms.rule_pack).order_by("-version").first()
    if pack is None:
        raise RulePackNotFound(
            "No rule pack of {jurisdiction} is loaded. Load it before drafting schemes under it.",
            jurisdiction=draft.terms.rule_pack,
        )
    promises = find_promises(f"{draft.name}\n{draft.name_zh}") if pack.jurisdiction == "CN" else []
    if promises:
        raise PromiseRefused(
            "In mainland China no name may promise a return or deny a risk: {words}.",
            words=promises,
        )
    scheme, _ = Scheme.objects.get_or_create(
        code=draft.code, defaults={"name": draft.name, "name_zh": draft.name_zh, "tier": draft.tier}
    )
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


@transaction.atomic
def request_publication(*, actor: Actor, version_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to publish a draft, terms and all. Returns the approval's id.

    Only its maker asks, so that the maker of the terms is never the checker. Raises `TermsRefused` naming every broken
    rule, `PublicationRefused`, `SchemeVersionNotFound`.
    """
    require(actor, "schemes.publish")
    version = lock_version(version_id)
    if version.maker != actor.ref:
        raise PublicationRefused("Whoever drafted this version asks for its publication.", version_id=version_id)
    if version.effective_from < at.date():
        raise PublicationRefused(
            "The version would take effect on {effective_from}, which is past. Draft it with a later date.",
            version_id=version_id,
            effective_from=version.effective_from,
        )
    VERSION_STATES.check(VersionState(version.state), VersionState.PUBLISHED)
    _check_terms(version)
    return request_approval(
        actor=actor,
        kind=PUBLISH_KIND,
        subject=f"scheme_version:{version_id}",
        payload=_payload(version),
        reason=reason,
        at=at,
    )


@transaction.atomic
def publish_scheme_version(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Publish exactly what was approved; from then on the database refuses any change. Idempotent.

    Raises `PublicationRefused` if the approval was not given, or not for these terms.
    """
    require(actor, "schemes.publish")
    approval = get_approval(approval_id)
    if approval.kind != PUBLISH_KIND or approval.state is not ApprovalState.APPROVED or not approval.decided_by:
        raise PublicationRefused("This publication was not approved.", approval_id=approval_id)
    version = lock_version(int(approval.subject.rpartition(":")[2]))
    if version.state != VersionState.DRAFT:
        return
    if approval.payload != _payload(version):
        raise PublicationRefused("What was approved is not this version.", approval_id=approval_id)
    _check_terms(version)
    version.state = VersionState.PUBLISHED
    version.checker = approval.decided_by
    version.published_at = at
    version.save(update_fields=["state", "checker", "published_at"])
    record(
        actor=actor,
        action="schemes.publish",
        subject=f"scheme_version:{version.pk}",
        inputs={"approval_id": approval_id, "payload_hash": approval.payload_hash, "checker": approval.decided_by},
        at=at,
    )
    publish(
        SchemeVersionPublished(
            version_id=version.pk, scheme_code=version.scheme.code, effective_from=version.effective_from, at=at
        )
    )


def lock_version(version_id: int) -> SchemeVersion:
    """The row of a version with its scheme and rules, locked. Raises `SchemeVersionNotFound`."""
    version = (
        SchemeVersion.objects.select_for_update(of=("self",))
        .select_related("scheme", "rule_pack")
        .filter(id=version_id)
        .first()
    )
    if version is None:
        raise SchemeVersionNotFound("There is no scheme version {version_id}.", version_id=version_id)
    return version


def _check_terms(version: SchemeVersion) -> None:
    pack = pack_from_json(version.rule_pack.rules)
    terms = terms_from_json(version.terms)
    problems = [*check_terms(terms, pack, version.effective_from), *find_currency_problems(terms)]
    if problems:
        raise TermsRefused(problems)


def _payload(version: SchemeVersion) -> dict[str, Any]:
    """What the second person sees and answers for."""
    return {
        "scheme": version.scheme.code,
        "version": version.version,
        "effective_from": version.effective_from.isoformat(),
        "rule_pack": f"{version.rule_pack.jurisdiction} {version.rule_pack.version}",
        "terms": version.terms,
    }
