"""Two that say which of a hundred pictures show a thing, and where: ours, from what workers keep of pictures, and SIFT
keypoints with RANSAC, as OpenCV has them."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import PIL.Image

from app.evaluation.localisation import Pointed
from app.patches import Candidates, Local, Query, get_detail, verify
from benchmarks.described import Box, Observer

RATIO = 0.8  # Lowe's: the second best match must be so much worse
REPROJECTION_PX = 5.0
FEWEST = 4  # matches from which a map is looked for
NO_DETAIL = replace(get_detail("light"), windows=())  # regions are no part of this


class Found(NamedTuple):
    scores: np.ndarray  # (C)
    boxes: np.ndarray  # (C, 4), shares

    def hits(self, names: Sequence[str]) -> list[Pointed]:
        order = np.argsort(-self.scores, kind="stable")
        return [Pointed(names[row], tuple(map(float, self.boxes[row]))) for row in order]


class Patches:
    """One file a picture, read anew for each question."""

    name = "dinoseek"

    def __init__(self, observer: Observer, folder: Path, paths: Sequence[Path]) -> None:
        self._observer = observer
        self._files = [folder / f"{number}.patches" for number in range(len(paths))]
        for file, data in zip(self._files, observer.keep(paths, NO_DETAIL).local, strict=True):
            file.write_bytes(data)

    @property
    def kept_bytes(self) -> float:
        """Of a picture."""
        return float(np.mean([file.stat().st_size for file in self._files]))

    def look(self, path: Path, box: Box) -> Query:
        return self._observer.look(path, box, NO_DETAIL).query

    def rerank(self, query: Query) -> Found:
        verdicts = verify(query, Candidates.of([Local.from_bytes(file.read_bytes()) for file in self._files]))
        return Found(verdicts.scores, verdicts.boxes)


class Keypoints(NamedTuple):
    places: np.ndarray  # float32 (K, 2), pixels
    descriptors: np.ndarray  # float32 (K, 128)
    size: tuple[int, int]  # width, height


class Sift:
    """Up to `most` keypoints a picture, kept in memory; matches pass the ratio test and agree on a homography."""

    def __init__(self, paths: Sequence[Path], most: int) -> None:
        self.name = f"SIFT {most} + RANSAC"
        self._sift = cv2.SIFT_create(most)
        self._pictures = [self._seen(PIL.Image.open(path)) for path in paths]

    @property
    def kept_bytes(self) -> float:
        """Of a picture, were descriptors kept as bytes and places as halves."""
        return float(np.mean([len(picture.places) * (128 + 4) for picture in self._pictures]))

    def look(self, path: Path, box: Box) -> Keypoints:
        with PIL.Image.open(path) as opened:
            edges = np.array(box) * (opened.size * 2)
            return self._seen(opened.crop(tuple(int(edge) for edge in np.rint(edges))))

    def rerank(self, query: Keypoints) -> Found:
        scores, boxes = zip(*(_compared(query, picture) for picture in self._pictures), strict=True)
        return Found(np.array(scores), np.array(boxes))

    def _seen(self, picture: PIL.Image.Image) -> Keypoints:
        grey = np.asarray(picture.convert("L"))
        keypoints, descriptors = self._sift.detectAndCompute(grey, None)
        if descriptors is None:
            return Keypoints(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32), picture.size)
        return Keypoints(np.array([point.pt for point in keypoints], np.float32), descriptors, picture.size)


def _compared(query: Keypoints, picture: Keypoints) -> tuple[int, Sequence[float]]:
    """Inliers, and the box of where the query's corners come to lie; nothing, and all of the picture."""
    nothing = 0, (0.0, 0.0, 1.0, 1.0)
    if min(len(query.places), len(picture.places)) < FEWEST:
        return nothing
    pairs = cv2.BFMatcher().knnMatch(query.descriptors, picture.descriptors, k=2)
    good = [best for best, second in pairs if best.distance < RATIO * second.distance]
    if len(good) < FEWEST:
        return nothing
    asked, there = query.places[[match.queryIdx for match in good]], picture.places[[match.trainIdx for match in good]]
    found, inliers = cv2.findHomography(asked, there, cv2.RANSAC, REPROJECTION_PX)
    return nothing if found is None else (int(inliers.sum()), _box(found, query.size, picture.size))


def _box(found: np.ndarray, asked: tuple[int, int], there: tuple[int, int]) -> Sequence[float]:
    corners = np.array(list(itertools.product((0, asked[0]), (0, asked[1]))), np.float32)[:, None]
    seen = cv2.perspectiveTransform(corners, found)[:, 0] / there
    return np.clip([*seen.min(axis=0), *seen.max(axis=0)], 0, 1).tolist()
