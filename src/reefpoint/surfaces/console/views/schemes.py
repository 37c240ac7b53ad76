"""Lending schemes: every version in words, the designer of the next one, comparison, and play over past prices."""

import json
from collections.abc import Sequence
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.flows.lending.selectors.affected import WithdrawalEffect, find_withdrawal_effect
from reefpoint.flows.lending.services.withdrawals import ask_scheme_withdrawal
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.products.adapters.packs import RulePackNotFound
from reefpoint.records.products.rules import MalformedTerms, terms_from_json, terms_to_json
from reefpoint.records.products.selectors import (
    compare_versions,
    find_problems,
    get_version,
    list_schemes,
    list_tier_changes,
    load_demo_schemes,
)
from reefpoint.records.products.services import (
    PublicationRefused,
    TermsRefused,
    draft_scheme_version,
    request_publication,
    request_tier,
)
from reefpoint.records.products.types import TIER_MAX, SchemeDraft, SchemeTerms, SchemeView, VersionState, VersionView
from reefpoint.surfaces.web import scheme_words
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.scheme_form import CODE, NAMES_MAX, SchemeForm, Typed, read_form, typed_of
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.simulation_form import read_simulation, uploaded_prices

REASON_CHARACTERS_MAX = 500
DRAFT_BYTES_MAX = 100_000


@page("schemes.view")
def schemes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All schemes by tier, every version with its lines."""
    found = sorted(list_schemes(), key=lambda one: (one.tier, one.code))
    return render(
        request,
        "console/schemes.html",
        {"schemes": found, "may_draft": holds(actor.permissions, "schemes.draft")},
    )


@page("schemes.view")
def scheme(request: HttpRequest, actor: Actor, scheme_id: int) -> HttpResponse:
    """One scheme: the terms of a chosen version, what they still lack, and the ways on."""
    found = _scheme(scheme_id)
    chosen = request.GET.get("version", "")
    published = _published(found)
    version = next((one for one in found.versions if str(one.version) == chosen), None)
    return _show_scheme(request, actor, found, version or published or found.versions[0], errors={})


def _show_scheme(
    request: HttpRequest, actor: Actor, found: SchemeView, version: VersionView, *, errors: dict[str, str]
) -> HttpResponse:
    published = _published(found)
    may_publish = holds(actor.permissions, "schemes.publish")
    is_draft = version.state is VersionState.DRAFT
    context = {
        "scheme": found,
        "version": version,
        "names": people_names(),
        "problems": _problems(version) if is_draft else [],
        "pending": _pending(actor, f"scheme_version:{version.id}"),
        "pending_tier": _pending(actor, f"scheme:{found.id}"),
        "compare_with": published if published is not None and published.id != version.id else None,
        "may_draft": holds(actor.permissions, "schemes.draft"),
        "may_ask": may_publish and is_draft and version.maker == actor.ref,
        "may_withdraw": may_publish and version.state is VersionState.PUBLISHED,
        "may_change_tier": may_publish,
        "effect": _effect(version) if may_publish and version.state is VersionState.PUBLISHED else None,
        "tier_changes": list_tier_changes(found.id),
        "errors": errors,
        "given": request.POST,
    }
    return render(request, "console/scheme.html", context, status=422 if errors else 200)


def _scheme(scheme_id: int) -> SchemeView:
    found = next((one for one in list_schemes() if one.id == scheme_id), None)
    if found is None:
        raise NotFound(_("There is no such scheme."))
    return found


def _published(found: SchemeView) -> VersionView | None:
    return next((one for one in found.versions if one.state is VersionState.PUBLISHED), None)


def _problems(version: VersionView) -> list[tuple[str, str]]:
    """What stops a draft from being published: the term, and why, in words."""
    try:
        found = find_problems(version.terms, version.effective_from)
    except RulePackNotFound as error:
        return [(str(scheme_words.TERMS["rule_pack"][0]), said(error))]
    currency = version.terms.currency
    return [
        (scheme_words.term_words(problem.field), scheme_words.problem_words(problem, currency)) for problem in found
    ]


def _effect(version: VersionView) -> WithdrawalEffect:
    at = desk_now()
    return find_withdrawal_effect(version.id, on=current_book_day() or at.date(), at=at)


def _pending(actor: Actor, subject: str) -> int | None:
    """The approval that waits for a version or a scheme, if it was asked for and may be seen."""
    return next((one.id for one in list_pending(actor, subject=subject)), None)


# The designer


@page("schemes.draft")
def design(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every term on one page, begun from a version. A POST checks what is typed, plays it, or keeps it as a draft."""
    on = current_book_day() or desk_now().date()
    if request.method != "POST":
        return _show_design(request, *_begun(request, on), errors={})
    typed = {name: value.strip()[:200] for name, value in request.POST.items() if isinstance(value, str)}
    errors, effective_from = _read_head(typed, on)
    form = read_form(typed, effective_from, _symbols())
    if request.htmx:  # type: ignore[attr-defined]  # put there by django-htmx
        return render(request, "console/parts/scheme_errors.html", {"form": form, "errors": errors})
    if form.terms is None or errors or typed.get("then") == "check":
        is_bad = form.terms is None or bool(errors)
        return _show_design(request, form, typed, errors=errors, status=422 if is_bad else 200, is_checked=True)
    if typed.get("then") == "play":
        return _play(request, draft=form.terms, name=typed["name"])
    version_id = draft_scheme_version(
        actor=actor,
        draft=SchemeDraft(typed["code"], typed["name"], typed["name_zh"], form.terms, int(typed["tier"])),
        effective_from=effective_from,
        at=desk_now(),
    )
    made = get_version(version_id)
    messages.success(request, _("Kept as a draft. Look at it once more, then ask for its publication."))
    return redirect(f"{_address(made.scheme_id)}?version={made.version}")


def _address(scheme_id: int) -> str:
    return reverse("console:scheme", args=[scheme_id])


def _symbols() -> list[str]:
    return sorted(one.symbol for one in list_instruments())[:NAMES_MAX]


def _begun(request: HttpRequest, on: date) -> tuple[SchemeForm, Typed]:
    """The form as it opens: a copy of the version that was asked for, or of the first published terms."""
    wanted = request.GET.get("from", "")
    versions = [version for one in list_schemes() for version in one.versions]
    source = next((one for one in versions if str(one.id) == wanted), None)
    start = source or next((one for one in versions if one.state is VersionState.PUBLISHED), None)
    terms = start.terms if start is not None else load_demo_schemes()[0].terms
    head = {"code": "", "name": "", "name_zh": "", "tier": "1"}
    if source is not None:
        head = {
            "code": source.scheme_code,
            "name": source.scheme_name,
            "name_zh": source.scheme_name_zh,
            "tier": str(source.tier),
        }
    typed = {**typed_of(terms), **head, "effective_from": on.isoformat()}
    return read_form(typed, on, _symbols()), typed


def _read_head(typed: Typed, on: date) -> tuple[dict[str, str], date]:
    """What is wrong with the scheme's own fields, and the day the terms would take effect."""
    errors = {}
    if not CODE.fullmatch(typed.get("code", "")):
        errors["code"] = _("Two to 24 capital letters, digits, - or _, such as PRIME.")
    for name in ("name", "name_zh"):
        typed[name] = typed.get(name, "")[:120]
    if not typed["name"]:
        errors["name"] = _("A name is needed.")
    if not (typed.get("tier", "").isascii() and typed["tier"].isdigit() and 1 <= int(typed["tier"]) <= TIER_MAX):
        errors["tier"] = _("A whole number from 1 is needed.")
    effective_from = on
    try:
        effective_from = date.fromisoformat(typed.get("effective_from", ""))
    except ValueError:
        errors["effective_from"] = _("This is not a date: year, month, day.")
    if effective_from < on:
        errors["effective_from"] = _("Terms cannot take effect in the past.")
    return errors, effective_from


def _show_design(
    request: HttpRequest,
    form: SchemeForm,
    typed: Typed,
    *,
    errors: dict[str, str],
    status: int = 200,
    is_checked: bool = False,
) -> HttpResponse:
    known = next((one for one in list_schemes() if one.code == typed.get("code")), None)
    context = {"form": form, "head": typed, "errors": errors, "is_checked": is_checked, "known": known}
    return render(request, "console/scheme_design.html", context, status=status)


# From draft to offer and back


@require_POST
@page("schemes.publish")
def ask_publication(request: HttpRequest, actor: Actor, version_id: int) -> HttpResponse:
    """The maker asks a second person to publish a draft."""
    version = get_version(version_id)
    reason = _reason(request)
    if reason:
        try:
            approval_id = request_publication(actor=actor, version_id=version_id, reason=reason, at=desk_now())
        except (TermsRefused, PublicationRefused) as refusal:
            return _show_scheme(request, actor, _scheme(version.scheme_id), version, errors={"form": said(refusal)})
        messages.success(request, _("A second person decides whether it is published."))
        return redirect("console:approval", approval_id=approval_id)
    errors = {"reason": _("Say what changes and why: the second person reads it.")}
    return _show_scheme(request, actor, _scheme(version.scheme_id), version, errors=errors)


@require_POST
@page("schemes.publish")
def withdraw(request: HttpRequest, actor: Actor, version_id: int) -> HttpResponse:
    """Ask a second person that a published version is no longer offered."""
    version = get_version(version_id)
    reason = _reason(request)
    if not reason:
        errors = {"withdraw": _("Say why it is offered no longer.")}
        return _show_scheme(request, actor, _scheme(version.scheme_id), version, errors=errors)
    at = desk_now()
    approval_id = ask_scheme_withdrawal(
        actor=actor, version_id=version_id, reason=reason, on=current_book_day() or at.date(), at=at
    )
    messages.success(request, _("A second person decides whether it is withdrawn."))
    return redirect("console:approval", approval_id=approval_id)


@require_POST
@page("schemes.publish")
def change_tier(request: HttpRequest, actor: Actor, scheme_id: int) -> HttpResponse:
    """Ask a second person to give a scheme another tier."""
    found = _scheme(scheme_id)
    typed, reason = request.POST.get("tier", "").strip(), _reason(request)
    errors = {}
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 2 and 1 <= int(typed) != found.tier):
        errors["tier"] = _("Another tier is needed, from 1 to 99.")
    if not reason:
        errors["tier_reason"] = _("Say what changes and why: the second person reads it.")
    if errors:
        return _show_scheme(request, actor, found, _published(found) or found.versions[0], errors=errors)
    approval_id = request_tier(actor=actor, scheme_id=scheme_id, tier=int(typed), reason=reason, at=desk_now())
    messages.success(request, _("A second person decides on the tier."))
    return redirect("console:approval", approval_id=approval_id)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\x00", "").strip()[:REASON_CHARACTERS_MAX]


# Comparison


@page("schemes.view")
def compare(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What differs between two versions, of one scheme or of two, in groups and in words."""
    versions = _versions()
    after = _chosen(versions, request.GET.get("after", "")) or (versions[0] if versions else None)
    if after is None:
        raise NotFound(_("There is no such scheme."))
    published = _published(_scheme(after.scheme_id))
    before = _chosen(versions, request.GET.get("before", "")) or published or after
    changes = compare_versions(before.id, after.id)
    groups = []
    for _key, title, names in scheme_words.GROUPS:
        rows = [
            (
                scheme_words.term_words(change.field),
                scheme_words.value_words(change.field, change.before, before.terms.currency),
                scheme_words.value_words(change.field, change.after, after.terms.currency),
            )
            for change in changes
            if change.field.partition(".")[0] in names
        ]
        if rows:
            groups.append((title, rows))
    context = {"versions": versions, "before": before, "after": after, "changed": groups, "count": len(changes)}
    return render(request, "console/scheme_compare.html", context)


def _versions() -> list[VersionView]:
    return [version for one in list_schemes() for version in one.versions]


def _chosen(versions: Sequence[VersionView], wanted: str) -> VersionView | None:
    return next((one for one in versions if str(one.id) == wanted), None)


# Play


@page("schemes.view")
def simulate(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A scheme, or terms that nobody has kept yet, played over past prices beside another."""
    draft, name = None, ""
    if request.POST.get("draft"):
        require(actor, "schemes.draft")
        draft, name = _read_draft(request.POST.get("draft", "")), request.POST.get("name", "")[:120]
    return _play(request, draft=draft, name=name)


def _read_draft(text: str) -> SchemeTerms:
    """Terms that the designer put into the page. Raises `MalformedTerms`."""
    if len(text) > DRAFT_BYTES_MAX:
        raise MalformedTerms(_("These terms cannot be read. Go back to the designer."))
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedTerms(_("These terms cannot be read. Go back to the designer.")) from None
    if not isinstance(read, dict):
        raise MalformedTerms(_("These terms cannot be read. Go back to the designer."))
    return terms_from_json(read)


def _play(request: HttpRequest, *, draft: SchemeTerms | None, name: str) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    versions = _versions()
    published = [one for one in versions if one.state is VersionState.PUBLISHED]
    first = _chosen(versions, given.get("version", "")) or next(iter(published or versions), None)
    other = _chosen(versions, given.get("other", ""))
    form = read_simulation({key: str(value) for key, value in given.items()}, uploaded_prices(request))
    stories: list[tuple[str, str, SchemeTerms]] = []
    if draft is not None:
        stories.append((name or _("Draft"), _("not kept yet"), draft))
    elif first is not None:
        stories.append(_story(first))
    if other is not None:
        stories.append(_story(other))
    form.play(stories)
    if given.get("then") == "csv" and not form.errors:
        return form.export()
    context = {
        "form": form,
        "versions": versions,
        "version": first,
        "other": other,
        "draft": json.dumps(terms_to_json(draft)) if draft is not None else "",
        "name": name,
    }
    return render(request, "console/scheme_simulation.html", context, status=422 if form.errors else 200)


def _story(version: VersionView) -> tuple[str, str, SchemeTerms]:
    return version.scheme_code, f"v{version.version}", version.terms
