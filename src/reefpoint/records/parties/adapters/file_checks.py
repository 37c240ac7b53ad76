"""What a file really is: found by reading its content in a process of its own, with bounds on time and memory.

Run as a program (`python -m reefpoint.records.parties.adapters.file_checks`) it reads a file on standard input and
writes one word: the media type, or why it is refused. A hostile file can at worst end that process.
"""

import io
import subprocess
import sys
from contextlib import suppress

from PIL import Image

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.parties.rules import FILE_BYTES_MAX, PDF_PAGES_MAX
from reefpoint.records.parties.types import MediaType

SECONDS_MAX = 10
MEMORY_BYTES_MAX = 1_500_000_000
PIXELS_MAX = 60_000_000
SUFFIXES = {MediaType.PDF: ".pdf", MediaType.JPEG: ".jpg", MediaType.PNG: ".png"}


class DocumentRefused(Refusal):
    """A file that is empty, too large, of another kind, damaged, locked or active."""

    code = "document_refused"


_WHY = {
    "kind": Sentence("This is no PDF, JPEG or PNG file, whatever its name says. Send one of these."),
    "damaged": Sentence("The file is damaged and does not open. Save it again, or scan it once more."),
    "locked": Sentence("The PDF is locked by a password. Send one that opens without."),
    "active": Sentence("The PDF holds a program or an attached file. Print it to a plain PDF and send that."),
    "pages": Sentence("The PDF has more than {most} pages. Send the pages that matter.", {"most": PDF_PAGES_MAX}),
    "pixels": Sentence(
        "The picture has more than {most} million pixels. Send a smaller one.", {"most": PIXELS_MAX // 1_000_000}
    ),
}


def check_file(content: bytes) -> MediaType:
    """What the file is, by its content. Raises `DocumentRefused` with what to do."""
    if not content:
        raise DocumentRefused("The file is empty.", why="empty")
    if len(content) > FILE_BYTES_MAX:
        raise DocumentRefused(
            "The file has {size:.1f} MB; at most {file_bytes_max} MB are taken.",
            why="size",
            size=len(content) / 1000000.0,
            file_bytes_max=FILE_BYTES_MAX // 1000000,
        )
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) and b"%PDF-" not in content[:1024]:
        raise DocumentRefused(_WHY["kind"], why="kind")
    try:
        answer = subprocess.run(  # noqa: S603 - our own program, and the file goes to its standard input
            [sys.executable, "-m", __name__], input=content, capture_output=True, timeout=SECONDS_MAX, check=False
        ).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        answer = "damaged"
    if answer in set(MediaType):
        return MediaType(answer)
    why = answer if answer in _WHY else "damaged"
    raise DocumentRefused(_WHY[why], why=why)


def _look_at(content: bytes) -> str:
    if b"%PDF-" not in content[:1024]:
        return _look_at_picture(content)
    from reefpoint.records.parties.adapters.pdf_checks import look_at_pdf  # noqa: PLC0415 - pictures need no pypdf

    return look_at_pdf(content)


def _look_at_picture(content: bytes) -> str:
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                return "pixels"
            picture.verify()
    except Image.DecompressionBombError:
        return "pixels"
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
        picture.load()
        return MediaType.JPEG if picture.format == "JPEG" else MediaType.PNG


def _limit() -> None:
    import resource  # noqa: PLC0415 - not on every system

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


if __name__ == "__main__":
    with suppress(ImportError, ValueError, OSError):
        _limit()
    try:
        sys.stdout.write(_look_at(sys.stdin.buffer.read(FILE_BYTES_MAX + 1)))
    except Exception:
        sys.stdout.write("damaged")
