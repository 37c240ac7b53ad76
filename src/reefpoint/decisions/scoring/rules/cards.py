"""Scorecards: reading and proving one, and scoring a case by it.

The JSON of a card (version 1 of the format):

    {"format": 1, "code": ..., "is_expert": true, "base": 0, "scale": {"pdo", "anchor_points", "anchor_odds"} | null,
     "grades": [{"grade": "A", "least": 600}, ..., {"grade": "E", "least": null}],
     "characteristics": [{"name", "words", "words_zh", "kind": "number" | "words",
        "bins": [{"low", "high", "values", "label", "points", "reason", "reason_zh"}],
        "special": [{"value", "label", "points", "reason", "reason_zh"}],
        "missing": {...} | null, "other": {...} | null}]}

Bins of numbers begin below all, end above all, and each begins where the one before it ends (`low` <= x < `high`): no
gap and no overlap can be written. Bins of words list each word once. `missing` and `other` are bins of their own, or
null: then such a case is referred to a person, and gets no points at all (I61).

Points of a case are `0.0 + points of each characteristic, in their order, + base`, in that order: so a card that was
trained elsewhere gives the very bits that its library gives.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite, log
from typing import Any

from reefpoint.decisions.scoring.types import (
    Bin,
    Card,
    CardOutcome,
    CardPart,
    Characteristic,
    Grade,
    GradeBand,
    Inputs,
    ScoreReason,
)
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence

FORMAT = 1
REASONS_MAX = 4
"""Adverse reasons name at most four factors (12 CFR 1002, supplement I, 9(b)(2))."""
BP = 10_000


class MalformedCard(Refusal):
    """A scorecard with a gap, an overlap, or something that cannot be read. `place` says where."""

    code = "malformed_scorecard"

    def __init__(self, place: str, problem: str, **facts: object) -> None:
        super().__init__("{place}: {problem}", place=place, problem=Sentence(problem, facts))
        self.place = place


# Reading


def read_card(text: str) -> Card:
    """A scorecard from its JSON, proved whole. Raises `MalformedCard`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedCard("the file", "it is not JSON") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise MalformedCard("format", "only format {format} can be read", format=FORMAT)
    _check_keys("the card", data, {"format", "code", "is_expert", "base", "scale", "grades", "characteristics"})
    if not isinstance(data["code"], str) or not isinstance(data["is_expert"], bool):
        raise MalformedCard("the card", "it needs a code, and whether it is an expert's")
    scale = data["scale"]
    if scale is not None:
        _check_keys("scale", scale, {"pdo", "anchor_points", "anchor_odds"})
    if (scale is None) is not data["is_expert"]:
        raise MalformedCard("scale", "an expert's card claims no odds, and every other one says its scale")
    characteristics = tuple(_read_characteristic(one) for one in _list("characteristics", data["characteristics"]))
    if len({one.name for one in characteristics}) < len(characteristics) or not characteristics:
        raise MalformedCard("characteristics", "each input stands once, and there is at least one")
    return Card(
        code=data["code"],
        is_expert=data["is_expert"],
        base=_number("base", data["base"]),
        characteristics=characteristics,
        grades=_read_grades(data["grades"]),
        pdo=_positive("pdo", scale["pdo"]) if scale else None,
        anchor_points=_number("anchor_points", scale["anchor_points"]) if scale else None,
        anchor_odds=_positive("anchor_odds", scale["anchor_odds"]) if scale else None,
        source=data,
    )


def _read_grades(data: object) -> tuple[GradeBand, ...]:
    bands = []
    for one in _list("grades", data):
        _check_keys("grades", one, {"grade", "least"})
        if one["grade"] not in set(Grade):
            raise MalformedCard("grades", "{grade!r} is not a grade", grade=one["grade"])
        least = None if one["least"] is None else _number(f"grade {one['grade']}", one["least"])
        bands.append(GradeBand(Grade(one["grade"]), least))
    if [band.grade for band in bands] != list(Grade):
        raise MalformedCard("grades", "they are A to E, from the best")
    *upper, last = (band.least for band in bands)
    if last is not None or any(least is None for least in upper):
        raise MalformedCard("grades", "the last one takes all below the others, and only that one")
    if any(high <= low for high, low in pairwise(least for least in upper if least is not None)):
        raise MalformedCard("grades", "each begins below the one before it")
    return tuple(bands)


def _read_characteristic(data: object) -> Characteristic:
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str) or not data["name"]:
        raise MalformedCard("characteristics", "each has a name")
    place = data["name"]
    _check_keys(place, data, {"name", "words", "words_zh", "kind", "bins", "special", "missing", "other"})
    if data["kind"] not in {"number", "words"}:
        raise MalformedCard(place, "its kind is number or words")
    is_number = data["kind"] == "number"
    bins = tuple(_read_bin(place, one, is_number=is_number) for one in _list(place, data["bins"]))
    (_prove_numbers if is_number else _prove_words)(place, bins)
    special = {}
    for one in _list(place, data["special"]):
        _check_keys(place, one, {"value", "label", "points", "reason", "reason_zh"})
        value = _number(place, one["value"])
        if not is_number or value in special:
            raise MalformedCard(place, "special values are numbers that stand once")
        special[value] = _plain_bin(place, one)
    if is_number and data["other"] is not None:
        raise MalformedCard(place, "numbers have no other bin: their bins cover all")
    return Characteristic(
        name=place,
        words=_text(place, data["words"]),
        words_zh=_text(place, data["words_zh"]),
        is_number=is_number,
        bins=bins,
        special=special,
        missing=_optional(place, data["missing"]),
        other=_optional(place, data["other"]),
    )


def _optional(place: str, data: object) -> Bin | None:
    if data is None:
        return None
    _check_keys(place, data, {"label", "points", "reason", "reason_zh"})
    assert isinstance(data, Mapping)
    return _plain_bin(place, data)


def _plain_bin(place: str, data: Mapping[str, Any]) -> Bin:
    return Bin(
        label=_text(place, data["label"]),
        points=_number(place, data["points"]),
        reason=_text(place, data["reason"]),
        reason_zh=_text(place, data["reason_zh"]),
    )


def _read_bin(place: str, data: object, *, is_number: bool) -> Bin:
    _check_keys(
        place, data, {"label", "points", "reason", "reason_zh", *({"low", "high"} if is_number else {"values"})}
    )
    assert isinstance(data, Mapping)
    plain = _plain_bin(place, data)
    if is_number:
        low, high = (None if data[edge] is None else _number(place, data[edge]) for edge in ("low", "high"))
        return Bin(plain.label, plain.points, plain.reason, plain.reason_zh, low=low, high=high)
    values = tuple(_list(place, data["values"]))
    if not values or not all(isinstance(value, str) for value in values):
        raise MalformedCard(place, "a bin lists its words")
    return Bin(plain.label, plain.points, plain.reason, plain.reason_zh, values=values)


def _prove_numbers(place: str, bins: Sequence[Bin]) -> None:
    if not bins or bins[0].low is not None or bins[-1].high is not None:
        raise MalformedCard(place, "the first bin begins below all and the last ends above all")
    for before, after in pairwise(bins):
        if before.high is None or after.low is None:
            raise MalformedCard(place, "only the outer bins are open")
        if before.high < after.low:
            raise MalformedCard(place, "no bin holds {value}", value=before.high)
        if before.high > after.low:
            raise MalformedCard(place, "two bins hold {value}", value=after.low)
    edges = [one.low for one in bins if one.low is not None]
    if any(low >= high for low, high in pairwise(edges)):
        raise MalformedCard(place, "a bin is empty")


def _prove_words(place: str, bins: Sequence[Bin]) -> None:
    words = [word for one in bins for word in one.values]
    if not words:
        raise MalformedCard(place, "there is no bin")
    if twice := next((word for word in words if words.count(word) > 1), None):
        raise MalformedCard(place, "two bins hold {twice!r}", twice=twice)


def _check_keys(place: str, data: object, keys: set[str]) -> None:
    if not isinstance(data, Mapping):
        raise MalformedCard(place, "it is not a map")
    if absent := sorted(keys - set(data)):
        raise MalformedCard(place, "{name} is missing", name=absent[0])
    if odd := sorted(map(str, set(data) - keys)):
        raise MalformedCard(place, "{name} is not known", name=odd[0])


def _list(place: str, data: object) -> list[Any]:
    if not isinstance(data, list):
        raise MalformedCard(place, "it is not a list")
    return data


def _text(place: str, data: object) -> str:
    if not isinstance(data, str):
        raise MalformedCard(place, "words are text")
    return data


def _number(place: str, data: object) -> int | float:
    if isinstance(data, bool) or not isinstance(data, int | float) or not isfinite(data):
        raise MalformedCard(place, "{value!r} is not a number", value=data)
    return data


def _positive(place: str, data: object) -> int | float:
    number = _number(place, data)
    if number <= 0:
        raise MalformedCard(place, "it is above nothing")
    return number


# Scoring


@dataclass(frozen=True)
class Runtime:
    """A card made ready: for each input its name and what finds the bin of a value (None: the case is referred)."""

    card: Card
    finders: tuple[tuple[str, Callable[[Any], Bin | None]], ...]

    def points(self, inputs: Inputs) -> int | float | None:
        """The points of a case and nothing else; None for one that is referred."""
        total: int | float = 0
        for name, find in self.finders:
            found = find(inputs.get(name))
            if found is None:
                return None
            total = total + found.points
        return total + self.card.base

    def score(self, inputs: Inputs) -> CardOutcome:
        """The points of a case with its grade, its parts, and what cost most points."""
        found = [(one, inputs.get(name), find(inputs.get(name))) for one, (name, find) in self._rows()]
        parts = tuple(_part(one, value, bin_) for one, value, bin_ in found if bin_ is not None)
        if missing := tuple(one.name for one, _, bin_ in found if bin_ is None):
            return CardOutcome(None, "", None, parts, (), missing)
        points: int | float = 0
        for part in parts:
            points = points + part.points
        points = points + self.card.base
        return CardOutcome(points, self.grade(points), self.probability_bp(points), parts, _reasons(parts), ())

    def bins(self, inputs: Inputs) -> dict[str, int | None]:
        """The place of each input's bin on the card, those of special values after the others; None where missing."""
        found = {}
        for one, (name, find) in self._rows():
            bin_ = None if inputs.get(name) is None else find(inputs[name])
            places = [*one.bins, *one.special.values(), *([one.other] if one.other is not None else [])]
            found[name] = next((place for place, own in enumerate(places) if own is bin_), None)
        return found

    def _rows(self) -> list[tuple[Characteristic, tuple[str, Callable[[Any], Bin | None]]]]:
        return list(zip(self.card.characteristics, self.finders, strict=True))

    def grade(self, points: int | float) -> str:
        """The grade that these points come to."""
        return next(band.grade.value for band in self.card.grades if band.least is None or points >= band.least)

    def probability_bp(self, points: int | float) -> int | None:
        """The estimated probability of a bad outcome in basis points: 1 / (1 + good:bad odds); None for an expert's."""
        card = self.card
        if card.pdo is None or card.anchor_points is None or card.anchor_odds is None:
            return None
        log_odds = log(card.anchor_odds) + (points - card.anchor_points) * log(2) / card.pdo
        return round(BP / (1 + exp(log_odds)))


def make_runtime(card: Card) -> Runtime:
    """A card made ready for scoring."""
    return Runtime(card, tuple((one.name, _finder(one)) for one in card.characteristics))


def _finder(one: Characteristic) -> Callable[[Any], Bin | None]:
    missing = one.missing
    if not one.is_number:
        by_word, other = {word: bin_ for bin_ in one.bins for word in bin_.values}, one.other

        def of_word(value: Any) -> Bin | None:
            return missing if value is None else by_word.get(value, other)

        return of_word
    edges, bins, special = [bin_.low for bin_ in one.bins[1:]], one.bins, one.special

    def of_number(value: Any) -> Bin | None:
        if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
            return missing
        if special and value in special:
            return special[value]
        return bins[bisect_right(edges, value)]

    return of_number


def _part(one: Characteristic, value: Any, found: Bin) -> CardPart:
    lost = max(one.neutral - found.points, 0)
    return CardPart(
        one.name, one.words, one.words_zh, value, found.label, found.points, lost, found.reason, found.reason_zh
    )


def _reasons(parts: Sequence[CardPart]) -> tuple[ScoreReason, ...]:
    """The factors that cost most points against their best bin; ties in the order of the card."""
    costly = sorted((part for part in parts if part.lost > 0), key=lambda part: -part.lost)
    return tuple(ScoreReason(part.name, part.reason, part.reason_zh, round(part.lost)) for part in costly[:REASONS_MAX])


def count_bands(points: Sequence[int | None], edges: Sequence[int | float]) -> list[int]:
    """How many of these points are in each band; each edge begins a band. Referred cases are in none."""
    counts = [0] * (len(edges) + 1)
    for one in points:
        if one is not None:
            counts[bisect_right(edges, one)] += 1
    return counts
