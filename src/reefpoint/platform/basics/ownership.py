"""Who owns how much of what, looked through companies in between. Exact: shares are fractions of the whole.

Party 0 is what is asked about; the others have numbers of their own. A share in something that nobody in between is
known to own stays undetermined: what people hold and what is undetermined always come to the whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

WHOLE_BP = 10_000
TARGET = 0


@dataclass(frozen=True, order=True)
class Link:
    """One party holds a part of another; `share_bp` in basis points of the other."""

    owner: int
    owned: int
    share_bp: int


@dataclass(frozen=True)
class LookThrough:
    """What links come to.

    - `shares`: the part of the target that each party holds over all paths together
    - `gaps`: by company, the part of the target that is not named there; the target itself is one of them
    - `loops`: the links that lie on a circle, which count for nothing
    - `over_whole`: whose owners come to more than the whole
    """

    shares: Mapping[int, Fraction]
    gaps: Mapping[int, Fraction]
    loops: frozenset[Link]
    over_whole: frozenset[int]

    @property
    def undetermined(self) -> Fraction:
        """The part of the target behind which nobody is named."""
        return sum(self.gaps.values(), Fraction(0))


def look_through(links: Iterable[Link], *, companies: Collection[int]) -> LookThrough:
    """What each party holds of the target, at any distance, over all paths added up.

    `companies` are the parties that somebody must stand behind; all others end a chain. A link on a circle counts for
    nothing, and what it would carry is undetermined: no order of the links gives another answer.
    """
    held = sorted(links)
    loops = frozenset(_loops(held))
    above: dict[int, list[Link]] = {}
    for link in held:
        if link not in loops:
            above.setdefault(link.owned, []).append(link)
    shares: dict[int, Fraction] = {TARGET: Fraction(1)}
    for party in _upwards(above):
        for link in above.get(party, ()):
            part = shares.get(party, Fraction(0)) * Fraction(link.share_bp, WHOLE_BP)
            shares[link.owner] = shares.get(link.owner, Fraction(0)) + part
    named = {party: sum(link.share_bp for link in found) for party, found in above.items()}
    gaps = {
        party: shares.get(party, Fraction(0)) * Fraction(max(WHOLE_BP - named.get(party, 0), 0), WHOLE_BP)
        for party in (TARGET, *sorted(companies))
    }
    del shares[TARGET]
    return LookThrough(
        shares=shares,
        gaps={party: gap for party, gap in gaps.items() if gap},
        loops=loops,
        over_whole=frozenset(party for party, whole in _wholes(held).items() if whole > WHOLE_BP),
    )


def paths_of(links: Iterable[Link], party: int, *, most: int) -> tuple[tuple[tuple[Link, ...], ...], bool]:
    """The paths by which a party holds a part of the target, each from the party down, and whether there are more."""
    held = sorted(links)
    loops = frozenset(_loops(held))
    below: dict[int, list[Link]] = {}
    for link in held:
        if link not in loops:
            below.setdefault(link.owner, []).append(link)
    found: list[tuple[Link, ...]] = []
    ends = {link.owner for link in held if link.owned == TARGET and link not in loops}
    above: dict[int, set[int]] = {}
    for link in held:
        above.setdefault(link.owned, set()).add(link.owner)
    reaching = {TARGET, *ends, *(one for end in ends for one in _reach(above, end))}
    waiting: list[tuple[Link, ...]] = [(link,) for link in reversed(below.get(party, []))]
    while waiting:
        path = waiting.pop()
        if path[-1].owned == TARGET:
            if len(found) == most:
                return tuple(found), True
            found.append(path)
        else:
            waiting += [(*path, link) for link in reversed(below.get(path[-1].owned, [])) if link.owned in reaching]
    return tuple(found), False


def share_bp(part: Fraction) -> int:
    """A part in basis points, rounded down, so that one just under a threshold never looks as if it reached it."""
    return int(part * WHOLE_BP)


def _wholes(links: Sequence[Link]) -> dict[int, int]:
    wholes: dict[int, int] = {}
    for link in links:
        wholes[link.owned] = wholes.get(link.owned, 0) + link.share_bp
    return wholes


def _loops(links: Sequence[Link]) -> list[Link]:
    """The links from whose lower end one comes back to the upper one."""
    below: dict[int, set[int]] = {}
    for link in links:
        below.setdefault(link.owner, set()).add(link.owned)
    reach = {party: _reach(below, party) for party in below}
    return [link for link in links if link.owner in reach.get(link.owned, ()) or link.owner == link.owned]


def _reach(below: Mapping[int, Collection[int]], start: int) -> set[int]:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        for party in below.get(waiting.pop(), ()):
            if party not in seen:
                seen.add(party)
                waiting.append(party)
    return seen


def _upwards(above: Mapping[int, Sequence[Link]]) -> list[int]:
    """The parties from the target upwards, each after all that it holds parts of."""
    done: dict[int, None] = {}
    waiting = dict.fromkeys(above, 0) | {link.owner: 0 for found in above.values() for link in found}
    for found in above.values():
        for link in found:
            waiting[link.owner] += 1
    ready = sorted(party for party, count in waiting.items() if not count)
    while ready:
        party = ready.pop()
        done[party] = None
        for link in above.get(party, ()):
            waiting[link.owner] -= 1
            if not waiting[link.owner]:
                ready.append(link.owner)
    return list(done)
