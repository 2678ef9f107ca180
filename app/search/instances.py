"""The same thing, found and pointed at: a short list by windows, then a close look at where places agree."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from app.bases import Bases
from app.catalog import collections, images
from app.catalog.images import Filters
from app.catalog.models import ModelKey
from app.errors import InvalidInput, NotFound
from app.patches import OFF, Detail, get_detail
from app.resources import Resources
from app.search import hits, sights
from app.search.desk import ALL, SearchDesk, Stopwatch
from app.search.evidence import Evidence, found_by, lines
from app.search.examples import Example, checked
from app.search.expansion import asking
from app.search.query import Hit, Page, checked_k
from app.search.shortlist import LONGEST, Shortlist, asks_for_a_part, closest, elected, shortlist
from app.search.voices import Opinion, Voice, hear, scores
from app.search.voters import Roll, Voters
from app.whereabouts import find_file, sources

SEEN_KEPT = 32  # examples: a megabyte each, and a person comes back to the same


@dataclass(frozen=True)
class Ranked:
    """A short list in order, and what was heard of it."""

    listed: Shortlist
    order: np.ndarray  # int (C)
    opinions: list[Opinion]  # of the examples


class InstanceDesk:
    """Beside a search desk, whose encoders and indexes it shares. Safe to share between threads."""

    def __init__(self, resources: Resources, desk: SearchDesk) -> None:
        self._resources, self._desk = resources, desk
        self._bases, self._voters = Bases(resources.catalog), Voters(resources.storage)
        self._seen: OrderedDict[tuple[int, Example], sights.Seen] = OrderedDict()
        self._lock = threading.Lock()

    def find(
        self, name: str, examples: Sequence[Example], k: int = 20, filters: Filters = ALL, expand: bool = False
    ) -> Page:
        """Pictures of the collection that show what the examples show, those that are examples left out.

        At most as many as are looked at closely. `expand`: the surest hits ask in turn. Raises InvalidInput where the
        collection keeps no details, NotFound, UnreadableImage.
        """
        checked_k(k)
        watch = Stopwatch()
        while True:
            key, detail = self._key(name)
            voices = [self._voice(name, key, detail, example) for example in checked(examples)]
            watch.lap("embed")
            listed = self._listed(name, key, detail, voices, examples, filters)
            watch.lap("search")
            if listed is not None:
                break
        ranked = self._ranked(key, listed, voices, expand)
        watch.lap("rerank")
        shown = ", ".join(example.shown for example in examples)
        return Page(name, key.model, key.trained, shown, k, self._hits(ranked, k), watch.totals())

    def evidence(self, name: str, example: Example, image_id: int) -> Evidence:
        """Where places of the example and of this picture agree. Raises NotFound and what `find` raises."""
        key, detail = self._key(name)
        voice = self._voice(name, key, detail, example)
        with self._resources.catalog.read() as session:
            row = images.get_visible(session, collections.get(session, name).id, [image_id]).get(image_id)
        if row is None:
            raise NotFound(f"picture {image_id} is not among the searchable ones of {name!r}: it may have gone")
        listed = Shortlist([row], np.empty((1, 0, key.dim), np.float32))
        _, candidates = closest(listed, [voice], self._resources.storage, key)
        return lines(voice.query, candidates, example.box)

    def _key(self, name: str) -> tuple[ModelKey, Detail]:
        with self._resources.catalog.read() as session:
            key = collections.model_of(session, collections.get(session, name))
        detail = get_detail(key.detail)
        if detail == OFF:
            way = f"make them with `dinoseek collections switch {name} --instances light`"
            raise InvalidInput(f"{name!r} keeps no details of its pictures, which this search needs: {way}")
        return key, detail

    def _voice(self, name: str, key: ModelKey, detail: Detail, example: Example) -> Voice:
        seen = self._look(name, key, detail, example)
        if example.box is None:
            return Voice(seen.windows, True, seen.query, wanted=example.wanted)
        return Voice(seen.vectors, False, seen.query, wanted=example.wanted, names=seen.names)

    def _look(self, name: str, key: ModelKey, detail: Detail, example: Example) -> sights.Seen:
        """An example as the network sees it, once."""
        known = (key.id, example)
        with self._lock:
            if known in self._seen:
                self._seen.move_to_end(known)
                return self._seen[known]
        encoder = self._desk.encoders.of(key)
        source = self._source(name, example)
        pixels = self._desk.decoder.submit(source, preprocessing=key.preprocessing, box=example.box).result().pixels
        ways = sights.WHOLE if example.box is None else sights.PART
        seen = sights.see(pixels, ways, detail.windows, encoder, self._bases.of(key, encoder))
        if example.path is None:  # what lies at a path may be another picture next time
            with self._lock:
                self._seen[known] = seen
                while len(self._seen) > SEEN_KEPT:
                    self._seen.popitem(last=False)
        return seen

    def _source(self, name: str, example: Example) -> Path | bytes:
        if example.image_id is not None:
            return self._own(name, example.image_id)
        path = example.path or self._resources.storage.query(example.digest)
        if not path.is_file():
            way = "give the path of a picture" if example.path else "drop it again"
            raise NotFound(f"{example.shown[:80]} is no file that is here: {way}")
        return path

    def _own(self, name: str, image_id: int) -> Path | bytes:
        with self._resources.catalog.read() as session:
            collection = collections.get(session, name)
            row = images.get_visible(session, collection.id, [image_id]).get(image_id)
            source = None if row is None else sources(self._resources, session, [row])[image_id]
        found = None if source is None else find_file(self._resources, source)
        if found is None:
            raise NotFound(f"the file of picture {image_id} is not at its path any more: its parts can't be searched")
        return found

    def _listed(
        self,
        name: str,
        key: ModelKey,
        detail: Detail,
        voices: Sequence[Voice],
        examples: Sequence[Example],
        filters: Filters,
    ) -> Shortlist | None:
        """None where the collection has another key now: vectors of two never meet."""
        without = [example.image_id for example in examples if example.image_id is not None]
        with self._resources.catalog.read() as session:
            collection = collections.get(session, name)
            if collection.model_key_id != key.id:
                return None
            allowed = hits.allowed(session, collection, filters)
            roll = self._voters.roll(session, collection, key) if asks_for_a_part(voices) else None
            readers, all_vote = self._desk.readers, roll is not None
            listed = shortlist(session, readers, collection, key, detail, voices, allowed, without, all_vote=all_vote)
        if roll is None:
            return listed
        may = ~np.isin(roll.ids, without) & (True if allowed is None else np.isin(roll.ids, allowed))
        return self._elected(roll, listed, self._voters.elect(roll, voices, may, listed.ids))

    def _elected(self, roll: Roll, listed: Shortlist, voted: Sequence[int]) -> Shortlist | None:
        with self._resources.catalog.read() as session:
            collection = collections.get_by_id(session, roll.collection_id)
            if collection.model_key_id == roll.key.id:
                return elected(session, collection, roll.key, listed, voted)
            return None

    def _ranked(self, key: ModelKey, listed: Shortlist, voices: Sequence[Voice], expand: bool) -> Ranked:
        listed, candidates = closest(listed, voices, self._resources.storage, key)
        opinions = [hear(voice, listed.vectors, candidates) for voice in voices]
        found = scores(opinions)
        if expand:
            asked = asking(found, opinions, listed, candidates)
            found = scores(opinions, [hear(voice, listed.vectors, candidates) for voice in asked])
        return Ranked(listed, np.argsort(-found, kind="stable"), opinions)

    def _hits(self, ranked: Ranked, k: int) -> list[Hit]:
        chosen = ranked.order[: min(k, LONGEST)]
        with self._resources.catalog.read() as session:
            paths = images.shown_paths(session, [ranked.listed.rows[place].id for place in chosen])
        return [
            hits.hit(rank, ranked.listed.rows[place], paths, **asdict(found_by(ranked.opinions, place)))
            for rank, place in enumerate(chosen, start=1)
        ]
