"""Pictures of an exam as an instance search keeps them, beside the vector that a plain search has of each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.details import local_of
from app.errors import UnreadableImage
from app.evaluation.folders import Exam, Refused
from app.patches import Basis, Detail, Local, Query
from app.search.sights import WHOLE, see
from app.vision.answers import Prepared
from app.vision.decoder import Decoder

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

AHEAD = 32  # pictures that decode while the network works


@dataclass(frozen=True)
class Entry:
    """One picture."""

    name: str | None  # of its class; none: a distractor
    plain: np.ndarray  # float32 (D), unit: as the model prepares pictures by itself
    vectors: np.ndarray  # float32 (R + 1, D), unit: of its windows and last of the whole, as instances are prepared
    local: Local  # as read from the bytes that are kept
    query: Query | None  # all its places; only of those that will be asked for
    local_bytes: int


@dataclass(frozen=True)
class Album:
    entries: list[Entry]
    unreadable: list[Refused]
    plain_ms: float  # of the network, a picture
    detail_ms: float


@dataclass(frozen=True)
class Tools:
    decoder: Decoder
    plain: Encoder
    encoder: Encoder  # the same network, for another preprocessing
    basis: Basis
    detail: Detail


Progress = Callable[[int], None]  # pictures done so far


def embed(exam: Exam, tools: Tools, on_progress: Progress) -> Album:
    """Every picture twice. One that can't be read is reported, and left out."""
    names = [name for name in exam.values() if name is not None]
    asked = {name for name in names if names.count(name) > 1}
    entries, unreadable, spent = [], [], np.zeros(2)
    for done, (path, futures) in enumerate(_decoded(exam, tools), start=1):
        try:
            plain, detailed = (future.result().pixels for future in futures)
        except UnreadableImage as refusal:
            unreadable.append(Refused(str(path), str(refusal)))
            continue
        entry, took = _entry(exam[path], plain, detailed, tools, exam[path] in asked)
        entries.append(entry)
        spent += took
        on_progress(done)
    plain_ms, detail_ms = spent / max(1, len(entries))
    return Album(entries, unreadable, plain_ms, detail_ms)


def _entry(
    name: str | None, plain: np.ndarray, detailed: np.ndarray, tools: Tools, asked: bool
) -> tuple[Entry, np.ndarray]:
    started = time.perf_counter()
    vector = tools.plain.embed([plain])[0]
    between = time.perf_counter()
    seen = tools.encoder.describe([detailed], tools.detail.windows)
    kept = local_of(detailed, seen.patches[0], tools.basis, tools.detail).to_bytes()
    took = np.array([between - started, time.perf_counter() - between]) * 1000
    vectors = np.concatenate([seen.windows[0], seen.vectors])
    query = see(detailed, WHOLE, (), tools.encoder, tools.basis).query if asked else None
    return Entry(name, vector, vectors, Local.from_bytes(kept), query, len(kept)), took


def _decoded(exam: Exam, tools: Tools) -> Iterator[tuple[Path, list[Future[Prepared]]]]:
    """In their order, each prepared in both ways."""
    ways = [encoder.key.preprocessing for encoder in (tools.plain, tools.encoder)]
    remaining, under_way = iter(exam), deque[tuple[Path, list[Future[Prepared]]]]()
    while True:
        for path in islice(remaining, AHEAD - len(under_way)):
            under_way.append((path, [tools.decoder.submit(path, preprocessing=way) for way in ways]))
        if not under_way:
            return
        yield under_way.popleft()
