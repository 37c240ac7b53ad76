"""The sections of an application as forms: what was typed becomes answers, answers become boxes to type in.

A box is named by the path of its question (`identifiers.0.number`), as problems name it. What cannot be read as an
answer at all (an amount in words) is kept as typed and said beside its box; everything else is saved.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import get_language, gettext_lazy

from reefpoint.flows.origination.rules.questions import fields_of
from reefpoint.flows.origination.types.questions import Field, FieldKind, FieldProblem, Plain, Section, SectionData
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.records.parties.types import ClientKind
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.application_words import OPTION_WORDS, Words, label_of, problem_word
from reefpoint.surfaces.web.countries import country_options
from reefpoint.surfaces.web.figures import money_text

Option = tuple[str, Words]
TYPED_CHARS_MAX = 4_000
CURRENCY_WORDS: tuple[Option, ...] = tuple((code, code) for code in MINOR_DIGITS)
PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%?")
NOT_READ = {
    FieldKind.MONEY: gettext_lazy("This is not an amount: type 500,000 or 500k or 50万."),
    FieldKind.SHARE: gettext_lazy("This is not a percentage: type 25 or 12.5."),
    FieldKind.NUMBER: gettext_lazy("This is not a whole number."),
}
CHOOSE: Option = ("", gettext_lazy("Choose"))


@dataclass
class Typed:
    """What came in: the answers that could be read, and by path what could not."""

    data: SectionData = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    errors: dict[str, Words] = field(default_factory=dict)


@dataclass(frozen=True)
class Box:
    """One question as it is drawn. `rows` are the boxes of each row, with the row's path."""

    path: str
    kind: str
    label: Words
    help: Words
    is_required: bool
    text: str = ""
    chosen: tuple[str, ...] = ()
    options: Sequence[Option] = ()
    error: Words = ""
    rows: tuple[tuple[str, tuple["Box", ...]], ...] = ()
    may_add: bool = False
    high: int = 0

    @property
    def id(self) -> str:
        return "f-" + self.path.replace(".", "-")


def read_section(given: QueryDict, section: Section, kind: ClientKind) -> Typed:
    """The answers of a section from a form."""
    typed = Typed()
    typed.data = _read_fields(given, fields_of(section, kind), "", typed)
    return typed


def _read_fields(given: QueryDict, fields: Sequence[Field], prefix: str, typed: Typed) -> SectionData:
    data: SectionData = {}
    for one in fields:
        path = prefix + one.name
        if one.kind is FieldKind.ROWS:
            data[one.name] = [
                _read_fields(given, one.fields, f"{path}.{i}.", typed) for i in _rows_of(given, one, path)
            ]
        else:
            value = _read(given, one, path, typed)
            if value is not None:
                data[one.name] = value
    return data


def _rows_of(given: QueryDict, one: Field, path: str) -> list[int]:
    """The numbers of the rows that the form holds, at most one more than may be."""
    found = {match[1] for key in given if (match := re.fullmatch(rf"{re.escape(path)}\.([0-9]{{1,3}})\..+", key))}
    return sorted(map(int, found))[: one.high + 1]


def _read(given: QueryDict, one: Field, path: str, typed: Typed) -> Plain:
    text = given.get(path, "").strip()[:TYPED_CHARS_MAX]
    match one.kind:
        case FieldKind.CHOICES:
            return _listed(given.getlist(path)[: one.high + 1])
        case FieldKind.TEXTS:
            return _listed([line.strip() for line in text.splitlines() if line.strip()][: one.high + 1])
        case FieldKind.AGREED:
            return True if text else None
        case FieldKind.YES_NO:
            return {"yes": True, "no": False}.get(text)
        case FieldKind.MONEY | FieldKind.SHARE | FieldKind.NUMBER if text:
            number = _number(one.kind, text)
            if number is None:
                typed.unread[path] = text
                typed.errors[path] = NOT_READ[one.kind]
            return number
    return text or None


def _listed(texts: Sequence[str]) -> list[Plain]:
    return list(texts)


def _number(kind: FieldKind, text: str) -> int | None:
    if kind is FieldKind.MONEY:
        if text.strip("0.,") == "" and "0" in text:
            return 0
        try:
            return parse_money(text)
        except AmountError:
            return None
    if kind is FieldKind.SHARE:
        percent = PERCENT.fullmatch(text.replace(" ", ""))
        return None if percent is None else int(percent[1]) * 100 + int((percent[2] or "0").ljust(2, "0"))
    plain = text.replace(",", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


def draw_section(
    section: Section,
    kind: ClientKind,
    data: Mapping[str, Plain],
    *,
    problems: Sequence[FieldProblem] = (),
    typed: Typed | None = None,
    more: str = "",
    options: Mapping[str, Sequence[Option]] | None = None,
    only: Collection[str] | None = None,
) -> tuple[Box, ...]:
    """The boxes of a section, or of some of its questions (`only`).

    `more` names the rows to which an empty one is added; `options` replaces lists.
    """
    errors: dict[str, Words] = {problem.field: problem_word(problem.code) for problem in problems}
    typed = typed or Typed()
    errors.update(typed.errors)
    drawing = _Drawing(kind, errors, typed.unread, more, options or {})
    asked = [field for field in fields_of(section, kind) if only is None or field.name in only]
    return drawing.boxes(asked, data, "")


@dataclass(frozen=True)
class _Drawing:
    kind: ClientKind
    errors: Mapping[str, Words]
    unread: Mapping[str, str]
    more: str
    options: Mapping[str, Sequence[Option]]

    def boxes(self, fields: Sequence[Field], data: Mapping[str, Plain], prefix: str) -> tuple[Box, ...]:
        return tuple(self._box(one, data.get(one.name), prefix + one.name) for one in fields)

    def _box(self, one: Field, value: Plain, path: str) -> Box:
        label, help_words = label_of(path, self.kind)
        rows: tuple[tuple[str, tuple[Box, ...]], ...] = ()
        may_add = False
        if one.kind is FieldKind.ROWS:
            kept = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
            may_add = len(kept) < one.high
            wanted = len(kept) + (may_add and (self.more == one.name or (not kept and self.kind in one.required_of)))
            rows = tuple(
                (f"{path}.{i}", self.boxes(one.fields, kept[i] if i < len(kept) else {}, f"{path}.{i}."))
                for i in range(wanted)
            )
        return Box(
            path=path,
            kind=one.kind.value,
            label=label,
            help=help_words,
            is_required=self.kind in one.required_of,
            text=self.unread.get(path, _text(one.kind, value)),
            chosen=tuple(str(item) for item in value) if isinstance(value, list) and not rows else (),
            options=self.options.get(one.name) or _options(one),
            error=self.errors.get(path, ""),
            rows=rows,
            may_add=may_add,
            high=one.high,
        )


def _text(kind: FieldKind, value: Plain) -> str:
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return "\n".join(str(line) for line in value) if kind is FieldKind.TEXTS else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and kind is FieldKind.MONEY:
        return money_text(value).removesuffix(".00")
    if isinstance(value, int) and kind is FieldKind.SHARE:
        return f"{value // 100}.{value % 100:02d}".removesuffix(".00")
    return str(value)


def _options(one: Field) -> Sequence[Option]:
    match one.kind:
        case FieldKind.COUNTRY:
            return (CHOOSE, *country_options((get_language() or "").startswith("zh")))
        case FieldKind.CURRENCY:
            return (CHOOSE, *CURRENCY_WORDS)
        case FieldKind.CHOICE:
            return (CHOOSE, *((option, OPTION_WORDS[option]) for option in one.options))
        case FieldKind.CHOICES:
            return tuple((option, OPTION_WORDS[option]) for option in one.options)
    return ()
