"""A picture within a picture: what is framed, shrunk on a canvas, or pasted upon another one."""

from itertools import combinations

import cv2
import numpy as np

from app.alignment.view import Box, View

STEP = 8.0  # grey levels across a pasted picture's edge
CLOSED_PX = 3  # gaps in an edge that are bridged
FOLLOWED = 0.3  # share of each side with an edge, beyond what runs beside it: that of texture is much alike
OWN = 0.4  # what a picture's own border counts as
SMOOTH = 2.5  # grey levels: what a border drawn by a program, and compressed, varies by
MOST, LIKELIEST = 3, 200
ALIKE = 0.8
BESIDE_PX = 5
LINES = 12  # of each direction that are tried
LEAST_PX, LEAST_SHARE, MOST_SHARE = 32, 0.02, 0.92  # a side in pixels of the view; areas of the picture
APART_PX = 3  # between two lines that are tried


def insets(view: View) -> list[Box]:
    """MOST at most, the likeliest first; none for most pictures."""
    boxes = [view.content, *_pasted(view)]
    shares = [box.width * box.height / (view.width * view.height) for box in boxes]
    inner = [box for box, share in zip(boxes, shares, strict=True) if LEAST_SHARE < share < MOST_SHARE]
    return list(dict.fromkeys(box for box in inner if min(box.width, box.height) >= LEAST_PX))[:MOST]


def content_share(view: View) -> float:
    """Of the picture, 0 to 1: without rows and columns at its edges that are of one and the same colour."""
    down, across = _plain(view.grey), _plain(view.grey.T)
    return round((1 - down) * (1 - across), 3)


def _plain(rows: np.ndarray) -> float:
    """Share of the rows, at both ends together. 0 where all are plain."""
    found = 0
    for ordered in (rows, rows[::-1]):
        means, spreads = ordered.mean(axis=1), ordered.std(axis=1)
        border = (spreads < SMOOTH) & (np.abs(means - means[0]) < SMOOTH)
        found += len(border) if border.all() else int(np.argmin(border))
    return found / len(rows) if found < len(rows) else 0.0


def _pasted(view: View) -> list[Box]:
    """Rectangles whose sides are edges for the longest part; a picture's own borders may be two of the four."""
    grey = view.grey.astype(np.float32)
    across, down = _Lines(grey), _Lines(grey.T)
    lefts, rights = across.pairs
    tops, bottoms = down.pairs
    followed = [across.followed(at, tops[:, None], bottoms[:, None]) for at in (lefts, rights)]
    followed += [down.followed(at[:, None], lefts, rights) for at in (tops, bottoms)]
    sides = np.stack(np.broadcast_arrays(*followed, np.empty((len(tops), len(lefts))))[:4])
    own = np.isinf(sides)
    areas = (bottoms - tops)[:, None] * (rights - lefts)
    likely = (own.sum(axis=0) <= 2) & (sides.min(axis=0) > FOLLOWED) & (areas < MOST_SHARE * grey.size)
    total = np.where(likely, np.where(own, OWN, sides).sum(axis=0), 0.0)
    order = np.argsort(-total, axis=None, kind="stable")[: np.count_nonzero(total)][:LIKELIEST]
    rows, columns = np.divmod(order, max(1, len(lefts)))
    return _apart(np.stack([tops[rows], lefts[columns], bottoms[rows], rights[columns]], axis=1))


def _apart(boxes: np.ndarray) -> list[Box]:
    """Of boxes (N, 4) that are nearly the same the first."""
    chosen: list[Box] = []
    for box in (Box(*row) for row in boxes.tolist()):
        if all(_common(box, other) < ALIKE for other in chosen):
            chosen.append(box)
    return chosen[:MOST]


def _common(one: Box, other: Box) -> float:
    """Intersection over union."""
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    wide = min(one.right, other.right) - max(one.left, other.left)
    both = max(0, high) * max(0, wide)
    return both / (one.height * one.width + other.height * other.width - both)


class _Lines:
    """Upright edges: which columns have the longest, and for how much of a span they run."""

    def __init__(self, grey: np.ndarray) -> None:
        self._width = grey.shape[1]
        edges = np.zeros((grey.shape[0], self._width + 1), np.uint8)
        edges[:, 1:-1] = np.abs(np.diff(grey, axis=1)) > STEP
        edges[:, 2:-2] |= np.abs(grey[:, 3:] - grey[:, :-3]) > 2 * STEP  # one that is two pixels wide
        edges = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((CLOSED_PX, 1), np.uint8))
        sums = np.cumsum(np.pad(edges, ((1, 0), (BESIDE_PX, BESIDE_PX))), axis=0, dtype=np.float32)
        middle = slice(BESIDE_PX, BESIDE_PX + self._width + 1)
        beside = np.maximum(sums[:, : -2 * BESIDE_PX], sums[:, 2 * BESIDE_PX :])
        self._above = sums[:, middle] - beside  # (H + 1, W + 1): rows above with an edge left of this column
        self.columns = self._longest()

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        found = [pair for pair in combinations(self.columns, 2) if pair[1] - pair[0] >= LEAST_PX]
        first, second = np.array(found, int).reshape(-1, 2).T
        return first, second

    def followed(self, at: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Share of the rows from start to end with an edge there; endless at the picture's own border."""
        share = (self._above[end, at] - self._above[start, at]) / (end - start)
        return np.where((at == 0) | (at == self._width), np.inf, share)

    def _longest(self) -> list[int]:
        length, found = self._above[-1].copy(), {0, self._width}
        for _ in range(LINES):
            at = int(np.argmax(length))
            if length[at] < FOLLOWED * LEAST_PX:
                break
            found.add(at)
            length[max(0, at - APART_PX) : at + APART_PX + 1] = 0
        return sorted(found)
