"""What every address of the REST interface has in common: who calls, how much, what may come in, how no is said.

A router's function parses, makes one call and returns its answer. Refusals become problem documents (RFC 9457)
whose `code` is the refusal's own; nothing of what was sent is repeated in them (I65).
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Router, Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from ninja.renderers import JSONRenderer
from ninja.security import APIKeyCookie, HttpBearer
from ninja.throttling import BaseThrottle
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.access.services import find_actor_for_token
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.surfaces.api.field_words import field_words
from reefpoint.surfaces.web.limits import is_within
from reefpoint.surfaces.web.people import actor_of, status_of
from reefpoint.surfaces.web.sentences import said, told

T = TypeVar("T")
LOG = logging.getLogger("reefpoint.api")
CALLS_PER_MINUTE = 300
PAGE_ROWS_MAX = 200
ID_MAX = 2**63 - 1
PROBLEM = "application/problem+json"


class Caller(HttpRequest):
    """A request that has been let in; `auth` is who calls."""

    auth: Actor


class Token(HttpBearer):
    """`Authorization: Bearer rpt_...`, a key made under Sign-in and security."""

    openapi_name = "token"

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Who calls, with the rights that person and key hold at this moment."""
        return find_actor_for_token(token, timezone.now())


class Session(APIKeyCookie):
    """The session of a signed-in person, with a CSRF token on whatever changes something."""

    openapi_name = "session"
    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Actor | None:
        """Who is signed in; nobody if the request came with a key, right or wrong."""
        if "Authorization" in request.headers or actor_of(request) is None:
            return None
        actor: Actor | None = super().__call__(request)
        return actor

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """Who is signed in."""
        return actor_of(request)


class CallsPerMinute(BaseThrottle):
    """At most `CALLS_PER_MINUTE` calls of one person in one minute, counted over all processes."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count this call; False when it is one too many."""
        caller: Actor = request.auth  # type: ignore[attr-defined]
        return is_within(f"api:{caller.ref}", at_most=CALLS_PER_MINUTE, seconds=60)

    def wait(self) -> float:
        """Seconds until the next minute."""
        return 60 - time.time() % 60


class In(Schema):
    """The base of what comes in: unknown fields are refused, and text that hides something is too (I69)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def refuse_hostile_text(cls, data: Any) -> Any:
        """Raise for a control, direction or invisible character anywhere in the values."""
        for text in _texts(data):
            check_text(text)
        return data


def _texts(value: Any) -> Iterable[str]:
    stack = [value]
    while stack:
        match stack.pop():
            case str() as text:
                yield text
            case Mapping() as mapping:
                stack.extend(mapping.keys())
                stack.extend(mapping.values())
            case list() | tuple() as items:
                stack.extend(items)


def check_text(text: str) -> str:
    """The text itself, or a validation error that says what kind of character may not be in it."""
    found = find_unsafe(text)
    if found is not None:
        raise PydanticCustomError("unsafe_text", "Holds a character that may not come in: {kind}.", {"kind": found})
    return text


SafeText = Annotated[str, Field(max_length=200), AfterValidator(check_text)]
"""A short text in an address."""

Id = Annotated[int, Field(ge=1, le=ID_MAX)]
Offset = Annotated[int, Field(ge=0, le=10**9, description="Rows to leave out.")]
Limit = Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX, description="Rows to answer with.")]


class Listed(Schema, Generic[T]):
    """A part of a list: `count` is of everything that matched."""

    count: int
    items: list[T]


class Made(Schema):
    """The id of what was made."""

    id: int


class FieldProblem(Schema):
    """What is wrong with one field; the value is not repeated."""

    at: list[str | int]
    code: str
    message: str


class Problem(Schema):
    """A call that was not done (RFC 9457). `code` is stable; `detail` is for people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = Field(default_factory=list)


TITLES = {
    400: "Malformed",
    401: "Not signed in",
    403: "Not permitted",
    404: "Not found",
    405: "Not a method of this address",
    409: "Refused",
    413: "Too large",
    415: "Wrong content type",
    422: "Not valid",
    429: "Too many calls",
    500: "Something broke",
}


def problem(status: int, code: str, detail: str, errors: Iterable[FieldProblem] = ()) -> JsonResponse:
    """A problem document as an answer."""
    body = Problem(title=TITLES.get(status, "Refused"), status=status, detail=detail, code=code, errors=list(errors))
    return JsonResponse(body.model_dump(), status=status, content_type=PROBLEM)


PROBLEMS: dict[int, type[BaseModel]] = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422, 429), Problem)


def answers(ok: Any, status: int = 200) -> dict[int, Any]:
    """What an operation may answer: `ok`, or one of the problems that every operation shares."""
    return {status: ok, **PROBLEMS}


def router(tag: str) -> Router:
    """A router whose operations are listed under `tag`."""
    return Router(tags=[tag])


def now() -> datetime:
    """The desk's time, for whatever a call does."""
    return desk_now()


def today() -> date:
    """The open business date, or the date of the desk's time."""
    clock = get_clock()
    return clock.business_date or clock.at.date()


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    status = status_of(refusal)
    caller: Actor | None = getattr(request, "auth", None)
    if status in {403, 404} and caller is not None and "portal.apply" in caller.permissions:
        return _not_found(request, Http404())  # a client is not told that somebody else's thing exists (I66)
    words, name = said(refusal), refusal.facts.get("field")
    errors = [FieldProblem(at=["body", name], code=refusal.code, message=words)] if isinstance(name, str) else []
    return problem(status, refusal.code, words, errors)


def _not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        FieldProblem(
            at=list(one["loc"]), code=str(one["type"]), message=field_words(str(one["type"]), one.get("ctx", {}))
        )
        for one in error.errors
    ]
    return problem(422, "not_valid", _("Some fields are not as they must be. Nothing was changed."), errors)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    codes = {400: "malformed", 401: "not_signed_in", 403: "forbidden", 415: "wrong_content_type"}
    details = {
        400: _("The request is not well formed. Nothing was changed."),
        401: _("Send a key that is in force, or sign in."),
        403: _("This may not be done with what was sent. Nothing was changed."),
        415: _("The body must be JSON, and say so. Nothing was changed."),
    }
    status = error.status_code
    return problem(status, codes.get(status, "refused"), details.get(status, _("The request was refused.")))


def _not_signed_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = problem(401, "not_signed_in", _("Send a key that is in force, or sign in."))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
    response = problem(
        429, "too_many_calls", _("At most %(calls)s calls a minute. Wait, then go on.") % {"calls": CALLS_PER_MINUTE}
    )
    response.headers["Retry-After"] = str(int(error.wait or 60))
    return response


def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404, "not_found", _("There is nothing at this address for you."))


def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem(413, "too_large", _("The body is larger than this address takes. Nothing was changed."))


def _suspicious(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    return problem(400, "malformed", _("The request is not well formed. Nothing was changed."))


def _broke(request: HttpRequest, error: Exception) -> HttpResponse:
    LOG.error("a call of %s %s broke", request.method, request.path, exc_info=error)
    return problem(500, "broken", _("Something broke on our side. It is logged; nothing more was done."))


HANDLERS: tuple[tuple[type[Exception], Callable[[HttpRequest, Any], HttpResponse]], ...] = (
    (Refusal, _refused),
    (ValidationError, _not_valid),
    (HttpError, _http_error),
    (AuthenticationError, _not_signed_in),
    (Throttled, _throttled),
    (Http404, _not_found),
    (RequestDataTooBig, _too_large),
    (SuspiciousOperation, _suspicious),
    (Exception, _broke),
)


class DeskAPI(NinjaAPI):
    """The interface with our operation ids: `clients_list_clients` from `routers/clients.py`."""

    _document: Any = None

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Any:
        """The document, made once in a process: it takes more than a second and never changes."""
        if path_prefix is not None or path_params:
            return super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        if self._document is None:
            self._document = super().get_openapi_schema()
        return self._document

    def get_openapi_operation_id(self, operation: Any) -> str:
        """Module and function."""
        return f"{operation.view_func.__module__.rpartition('.')[2]}_{operation.view_func.__name__}"


RECORDED = frozenset({
    "reason", "decision_reason", "end_reason", "release_reason", "close_reason", "disposition_reason", "closing_note",
    "resumed_because", "problem", "error",
})  # fmt: skip
"""Fields with a sentence on record: the desk's own are said in the caller's language, what a person typed stays."""


class ToldRenderer(JSONRenderer):
    """JSON in which the desk's own sentences on record follow `Accept-Language`; codes never change."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        """The answer as bytes."""
        is_english = (get_language() or "en").startswith("en")
        return super().render(request, data if is_english else in_words(data), response_status=response_status)


def in_words(data: Any) -> Any:
    """The same data with what is recorded in sentences told in the reader's language."""
    if isinstance(data, Mapping):
        return {
            name: told(value) if name in RECORDED and isinstance(value, str) and " " in value else in_words(value)
            for name, value in data.items()
        }
    return [in_words(one) for one in data] if isinstance(data, list | tuple) else data


def make_api() -> NinjaAPI:
    """The interface without its routers."""
    api = DeskAPI(
        title="Reefpoint",
        version="1",
        description="The desk's services for programs. A call may do what the person behind it may do, and no more.",
        urls_namespace="api",
        docs_url=None,
        auth=[Token(), Session()],
        throttle=[CallsPerMinute()],
        renderer=ToldRenderer(),
    )
    for error, handler in HANDLERS:
        api.add_exception_handler(error, handler)
    return api
