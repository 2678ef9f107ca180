"""How a query is looked at: as it was given, and smaller and turned, as it may lie in other pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app.details import keypoints_of
from app.patches import Basis, Local, Query, Sight, Window
from app.patches.basis import unit
from app.patches.local import centres
from app.patches.salience import levels
from app.vision.looks import Look, Way, looks

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

KEYPOINTS = 500  # of what is asked for
WHOLE: tuple[Way, ...] = ()  # other pictures show a whole picture about as large, and upright
# things are mostly smaller elsewhere, and turned; what has keypoints is told by these however it is turned
PART = tuple(Way(turn * 60, long_px) for long_px in (150, 75) for turn in range(6))


@dataclass(frozen=True)
class Seen:
    """What one example looks like."""

    vectors: np.ndarray  # float32 (S, D), unit: of each sight, as it was given first
    names: np.ndarray  # float32 (N, D), unit: the first, and the middle of those of each size
    windows: np.ndarray  # float32 (R, D), unit
    query: Query


def see(pixels: np.ndarray, ways: tuple[Way, ...], windows: tuple[Window, ...], encoder: Encoder, basis: Basis) -> Seen:
    """Prepared pixels, uint8 (H, W, 3)."""
    views = looks(pixels, [Way(0, max(pixels.shape[:2])), *ways])
    features = encoder.describe([view.pixels for view in views], windows)
    height, width = pixels.shape[:2]
    size = complex(width, height)
    sights = [
        _sight(view, basis.project(seen), basis, size) for view, seen in zip(views, features.patches, strict=True)
    ]
    longer = max(height, width)
    sights[0] = replace(sights[0], local=replace(sights[0].local, keypoints=keypoints_of(pixels, KEYPOINTS)))
    query = Query.of(sights, (width / longer, height / longer), part=bool(ways))
    return Seen(features.vectors, _names(features.vectors, ways), features.windows[0], query)


def _names(vectors: np.ndarray, ways: tuple[Way, ...]) -> np.ndarray:
    """What turns add is mostly in their middle: it names the same candidates, at a tenth of the searches."""
    turned = vectors[1:]
    sizes = [[way.long_px == size for way in ways] for size in dict.fromkeys(way.long_px for way in ways)]
    return unit(np.stack([vectors[0], *(turned[of_size].mean(axis=0) for of_size in sizes)]))


def _sight(view: Look, projected: np.ndarray, basis: Basis, size: complex) -> Sight:
    """Without the tokens that lie beside the picture."""
    rows, columns, dim = projected.shape
    places = centres(np.arange(rows * columns), columns)
    there = view.turn * (places[:, 0] + 1j * places[:, 1]) + view.shift
    inside = (there.real > 0) & (there.imag > 0) & (there.real < size.real) & (there.imag < size.imag)
    features = projected.reshape(-1, dim)
    local = Local(features, places, levels(projected, basis), (rows, columns)).only(inside)
    longer = max(size.real, size.imag)
    return Sight(local, (view.turn / longer, view.shift / longer))
