"""A list of made-up names and a set of their variants, drawn from a seed: the same everywhere, and nobody's data.

Surnames and given names are common ones of seven cultures (`data/name_parts.yaml`); many surnames are put together from
parts, so that there are enough. Each Chinese entry is listed as published lists do it: in pinyin, in characters, or in
both. Variants apply documented treatments: the ways in which a name changes between a passport and a form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

from reefpoint.decisions.screening.rules.names import readings_of
from reefpoint.platform.basics.data_files import read_yaml

SEED = 20_190_603
CHINESE_SHARE = 0.35

_PARTS = read_yaml(files("reefpoint.benchmarks").joinpath("data/name_parts.yaml"))
SURNAMES_ZH = "".join(_PARTS["surnames_zh"])
SURNAMES_ZH_DOUBLE = _PARTS["surnames_zh_double"].split()
GIVEN_ZH = "".join(_PARTS["given_zh"])
SLAVIC_GIVEN = _PARTS["slavic_given"].split()
SLAVIC_ROOTS = _PARTS["slavic_roots"].split()
SLAVIC_ENDS = _PARTS["slavic_ends"].split()
ARABIC_GIVEN = _PARTS["arabic_given"].split()
ARABIC_NISBAS = _PARTS["arabic_nisbas"].split()
LATIN_GIVEN = _PARTS["latin_given"].split()
LATIN_SURNAMES = _PARTS["latin_surnames"].split()
ENGLISH_GIVEN = _PARTS["english_given"].split()
ENGLISH_HEADS = _PARTS["english_heads"].split()
ENGLISH_TAILS = _PARTS["english_tails"].split()
PERSIAN_GIVEN = _PARTS["persian_given"].split()
PERSIAN_ROOTS = _PARTS["persian_roots"].split()
PERSIAN_ENDS = _PARTS["persian_ends"].split()
AFRICAN_GIVEN = _PARTS["african_given"].split()
AFRICAN_HEADS = _PARTS["african_heads"].split()
AFRICAN_TAILS = _PARTS["african_tails"].split()


@dataclass(frozen=True)
class Drawn:
    """One made-up entry: its names as a list prints them, and its characters and syllables if it is Chinese."""

    number: int
    names: tuple[str, ...]
    birth: str
    hanzi: str = ""
    syllables: tuple[str, ...] = ()

    @property
    def is_chinese(self) -> bool:
        return bool(self.hanzi)


@dataclass(frozen=True)
class Variant:
    """A name as somebody else would write it: of which entry, by which treatments."""

    text: str
    number: int
    treatment: str


def draw_entries(names: int, *, seed: int = SEED, first: int = 0) -> list[Drawn]:
    """Entries with so many names together, by a seed."""
    random = Random(seed)  # noqa: S311 - names of nobody
    entries: list[Drawn] = []
    count = 0
    while count < names:
        entry = _draw(random, first + len(entries))
        entries.append(entry)
        count += len(entry.names)
    return entries


def _draw(random: Random, number: int) -> Drawn:
    birth = f"{random.randrange(1940, 2003)}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"
    if random.random() >= CHINESE_SHARE:
        name = random.choice((_slavic, _arabic, _spanish, _english, _persian, _african))(random)
        return Drawn(number, (name,), birth)
    surname = random.choice(SURNAMES_ZH_DOUBLE) if random.random() < 0.02 else random.choice(SURNAMES_ZH)
    given = "".join(random.choice(GIVEN_ZH) for _ in range(1 if random.random() < 0.15 else 2))
    hanzi = surname + given
    syllables = readings_of(hanzi)[0]
    latin = " ".join((_title(syllables[: len(surname)]), _title(syllables[len(surname) :])))
    form = random.random()
    names = (latin, hanzi) if form < 0.6 else (latin,) if form < 0.8 else (hanzi,)
    return Drawn(number, names, birth, hanzi, syllables)


def _title(syllables: tuple[str, ...]) -> str:
    return "".join(syllables).capitalize()


def _slavic(random: Random) -> str:
    surname = random.choice(SLAVIC_ROOTS) + random.choice(SLAVIC_ENDS)
    middle = f"{random.choice(SLAVIC_GIVEN[:42])}ovich " if random.random() < 0.4 else ""
    return f"{random.choice(SLAVIC_GIVEN)} {middle}{surname}"


def _arabic(random: Random) -> str:
    names = [random.choice(ARABIC_GIVEN) for _ in range(random.choice((2, 2, 3)))]
    if random.random() < 0.3:
        names.insert(1, "bin")
    return f"{' '.join(names)} al-{random.choice(ARABIC_NISBAS)}"


def _spanish(random: Random) -> str:
    given = random.sample(LATIN_GIVEN, 2 if random.random() < 0.4 else 1)
    return " ".join([*given, *random.sample(LATIN_SURNAMES, 2)])


def _english(random: Random) -> str:
    middle = f"{random.choice(ENGLISH_GIVEN)} " if random.random() < 0.5 else ""
    return f"{random.choice(ENGLISH_GIVEN)} {middle}{random.choice(ENGLISH_HEADS)}{random.choice(ENGLISH_TAILS)}"


def _persian(random: Random) -> str:
    middle = f"{random.choice(PERSIAN_GIVEN)} " if random.random() < 0.3 else ""
    return f"{random.choice(PERSIAN_GIVEN)} {middle}{random.choice(PERSIAN_ROOTS)}{random.choice(PERSIAN_ENDS)}"


def _african(random: Random) -> str:
    middle = f"{random.choice(AFRICAN_GIVEN)} " if random.random() < 0.4 else ""
    return f"{random.choice(AFRICAN_GIVEN)} {middle}{random.choice(AFRICAN_HEADS)}{random.choice(AFRICAN_TAILS)}"


# ---- variants


def draw_variants(
    entries: list[Drawn], *, latin: int, chinese: int, seed: int = SEED + 1
) -> tuple[list[Variant], list[Variant]]:
    """Variants of that many entries of each kind: Latin names, Chinese names. Every Chinese treatment comes in turn."""
    random = Random(seed)  # noqa: S311 - names of nobody
    pool_latin = random.sample([one for one in entries if not one.is_chinese], latin)
    pool_chinese = random.sample([one for one in entries if one.is_chinese], chinese)
    treatments = list(CHINESE_TREATMENTS.items())
    return (
        [_hard_latin(random, one) for one in pool_latin],
        [
            Variant(treat(one, random), one.number, name)
            for number, one in enumerate(pool_chinese)
            for name, treat in [treatments[number % len(treatments)]]
        ],
    )


def _hard_latin(random: Random, entry: Drawn) -> Variant:
    """One or two edits in different words, at times a dropped middle word, and one change of form.

    Edits spare the first letter of a word and words of three letters, as slips of pen and keyboard mostly do.
    """
    words = entry.names[0].replace("-", " ").split()
    done = []
    if len(words) > 2 and random.random() < 0.3:
        del words[random.randrange(1, len(words) - 1)]
        done.append("middle dropped")
    long_ones = [number for number, word in enumerate(words) if len(word) > 3]
    for position in random.sample(long_ones, min(len(long_ones), random.choice((1, 2)))):
        name, edit = random.choice(LETTER_EDITS)
        words[position] = edit(words[position], random)
        done.append(name)
    name, change = random.choice(FORM_CHANGES)
    done.append(name)
    return Variant(change(words), entry.number, ", ".join(done))


def _transpose(word: str, random: Random) -> str:
    at = random.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _drop(word: str, random: Random) -> str:
    at = random.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _double(word: str, random: Random) -> str:
    at = random.randrange(1, len(word))
    return word[: at + 1] + word[at] + word[at + 1 :]


def _replace(word: str, random: Random) -> str:
    at = random.randrange(1, len(word))
    return word[:at] + random.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]


def _rewrite(word: str, random: Random) -> str:
    """Another transliteration of the same sound, if the word has one."""
    ways = [(one, other) for one, other in SOUNDS if one in word.lower()]
    if not ways:
        return _transpose(word, random)
    one, other = random.choice(ways)
    return word.lower().replace(one, other, 1).capitalize()


SOUNDS = (
    ("ee", "i"), ("ou", "u"), ("oo", "u"), ("kh", "h"), ("y", "i"), ("ei", "ey"), ("ph", "f"), ("q", "k"), ("j", "zh"),
    ("ss", "s"), ("mm", "m"), ("ts", "c"), ("x", "ks"), ("v", "w"), ("dh", "z"), ("c", "k"), ("z", "s"), ("sh", "sch"),
)  # fmt: skip
LETTER_EDITS: tuple[tuple[str, Callable[[str, Random], str]], ...] = (
    ("letters turned", _transpose),
    ("letter dropped", _drop),
    ("letter doubled", _double),
    ("letter replaced", _replace),
    ("transliterated otherwise", _rewrite),
)
FORM_CHANGES: tuple[tuple[str, Callable[[list[str]], str]], ...] = (
    ("as it is", " ".join),
    ("surname first", lambda words: f"{words[-1].upper()}, {' '.join(words[:-1])}"),
    ("capitals", lambda words: " ".join(words).upper()),
    ("hyphens", lambda words: " ".join([*words[:-2], "-".join(words[-2:])])),
    ("accents", lambda words: " ".join(words).replace("a", "á", 1).replace("e", "è", 1).replace("o", "ö", 1)),
)


def _surname_length(entry: Drawn) -> int:
    return 2 if entry.hanzi[:2] in SURNAMES_ZH_DOUBLE else 1


def _halves(entry: Drawn) -> tuple[tuple[str, ...], tuple[str, ...]]:
    length = _surname_length(entry)
    return entry.syllables[:length], entry.syllables[length:]


@cache
def _converter():  # type: ignore[no-untyped-def]
    from opencc import OpenCC  # noqa: PLC0415 - loads its dictionaries

    return OpenCC("s2t")


def _toned(syllables: tuple[str, ...], marks: str, random: Random) -> list[str]:
    """Syllables with a tone mark on the vowel that bears it in pinyin: a or e, the o of ou, else the last vowel."""
    accents = {"1": "̄", "2": "́", "3": "̌", "4": "̀"}
    found = []
    for syllable in syllables:
        tone = random.choice("1234")
        if marks == "digits":
            found.append(syllable + tone)
            continue
        at = next((syllable.index(v) for v in ("a", "e", "ou") if v in syllable), None)
        if at is None:
            at = max(syllable.rfind(vowel) for vowel in "iou")
        found.append(syllable[: at + 1] + accents[tone] + syllable[at + 1 :])
    return found


def _pinyin(entry: Drawn, random: Random) -> str:
    surname, given = _halves(entry)
    return f"{_title(surname)} {_title(given)}"


CHINESE_TREATMENTS: dict[str, Callable[[Drawn, Random], str]] = {
    "simplified": lambda entry, random: entry.hanzi,
    "traditional": lambda entry, random: str(_converter().convert(entry.hanzi)),
    "pinyin": _pinyin,
    "pinyin, given name first": lambda entry, random: " ".join(reversed(_pinyin(entry, random).split())),
    "pinyin, syllables apart": lambda entry, random: " ".join(syllable.capitalize() for syllable in entry.syllables),
    "pinyin, hyphen": lambda entry, random: f"{_title(_halves(entry)[0])} {'-'.join(_halves(entry)[1]).title()}",
    "pinyin, capitals and comma": lambda entry, random: ", ".join(_pinyin(entry, random).upper().split()),
    "tone marks": lambda entry, random: " ".join(_toned(entry.syllables, "marks", random)),
    "tone digits": lambda entry, random: " ".join(_toned(entry.syllables, "digits", random)),
    "characters spaced": lambda entry, random: " ".join(entry.hanzi),
}
"""How a Chinese name comes back on a form. None of them changes the name itself."""
