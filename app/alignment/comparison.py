"""Are two pictures copies of each other? Guess how one lies in the other, make that exact, look where they agree."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from app.alignment import maps
from app.alignment.agreement import NOTHING, SURE, Agreement, agreement
from app.alignment.evidence import Evidence
from app.alignment.frames import Frame, laid
from app.alignment.guesses import Guess, guesses
from app.alignment.refinement import refined, steadied
from app.alignment.view import View

METHOD = "align-2"
DEFAULT_THRESHOLD = 0.94
COARSE_PX, FINE_PX = 64, 160
HOPELESS = 0.45  # agreement of the coarse look below which no exact one can save a guess
MOST_REFINED = 2
SCENE_SUPPORT = 12  # keypoints in one arrangement: the same thing, whatever else has changed
SCENE_SCORE = 0.55
LEAST_AREA = 0.15  # of the smaller picture; less is a detail that two pictures share


class Attempt(NamedTuple):
    map: np.ndarray
    found: Agreement


def compare(first: View, second: View) -> Evidence:
    """The same for two pictures in either order, up to the direction of the map."""
    if first.rgb.shape == second.rgb.shape and np.array_equal(first.rgb, second.rgb):
        return _same(first)
    if _order(second) < _order(first):
        return turned_round(_compared(second, first), second, first)
    return _compared(first, second)


def _order(view: View) -> tuple[int, bytes]:
    return view.height * view.width, view.thumb(view.whole).tobytes()


def _same(view: View) -> Evidence:
    size = (view.height, view.width)
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    return Evidence(score=1.0, area=1.0, warp=identity, map=identity, sizes=(*size, *size))


def _compared(first: View, second: View) -> Evidence:
    found = guesses(first, second)
    support = max((guess.support for guess in found), default=0)
    best = _best(_attempts(first, second, found))
    if best is None:
        return Evidence(scene=support >= SCENE_SUPPORT)
    return _evidence(first, second, best.map, best.found, support)


def _best(attempts: Iterator[Attempt]) -> Attempt | None:
    """No more are made than it takes to be sure."""
    best = None
    for attempt in attempts:
        if best is None or attempt.found.score > best.found.score:
            best = attempt
        if best.found.score >= SURE:
            break
    return best


def _attempts(first: View, second: View, found: list[Guess]) -> Iterator[Attempt]:
    """The best guesses, made exact; none where a coarse look shows that no two places agree."""
    coarse = [(_coarse(first, second, guess), guess.map) for guess in found]
    hopeful = [(attempt, start) for attempt, start in coarse if attempt.found.score > HOPELESS]
    for attempt, start in sorted(hopeful, key=lambda one: -one[0].found.score)[:MOST_REFINED]:
        exact = refined(first, second, attempt.map)
        yield _judged(first, second, exact, FINE_PX)
        yield from (_judged(first, second, steadied(first, second, map), FINE_PX) for map in (start, exact))


def _coarse(first: View, second: View, guess: Guess) -> Attempt:
    """As it was guessed, or as a coarse look moves it: what lies upon one of the two may move it away."""
    moved = refined(first, second, guess.map, steps=1)
    tried = [_judged(first, second, map, COARSE_PX) for map in (moved, guess.map)]
    return max(tried, key=lambda attempt: attempt.found.score)


def _judged(first: View, second: View, map: np.ndarray, long_side_px: int) -> Attempt:
    frame = laid(first, second, map, long_side_px)
    return Attempt(map, NOTHING if frame is None else agreement(frame))


def _evidence(first: View, second: View, map: np.ndarray, found: Agreement, support: int) -> Evidence:
    inside, filled = _share_inside(first, second, map), _share_inside(second, first, maps.inverse(map))
    area = max(inside, filled)
    score = found.score if area >= LEAST_AREA else found.score * area / LEAST_AREA
    recoloured, residue = _tones(laid(first, second, map, FINE_PX, colour=True))
    return Evidence(
        score=round(score, 4),
        area=round(area, 4),
        warp=tuple(_in_shares(map, first, second).ravel().tolist()),
        scene=support >= SCENE_SUPPORT or score >= SCENE_SCORE,
        map=tuple(map.ravel().tolist()),
        sizes=(first.height, first.width, second.height, second.width),
        inside=inside,
        filled=filled,
        bordered=_is_bordered(second, map, first),
        covered=found.covered,
        blur=found.blur,
        recoloured=recoloured,
        residue=residue,
    )


def turned_round(found: Evidence, first: View, second: View) -> Evidence:
    """What was found of two, as of the second and the first: what `compare` says of them in that order."""
    if found.map is None:
        return found
    map = maps.inverse(np.array(found.map).reshape(2, 3))
    return Evidence(
        **{name: getattr(found, name) for name in ("score", "area", "scene", "covered", "recoloured", "residue")},
        warp=tuple(_in_shares(map, second, first).ravel().tolist()),
        map=tuple(map.ravel().tolist()),
        sizes=(*found.sizes[2:], *found.sizes[:2]),
        inside=found.filled,
        filled=found.inside,
        bordered=_is_bordered(first, map, second),
        blur=-found.blur,
    )


def _in_shares(map: np.ndarray, first: View, second: View) -> np.ndarray:
    to_px = maps.stretch(first.width, first.height)
    return maps.then(maps.then(to_px, map), maps.inverse(maps.stretch(second.width, second.height)))


def _share_inside(first: View, second: View, map: np.ndarray) -> float:
    """Share of the first that the map lays within the second."""
    steps = (np.arange(24) + 0.5) / 24
    grid = np.stack(np.meshgrid(steps * first.width, steps * first.height), axis=-1).reshape(-1, 2)
    laid_on = maps.apply(map, grid)
    inside = (laid_on >= 0) & (laid_on <= (second.width, second.height))
    return float(inside.all(axis=1).mean())


def _is_bordered(second: View, map: np.ndarray, first: View) -> bool:
    """Whether what lies in the second beside the first is of one colour."""
    corners = np.array(((0, 0), (first.width, 0), (first.width, first.height), (0, first.height)), np.float64)
    outside = np.full((second.height, second.width), 1, np.uint8)
    cv2.fillConvexPoly(outside, np.round(maps.apply(map, corners)).astype(np.int32), 0)
    outside = cv2.erode(outside, np.ones((3, 3), np.uint8), borderValue=1).astype(bool)
    values = second.grey[outside]
    return len(values) > 0.01 * outside.size and float(np.percentile(np.abs(values - np.median(values)), 85)) < 12


def _tones(frame: Frame | None) -> tuple[float, float]:
    """How far colours differ, detail left out; and what remains once each channel is fitted to the other's."""
    if frame is None or frame.mask.sum() < 50:
        return 0.0, 0.0
    mine, theirs = (cv2.GaussianBlur(side, (0, 0), 2.0)[frame.mask] for side in (frame.mine, frame.theirs))
    recoloured = float(np.abs(mine - theirs).mean())
    fine_mine, fine_theirs = frame.mine[frame.mask], frame.theirs[frame.mask]
    fitted = np.stack([_fitted(fine_mine[:, c], fine_theirs[:, c]) for c in range(3)], axis=1)
    return recoloured, float(np.abs(fitted - fine_theirs).mean())


def _fitted(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    gain, offset = np.polyfit(mine, theirs, 1) if mine.std() > 1 else (0.0, float(theirs.mean()))
    return gain * mine + offset
