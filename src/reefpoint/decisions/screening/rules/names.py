"""Names as they are compared: folded Latin tokens, simplified characters, and the readings of those.

Every name becomes one or more forms. Latin letters lose case, accents, tone marks and tone digits; Cyrillic is
transliterated; Chinese characters are simplified (OpenCC t2s) and read out in pinyin without tones, the surname by its
own reading (单 is Shan, 仇 Qiu, 曾 Zeng). Neither trigrams nor sounds care for the order of words. A name in any other
script has no form: lists count such names (`missed_names`) instead of passing over them in silence.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, product
from typing import NamedTuple

READINGS_MAX = 4
TOKENS_MAX = 12
NAME_CHARACTERS_MAX = 1_000

SURNAME_READINGS = {
    "单": ("shan",), "仇": ("qiu",), "曾": ("zeng",), "解": ("xie",), "任": ("ren",), "华": ("hua",), "查": ("zha",),
    "区": ("ou",), "翟": ("zhai", "di"), "缪": ("miao",), "员": ("yun",), "覃": ("qin", "tan"), "冼": ("xian",),
    "牟": ("mou", "mu"), "盖": ("ge", "gai"), "朴": ("piao", "pu"), "乐": ("yue", "le"), "冯": ("feng",),
    "万": ("wan",), "秘": ("bi",), "葛": ("ge",), "宁": ("ning",), "纪": ("ji",), "沈": ("shen",), "车": ("che",),
    "折": ("she",), "黑": ("he",), "祭": ("zhai",), "繁": ("po",), "种": ("chong",), "重": ("chong",), "召": ("shao",),
    "宿": ("su",), "洗": ("xian",), "句": ("gou",), "隗": ("wei", "kui"), "郇": ("xun", "huan"), "谌": ("chen", "shen"),
    "逄": ("pang",), "都": ("du",), "瞿": ("qu",), "佘": ("she",), "俞": ("yu",), "郗": ("xi", "chi"), "薄": ("bo",),
    "柏": ("bai", "bo"), "贾": ("jia",), "臧": ("zang",), "能": ("nai",), "阚": ("kan",), "应": ("ying",),
    "燕": ("yan",), "莘": ("shen", "xin"), "粘": ("nian",), "曲": ("qu",), "藏": ("zang",), "盛": ("sheng",),
    "尉": ("wei",), "卜": ("bu",), "晁": ("chao",), "褚": ("chu",), "石": ("shi",), "干": ("gan",), "余": ("yu",),
    "欧阳": ("ou yang",), "司马": ("si ma",), "诸葛": ("zhu ge",), "上官": ("shang guan",), "夏侯": ("xia hou",),
    "皇甫": ("huang fu",), "公孙": ("gong sun",), "慕容": ("mu rong",), "宇文": ("yu wen",), "司徒": ("si tu",),
    "尉迟": ("yu chi", "wei chi"), "万俟": ("mo qi",), "长孙": ("zhang sun",), "澹台": ("tan tai",),
    "令狐": ("ling hu",), "单于": ("chan yu",), "鲜于": ("xian yu",), "呼延": ("hu yan",), "东方": ("dong fang",),
    "端木": ("duan mu",), "南宫": ("nan gong",), "闻人": ("wen ren",), "申屠": ("shen tu",), "淳于": ("chun yu",),
    "濮阳": ("pu yang",), "钟离": ("zhong li",), "赫连": ("he lian",),
}  # fmt: skip
"""Readings of surnames that differ from the character's usual one, the surname's own first; two-character surnames."""

COMMON_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴"
    "夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟"
    "安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项"
    "曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来"
    "嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲"
)
"""The surnames of some 95% of all Chinese: by their readings a name in Latin letters is taken for a Chinese one."""

GIVEN_READINGS = {
    "乐": ("le", "yue"), "朝": ("chao", "zhao"), "长": ("chang", "zhang"), "重": ("zhong", "chong"),
    "茜": ("qian", "xi"), "柏": ("bai", "bo"), "晟": ("sheng", "cheng"), "盛": ("sheng",), "曾": ("zeng",),
    "单": ("dan", "shan"), "行": ("xing", "hang"), "尉": ("wei", "yu"), "阿": ("a",), "娜": ("na",), "祎": ("yi",),
    "觉": ("jue",), "贾": ("jia",), "强": ("qiang",), "传": ("chuan",), "还": ("huan",), "省": ("xing", "sheng"),
    "翟": ("zhai", "di"), "奇": ("qi",), "参": ("shen", "can"), "沈": ("shen",), "万": ("wan",), "葛": ("ge",),
    "区": ("ou", "qu"), "员": ("yuan",), "解": ("jie", "xie"), "会": ("hui",), "和": ("he",), "都": ("du", "dou"),
}  # fmt: skip
"""Characters of given names with several readings in use, or whose usual one is not the dictionary's first."""

LEGAL_FORMS = frozenset(
    {
        "ltd", "limited", "llc", "llp", "lp", "inc", "incorporated", "corp", "corporation", "co", "company", "gmbh",
        "ag", "sa", "sas", "sarl", "spa", "srl", "bv", "nv", "plc", "pte", "pty", "ooo", "oao", "zao", "pao", "ao",
        "jsc", "pjsc", "cjsc", "kg", "oy", "ab", "as", "fze", "fzco", "sdn", "bhd", "kk",
    }
)  # fmt: skip
HONORIFICS = frozenset(
    {
        "mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "madam", "haji", "hajji", "mullah", "maulavi",
        "sheikh", "shaykh",
    }
)  # fmt: skip
CHINESE_LEGAL_FORMS = ("股份有限公司", "有限责任公司", "有限公司", "集团公司", "公司", "集团")

_LETTERS = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h",
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
        "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
        "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
        "я": "ya", "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "u",
    }
)  # fmt: skip
_APOSTROPHES = re.compile(r"['’‘ʼʻ`´]")
_NOT_LATIN = re.compile(r"[^a-z0-9]+")
_TONE_DIGIT = re.compile(r"^([a-z]{1,6})[1-5]$")
_HANZI = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+")
_SAME_SYLLABLE = {"lv": "lu", "lyu": "lu", "nv": "nu", "nyu": "nu", "lve": "lue", "nve": "nue"}


class SearchKey(NamedTuple):
    """A form of a name in an index: Latin words, the characters that they read, the sound of a Chinese name."""

    latin: str
    hanzi: str
    sound: str


@dataclass(frozen=True)
class NameForms:
    """One name ready to be compared.

    - `text`: as it was written
    - `tokens`: its Latin words, folded; empty for a name in characters alone
    - `hanzi`: its simplified characters without legal form; empty for a name without
    - `readings`: how the characters may be read, each as pinyin syllables
    """

    text: str
    tokens: tuple[str, ...] = ()
    hanzi: str = ""
    readings: tuple[tuple[str, ...], ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.tokens or self.hanzi)

    @property
    def keys(self) -> tuple["SearchKey", ...]:
        """What stands for the name in an index."""
        own = (SearchKey(" ".join(self.tokens), "", sound_of(sino_syllables(self.tokens))),) if self.tokens else ()
        return own + tuple(SearchKey(" ".join(reading), self.hanzi, sound_of(reading)) for reading in self.readings)


def name_forms(text: str) -> list[NameForms]:
    """The forms of a written name; characters and Latin letters in one text are two. Empty if nothing is readable."""
    text = unicodedata.normalize("NFKC", text[:NAME_CHARACTERS_MAX]).strip()
    hanzi = simplify("".join(_HANZI.findall(text)))
    latin = fold(_HANZI.sub(" ", text)) if hanzi else fold(text)
    forms = []
    if hanzi:
        forms.append(NameForms(text, hanzi=hanzi, readings=readings_of(hanzi)))
    if latin:
        forms.append(NameForms(text, tokens=latin))
    return forms


def fold(text: str) -> tuple[str, ...]:
    """Latin words in lower case without accents, tones, apostrophes, titles and (if more is left) legal forms."""
    lowered = _APOSTROPHES.sub("", text.casefold()).translate(_LETTERS)
    if not lowered.isascii():
        decomposed = unicodedata.normalize("NFKD", lowered)
        lowered = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).translate(_LETTERS)
    words = [_plain(word) for word in _NOT_LATIN.split(_straight(lowered)) if word][:TOKENS_MAX]
    return tuple(
        [word for word in words if word not in LEGAL_FORMS and word not in HONORIFICS]
        or [word for word in words if word not in HONORIFICS]
        or words
    )


def _straight(name: str) -> str:
    """SURNAME, given as given SURNAME."""
    last, comma, first = name.partition(",")
    return f"{first} {last}" if comma and "," not in first else name


def _plain(word: str) -> str:
    toned = _TONE_DIGIT.match(word)
    plain = toned.group(1) if toned and toned.group(1) in syllables() | _SAME_SYLLABLE.keys() else word
    return _SAME_SYLLABLE.get(plain, plain)


def simplify(hanzi: str) -> str:
    """Traditional characters as simplified ones, without a company's legal form at the end."""
    if not hanzi:
        return ""
    simple = str(_converter().convert(hanzi))
    for form in CHINESE_LEGAL_FORMS:
        if simple.endswith(form) and len(simple) > len(form) + 1:
            return simple.removesuffix(form)
    return simple


@lru_cache(maxsize=65_536)
def readings_of(hanzi: str) -> tuple[tuple[str, ...], ...]:
    """Up to `READINGS_MAX` readings of simplified characters, the likeliest first; none if a character has none."""
    surname = hanzi[:2] if len(hanzi) > 2 and hanzi[:2] in SURNAME_READINGS else hanzi[:1]
    given = [GIVEN_READINGS.get(character) or _usual(character) for character in hanzi[len(surname) :]]
    if len(surname) == 2:
        first: tuple[str, ...] = SURNAME_READINGS[surname]
    else:
        first = tuple(dict.fromkeys((*SURNAME_READINGS.get(surname, ()), *_usual(surname))))
    if not all((first, *given)):
        return ()
    return tuple(tuple(" ".join(parts).split()) for parts in islice(product(first, *given), READINGS_MAX))


@lru_cache(maxsize=16_384)
def as_syllables(word: str) -> tuple[str, ...]:
    """A Latin word as pinyin syllables (xiaoming: xiao, ming), the fewest; empty if it is none."""
    if word in syllables():
        return (word,)
    if len(word) > 24:
        return ()
    best: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(word) + 1):
        ways = [
            (*best[start], word[start:end])
            for start in range(max(0, end - 6), end)
            if start in best and word[start:end] in syllables()
        ]
        if ways:
            best[end] = min(ways, key=len)
    return best.get(len(word), ())


@lru_cache(maxsize=65_536)
def sino_syllables(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The two to four syllables of a name that reads as a Chinese one: a surname first or last; else empty."""
    parts = [as_syllables(token) for token in tokens]
    flat = tuple(syllable for part in parts for syllable in part)
    if not all(parts) or not 2 <= len(flat) <= 4:
        return ()
    return flat if {tokens[0], tokens[-1], flat[0], " ".join(flat[:2])} & surname_readings() else ()


def sound_of(syllables: tuple[str, ...]) -> str:
    """Syllables in alphabetic order without what is easily confused: names that sound alike have the same sound."""
    return " ".join(sorted(unconfused(syllable) for syllable in syllables))


@lru_cache(maxsize=4_096)
def unconfused(syllable: str) -> str:
    """A syllable without what dialects and keyboards confuse: zh/z, ch/c, sh/s, n/l at the head, ng/n at the end."""
    if syllable[:2] in ("zh", "ch", "sh"):
        syllable = syllable[0] + syllable[2:]
    if syllable[0] == "n":
        syllable = "l" + syllable[1:]
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


@cache
def surname_readings() -> frozenset[str]:
    """How Chinese surnames are read, those of two characters in both spellings: ouyang, ou yang."""
    single = {reading for surname in COMMON_SURNAMES for reading in (_usual(surname) or ("",))}
    listed = {reading for readings in SURNAME_READINGS.values() for reading in readings}
    return frozenset(single | listed | {reading.replace(" ", "") for reading in listed}) - {""}


@cache
def syllables() -> frozenset[str]:
    """Every pinyin syllable without its tone."""
    readings = {_toneless(reading) for line in _dictionary().values() for reading in line.split(",")}
    return frozenset(
        reading
        for reading in readings
        if reading.isascii() and reading.isalpha() and any(v in reading for v in "aeiou")
    )


@lru_cache(maxsize=32_768)
def _usual(character: str) -> tuple[str, ...]:
    line = _dictionary().get(ord(character), "") if character else ""
    usual = _toneless(line.split(",")[0])
    return (usual,) if usual.isascii() and usual.isalpha() else ()


def _toneless(reading: str) -> str:
    decomposed = unicodedata.normalize("NFKD", reading)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@cache
def _dictionary() -> dict[int, str]:
    from pypinyin.pinyin_dict import pinyin_dict  # noqa: PLC0415 - 0.2 s that only those who screen need

    return dict(pinyin_dict)


@cache
def _converter():  # type: ignore[no-untyped-def]
    from opencc import OpenCC  # noqa: PLC0415 - loads its dictionaries

    return OpenCC("t2s")
