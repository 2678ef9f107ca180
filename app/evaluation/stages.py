"""What each step of an instance search adds to the one before, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.evaluation.album import Album
from app.evaluation.ranking import QueryScore, queries_of, score_by, summary
from app.patches import Candidates
from app.patches.likeness import likeness
from app.search.expansion import asking
from app.search.shortlist import LONGEST, Shortlist
from app.search.voices import Opinion, Voice, hear, scores

OTHERS = "others"
FAR = 100.0  # below any score: of what was not looked at closely

Likeness = Callable[[int], np.ndarray]  # of one query's row with all N pictures


@dataclass(frozen=True)
class StageScore:
    """Means over queries, 0 to 1."""

    stage: str
    map: float
    map_apart: dict[str, float]  # of classes whose names begin so, and of all others
    recall_at_1: float
    recall_at_10: float
    embed_ms: float  # of the network, a picture
    search_ms: float  # of all that follows, a query, among all the pictures
    bytes_per_image: int


class Stages:
    """The steps over one album, each a way to compare one picture with all."""

    def __init__(self, album: Album) -> None:
        self._entries = album.entries
        self.plain = np.stack([entry.plain for entry in album.entries])
        self.vectors = np.stack([entry.vectors for entry in album.entries])  # (N, R + 1, D)
        self._candidates = Candidates.of([entry.local for entry in album.entries])

    def as_the_model_does(self, row: int) -> np.ndarray:
        return self.plain @ self.plain[row]

    def in_its_own_aspect(self, row: int) -> np.ndarray:
        return self.vectors[:, -1] @ self.vectors[row, -1]

    def by_windows(self, row: int) -> np.ndarray:
        return likeness(self.vectors[row, :-1], self.vectors[:, :-1], both_ways=True)

    def verified(self, row: int) -> np.ndarray:
        near, listed, _, opinions = self._heard(row)
        return self._among_all(near, listed, scores(opinions))

    def expanded(self, row: int) -> np.ndarray:
        near, listed, candidates, opinions = self._heard(row)
        vectors = self.vectors[listed]
        voices = asking(scores(opinions), opinions, Shortlist([], vectors), candidates)
        return self._among_all(near, listed, scores(opinions, [hear(v, vectors, candidates) for v in voices]))

    def _heard(self, row: int) -> tuple[np.ndarray, np.ndarray, Candidates, list[Opinion]]:
        near = self.by_windows(row)
        order = np.argsort(-near, kind="stable")
        listed = order[order != row][:LONGEST]
        candidates = self._candidates.only(listed)
        voice = Voice(self.vectors[row, :-1], True, self._entries[row].query)
        return near, listed, candidates, [hear(voice, self.vectors[listed], candidates)]

    def _among_all(self, near: np.ndarray, listed: np.ndarray, found: np.ndarray) -> np.ndarray:
        all_of_them = near - FAR
        all_of_them[listed] = found
        return all_of_them


def measure(
    album: Album, apart: Sequence[str] = (), on_progress: Callable[[int], None] | None = None
) -> list[StageScore]:
    """Classes whose names begin with one of `apart` are also scored apart, and all others."""
    stages, dim = Stages(album), album.entries[0].plain.size
    local = round(np.mean([entry.local_bytes for entry in album.entries]))
    windows = (album.entries[0].vectors.shape[0] - 1) * (dim + 8)
    whole = 4 * dim
    table = (
        ("global, as the model prepares", stages.as_the_model_does, album.plain_ms, whole),
        ("global, own aspect", stages.in_its_own_aspect, album.detail_ms, whole),
        ("+ regions", stages.by_windows, album.detail_ms, whole + windows),
        ("+ verification", stages.verified, album.detail_ms, whole + windows + local),
        ("+ expansion", stages.expanded, album.detail_ms, whole + windows + local),
    )
    names = [entry.name for entry in album.entries]
    return [_measured(*row, names, apart, on_progress) for row in table]


def _measured(
    stage: str,
    alike: Likeness,
    embed_ms: float,
    size_bytes: int,
    names: Sequence[str | None],
    apart: Sequence[str],
    on_progress: Callable[[int], None] | None,
) -> StageScore:
    queries, started = queries_of(names), time.perf_counter()

    def each(rows: Sequence[int]) -> np.ndarray:
        found = []
        for row in rows:
            found.append(alike(row))
            if on_progress:
                on_progress(1)
        return np.stack(found)

    told, found = score_by(queries, each, names)
    search_ms = (time.perf_counter() - started) * 1000 / max(1, len(queries))
    by_kind = dict(_apart(found, names, apart))
    return StageScore(
        stage,
        round(told.map, 4),
        by_kind,
        round(told.recall_at_1, 4),
        round(told.recall_at_10, 4),
        round(embed_ms, 1),
        round(search_ms, 1),
        int(size_bytes),
    )


def _apart(
    found: Sequence[QueryScore], names: Sequence[str | None], apart: Sequence[str]
) -> Iterator[tuple[str, float]]:
    """Each beginning and the mAP of its classes; last, where there are any, of all others."""
    mine: dict[str, list[QueryScore]] = {kind: [] for kind in [*apart, OTHERS]}
    for query in found:
        mine[next((kind for kind in apart if names[query.row].startswith(kind)), OTHERS)].append(query)
    for kind, queries in mine.items() if apart else ():
        if queries:
            yield kind, round(summary(queries, len(names)).map, 4)
