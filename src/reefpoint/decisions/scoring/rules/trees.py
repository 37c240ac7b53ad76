"""Boosted trees: reading the text in which LightGBM keeps a model, scoring a case by it, and explaining the score.

Nothing of LightGBM is needed: the desk runs its models, it does not train them. Decisions on splits, the order of
additions and the explanation follow `tree.cpp` of LightGBM 4 (MIT), so that scores are the same to the last bit. The
explanation is TreeSHAP (Lundberg, Erion, Lee, 2018), what `pred_contrib` gives: a part for each input and an expected
value, which add up to the raw score.

Only what a binary model of ours holds is read: whole trees with numerical and categorical splits, and a sigmoid. All
else is refused.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite, isnan, nan

from reefpoint.decisions.scoring.types import Inputs
from reefpoint.platform.basics.errors import Refusal

_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT = 1, 2, 2
_MISSING_ZERO, _MISSING_NAN = 1, 2
_NEARLY_ZERO = 1e-35
_WORD_BITS = 32
TREES_MAX, LEAVES_MAX = 5_000, 1_000


class MalformedTrees(Refusal):
    """A text that is no binary model of boosted trees, or holds something that is not read here."""

    code = "malformed_trees"


@dataclass(frozen=True)
class Tree:
    """One tree in LightGBM's columns: a child below zero is the leaf `-child - 1`."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    decision: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaf: tuple[float, ...]
    leaf_count: tuple[int, ...]
    count: tuple[int, ...]
    admitted: tuple[frozenset[int], ...]

    @property
    def expected(self) -> float:
        """The mean of the leaves by the cases that training had in each."""
        if not self.feature:
            return self.leaf[0]
        total, value = self.count[0], 0.0
        for count, leaf in zip(self.leaf_count, self.leaf, strict=True):
            value += count / total * leaf
        return value

    def next(self, node: int, value: float) -> int:
        """The child that a value goes to."""
        decision = self.decision[node]
        if decision & _CATEGORICAL:
            is_left = not isnan(value) and value >= 0 and int(value) in self.admitted[int(self.threshold[node])]
            return self.left[node] if is_left else self.right[node]
        missing = decision >> _MISSING_SHIFT & 3
        if isnan(value) and missing != _MISSING_NAN:
            value = 0.0
        if (missing == _MISSING_ZERO and -_NEARLY_ZERO <= value <= _NEARLY_ZERO) or isnan(value):
            return self.left[node] if decision & _DEFAULT_LEFT else self.right[node]
        return self.left[node] if value <= self.threshold[node] else self.right[node]

    def weight(self, node: int) -> int:
        """The cases that training had at a node or leaf."""
        return self.leaf_count[-node - 1] if node < 0 else self.count[node]


@dataclass(frozen=True)
class Boosted:
    """A binary model. `words` gives the codes of the words of its categorical inputs."""

    names: tuple[str, ...]
    words: Mapping[str, Mapping[str, int]]
    trees: tuple[Tree, ...]
    sigmoid: float

    def row(self, inputs: Inputs) -> list[float]:
        """A case as the numbers that the trees ask for; what is missing or a word never seen is NaN."""
        return [self._number(name, inputs.get(name)) for name in self.names]

    def _number(self, name: str, value: object) -> float:
        if value is None:
            return nan
        if name in self.words:
            return float(self.words[name].get(str(value), nan))
        if isinstance(value, int | float):
            return float(value)
        raise MalformedTrees("{name} is a number, not {kind}.", name=name, kind=type(value).__name__)

    def raw(self, row: Sequence[float]) -> float:
        """The raw score: the log odds of a bad outcome."""
        total = 0.0
        for tree in self.trees:
            node = 0 if tree.feature else -1
            while node >= 0:
                node = tree.next(node, row[tree.feature[node]])
            total += tree.leaf[-node - 1]
        return total

    def probability(self, row: Sequence[float]) -> float:
        """The probability of a bad outcome."""
        return 1.0 / (1.0 + exp(-self.sigmoid * self.raw(row)))

    def contributions(self, row: Sequence[float]) -> list[float]:
        """What each input adds to the raw score, in the order of `names`, and last the expected value."""
        phi = [0.0] * (len(self.names) + 1)
        for tree in self.trees:
            phi[-1] += tree.expected
            if tree.feature:
                _explain(tree, row, phi, 0, [], (1.0, 1.0, -1))
        return phi


# Explaining. A step of a path is [feature, zero fraction, one fraction, weight].


def _explain(
    tree: Tree,
    row: Sequence[float],
    phi: list[float],
    node: int,
    parents: list[list[float]],
    step: tuple[float, float, int],
) -> None:
    path = [list(one) for one in parents]
    _extend(path, *step)
    depth = len(path) - 1
    if node < 0:
        value = tree.leaf[-node - 1]
        for index in range(1, depth + 1):
            _, zero, one, _ = path[index]
            phi[int(path[index][0])] += _unwound_sum(path, index) * (one - zero) * value
        return
    feature = tree.feature[node]
    hot = tree.next(node, row[feature])
    cold = tree.right[node] if hot == tree.left[node] else tree.left[node]
    cases = tree.weight(node)
    zero, one = 1.0, 1.0
    for index, before in enumerate(path):
        if before[0] == feature:
            zero, one = before[1], before[2]
            _unwind(path, index)
            break
    _explain(tree, row, phi, hot, path, (tree.weight(hot) / cases * zero, one, feature))
    _explain(tree, row, phi, cold, path, (tree.weight(cold) / cases * zero, 0.0, feature))


def _extend(path: list[list[float]], zero: float, one: float, feature: int) -> None:
    depth = len(path)
    path.append([feature, zero, one, 1.0 if depth == 0 else 0.0])
    for index in range(depth - 1, -1, -1):
        path[index + 1][3] += one * path[index][3] * (index + 1) / (depth + 1)
        path[index][3] = zero * path[index][3] * (depth - index) / (depth + 1)


def _unwind(path: list[list[float]], place: int) -> None:
    depth = len(path) - 1
    zero, one = path[place][1], path[place][2]
    portion = path[depth][3]
    for index in range(depth - 1, -1, -1):
        if one != 0:
            kept = path[index][3]
            path[index][3] = portion * (depth + 1) / ((index + 1) * one)
            portion = kept - path[index][3] * zero * (depth - index) / (depth + 1)
        else:
            path[index][3] = path[index][3] * (depth + 1) / (zero * (depth - index))
    for index in range(place, depth):
        path[index][:3] = path[index + 1][:3]
    path.pop()


def _unwound_sum(path: list[list[float]], place: int) -> float:
    depth = len(path) - 1
    zero, one = path[place][1], path[place][2]
    portion, total = path[depth][3], 0.0
    for index in range(depth - 1, -1, -1):
        if one != 0:
            part = portion * (depth + 1) / ((index + 1) * one)
            total += part
            portion = path[index][3] - part * zero * ((depth - index) / (depth + 1))
        else:
            total += (path[index][3] / zero) / ((depth - index) / (depth + 1))
    return total


# Reading


def read_boosted(text: str) -> Boosted:
    """A model from LightGBM's text. Raises `MalformedTrees` for what is not a whole binary model."""
    try:
        return _read(text)
    except (KeyError, IndexError, ValueError) as error:
        raise MalformedTrees("This is no model that can be read: {error}.", error=error) from error


def _read(text: str) -> Boosted:
    head, *rest = text.split("\nTree=")
    facts = _lines(head)
    names = tuple(facts["feature_names"].split())
    objective, _, sigmoid = facts["objective"].partition(" sigmoid:")
    if facts.get("version") != "v4" or objective != "binary" or facts["num_tree_per_iteration"] != "1":
        raise MalformedTrees("Only binary models of LightGBM 4 are read.")
    if not 1 <= len(rest) <= TREES_MAX or "end of trees" not in rest[-1] or "average_output" in head:
        raise MalformedTrees("The trees are not whole.")
    is_word = [not info.startswith("[") and info != "none" for info in facts["feature_infos"].split()]
    if len(is_word) != len(names):
        raise MalformedTrees("Inputs and what is said of them differ in number.")
    listed = json.loads(text.rpartition("pandas_categorical:")[2].splitlines()[0]) or []
    worded = [name for name, is_one in zip(names, is_word, strict=True) if is_one]
    if len(worded) != len(listed):
        raise MalformedTrees("The words of some inputs are not listed.")
    return Boosted(
        names=names,
        words={
            name: {word: code for code, word in enumerate(words)} for name, words in zip(worded, listed, strict=True)
        },
        trees=tuple(_read_tree(_lines(part), len(names)) for part in rest),
        sigmoid=float(sigmoid),
    )


def _lines(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, sign, value in pairs if sign}


def _read_tree(facts: Mapping[str, str], inputs: int) -> Tree:
    leaves = int(facts["num_leaves"])
    if not 1 <= leaves <= LEAVES_MAX or facts["is_linear"] != "0":
        raise MalformedTrees("A tree is too large, or not of plain leaves.")
    admitted: list[frozenset[int]] = []
    if int(facts["num_cat"]):
        edges, bits = _ints(facts["cat_boundaries"]), _ints(facts["cat_threshold"])
        for first, last in pairwise(edges):
            words = bits[first:last]
            admitted.append(
                frozenset(
                    place * _WORD_BITS + bit
                    for place, word in enumerate(words)
                    for bit in range(_WORD_BITS)
                    if word >> bit & 1
                )
            )
    is_split = leaves > 1
    tree = Tree(
        feature=_ints(facts["split_feature"]) if is_split else (),
        threshold=_floats(facts["threshold"]) if is_split else (),
        decision=_ints(facts["decision_type"]) if is_split else (),
        left=_ints(facts["left_child"]) if is_split else (),
        right=_ints(facts["right_child"]) if is_split else (),
        leaf=_floats(facts["leaf_value"]),
        leaf_count=_ints(facts["leaf_count"]) if is_split else (1,),
        count=_ints(facts["internal_count"]) if is_split else (),
        admitted=tuple(admitted),
    )
    _check_tree(tree, leaves, inputs)
    return tree


def _check_tree(tree: Tree, leaves: int, inputs: int) -> None:
    """Each node and leaf is reached once: no walk can end nowhere, or never."""
    columns = (tree.feature, tree.threshold, tree.decision, tree.left, tree.right, tree.count)
    if any(len(column) != leaves - 1 for column in columns) or not len(tree.leaf) == len(tree.leaf_count) == leaves:
        raise MalformedTrees("The columns of a tree differ in length.")
    if any(not 0 <= feature < inputs for feature in tree.feature) or not all(map(isfinite, tree.leaf)):
        raise MalformedTrees("A tree asks for an input that is not there, or a leaf is no number.")
    for node, decision in enumerate(tree.decision):
        if decision & _CATEGORICAL and not 0 <= int(tree.threshold[node]) < len(tree.admitted):
            raise MalformedTrees("A split lists no words.")
    reached, waiting = set[int](), [0] if tree.feature else []
    while waiting:
        node = waiting.pop()
        for child in (tree.left[node], tree.right[node]):
            if child in reached or child == 0 or not -leaves <= child < leaves - 1:
                raise MalformedTrees("The nodes of a tree do not form one.")
            reached.add(child)
            if child > 0:
                waiting.append(child)
    if len(reached) != max(2 * leaves - 2, 0) or any(count <= 0 for count in (*tree.count, *tree.leaf_count)):
        raise MalformedTrees("A tree has leaves that nothing reaches, or that no case did.")


def _ints(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


def _floats(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))
