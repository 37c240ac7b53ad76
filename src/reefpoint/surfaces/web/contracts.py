"""What the portal and the console share of contracts: papers as answers, and the words of their parts."""

from django.http import HttpResponse

from reefpoint.platform.basics.errors import NotFound
from reefpoint.records.contracts.selectors import root_certificate
from reefpoint.records.contracts.types import Language


class NoRootYet(NotFound):
    """Nothing was signed here yet, so there is no certificate."""


def language_of(language: Language) -> str:
    """The language of a contract as pages are marked with it."""
    return "zh-Hans" if language is Language.ZH else "en"


def pdf_answer(name: str, content: bytes) -> HttpResponse:
    """A paper as an attachment: never shown inside our own pages."""
    answer = HttpResponse(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def root_answer() -> HttpResponse:
    """The desk's root certificate, to be imported into a reader of PDF. Raises `NoRootYet`."""
    root = root_certificate()
    if root is None:
        raise NoRootYet("Nothing was signed here yet.")
    answer = HttpResponse(root, content_type="application/x-pem-file")
    answer.headers["Content-Disposition"] = 'attachment; filename="reefpoint-root.pem"'
    return answer
