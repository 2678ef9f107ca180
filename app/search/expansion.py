"""Hits that were verified may ask in turn: what one example does not show, another view of the thing does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.patches import Candidates, Local, Query, Sight
from app.search.query import Box
from app.search.shortlist import Shortlist
from app.search.voices import Opinion, Voice

MOST = 3
SURE = 20.0  # weights that agree, from which on a hit asks as loudly as an example


def asking(found: np.ndarray, opinions: Sequence[Opinion], listed: Shortlist, candidates: Candidates) -> list[Voice]:
    """Of the best candidates by the scores `found` (C), those that the example which fits them best supports."""
    best = np.argsort(-found, kind="stable")[:MOST]
    heard = [(place, _fitting(opinions, place)) for place in best.tolist()]
    return [_voice(place, by, listed, candidates) for place, by in heard if by.verdicts.supported[place]]


def _fitting(opinions: Sequence[Opinion], place: int) -> Opinion:
    wanted = [opinion for opinion in opinions if opinion.voice.wanted]
    return max(wanted, key=lambda opinion: opinion.verdicts.scores[place])


def _voice(place: int, by: Opinion, listed: Shortlist, candidates: Candidates) -> Voice:
    """All of the hit where all of a picture was asked for; else what lies within the box found in it."""
    weight, vectors = min(1.0, float(by.verdicts.scores[place]) / SURE), listed.vectors[place]
    local = candidates.local(place)
    if by.voice.both_ways:
        return Voice(vectors[:-1], True, _query(local, (0.0, 0.0, 1.0, 1.0)), weight)
    nearest = int((vectors @ by.voice.parts.T).max(axis=1).argmax())
    own = _query(local, by.verdicts.boxes[place].tolist(), part=True)
    return Voice(vectors[nearest][None], False, own, weight)


def _query(local: Local, box: Box, part: bool = False) -> Query:
    rows, columns = local.grid
    left, top, right, bottom = edges = [share * side for share, side in zip(box, (columns, rows) * 2, strict=True)]
    inside = local.only(_within(local.places, edges))
    points = local.keypoints.only(_within(local.keypoints.places, edges))
    longer = max(right - left, bottom - top, 1e-6)
    sight = Sight(replace(inside, keypoints=points), (1 / longer, -(left + 1j * top) / longer))
    return Query.of([sight], ((right - left) / longer, (bottom - top) / longer), part)


def _within(places: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    left, top, right, bottom = edges
    x, y = places.T
    return (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
