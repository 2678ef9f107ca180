"""The search desk of one process: encoders, decode children and live indexes behind three questions."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import collections, embeddings, images
from app.catalog.images import Filters
from app.catalog.models import Collection, ModelKey
from app.encoders import Encoders
from app.errors import NotFound, UnreadableImage
from app.index.live import Neighbour
from app.resources import Resources
from app.search.hits import allowed, hit
from app.search.query import Box, Hit, Page, StoredQuery, Terms
from app.search.refresh import Readers
from app.vision.decoder import Decoder
from app.whereabouts import Source, find_file, sources

ALL = Filters()
SPARE_HITS = 16  # asked beyond k: rows hidden since the refresh are dropped by the last word on visibility


@dataclass
class Stopwatch:
    """Milliseconds per stage, as `took_ms` reports them."""

    spans: dict[str, float] = field(default_factory=lambda: {"embed": 0.0, "search": 0.0, "rerank": 0.0})
    started: float = field(default_factory=time.perf_counter)
    mark: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.spans[stage] += (now - self.mark) * 1000
        self.mark = now

    def totals(self) -> dict[str, float]:
        spans = self.spans | {"total": (time.perf_counter() - self.started) * 1000}
        return {stage: round(span, 2) for stage, span in spans.items()}


class SearchDesk:
    """Safe to share between threads. Hostile bytes are decoded in children, never here."""

    def __init__(
        self,
        resources: Resources,
        decoder: Decoder,
        encoders: Encoders | None = None,
        on_answer: Callable[[Page], None] | None = None,
    ) -> None:
        self._resources = resources
        self.decoder = decoder
        self.encoders = encoders or Encoders(resources.settings)
        self.readers = Readers(resources)
        self._on_answer = on_answer

    def by_file(self, name: str, path: Path, k: int = 20, box: Box | None = None, filters: Filters = ALL) -> Page:
        """Pictures that look like the one at `path`. Raises NotFound, InvalidInput, UnreadableImage."""
        if not path.is_file():
            raise NotFound(f"{path} is no file: give the path of a picture")
        try:
            return self._look(path, Terms(name, str(path), k, box, filters))
        except UnreadableImage as refusal:
            raise UnreadableImage(f"{path}: {refusal}", refusal.code) from None

    def by_digest(self, name: str, digest: str, k: int = 20, box: Box | None = None, filters: Filters = ALL) -> Page:
        """Pictures that look like a query kept by `prepare_query`."""
        path = self._resources.storage.query(digest)
        if not path.is_file():
            raise NotFound(f"the query picture {digest[:12]} is not kept here any more: drop it again")
        return self._look(path, Terms(name, digest, k, box, filters))

    def by_image(self, name: str, image_id: int, k: int = 20, box: Box | None = None, filters: Filters = ALL) -> Page:
        """More like a picture of the collection, itself left out; its stored vector is used unless a box is given."""
        terms = Terms(name, str(image_id), k, box, filters, without=image_id)
        watch = Stopwatch()
        with self._resources.catalog.read() as session:
            key, vector, source = self._find_own(session, name, image_id)
        if box is None and vector is not None:
            again = (name, image_id, k, box, filters)
            return self._answer(vector, key, terms, watch) or self.by_image(*again)
        found = find_file(self._resources, source)
        if found is None:
            raise NotFound(f"the file of picture {image_id} is not at its path any more: its parts can't be searched")
        return self._look(found, terms)

    def prepare_query(self, data: bytes) -> StoredQuery:
        """Refuse early, then keep a query picture under its digest. Raises UnreadableImage."""
        prepared = self.decoder.submit(data).result()
        digest = self._resources.storage.keep_query(data)
        return StoredQuery(digest, prepared.height_px, prepared.width_px)

    def _find_own(self, session: Session, name: str, image_id: int) -> tuple[ModelKey, np.ndarray | None, Source]:
        """The collection's key, a picture's stored vector, and where its bytes may be read. Raises NotFound."""
        collection = collections.get(session, name)
        row = images.get_visible(session, collection.id, [image_id]).get(image_id)
        if row is None:
            raise NotFound(f"picture {image_id} is not among the searchable ones of {name!r}: it may have gone")
        key = collections.model_of(session, collection)
        return key, embeddings.find(session, image_id, key.id), sources(self._resources, session, [row])[image_id]

    def _look(self, source: Path | bytes, terms: Terms) -> Page:
        """Decode in a child, embed, answer; all again where the collection's model was switched in between."""
        while True:
            with self._resources.catalog.read() as session:
                key = collections.model_of(session, collections.get(session, terms.collection))
            encoder = self.encoders.of(key)
            watch = Stopwatch()
            prepared = self.decoder.submit(source, preprocessing=key.preprocessing, box=terms.box).result()
            vector = encoder.embed([prepared.pixels])[0]
            watch.lap("embed")
            if page := self._answer(vector, key, terms, watch):
                return page

    def _answer(self, vector: np.ndarray, key: ModelKey, terms: Terms, watch: Stopwatch) -> Page | None:
        """None where the collection has another model now: vectors of two never meet."""
        with self._resources.catalog.read() as session:
            collection = collections.get(session, terms.collection)
            if collection.model_key_id != key.id:
                return None
            live = self.readers.fresh(session, collection, key)
            found = live.search(
                vector[None], terms.k + SPARE_HITS, allowed=allowed(session, collection, terms.filters)
            )[0]
            chosen = [neighbour for neighbour in found if neighbour.image_id != terms.without]
            hits = _hits(session, collection, chosen, terms.k)
        watch.lap("search")
        page = Page(terms.collection, key.model, key.trained, terms.shown, terms.k, hits, watch.totals())
        if self._on_answer is not None:
            self._on_answer(page)
        return page


def _hits(session: Session, collection: Collection, neighbours: Sequence[Neighbour], k: int) -> list[Hit]:
    """The rows of the neighbours, which have the last word on what is shown."""
    ids = [neighbour.image_id for neighbour in neighbours]
    rows = images.get_visible(session, collection.id, ids)
    paths = images.shown_paths(session, ids)
    shown = [neighbour for neighbour in neighbours if neighbour.image_id in rows][:k]
    return [hit(rank, rows[near.image_id], paths, near.score) for rank, near in enumerate(shown, start=1)]
