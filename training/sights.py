"""Two sights of one picture, and which of their patches show the same place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIDE_PX = 168  # of a sight
PATCH_PX = 14
GRID = SIDE_PX // PATCH_PX
NEAR_PX = 5.0  # from a patch's middle to where the other's middle comes to lie: what is farther apart is not the same
LEAST_PATCHES = 40  # in both sights
MOST_PICTURE_PX = 900
TRIES = 6
CORNERS = np.array([[0, 0], [SIDE_PX, 0], [SIDE_PX, SIDE_PX], [0, SIDE_PX]], np.float32)
AROUND = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)


@dataclass(frozen=True)
class Manner:
    """How the sights of a kind of picture are drawn."""

    sides: tuple[float, float]  # of a sight, shares of the picture's shorter side
    any_turn: bool  # both turned alike by any angle: things lie about
    turn_degrees: float  # of one against the other, at most
    size: float  # natural logarithm of one over the other, at most
    tilt: float  # of the corners, shares of half a side


PHOTOS = Manner((0.59, 1.05), False, 40.0, 0.29, 0.25)
PAINTED = Manner((0.25, 0.9), True, 28.0, 0.4, 0.12)


@dataclass(frozen=True)
class Pair:
    """Uint8 (SIDE, SIDE, 3) each; numbers of patches that show the same place, int (M) each."""

    one: np.ndarray
    other: np.ndarray
    ones: np.ndarray
    others: np.ndarray


def pairs(paths: list[Path], manner: Manner, rng: np.random.Generator) -> Iterator[Pair]:
    """One of each picture that two sights can be drawn of."""
    for path in paths:
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        scale = min(1.0, MOST_PICTURE_PX / max(picture.shape[:2]))
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:, :, ::-1]
        drawn = next(filter(None, (_drawn(picture, manner, rng) for _ in range(TRIES))), None)
        if drawn is not None:
            yield drawn


def _drawn(picture: np.ndarray, manner: Manner, rng: np.random.Generator) -> Pair | None:
    height, width = picture.shape[:2]
    side = min(width, height) * np.exp(rng.uniform(*np.log(manner.sides)))
    place = (side, rng.uniform(-180, 180) if manner.any_turn else 0.0, *rng.uniform(0.2, 0.8, 2) * (width, height))
    corners = [_frame(place, manner, rng, moved) for moved in (0.0, 1.0)]
    maps = [cv2.getPerspectiveTransform(CORNERS, quad.astype(np.float32)) for quad in corners]
    middles = (np.stack(np.meshgrid(range(GRID), range(GRID)), -1).reshape(-1, 2) + 0.5) * PATCH_PX
    there = _mapped(middles, np.linalg.inv(maps[1]) @ maps[0])
    seen = _mapped(middles, maps[0])
    inside = ((there > 0) & (there < SIDE_PX)).all(1) & ((seen > 2) & (seen < (width - 2, height - 2))).all(1)
    ones = np.flatnonzero(inside)
    cells = (there[ones] // PATCH_PX).astype(int)
    others = cells[:, 1] * GRID + cells[:, 0]
    near = np.abs(there[ones] - middles[others]).max(axis=1, initial=0) < NEAR_PX
    if len(ones) < LEAST_PATCHES:
        return None
    sights = [toned(_cut(picture, taken), rng) for taken in maps]
    return Pair(*sights, ones[near], others[near])


def _frame(place: tuple[float, ...], manner: Manner, rng: np.random.Generator, moved: float) -> np.ndarray:
    """Corners (4, 2) in the picture."""
    side, degrees, x, y = place
    side *= np.exp(moved * rng.uniform(-manner.size, manner.size))
    radians = np.deg2rad(degrees + moved * rng.uniform(-manner.turn_degrees, manner.turn_degrees))
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    quad = (AROUND + rng.uniform(-manner.tilt, manner.tilt, (4, 2))) * (side * stretch / 2, side / stretch / 2)
    turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    return quad @ turn.T + (x, y) + moved * rng.normal(0, 0.12 * side, 2)


def _cut(picture: np.ndarray, taken: np.ndarray) -> np.ndarray:
    size = (SIDE_PX, SIDE_PX)
    return cv2.warpPerspective(
        picture, np.linalg.inv(taken), size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )


def _mapped(places: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(places[None].astype(np.float32), matrix)[0]


def toned(sight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In another light, through another lens, saved by somebody: uint8 as it was."""
    x = (sight.astype(np.float32) / 255) ** np.exp(rng.normal(0, 0.25))
    x = (x * np.exp(rng.normal(0, 0.2)) + rng.normal(0, 0.06)) * (1 + rng.normal(0, 0.08, 3))
    if rng.random() < 0.1:
        x = x.mean(2, keepdims=True).repeat(3, 2)
    if rng.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.3:
        x = x + rng.normal(0, 0.03, x.shape)
    if rng.random() < 0.15:
        x = x * np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1.2), sight.shape[1])[None, :, None]
    made = (np.clip(x, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.3:
        made = cv2.imdecode(cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])[1], 1)
    return made
