"""Groups without chaining: stars, whose every member matches the keeper itself.

Images come in the order in which they are kept, the best first. Each that is not taken becomes a keeper and takes all
its copies that are not taken; so two copies of a third, that are none of each other, never meet by chance. The order,
and so the groups, follow from the images alone and not from when each of them came.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.catalog.states import LOOSER, Tier


@dataclass(frozen=True)
class Tie:
    """What an image is to its keeper."""

    image_id: int
    tier: Tier
    score: float
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Star:
    keeper_id: int
    ties: tuple[Tie, ...]  # the closest first


@dataclass(frozen=True)
class Bond:
    """Two images that may share a group."""

    first_id: int
    second_id: int
    tier: Tier
    score: float
    relations: tuple[str, ...] = ()  # what the second is to the first
    relations_back: tuple[str, ...] = ()  # what the first is to the second

    def tie_to(self, keeper_id: int) -> Tie:
        if keeper_id == self.first_id:
            return Tie(self.second_id, self.tier, self.score, self.relations)
        return Tie(self.first_id, self.tier, self.score, self.relations_back)


def stars(
    order: Sequence[int],
    bonds: Iterable[Bond],
    apart: Mapping[int, set[int]],
    keepers: Container[int] | None = None,
    taken: Container[int] = (),
) -> list[Star]:
    """`order`: the images, the best first. `apart`: by image, those never to share a group with it.

    `keepers` are the images that may be kept; None: all. `taken` ones are in other groups already.
    """
    ties: dict[int, list[Tie]] = defaultdict(list)
    for bond in bonds:
        ties[bond.first_id].append(bond.tie_to(bond.first_id))
        ties[bond.second_id].append(bond.tie_to(bond.second_id))
    place = {image_id: number for number, image_id in enumerate(order)}
    gone: set[int] = set()
    made = []
    for keeper_id in order:
        if keeper_id in gone or keeper_id in taken or (keepers is not None and keeper_id not in keepers):
            continue
        free = [tie for tie in ties[keeper_id] if tie.image_id not in gone and tie.image_id not in taken]
        members = _together(keeper_id, sorted(free, key=lambda tie: _closeness(tie, place)), apart)
        if members:
            made.append(Star(keeper_id, members))
            gone |= {keeper_id} | {tie.image_id for tie in members}
    return made


def _together(keeper_id: int, ties: Sequence[Tie], apart: Mapping[int, set[int]]) -> tuple[Tie, ...]:
    """As many as may share one group, the closest first."""
    inside, members = {keeper_id}, []
    for tie in ties:
        if tie.image_id not in inside and not inside & apart.get(tie.image_id, set()):
            inside.add(tie.image_id)
            members.append(tie)
    return tuple(members)


def _closeness(tie: Tie, place: Mapping[int, int]) -> tuple:
    return LOOSER.index(tie.tier), -tie.score, place[tie.image_id]


def components(edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Images that hang together, however loosely, each list ascending: who is not in one of them shares no group."""
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in edges:
        near[one].add(other)
        near[other].add(one)
    seen: set[int] = set()
    return [_reached(start, near, seen) for start in sorted(near) if start not in seen]


def _reached(start: int, near: Mapping[int, set[int]], seen: set[int]) -> list[int]:
    reached, news = {start}, {start}
    while news:
        news = {other for one in news for other in near[one]} - reached
        reached |= news
    seen |= reached
    return sorted(reached)
