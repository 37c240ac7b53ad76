"""The catalogue of translations: gather every message of the pages, compile it, and say what is not translated.

    python tools/messages.py            gather and compile
    python tools/messages.py --check    only say what is missing or out of date

Messages come from the templates themselves (the nodes that Django parses), from Python sources of the surfaces, and
from the sentences of the whole package: refusals, `Sentence`, the subjects of state tables and the states they name;
and, from the data that ships with the program, where its figures come from (`CITED`).
"""

import ast
import io
import os
import re
import sys
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from string import Formatter

import django
import yaml
from babel.messages import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template import Template, engines
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "reefpoint"
SURFACES = PACKAGE / "surfaces"
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

NAMED_STATES = frozenset(
    {"Cause", "FxFlaw", "RenewalBar", "Blocker", "ModelState", "DeliveryState", "Language", "Rating", "Segment"}
)
"""Enumerations, other than those of state tables, whose members sentences name."""

CITED = (
    "records/products/packs/*.yaml",
    "decisions/pricing/data/grid.yaml",
    "decisions/monitoring/data/typologies.yaml",
)
"""Data that names laws and other sources in English, in fields of `CITATIONS`."""
CITATIONS = frozenset({"source", "article", "title"})

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
    for path, message in (*_from_sentences(), *_from_citations()):
        places = found.setdefault(message, [])
        place = str(path.relative_to(ROOT))
        if place not in places:
            places.append(place)
    return found


def _from_citations() -> Iterator[tuple[Path, Message]]:
    for pattern in CITED:
        for path in sorted(PACKAGE.glob(pattern)):
            yield from ((path, message) for message in _from_data(yaml.safe_load(path.read_text(encoding="utf-8"))))


def _from_data(node: object, field: str = "") -> Iterator[Message]:
    """What a citation says, wherever it stands; a title is one only where it has a grade, as sources have."""
    if isinstance(node, str) and field in CITATIONS and re.search("[A-Za-z]{3}", node):
        yield node, None
    elif isinstance(node, dict):
        for key, value in node.items():
            if key != "title" or "grade" in node:
                yield from _from_data(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _from_data(value)


def sources() -> dict[Path, ast.Module]:
    """The syntax trees of the package, without its benchmarks, which nobody reads on a page."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "benchmarks" not in path.parts
    }


def refusal_classes(trees: dict[Path, ast.Module]) -> dict[str, list[ast.ClassDef]]:
    """Every class that is a Refusal, directly or by its parents, by its name."""
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found: dict[str, list[ast.ClassDef]] = {"Refusal": []}
    size = 0
    while size != len(found):
        size = len(found)
        for one in classes:
            if one not in found.get(one.name, []) and any(_name(base) in found for base in one.bases):
                found.setdefault(one.name, []).append(one)
    return found


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _from_sentences() -> Iterator[tuple[Path, Message]]:
    trees = sources()
    refusals = refusal_classes(trees)
    states = set(NAMED_STATES)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                words = words_of(node, refusals)
                if words is not None:
                    yield path, (words, None)
                if _name(node.func) == "StateTable":
                    states.update(
                        _name(one.value.value)
                        for one in node.keywords
                        if one.arg == "initial" and isinstance(one.value, ast.Attribute)
                    )
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in states:
                for line in node.body:
                    if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                        yield path, (str(line.value.value).replace("_", " "), "state")


def words_of(call: ast.Call, refusals: dict[str, list[ast.ClassDef]]) -> str | None:
    """The English words that a call of a refusal, of `Sentence` or of a state table brings to a reader, if literal."""
    name = _name(call.func)
    given = call.args
    if name in {"Sentence", "StateTable", "Unreadable"}:
        given = call.args[:1] + [one.value for one in call.keywords if one.arg in {"words", "subject"}]
    elif name == "__init__" and isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "super()":
        owners = {id(node) for group in refusals.values() for one in group for node in ast.walk(one)}
        given = call.args if id(call) in owners else []
    elif name not in refusals:
        return None
    texts = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return texts[-1] if texts and any(map(str.isalpha, texts[-1])) else None


def _from_python(path: Path) -> Iterator[Message]:
    with path.open("rb") as source:
        for _, keyword, given, _ in extract_python(source, list(KEYWORDS), [], {}):
            if given is None:
                continue  # words that are not literal here were gathered where they are
            if keyword in {"pgettext", "pgettext_lazy"}:
                if given[1]:
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
        if _places(message.id) is None:
            found.extend(f"{message.id!r}: {error}" for error in message.check(catalogue))
        elif strings[0] and _places(message.id) != _places(strings[0]):
            found.append(f"{message.id!r}: the translation names other figures")
    return found


def strangers(catalogue: Catalog) -> list[str]:
    """Terms of the glossary that the catalogue translates otherwise.

    A term with a remark in brackets has other senses too, and a message with a context is one of those: both pass.
    """
    found = []
    terms = dict(_glossary())
    for message in catalogue:
        words = message.id if isinstance(message.id, str) and message.context is None else ""
        chinese = terms.get(words.lower()) or terms.get(words.lower().removesuffix("s"))
        if chinese and not any(one in message.string or message.string in one for one in chinese):
            found.append(f"{words!r} is {message.string}, and the glossary has {'、'.join(chinese)}")
    return found


def _glossary() -> Iterator[tuple[str, list[str]]]:
    for row in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines():
        if (
            row.startswith("| ")
            and not row.startswith("| English")
            and "(" not in (cells := [one.strip() for one in row.strip("|").split("|")])[0]
        ):
            for term in cells[0].split(", "):
                yield term.lower(), [one for one in re.split("[、（）]", cells[1]) if one]


def _places(words: str | tuple[str, ...] | list[str]) -> set[str] | None:
    """The figures that a sentence names in braces; None where it names none."""
    try:
        found = {place for _, place, _, _ in Formatter().parse(str(words)) if place}
    except ValueError:
        return None
    return found or None


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
    found = problems(catalogue) + strangers(catalogue)
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
