"""The catalogue of translations: gather every message of the pages, compile it, and say what is not translated.

    python tools/messages.py            gather and compile
    python tools/messages.py --check    only say what is missing or out of date

Messages come from the templates themselves (the nodes that Django parses) and from Python sources of the surfaces.
"""

import io
import os
import sys
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import django
from babel.messages import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template import Template, engines
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parents[1]
SURFACES = ROOT / "src" / "reefpoint" / "surfaces"
CATALOGUE = SURFACES / "web" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
KEYWORDS = {
    "_": None,
    "_now": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}

Message = tuple[str | tuple[str, str], str | None]


def messages() -> dict[Message, list[str]]:
    """Every message (with its plural) and context, and the files that use it."""
    found: dict[Message, list[str]] = {}
    for path in sorted(SURFACES.rglob("*")):
        if path.suffix not in {".html", ".txt", ".svg", ".py"} or "static" in path.parts:
            continue
        gather = _from_python if path.suffix == ".py" else _from_template
        for message in gather(path):
            places = found.setdefault(message, [])
            place = str(path.relative_to(ROOT))
            if place not in places:
                places.append(place)
    return found


def _from_python(path: Path) -> Iterator[Message]:
    with path.open("rb") as source:
        for _, keyword, given, _ in extract_python(source, list(KEYWORDS), [], {}):
            if keyword in {"pgettext", "pgettext_lazy"}:
                yield given[1], given[0]
            elif keyword == "ngettext":
                yield (given[0], given[1]), None
            else:
                words = given if isinstance(given, str) else given[0]
                if words:
                    yield words, None


def _from_template(path: Path) -> Iterator[Message]:
    nodes = Template(path.read_text(encoding="utf-8"), engine=engines["django"].engine).nodelist
    for node in nodes.get_nodes_by_type(TranslateNode):
        context = node.message_context.resolve({}) if node.message_context else None
        if isinstance(node.filter_expression.var.literal, str):
            yield str(node.filter_expression.var.literal), context
    for node in nodes.get_nodes_by_type(BlockTranslateNode):
        context = node.message_context.resolve({}) if node.message_context else None
        singular = _trimmed(node, node.render_token_list(node.singular)[0])
        if node.plural:
            yield (singular, _trimmed(node, node.render_token_list(node.plural)[0])), context
        else:
            yield singular, context


def _trimmed(node: BlockTranslateNode, words: str) -> str:
    return " ".join(line.strip() for line in words.strip().splitlines()) if node.trimmed else words


def gathered(known: Catalog) -> Catalog:
    """A catalogue of exactly the messages in use, with the translations that are known."""
    catalogue = Catalog(locale="zh_Hans", domain="django", fuzzy=False, charset="utf-8")
    catalogue.mime_headers = [("Plural-Forms", "nplurals=1; plural=0;")]
    for (words, context), places in messages().items():
        old = known.get(words[0] if isinstance(words, tuple) else words, context)
        string = old.string if old is not None else ""
        if isinstance(words, tuple):
            string = (string if isinstance(string, str) else string[0],)
        elif isinstance(string, tuple):
            string = string[0]
        catalogue.add(words, string, locations=[(place, 0) for place in places], context=context)
    return catalogue


def problems(catalogue: Catalog) -> list[str]:
    """Messages without a translation, or whose placeholders differ from the English."""
    found = []
    for message in catalogue:
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(strings):
            found.append(f"not translated: {message.id!r}")
        found.extend(f"{message.id!r}: {error}" for error in message.check(catalogue))
    return found


def po_text(catalogue: Catalog) -> bytes:
    """The catalogue as the file we keep: no dates and no line numbers, so that it changes only with the words."""
    text = io.BytesIO()
    write_po(text, catalogue, width=120, omit_header=True, sort_output=True, include_lineno=False)
    head = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Language: zh_Hans\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    return head.encode() + text.getvalue()


def mo_bytes(po: bytes) -> bytes:
    """The compiled form of a catalogue file."""
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(po), locale="zh_Hans"))
    return compiled.getvalue()


def compiled_words(mo: bytes) -> dict[object, str]:
    """What a compiled catalogue translates, without the head, which holds the time of compiling."""
    words: dict[object, str] = dict(GNUTranslations(io.BytesIO(mo))._catalog)  # type: ignore[attr-defined]
    words.pop("", None)
    return words


def is_compiled() -> bool:
    """Whether the compiled catalogue says what the catalogue says."""
    compiled = CATALOGUE.with_suffix(".mo")
    return compiled.exists() and compiled_words(compiled.read_bytes()) == compiled_words(
        mo_bytes(CATALOGUE.read_bytes())
    )


def main() -> int:
    """Gather and compile, or check. Returns 1 if anything is missing or out of date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
    django.setup()
    known = read_po(CATALOGUE.open("rb"), locale="zh_Hans") if CATALOGUE.exists() else Catalog(locale="zh_Hans")
    catalogue = gathered(known)
    text = po_text(catalogue)
    found = problems(catalogue)
    if "--check" in sys.argv:
        if not CATALOGUE.exists() or CATALOGUE.read_bytes() != text:
            found.append("django.po is not what the pages say: run python tools/messages.py")
        elif not is_compiled():
            found.append("django.mo is not compiled from django.po: run python tools/messages.py")
    else:
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_bytes(text)
        if not is_compiled():
            CATALOGUE.with_suffix(".mo").write_bytes(mo_bytes(text))
    for line in found:
        sys.stdout.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
