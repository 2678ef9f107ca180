"""All pictures of a collection vote on a part that is looked for, where they are few enough to hold their keypoints."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import images
from app.catalog.models import Collection, ModelKey
from app.patches import get_detail
from app.patches.keypoints import Marks
from app.patches.local import marks_of, tried
from app.patches.votes import vote
from app.patches.words import Words
from app.search.voices import Voice
from app.storage import Storage

EVERYONE = 20_000  # pictures: 150 MB, and some seconds until all of them have been read
COLLECTIONS = 2  # whose keypoints are held, those asked last
PORTION, BUDGET_S = 1000, 4.0  # files read at once, and how long one search reads: what is slow is left to the next
PATIENCE_S = 60.0  # until a file that was lost is looked for again
WORN = 2  # times as many pictures held as there are: those that went are let go


@dataclass(frozen=True)
class Roll:
    """Who can be searched after a change of the collection."""

    collection_id: int
    key: ModelKey
    seq: int
    ids: np.ndarray  # int64 (N), ascending
    digests: Mapping[int, str]


@dataclass
class _Held:
    roll: Roll
    words: Words = field(default_factory=Words.none)
    numbers: dict[int, int] = field(default_factory=dict)  # of images in `words`
    lost: dict[int, float] = field(default_factory=dict)  # images without a whole file, when that was found

    def wants(self, image_id: int, now: float) -> bool:
        tried = self.lost.get(image_id)
        new = image_id in self.roll.digests and image_id not in self.numbers
        return new and (tried is None or now - tried >= PATIENCE_S)

    def add(self, marks: Mapping[int, Marks]) -> None:
        self.numbers |= {one: self.words.count + number for number, one in enumerate(marks)}
        self.words = self.words.plus(list(marks.values())) if marks else self.words


class Voters:
    """By collection and model key. Safe to share between threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._held: OrderedDict[tuple[int, int], _Held] = OrderedDict()
        self._lock = threading.Lock()  # one reads files at a time; the others wait for what it reads

    def roll(self, session: Session, collection: Collection, key: ModelKey) -> Roll | None:
        """None where there are more than EVERYONE, or they have no keypoints."""
        held = self._held.get((collection.id, key.id))
        if held is not None and held.roll.seq == collection.seq:
            return held.roll
        if not get_detail(key.detail).keypoints or images.count_visible(session, collection.id) > EVERYONE:
            return None
        digests = images.visible_digests(session, collection.id)
        return Roll(collection.id, key, collection.seq, np.array(list(digests), np.int64), digests)

    def elect(self, roll: Roll, voices: Sequence[Voice], may: np.ndarray, first: Sequence[int]) -> list[int]:
        """Ids of those of the roll that `may`, bool (N), be found and have any votes, most first.

        Reads files, those that are here and those of `first` before others, and may read the network: it belongs in
        no transaction.
        """
        with self._lock:
            held = self._brought(roll, first)
            numbers = np.array([held.numbers.get(image_id, -1) for image_id in roll.ids.tolist()], int)
            words = held.words
        votes = np.max([vote(voice.query, words) for voice in voices if voice.wanted], axis=0)
        own = np.where(may & (numbers >= 0), np.append(votes, 0)[numbers], 0)
        order = np.argsort(-own, kind="stable")
        return roll.ids[order[own[order] > 0]].tolist()

    def _brought(self, roll: Roll, first: Sequence[int]) -> _Held:
        """With the keypoints of all on the roll that have any, or of as many more as there is time for."""
        held, began = self._of(roll), time.monotonic()
        new = [one for one in dict.fromkeys([*first, *roll.digests]) if held.wants(one, began)]
        new.sort(key=lambda one: not self._storage.patches(roll.key.folder, roll.digests[one]).is_file())
        found: dict[int, Marks] = {}
        for start in range(0, len(new), PORTION):
            found |= self._read(held, new[start : start + PORTION])
            if time.monotonic() - began > BUDGET_S:
                break
        held.add(found)
        return held

    def _of(self, roll: Roll) -> _Held:
        name = roll.collection_id, roll.key.id
        held = self._held.pop(name, None)
        if held is None or held.words.count > WORN * len(roll.ids):
            held = _Held(roll)
        held.roll = roll
        self._held[name] = held
        while len(self._held) > COLLECTIONS:
            self._held.popitem(last=False)
        return held

    def _read(self, held: _Held, image_ids: Sequence[int]) -> dict[int, Marks]:
        """Of those that have a whole file, and a note of those that don't."""
        digests = {one: held.roll.digests[one] for one in image_ids}
        kept = self._storage.find_patches(held.roll.key.folder, digests.values())
        marks = {one: tried(marks_of, kept.get(digest, b""), None) for one, digest in digests.items()}
        held.lost |= {one: time.monotonic() for one, own in marks.items() if own is None}
        return {one: own for one, own in marks.items() if own is not None}
