"""In what order pairs are checked: those that share pictures together, so that each is decoded about once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

Key = tuple[int, int]


def neighbours_together(keys: Sequence[Key]) -> list[Key]:
    """The same pairs, each when the later of its two pictures comes in turn: the earlier one was decoded lately."""
    turn = {image_id: number for number, image_id in enumerate(_turns(keys))}
    return sorted(keys, key=lambda key: sorted((turn[image_id] for image_id in key), reverse=True))


def _turns(keys: Sequence[Key]) -> list[int]:
    """Every picture once, next the one with the most pairs to those before it; of few pairs in all where some tie."""
    near = _near(keys)
    left, firsts = set(near), iter(sorted(near, key=lambda image_id: (len(near[image_id]), image_id)))
    bound, reached, turns = dict.fromkeys(near, 0), [], []
    while left:
        image_id = _next(reached, bound, left, firsts)
        left.discard(image_id)
        turns.append(image_id)
        for other in near[image_id]:
            bound[other] += 1
            heappush(reached, (-bound[other], len(near[other]), other))
    return turns


def _next(reached: list[tuple[int, int, int]], bound: Mapping[int, int], left: set[int], firsts: Iterator[int]) -> int:
    """Of those in reach, else the first that is left."""
    while reached:
        pairs, _, image_id = heappop(reached)
        if image_id in left and -pairs == bound[image_id]:  # what was pushed before is out of date
            return image_id
    return next(image_id for image_id in firsts if image_id in left)


def _near(keys: Sequence[Key]) -> dict[int, set[int]]:
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in keys:
        near[one].add(other)
        near[other].add(one)
    return near
