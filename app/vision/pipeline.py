"""Files to vectors: children decode ahead while the network works. Imports no torch itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.errors import UnreadableImage
from app.vision.answers import Prepared
from app.vision.decoder import Decoder

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

BATCH = 32
AHEAD = 3 * BATCH  # pictures under way at once: 15 MB at 224 px, and never all of a large folder

Outcome = np.ndarray | UnreadableImage


def embed_files(paths: Iterable[Path], decoder: Decoder, encoder: Encoder) -> Iterator[tuple[Path, Outcome]]:
    """Each path, in the order given, with its unit vector float32 (D) or with why it has none. Raises BadVector."""
    remaining, under_way = iter(paths), deque[tuple[Path, Future[Prepared]]]()
    while True:
        for path in islice(remaining, AHEAD - len(under_way)):
            under_way.append((path, decoder.submit(path, preprocessing=encoder.key.preprocessing)))
        if not under_way:
            return
        yield from _embedded([under_way.popleft() for _ in range(min(BATCH, len(under_way)))], encoder)


def _embedded(batch: Sequence[tuple[Path, Future[Prepared]]], encoder: Encoder) -> Iterator[tuple[Path, Outcome]]:
    refusals = {path: refusal for path, future in batch if isinstance(refusal := future.exception(), UnreadableImage)}
    seen = [(path, future.result().pixels) for path, future in batch if path not in refusals]
    vectors = iter(encoder.embed([pixels for _, pixels in seen]))
    for path, _ in batch:
        yield path, refusals[path] if path in refusals else next(vectors)
