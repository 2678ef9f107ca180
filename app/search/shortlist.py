"""Which pictures are worth a close look, and what is kept of each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import embeddings, images, regions
from app.catalog.models import Collection, Image, ModelKey
from app.index.live import LiveIndex, Near
from app.index.milvus import MilvusIndex
from app.patches import DIM, Candidates, Detail, Local, get_detail
from app.patches.basis import unit
from app.patches.keypoints import Marks
from app.patches.likeness import likeness
from app.patches.local import marks_of, tried
from app.patches.votes import vote
from app.patches.words import Words
from app.search.refresh import Readers
from app.search.voices import Voice
from app.storage import Storage

LONGEST = 100  # looked at closely
ASKED = 150  # of each index, for each vector of a whole picture
ASKED_OF_A_PART = 600  # what is small is far down by its windows
GLANCED = 1000  # whose windows are read, and in which the keypoints of a part vote: 8 KB of file each
BY_WINDOWS = 40  # of the LONGEST, those whose windows are most alike; the others are those with most votes
NOTHING = Local(np.empty((0, DIM), np.float32), np.empty((0, 2), np.float32), np.empty(0, np.float32), (1, 1))
NO_MARKS = Marks.from_bytes(b"")


@dataclass(frozen=True)
class Shortlist:
    """C images of one collection, those first that look most like what is asked for."""

    rows: list[Image]
    vectors: np.ndarray  # float32 (C, R + 1, D), unit: their windows, and last the whole

    @property
    def ids(self) -> list[int]:
        return [row.id for row in self.rows]

    def only(self, places: Sequence[int]) -> Self:
        return type(self)([self.rows[place] for place in places], self.vectors[places])


def asks_for_a_part(voices: Sequence[Voice]) -> bool:
    """What is wanted may fill little of a picture."""
    return not all(voice.both_ways for voice in voices if voice.wanted)


def closest(
    listed: Shortlist, voices: Sequence[Voice], storage: Storage, key: ModelKey
) -> tuple[Shortlist, Candidates]:
    """The LONGEST that are worth a close look, by votes of keypoints where more are listed; and local descriptors.

    May read the network, and so belongs in no transaction. One whose file is lost or damaged has none, and nothing
    supports it until it is made again.
    """
    kept = storage.find_patches(key.folder, [row.digest for row in listed.rows])
    data = [kept.get(row.digest, b"") for row in listed.rows]
    chosen = _chosen(listed, voices, data)
    return listed.only(chosen), Candidates.of([tried(Local.from_bytes, data[place], NOTHING) for place in chosen])


def _chosen(listed: Shortlist, voices: Sequence[Voice], data: Sequence[bytes]) -> list[int]:
    if len(data) <= LONGEST:
        return list(range(len(data)))
    words = Words.of([tried(marks_of, each, NO_MARKS) for each in data])
    votes = np.max([vote(voice.query, words) for voice in voices if voice.wanted], axis=0)
    votes[:BY_WINDOWS] = np.inf
    return np.sort(np.argsort(-votes, kind="stable")[:LONGEST]).tolist()


def shortlist(
    session: Session,
    readers: Readers,
    collection: Collection,
    key: ModelKey,
    detail: Detail,
    voices: Sequence[Voice],
    allowed: np.ndarray | None,
    without: Sequence[int],
    *,
    all_vote: bool = False,
) -> Shortlist:
    """The best of both indexes, by the windows of each. `all_vote`: windows need not name all that is to vote."""
    wanted = [voice for voice in voices if voice.wanted]
    glanced = LONGEST if all_vote else GLANCED
    asked, most = (ASKED_OF_A_PART, glanced) if asks_for_a_part(voices) else (ASKED, LONGEST)
    wholes, parts = readers.fresh(session, collection, key), readers.fresh_regions(session, collection, key)
    places = None if allowed is None else regions.ids_of(allowed, len(detail.windows))
    each = [named(wholes, parts, voice.named_by, asked, allowed, places) for voice in wanted]
    ids = _in_turns([ids[~np.isin(ids, without)] for ids in each])[:glanced]
    visible = images.get_visible(session, collection.id, ids.tolist())
    rows, vectors = _described(session, key, list(visible.values()))
    return Shortlist(rows, vectors).only(_order(voices, vectors)[:most])


def elected(
    session: Session, collection: Collection, key: ModelKey, listed: Shortlist, voted: Sequence[int]
) -> Shortlist:
    """The LONGEST that are worth a close look: those first by windows, then those that all of the collection voted
    for, ids, most votes first."""
    chosen = list(dict.fromkeys([*listed.ids[:BY_WINDOWS], *voted, *listed.ids[BY_WINDOWS:]]))[:LONGEST]
    visible = images.get_visible(session, collection.id, chosen)
    return Shortlist(*_described(session, key, [visible[one] for one in chosen if one in visible]))


def named(
    wholes: LiveIndex | MilvusIndex,
    parts: LiveIndex | MilvusIndex,
    names: np.ndarray,
    asked: int,
    allowed: np.ndarray | None = None,
    places: np.ndarray | None = None,
) -> np.ndarray:
    """Ids of images near any of `names` (N, D) by a window, or as a whole near their middle: int64, each once, best
    first.

    Limited to images `allowed`, and their regions `places`. Both indexes are searched side by side.
    """
    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(wholes.near_any, unit(names.mean(axis=0, keepdims=True)), asked, allowed)
        near = parts.near_any(unit(names), asked, places)
    whole = asking.result()
    ids = np.concatenate([whole.ids, near.ids // regions.EACH])
    return Near.of(ids, np.concatenate([whole.scores, near.scores])).ids


def _in_turns(lists: Sequence[np.ndarray]) -> np.ndarray:
    """The first of each, then the second of each, each once: what one example is nearest to crowds out no other's."""
    ids, turns = np.concatenate(lists), np.concatenate([np.arange(len(ids)) for ids in lists])
    return Near.of(ids, -turns).ids


def _described(session: Session, key: ModelKey, rows: Sequence[Image]) -> tuple[list[Image], np.ndarray]:
    """Those that have all their vectors, and these: (C, R + 1, D)."""
    ids = [row.id for row in rows]
    parts, wholes = regions.parts_of(session, ids, key.id), embeddings.of(session, ids, key.id)
    whole = {} if wholes is None else dict(zip(wholes[0].tolist(), wholes[1], strict=True))
    told = [row for row in rows if row.id in parts and row.id in whole]
    vectors = [np.concatenate([parts[row.id].vectors, whole[row.id][None]]) for row in told]
    return told, np.array(vectors, np.float32).reshape(len(told), len(get_detail(key.detail).windows) + 1, key.dim)


def _order(voices: Sequence[Voice], vectors: np.ndarray) -> np.ndarray:
    wanted = [voice for voice in voices if voice.wanted]
    each = [likeness(voice.parts, vectors, both_ways=voice.both_ways) for voice in wanted]
    return np.argsort(-np.mean(each, axis=0), kind="stable")
