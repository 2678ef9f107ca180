"""What tells that a picture shows the thing: where it lies, and which places agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.patches import Candidates, Query, Verdicts, verify
from app.search.query import Box, Outline
from app.search.voices import Opinion


@dataclass(frozen=True)
class Found:
    """One picture, as the example that fits it best has it."""

    score: float  # cosine, -1…1: how alike windows are
    box: Box | None
    outline: Outline | None
    matches: int
    inliers: int
    supported: bool
    example: int  # which of the wanted ones, from 0


@dataclass(frozen=True)
class Line:
    """From a place of the example's picture to one of the hit, in shares of each, upright."""

    x0: float
    y0: float
    x1: float
    y1: float
    agrees: bool  # with the map
    weight: float  # 0 upwards: how much more alike than chance


@dataclass(frozen=True)
class Evidence:
    box: Box | None  # of the example, on its picture
    lines: tuple[Line, ...]
    outline: Outline | None
    map: tuple[tuple[float, float, float], ...]  # affine (2, 3), from shares of the box to shares of the hit
    supported: bool


def found_by(opinions: Sequence[Opinion], place: int) -> Found:
    """Of candidate `place`, by the wanted example that it agrees with best."""
    wanted = [opinion for opinion in opinions if opinion.voice.wanted]
    best = max(range(len(wanted)), key=lambda number: wanted[number].verdicts.scores[place])
    verdicts, alike = wanted[best].verdicts, max(float(opinion.likeness[place]) for opinion in wanted)
    located = bool(verdicts.supported[place])
    return Found(
        score=alike,
        box=tuple(verdicts.boxes[place].tolist()) if located else None,
        outline=verdicts.outline(place) if located else None,
        matches=int((verdicts.matches.weights[place] > 0).sum()),
        inliers=int(verdicts.inliers[place].sum()),
        supported=located,
        example=best,
    )


def lines(query: Query, candidates: Candidates, box: Box | None) -> Evidence:
    """Between an example, the part of a picture within `box`, and one candidate."""
    verdicts = verify(query, candidates)
    matches, there = verdicts.matches, verdicts.inliers[0]
    asked = _shares(matches.asked[0], query.extent)
    left, top, right, bottom = box or (0.0, 0.0, 1.0, 1.0)
    asked = asked * (right - left, bottom - top) + (left, top)
    found = _shares(matches.found[0], candidates.grids[0][::-1])
    drawn = [
        Line(*map(float, (*asked[place], *found[place])), bool(there[place]), float(matches.weights[0, place]))
        for place in np.flatnonzero(matches.weights[0] > 0)
    ]
    supported = bool(verdicts.supported[0])
    outline = verdicts.outline(0) if supported else None
    return Evidence(box, tuple(drawn), outline, _in_shares(query, verdicts, candidates), supported)


def _shares(places: np.ndarray, size: Sequence[float]) -> np.ndarray:
    """Complex (M) -> (M, 2)."""
    return np.stack([places.real / size[0], places.imag / size[1]], axis=1)


def _in_shares(query: Query, verdicts: Verdicts, candidates: Candidates) -> tuple[tuple[float, float, float], ...]:
    rows, columns = candidates.grids[0]
    scaled = verdicts.maps[0] * (*query.extent, 1.0) / np.array([[columns], [rows]])
    return tuple(tuple(row) for row in scaled.tolist())
