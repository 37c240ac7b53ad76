"""Schemes, their versions and terms, and the rules they stand under."""

from dataclasses import replace
from datetime import date
from functools import lru_cache

from django.db import connection

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.records.ledger.selectors import books_currency
from reefpoint.records.products.adapters.packs import RulePackNotFound, read_demo_schemes
from reefpoint.records.products.models import RulePack, Scheme, SchemeTierChange, SchemeVersion
from reefpoint.records.products.rules import (
    bounds_in_force,
    check_currency,
    check_terms,
    diff_terms,
    fingerprint,
    pack_from_json,
    terms_from_json,
)
from reefpoint.records.products.types import (
    Bound,
    Pack,
    Problem,
    SchemeDraft,
    SchemeTerms,
    SchemeView,
    TermChange,
    TierChange,
    VersionState,
    VersionView,
)

_VERSION_GUARDS = ("fixed_columns", "no_delete", "no_truncate", "published_once")


class SchemeVersionNotFound(Refusal):
    """No scheme version has this id, or none of this scheme is in force."""

    code = "not_found"


@lru_cache(maxsize=1024)
def get_terms(version_id: int) -> SchemeTerms:
    """The terms of a version; they never change, so they are read once a process. Raises `SchemeVersionNotFound`."""
    return terms_from_json(_row(version_id).terms)


def get_version(version_id: int) -> VersionView:
    """A version with its state and terms. Raises `SchemeVersionNotFound`."""
    return _view(_row(version_id))


def published_version(code: str, on: date) -> VersionView:
    """The version of a scheme that can be signed on a day: published, in effect, the newest of those.

    Raises `SchemeVersionNotFound`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT v.id, s.tier FROM products_schemeversion v JOIN products_scheme s ON s.id = v.scheme_id
             WHERE s.code = %s AND v.state = %s AND v.effective_from <= %s
             ORDER BY v.effective_from DESC, v.version DESC LIMIT 1
            """,
            [code, VersionState.PUBLISHED, on],
        )
        found = cursor.fetchone()
    if found is None:
        raise SchemeVersionNotFound("No published version of scheme {code} is in force on {on}.", code=code, on=on)
    return replace(_published(found[0]), tier=found[1])


@lru_cache(maxsize=1024)
def _published(version_id: int) -> VersionView:
    """A version that is published: nothing of it changes but the scheme's tier, so it is read once a process."""
    return _view(_row(version_id))


def list_schemes() -> list[SchemeView]:
    """All schemes by code, with their versions, newest first."""
    return [
        SchemeView(
            id=scheme.pk,
            code=scheme.code,
            name=scheme.name,
            name_zh=scheme.name_zh,
            tier=scheme.tier,
            versions=tuple(
                _view(version)
                for version in sorted(scheme.versions.all(), key=lambda version: version.version, reverse=True)
            ),
        )
        for scheme in Scheme.objects.order_by("code").prefetch_related("versions__scheme")
    ]


def list_tier_changes(scheme_id: int) -> list[TierChange]:
    """How a scheme's tier was changed, the newest first."""
    rows = SchemeTierChange.objects.filter(scheme_id=scheme_id).order_by("-id")
    return [TierChange(one.before, one.after, one.reason, one.maker, one.checker, one.at) for one in rows]


def get_rule_pack(jurisdiction: str, version: int | None = None) -> Pack:
    """A loaded rule pack, the newest version by default. Raises `RulePackNotFound`."""
    rows = RulePack.objects.filter(jurisdiction=jurisdiction).order_by("-version")
    row = (rows if version is None else rows.filter(version=version)).first()
    if row is None:
        raise RulePackNotFound("No rule pack of {jurisdiction} is loaded.", jurisdiction=jurisdiction)
    return pack_from_json(row.rules)


def list_rule_packs() -> list[Pack]:
    """The newest loaded rule pack of each jurisdiction."""
    rows = RulePack.objects.order_by("jurisdiction", "-version").distinct("jurisdiction")
    return [pack_from_json(row.rules) for row in rows]


def list_bounds(jurisdiction: str, on: date) -> list[Bound]:
    """What the newest loaded rules of a jurisdiction ask of terms on a day. Raises `RulePackNotFound`."""
    return bounds_in_force(get_rule_pack(jurisdiction), on)


def find_problems(terms: SchemeTerms, on: date) -> list[Problem]:
    """Why these terms could not be published to take effect on a day, by the newest loaded rules of theirs.

    Raises `RulePackNotFound`.
    """
    return [*check_terms(terms, get_rule_pack(terms.rule_pack), on), *find_currency_problems(terms)]


def find_currency_problems(terms: SchemeTerms) -> list[Problem]:
    """Why no account could be opened on these terms: the desk's own accounts are in another currency."""
    return check_currency(terms, books_currency())


def compare_versions(before_id: int, after_id: int) -> list[TermChange]:
    """Every term that differs between two versions of the same or of two schemes. Raises `SchemeVersionNotFound`."""
    return diff_terms(get_terms(before_id), get_terms(after_id))


def load_demo_schemes() -> list[SchemeDraft]:
    """The three schemes of the demonstration desk. Change terms with `dataclasses.replace` before drafting."""
    return read_demo_schemes()


def verify_schemes() -> list[Finding]:
    """Every pack or version that is not what was loaded or approved, and every guard that is gone."""
    findings = [
        Finding("products.rule_pack", f"rule_pack:{pack.pk}", "its rules are not the ones that were loaded")
        for pack in RulePack.objects.order_by("id")
        if fingerprint(pack.rules) != pack.content_hash
    ]
    for version in SchemeVersion.objects.exclude(state=VersionState.DRAFT).select_related("rule_pack").order_by("id"):
        terms, pack = terms_from_json(version.terms), pack_from_json(version.rule_pack.rules)
        findings += [
            Finding("products.terms", f"scheme_version:{version.pk}", str(problem.message))
            for problem in check_terms(terms, pack, version.effective_from)
        ]
    guards = [("products_schemeversion", f"products_schemeversion_{guard}") for guard in _VERSION_GUARDS]
    guards.append(("products_scheme", "products_scheme_tier_by_two"))
    return findings + verify_guards(["products_rulepack", "products_schemetierchange"], guards)


def _row(version_id: int) -> SchemeVersion:
    row = SchemeVersion.objects.select_related("scheme").filter(id=version_id).first()
    if row is None:
        raise SchemeVersionNotFound("There is no scheme version {version_id}.", version_id=version_id)
    return row


def _view(row: SchemeVersion) -> VersionView:
    return VersionView(
        id=row.pk,
        scheme_id=row.scheme_id,
        scheme_code=row.scheme.code,
        scheme_name=row.scheme.name,
        scheme_name_zh=row.scheme.name_zh,
        tier=row.scheme.tier,
        version=row.version,
        state=VersionState(row.state),
        effective_from=row.effective_from,
        published_at=row.published_at,
        maker=row.maker,
        checker=row.checker,
        terms=get_terms(row.pk),
    )
