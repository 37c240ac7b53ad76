"""Contracts: the list, one with its papers and proofs, templates clause by clause, and whether a file is genuine."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.flows.lending.selectors.renewals import find_renewal_of_contract
from reefpoint.flows.lending.services.renewals import CannotRenew
from reefpoint.flows.lending.services.signing import countersign_contract
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.publications.selectors import in_force, list_versions
from reefpoint.platform.publications.types import PublicationView
from reefpoint.records.contracts.rules.templates import (
    JURISDICTIONS,
    clause_list,
    diff_templates,
    fields_of,
    read_template,
)
from reefpoint.records.contracts.selectors import (
    DRAFT,
    TEMPLATES,
    VERIFY_BYTES_MAX,
    find_contracts,
    get_contract,
    list_problems,
    preview_template,
    read_document,
    root_certificate,
    verify_file,
)
from reefpoint.records.contracts.services import offer_contract, open_file, withdraw_contract
from reefpoint.records.contracts.types import ClauseChange, ContractState, FileKind, Language
from reefpoint.surfaces.console.contract_words import problem_words
from reefpoint.surfaces.console.views.publications import ask_publication, download_publication
from reefpoint.surfaces.web.contracts import language_of, pdf_answer, root_answer
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.renewal_words import BAR_WORDS
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.strong import prove, second_factors
from reefpoint.surfaces.web.tables import Choice, Column, Table
from reefpoint.surfaces.web.templatetags.figures import STATE_WORDS

FILE_WORDS = {
    FileKind.OFFERED: _("As offered"),
    FileKind.CLIENT_SIGNED: _("Signed by the client"),
    FileKind.IN_FORCE: _("Signed by both"),
}
LANGUAGES = (("en", "English"), ("zh", "中文"))

CONTRACTS = Table(
    key="contracts",
    columns=(
        Column("id", _("Contract"), "custom", template="console/cells/contract.html"),
        Column("client__name", _("Client"), "custom", template="console/cells/contract_client.html", is_name=True),
        Column("state", _("State"), "state"),
        Column("jurisdiction", _("Jurisdiction"), "code", is_sortable=False),
        Column("scheme_code", _("Scheme"), "code", is_sortable=False, is_wide_only=True),
        Column("limit_minor", _("Limit"), "money"),
        Column("currency", _("Currency"), "code", is_sortable=False, is_wide_only=True),
        Column("dated_on", _("Dated"), "day"),
        Column("sign_by", _("Sign by"), "day"),
    ),
    sort="-id",
    search=_("Number or name"),
    choices=(
        Choice("state", _("State"), tuple((state.value, STATE_WORDS[state.value]) for state in ContractState)),
        Choice("jurisdiction", _("Jurisdiction"), tuple((place, place) for place in JURISDICTIONS)),
    ),
    empty=_("No contract was prepared yet"),
    empty_help=_("A contract is prepared from an approved credit request."),
    row_id=lambda row: f"contract-{row.id}",
)


class NoSuchTemplate(NotFound):
    """There are no contracts of this jurisdiction, or no such version."""


@page("contracts.view")
def contracts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All contracts in scope."""
    wanted = CONTRACTS.read(request.GET)
    found = find_contracts(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        jurisdiction=wanted.chosen["jurisdiction"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return CONTRACTS.answer(request, wanted, found, "console/contracts.html", {"places": JURISDICTIONS})


@page("contracts.view")
def contract(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """One contract: what it says, what was acknowledged, who signed, and whether its paper is genuine."""
    return _show(request, actor, contract_id)


def _show(
    request: HttpRequest, actor: Actor, contract_id: int, errors: dict[str, object] | None = None
) -> HttpResponse:
    at = desk_now()
    found = get_contract(actor, contract_id, at=at)
    may_prepare = holds(actor.permissions, "contracts.prepare")
    report = None
    if request.GET.get("verify"):
        _name, content = open_file(actor=actor, contract_id=contract_id, at=at)
        report = verify_file(content)
    may_countersign = (
        found.state is ContractState.SIGNED_BY_CLIENT
        and holds(actor.permissions, "contracts.countersign")
        and actor.ref != found.prepared_by
    )
    held = {(one.disclosure, one.text_hash): one for one in found.acknowledgements}
    context = {
        "contract": found,
        "document": read_document(actor, contract_id),
        "renewal": find_renewal_of_contract(contract_id),
        "language": language_of(found.language),
        "files": [(one, FILE_WORDS[one.kind]) for one in found.files],
        "disclosures": [
            (one.title[_reader_language()], held.get((one.id, one.text_hash))) for one in found.disclosures
        ],
        "report": report,
        "names": people_names(),
        "may_offer": may_prepare and found.state is ContractState.DRAFT,
        "may_withdraw": may_prepare
        and found.state in {ContractState.DRAFT, ContractState.OFFERED, ContractState.SIGNED_BY_CLIENT},
        "may_countersign": may_countersign,
        "factors": second_factors(request, reverse("console:contract", args=[contract_id])) if may_countersign else {},
        "errors": errors or {},
    }
    return render(request, "console/contract.html", context, status=422 if errors else 200)


def _reader_language() -> Language:
    return Language.ZH if (get_language() or "").startswith("zh") else Language.EN


@require_POST
@page("contracts.prepare")
def offer(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """Show it to the client."""
    offer_contract(actor=actor, contract_id=contract_id, at=desk_now())
    messages.success(request, _now("Offered: the client reads and signs it on the portal."))
    return redirect("console:contract", contract_id=contract_id)


@require_POST
@page("contracts.prepare")
def withdraw(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """Take it back, with a reason."""
    reason = request.POST.get("reason", "")
    if not reason.strip():
        return _show(request, actor, contract_id, {"reason": _now("Say why: it goes into the audit log.")})
    withdraw_contract(actor=actor, contract_id=contract_id, reason=reason, at=desk_now())
    messages.success(request, _now("Withdrawn. It will never be in force."))
    return redirect("console:contract", contract_id=contract_id)


@require_POST
@page("contracts.countersign")
def countersign(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """Sign for the desk, after the password and a second factor."""
    authentication, errors = prove(request)
    if authentication is None:
        return _show(request, actor, contract_id, dict(errors))
    try:
        at = desk_now()
        countersign_contract(
            actor=actor,
            contract_id=contract_id,
            authentication=authentication,
            on=get_clock().business_date or at.date(),
            at=at,
        )
    except CannotRenew as refusal:
        told = _now("It cannot be renewed now. Nothing was signed.")
        bars = "; ".join(str(BAR_WORDS[bar.value]) for bar in refusal.bars)
        return _show(request, actor, contract_id, {"sign": f"{told} {bars}"})
    except Refusal as refusal:
        return _show(request, actor, contract_id, {"sign": said(refusal)})
    messages.success(request, _now("Signed for the desk: the contract is in force."))
    return redirect("console:contract", contract_id=contract_id)


@page("contracts.view")
def paper(request: HttpRequest, actor: Actor, contract_id: int, kind: str) -> HttpResponse:
    """One of its papers; that it was handed out is in the audit log."""
    if kind not in set(FileKind):
        raise NoSuchTemplate(_now("There is no such paper."))
    name, content = open_file(actor=actor, contract_id=contract_id, at=desk_now(), kind=FileKind(kind))
    return pdf_answer(name, content)


# Templates


@page("contracts.view")
def template(request: HttpRequest, actor: Actor, place: str) -> HttpResponse:
    """A jurisdiction's template: its versions, whether each is whole, and what changed clause by clause."""
    kind = TEMPLATES.get(place)
    if kind is None:
        raise NoSuchTemplate(_now("There are no contracts of this jurisdiction."))
    at = desk_now()
    errors: dict[str, str] = {}
    if request.method == "POST":
        require(actor, DRAFT)
        approval_id = ask_publication(request, actor, kind, at, errors)
        if approval_id is not None:
            messages.success(request, _now("Drafted. A second person decides whether it is published."))
            return redirect("console:approval", approval_id=approval_id)
    versions, valid = list_versions(kind), in_force(kind, at.date())
    version = _chosen(request, "version", versions) or valid
    if request.GET.get("format") == "json":
        return download_publication(kind, version)
    language = Language.ZH if request.GET.get("language", _reader_language().value) == "zh" else Language.EN
    against = _chosen(request, "against", versions)
    found = read_template(version.content)
    held = {clause.id for clause in found.clauses}
    context = {
        "place": place,
        "places": tuple(TEMPLATES),
        "versions": versions,
        "version": version,
        "valid": valid,
        "against": against,
        "language": language.value,
        "lang": language_of(language),
        "languages": LANGUAGES,
        "notice": found.notice[language],
        "clauses": [
            (one.id, one.heading[language], one.paragraphs[language], sorted(fields_of(one.paragraphs[language])))
            for one in found.clauses
        ],
        "diff": None if against is None else diff_templates(read_template(against.content), found, language),
        "same": ClauseChange.SAME,
        "checklist": [
            (rule.id, rule.name_zh if _reader_language() is Language.ZH else rule.name, rule.id in held)
            for rule in clause_list(place)
        ],
        "problems": [problem_words(one) for one in list_problems(version.content, place)],
        "jurisdiction": found.jurisdiction,
        "names": people_names(),
        "may_draft": holds(actor.permissions, DRAFT),
        "errors": errors,
        "given": request.POST,
    }
    return render(request, "console/contract_template.html", context, status=422 if errors else 200)


def _chosen(request: HttpRequest, name: str, versions: list[PublicationView]) -> PublicationView | None:
    return next((one for one in versions if str(one.version) == request.GET.get(name, "")), None)


@page("contracts.view")
def preview(request: HttpRequest, actor: Actor, place: str, version: int) -> HttpResponse:
    """A version as it would be printed for a made-up client."""
    kind = TEMPLATES.get(place)
    found = next((one for one in list_versions(kind) if one.version == version), None) if kind else None
    if found is None:
        raise NoSuchTemplate(_now("There is no such version."))
    language = Language.ZH if request.GET.get("language") == "zh" else Language.EN
    content = preview_template(actor, place, found.content, found.version, language, desk_now().date())
    return pdf_answer(f"template-{place}-{version}-{language.value}.pdf", content)


# Verification


@page("contracts.view")
def verify(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Whether a file is what was signed here, byte for byte."""
    report, error = None, ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if not isinstance(file, UploadedFile):
            error = _now("Choose a PDF file.")
        elif (file.size or 0) > VERIFY_BYTES_MAX:
            error = _now("The file is larger than 20 MB.")
        else:
            report = verify_file(file.read(VERIFY_BYTES_MAX + 1))
    context = {"report": report, "error": error, "has_root": root_certificate() is not None}
    return render(request, "console/contract_verify.html", context, status=422 if error else 200)


@page("contracts.view")
def root(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The desk's root certificate."""
    return root_answer()
