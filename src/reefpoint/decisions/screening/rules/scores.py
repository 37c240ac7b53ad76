"""How alike two names are: words in any order, turned letters, initials, dropped middle names, both scripts.

The score of two names is the best over all their forms: matchers fail on different scripts, so one that agrees will do.
Chinese names in Latin letters are short and crowded: there one other syllable is another name, unless it is one that
dialects and keyboards confuse (zh and z, n and ng), and syllables keep their order but for the surname's place.
"""

from functools import lru_cache

from rapidfuzz.distance import OSA

from reefpoint.decisions.screening.rules.names import NameForms, sino_syllables, unconfused
from reefpoint.decisions.screening.types import Basis, NameScore, Part, PartKind

ONE = 10_000
PARTICLES = frozenset(
    {
        "al", "el", "ul", "bin", "ibn", "ben", "bint", "abu", "abd", "van", "von", "der", "den", "de", "del",
        "della", "da", "dos", "das", "di", "la", "le", "du", "e", "y", "i", "of", "the", "and", "trading",
        "international", "group", "general", "holding", "holdings", "industries", "services", "import", "export",
        "bank", "trust", "fund",
    }
)  # fmt: skip
PARTICLE_WEIGHT = 0.3
INITIAL_WEIGHT = 0.5
INITIAL_SIMILARITY = 0.85
MIDDLE_EXTRA_WEIGHT = 0.3
"""What a word more in the middle of one side costs when two others agree: middle names are dropped often."""
OUTER_EXTRA_WEIGHT = 0.6
"""The same for a first or last word."""
EXTRA_SYLLABLE_WEIGHT = 0.8
"""A syllable more is another Chinese name."""
LONE_EXTRA_WEIGHT = 0.9
SIMILARITY_MIN = 0.2
"""Words less alike than this are two different words."""
SLIP_SIMILARITY = 0.85
BEYOND_A_SLIP = 2.2
"""One letter in seven is a slip. What is less alike loses 2.2 times as fast: Adam is not half an Alan."""
SKELETON_SIMILARITY = 0.9
SKELETON_LETTERS_MIN = 3
CONFUSED_SIMILARITY = 0.85
OTHER_SYLLABLE_FACTOR = 0.3
HOMOPHONE_FACTOR = 0.85
"""Names written with other characters that sound the same: a different name, yet worth a look."""
OTHER_CHARACTER_FACTOR = 0.6
TURNED_CHARACTERS = 0.95
SHORT_HANZI = 3

Pairs = tuple[tuple[int, int, float], ...]


def score_names(ours: NameForms, theirs: NameForms) -> NameScore:
    """The score of two names with the parts that it comes from: the best of characters, sound and spelling."""
    found = [_written(ours, theirs)] if ours.hanzi and theirs.hanzi else []
    if not found or found[0].score_bp < ONE:
        is_written = bool(ours.hanzi and theirs.hanzi)
        factor = HOMOPHONE_FACTOR if is_written else 1.0
        basis = Basis.SOUND if ours.hanzi or theirs.hanzi else Basis.SPELLING
        sides = [(one, other) for one in _spellings(ours) for other in _spellings(theirs)]
        found += [_spelt(one, other, factor, basis) for one, other in sides]
    return max(found, key=lambda score: score.score_bp, default=NameScore(0, Basis.SPELLING, ()))


def quick_score(ours: NameForms, tokens: tuple[str, ...], hanzi: str) -> int:
    """The score against one index key (its words, and the characters that they read), without its parts."""
    factor = 1.0
    if ours.hanzi and hanzi:
        if ours.hanzi == hanzi:
            return ONE
        factor = HOMOPHONE_FACTOR
    best = max((_aligned(one, tokens)[0] for one in _spellings(ours)), default=0.0) * factor
    if factor != 1.0:
        best = max(best, _hanzi_similarity(ours.hanzi, hanzi))
    return round(best * ONE)


def _spellings(name: NameForms) -> tuple[tuple[str, ...], ...]:
    return name.readings if name.hanzi else (name.tokens,)


def _written(ours: NameForms, theirs: NameForms) -> NameScore:
    similarity_bp = round(_hanzi_similarity(ours.hanzi, theirs.hanzi) * ONE)
    kind = PartKind.EXACT if similarity_bp == ONE else PartKind.SIMILAR
    return NameScore(similarity_bp, Basis.WRITTEN, (Part(ours.hanzi, theirs.hanzi, kind, similarity_bp),))


def _hanzi_similarity(one: str, other: str) -> float:
    """Characters against characters. In a name of three, one other character makes another name."""
    if one == other:
        return 1.0
    if len(one) == len(other) and sorted(one) == sorted(other):
        return TURNED_CHARACTERS
    similarity = OSA.normalized_similarity(one, other)
    return similarity if max(len(one), len(other)) > SHORT_HANZI else similarity * OTHER_CHARACTER_FACTOR


def _spelt(ours: tuple[str, ...], theirs: tuple[str, ...], factor: float, basis: Basis) -> NameScore:
    score, left, right, pairs = _aligned(ours, theirs)
    parts = [Part(left[i], right[j], _kind(left[i], right[j], value), round(value * ONE)) for i, j, value in pairs]
    met_left, met_right = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    parts += [Part(word, "", PartKind.MISSING, 0) for i, word in enumerate(left) if i not in met_left]
    parts += [Part("", word, PartKind.MISSING, 0) for j, word in enumerate(right) if j not in met_right]
    return NameScore(round(score * factor * ONE), basis, tuple(parts))


def _kind(ours: str, theirs: str, similarity: float) -> PartKind:
    if ours == theirs:
        return PartKind.EXACT
    if min(len(ours), len(theirs)) == 1:
        return PartKind.INITIAL
    if similarity in (SKELETON_SIMILARITY, CONFUSED_SIMILARITY):
        return PartKind.SOUND
    return PartKind.SIMILAR


def _aligned(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[float, tuple[str, ...], tuple[str, ...], Pairs]:
    """The best alignment: its score, both sides as they were cut into words, and the pairs (i, j, similarity)."""
    if ours == theirs:
        return 1.0, ours, theirs, tuple((i, i, 1.0) for i in range(len(ours)))
    left, right = sino_syllables(ours), sino_syllables(theirs)
    if left and right:
        score, pairs = _in_turn(left, right)
        return score, left, right, pairs
    ours, theirs = _joined(ours, theirs), _joined(theirs, ours)
    score, pairs = _align(ours, theirs)
    return score, ours, theirs, pairs


def _joined(words: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Neighbours as one word where the other side writes them as one: abd ul rahman, abdulrahman."""
    lengths = [len(word) for word in words]
    long = [(len(other), other) for other in others if len(other) > 3]
    for count in (3, 2):
        for start in range(len(words) - count + 1):
            letters = sum(lengths[start : start + count])
            for length, other in long:
                if -1 <= length - letters <= 1:
                    run = words[start : start + count]
                    whole = "".join(run)
                    if other not in run and OSA.distance(other, whole, score_cutoff=1) <= 1:
                        return _joined((*words[:start], whole, *words[start + count :]), others)
    return words


def _in_turn(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[float, Pairs]:
    """Syllables of two Chinese names one after the other, the surname of theirs (one syllable or two) first or last."""
    best: tuple[float, Pairs] = (0.0, ())
    longer = max(len(ours), len(theirs))
    for turn in sorted({0, 1, 2, len(theirs) - 1, len(theirs) - 2} & set(range(longer))):
        turned = [*range(turn, len(theirs)), *range(turn)][: len(theirs)]
        for skipped in range(longer) if len(ours) != len(theirs) else (longer,):
            left = [i for i in range(len(ours)) if len(ours) < longer or i != skipped]
            right = [j for place, j in enumerate(turned) if len(theirs) < longer or place != skipped]
            pairs = tuple(
                (i, j, value)
                for i, j in zip(left, right, strict=False)
                if (value := _syllable_similarity(ours[i], theirs[j])) > SIMILARITY_MIN
            )
            extra = longer - min(len(ours), len(theirs))
            whole = len(left) + EXTRA_SYLLABLE_WEIGHT * extra
            score = sum(value for _, _, value in pairs) / whole
            if score > best[0]:
                best = (score, pairs)
    return best


def _align(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[float, Pairs]:
    """Pair words, the most alike first, and weigh what is left over on either side."""
    ranked = sorted(
        (-similarity, abs(i - j), i, j)
        for i, one in enumerate(ours)
        for j, other in enumerate(theirs)
        if (similarity := _word_similarity(one, other)) > SIMILARITY_MIN
    )
    left, right = set(range(len(ours))), set(range(len(theirs)))
    pairs: list[tuple[int, int, float]] = []
    got = whole = 0.0
    for negative, _, i, j in ranked:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            weight = (_weight(ours[i]) + _weight(theirs[j])) / 2
            got -= weight * negative
            whole += weight
            pairs.append((i, j, -negative))
    words, over = (ours, sorted(left)) if len(left) > len(right) else (theirs, sorted(right))
    fewer = sorted((_weight(ours[i]) for i in left) if words is theirs else (_weight(theirs[j]) for j in right))
    solid = sum(1 for i, j, _ in pairs if _weight(ours[i]) == _weight(theirs[j]) == 1.0)
    for number, position in enumerate(over):
        weight = _weight(words[position])
        if number < len(fewer):
            whole += max(weight, fewer[number])  # words that contradict each other
        elif solid < 2 or fewer:
            whole += weight * LONE_EXTRA_WEIGHT
        else:
            whole += weight * (MIDDLE_EXTRA_WEIGHT if 0 < position < len(words) - 1 else OUTER_EXTRA_WEIGHT)
    return (got / whole if whole else 0.0), tuple(sorted(pairs))


@lru_cache(maxsize=65_536)
def _weight(word: str) -> float:
    if len(word) == 1:
        return INITIAL_WEIGHT
    return PARTICLE_WEIGHT if word in PARTICLES else 1.0


@lru_cache(maxsize=65_536)
def _word_similarity(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if len(one) == 1 or len(other) == 1:
        return INITIAL_SIMILARITY if one[0] == other[0] else 0.0
    similarity = OSA.normalized_similarity(one, other, score_cutoff=0.35)
    if similarity >= SLIP_SIMILARITY:
        return float(similarity)
    if similarity and one[0] == other[0]:
        skeleton = _skeleton(one)
        if len(skeleton) >= SKELETON_LETTERS_MIN and skeleton == _skeleton(other):
            return SKELETON_SIMILARITY
    return float(max(SLIP_SIMILARITY - (SLIP_SIMILARITY - similarity) * BEYOND_A_SLIP, 0.0))


@lru_cache(maxsize=65_536)
def _skeleton(word: str) -> str:
    """The consonants of a word, doubled ones once: Mohammed, Muhammad; Yusuf, Youssef."""
    for written, heard in (("ph", "f"), ("kh", "h"), ("ck", "k"), ("dh", "d"), ("gh", "g"), ("q", "k")):
        word = word.replace(written, heard)
    letters = [word[0], *(letter for letter in word[1:] if letter not in "aeiouywj")]
    return "".join(letter for number, letter in enumerate(letters) if number == 0 or letter != letters[number - 1])


@lru_cache(maxsize=65_536)
def _syllable_similarity(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if unconfused(one) == unconfused(other):
        return CONFUSED_SIMILARITY
    return float(OSA.normalized_similarity(one, other)) * OTHER_SYLLABLE_FACTOR
