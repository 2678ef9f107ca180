"""Groups without chains: every member matches the one that is kept. Pure: images and edges in, groups out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from app.catalog.pairs import Edge

Pair = tuple[int, int]  # image ids, the lower first


@dataclass(frozen=True)
class Star:
    """A keeper, and what matches it: image id -> its edge to the keeper."""

    keeper_id: int
    members: dict[int, Edge]


@dataclass
class Matches:
    """Who matches whom, both ways."""

    edges: dict[int, dict[int, Edge]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, edges: Iterable[Edge]) -> "Matches":
        found = cls()
        for edge in edges:
            found.edges[edge.first_id][edge.second_id] = edge
            found.edges[edge.second_id][edge.first_id] = edge
        return found

    def __contains__(self, image_id: int) -> bool:
        return image_id in self.edges


def stars(
    best_first: Sequence[int], matches: Matches, apart: Collection[Pair] = (), keepers: Collection[int] | None = None
) -> list[Star]:
    """Each image in turn, the best first, keeps all its matches that no better one has.

    `best_first` orders every image with an edge: the answer depends on it and on nothing else. Two that are `apart`
    are never in one star, not even through a third: the one that matches the keeper better is taken. `keepers`: only
    these may keep.
    """
    taken: set[int] = set()
    found = []
    for image_id in best_first:
        if image_id in taken or (keepers is not None and image_id not in keepers):
            continue
        members = _members(image_id, matches, taken, apart, keepers or ())
        if members:
            taken |= {image_id, *members}
            found.append(Star(image_id, members))
    return found


def _members(
    keeper_id: int, matches: Matches, taken: set[int], apart: Collection[Pair], keepers: Collection[int]
) -> dict[int, Edge]:
    members: dict[int, Edge] = {}
    free = (edge for edge in matches.edges.get(keeper_id, {}).items() if edge[0] not in taken)
    for image_id, edge in sorted(free, key=lambda item: (-item[1].score, item[0])):
        company = (keeper_id, *members)
        if image_id not in keepers and not any(as_pair(image_id, other) in apart for other in company):
            members[image_id] = edge
    return members


def as_pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def components(matches: Matches) -> list[list[int]]:
    """Images that hang together, however loosely: who is not in one of them can't be in one group."""
    seen: set[int] = set()
    found = []
    for start in sorted(matches.edges):
        if start not in seen:
            found.append(_reached(start, matches, seen))
    return found


def _reached(start: int, matches: Matches, seen: set[int]) -> list[int]:
    reached, waiting = [], [start]
    seen.add(start)
    while waiting:
        image_id = waiting.pop()
        reached.append(image_id)
        news = matches.edges[image_id].keys() - seen
        seen |= news
        waiting.extend(sorted(news))
    return sorted(reached)
