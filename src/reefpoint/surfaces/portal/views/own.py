"""A client's own things: documents, the questionnaire, data and consents."""

import datetime as dt
import json

from django.contrib import messages
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.suitability.selectors import find_assessment, find_questionnaire
from reefpoint.decisions.suitability.services import AnswersRefused, record_answers
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.rules.applications import EDITABLE
from reefpoint.flows.origination.selectors.applications import find_own_application
from reefpoint.flows.origination.services.submitting import CONSENT_TEXT
from reefpoint.flows.origination.services.writing import attach_document
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.vault.services import SealBroken, open_sealed, seal
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.rules import FILE_BYTES_MAX
from reefpoint.records.parties.selectors.bank_accounts import list_bank_accounts
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.records.parties.selectors.consents import list_consents
from reefpoint.records.parties.selectors.documents import list_documents
from reefpoint.records.parties.selectors.profiles import get_profile
from reefpoint.records.parties.services import open_document, record_consent, withdraw_consent
from reefpoint.records.parties.types import ClientView, ConsentChannel, ConsentPurpose, DocumentKind
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.portal.views.application import own_application, required_documents
from reefpoint.surfaces.web.application_words import CONSENT_WORDS, DOCUMENT_WORDS, refusal_words

ANSWERS_KEPT_SECONDS = 30 * 24 * 3600


class NotBegun(NotFound):
    """There is nothing of one's own before an application was begun."""


def own_client(actor: Actor) -> ClientView:
    """The client as whom this person applies. Raises `NotBegun`."""
    found = find_own_client(actor)
    if found is None:
        raise NotBegun(_("You have not begun an application yet."))
    return found


@client_page
def documents(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is on file and what is missing; a POST adds one file."""
    application = own_application(actor)
    errors: dict[str, object] = {}
    if request.method == "POST":
        errors = _take(request, actor, application.id)
        if not errors:
            messages.success(request, _("The document is on file, encrypted."))
            return redirect("portal:documents")
    held = list_documents(actor, application.client_id)
    kinds = {one.kind.value for one in held}
    context = {
        "documents": [(one, DOCUMENT_WORDS[one.kind]) for one in held],
        "needed": [(kind, DOCUMENT_WORDS[kind], kind in kinds) for kind in required_documents(application.kind)],
        "kinds": list(DOCUMENT_WORDS.items()),
        "chosen": request.POST.get("kind", request.GET.get("kind", "")),
        "expires_on": request.POST.get("expires_on", ""),
        "errors": errors,
        "is_editable": application.state in EDITABLE,
    }
    return render(request, "portal/documents.html", context)


def _take(request: HttpRequest, actor: Actor, application_id: int) -> dict[str, object]:
    """Add the file of a form; what is wrong by field in words."""
    errors: dict[str, object] = {}
    kind = request.POST.get("kind", "")
    if kind not in set(DocumentKind):
        errors["kind"] = _("Say what it shows.")
    expires_on = None
    if text := request.POST.get("expires_on", "").strip():
        try:
            expires_on = dt.date.fromisoformat(text)
        except ValueError:
            errors["expires_on"] = _("This is not a date: year, month, day.")
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        errors["file"] = _("Choose a file.")
    elif (file.size or 0) > FILE_BYTES_MAX:
        errors["file"] = _("The file is larger than 10 MB. Send a smaller one, or only the pages that matter.")
    if errors or not isinstance(file, UploadedFile):
        return errors
    try:
        attach_document(
            actor=actor,
            application_id=application_id,
            kind=DocumentKind(kind),
            file_name=file.name or "",
            content=file.read(FILE_BYTES_MAX + 1),
            expires_on=expires_on,
            at=desk_now(),
        )
    except Refusal as refusal:
        return {"expires_on" if refusal.code == "document_expired" else "file": refusal_words(refusal)}
    return {}


@client_page
def document(request: HttpRequest, actor: Actor, document_id: int) -> HttpResponse:
    """One of one's own documents, to keep; that it was handed out is on record."""
    found = open_document(actor=actor, document_id=document_id, at=desk_now())
    response = HttpResponse(found.content, content_type=found.media_type.value)
    response.headers["Content-Disposition"] = "attachment"
    return response


@client_page
def questionnaire(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The questions on risk. Half an answer is kept until the rest comes, for thirty days."""
    application = own_application(actor)
    now = get_clock()
    today = now.business_date or now.at.date()
    shown = find_questionnaire(today)
    kept_under = f"portal:answers:{actor.user_id}:{shown.version}"
    answers = _read_kept(kept_under)
    wrong: set[str] = set()
    if request.method == "POST" and application.state in EDITABLE:
        answers = _answers(request, {one.id: {o.id for o in one.options} for one in shown.questionnaire.questions})
        _keep(kept_under, answers)
        if request.htmx:  # type: ignore[attr-defined]  # put there by django-htmx
            return render(request, "portal/saved.html", {})
        version = request.POST.get("version", "")
        if request.POST.get("then") == "later":
            messages.success(request, _("Saved. Go on whenever you like."))
            return redirect("portal:home")
        try:
            record_answers(
                actor=actor,
                client_id=application.client_id,
                answers=answers,
                at=now.at,
                version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0,
            )
        except AnswersRefused as refused:
            wrong = {problem.question for problem in refused.problems}
        else:
            cache.delete(kept_under)
            messages.success(request, _("Your answers are on record."))
            return redirect("portal:questionnaire")
    is_chinese = (get_language() or "").startswith("zh")
    questions = [
        {
            "id": one.id,
            "words": one.zh if is_chinese else one.en,
            "options": [(o.id, o.zh if is_chinese else o.en, answers.get(one.id) == o.id) for o in one.options],
            "is_wrong": one.id in wrong,
        }
        for one in shown.questionnaire.questions
    ]
    held = find_assessment(application.client_id)
    context = {
        "questions": questions,
        "version": shown.version,
        "wrong": len(wrong),
        "assessment": held if held is not None and held.expires_on >= today else None,
        "is_editable": application.state in EDITABLE,
        "is_again": "again" in request.GET or bool(answers),
    }
    return render(request, "portal/questionnaire.html", context)


def _keep(kept_under: str, answers: dict[str, str]) -> None:
    """Keep half an answer, sealed: what somebody can bear to lose is nobody else's to read."""
    sealed = seal(json.dumps(answers).encode(), context=kept_under)
    cache.set(kept_under, (sealed.key_id, sealed.blob), ANSWERS_KEPT_SECONDS)


def _read_kept(kept_under: str) -> dict[str, str]:
    """Half an answer that was kept; nothing once its key is gone."""
    kept = cache.get(kept_under)
    if not isinstance(kept, tuple):
        return {}
    try:
        answers: dict[str, str] = json.loads(open_sealed(Sealed(*kept), context=kept_under))
    except SealBroken:
        return {}
    return answers


def _answers(request: HttpRequest, options: dict[str, set[str]]) -> dict[str, str]:
    given = {question: request.POST.get(f"q.{question}", "") for question in options}
    return {question: chosen for question, chosen in given.items() if chosen in options[question]}


@client_page
def own_data(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What we hold of this client, masked, and what they agreed to."""
    client = own_client(actor)
    consents = [(one, *CONSENT_WORDS[one.purpose]) for one in list_consents(actor, client.id)]
    context = {
        "client": client,
        "profile": get_profile(actor, client.id),
        "bank_accounts": list_bank_accounts(actor, client.id),
        "consents": consents,
        "may_market": any(one.purpose is ConsentPurpose.MARKETING and not one.withdrawn_at for one, *_w in consents),
        "application": find_own_application(actor),
    }
    return render(request, "portal/own_data.html", context)


@require_POST
@client_page
def agree_to_marketing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Agree to be written to about offers."""
    record_consent(
        actor=actor,
        client_id=own_client(actor).id,
        purpose=ConsentPurpose.MARKETING,
        text_version=CONSENT_TEXT,
        channel=ConsentChannel.PORTAL,
        at=desk_now(),
    )
    return redirect("portal:own_data")


@require_POST
@client_page
def take_back(request: HttpRequest, actor: Actor, consent_id: int) -> HttpResponse:
    """Take a consent back."""
    withdraw_consent(
        actor=actor, client_id=own_client(actor).id, consent_id=consent_id, reason=_("By the client."), at=desk_now()
    )
    messages.success(request, _("Taken back. It counts no more from now on."))
    return redirect("portal:own_data")
