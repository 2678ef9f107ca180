"""Pictures and parts of pictures to vectors that are kept: each is embedded once, in all the sizes asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import AppError, InvalidInput, UnreadableImage
from app.evaluation.kept import KeptVectors, Part
from app.vision.answers import Views
from app.vision.decoder import Decoder

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

BATCH = 16  # parts between two commits: what a killed run loses at most
AHEAD = 2 * BATCH  # decoded or being decoded: 400 MB at 2044 px, 20 MB at 448
CHANGED = "the file changed while it was read: run this again when it is complete"

Progress = Callable[[int], None]  # parts done so far
Makers = Mapping[str, int]  # preprocessings and what `KeptVectors.maker` says of each


@dataclass(frozen=True)
class Order:
    """One part that lacks vectors, and in which preprocessings."""

    part: Part
    path: Path
    preprocessings: tuple[str, ...]


def orders(parts: Mapping[Part, Path], makers: Makers, kept: KeptVectors) -> list[Order]:
    """What is not kept yet."""
    lacking = {part: tuple(name for name in makers if not kept.holds(makers[name], part)) for part in parts}
    return [Order(part, parts[part], names) for part, names in lacking.items() if names]


def embed_orders(
    todo: Sequence[Order], makers: Makers, decoder: Decoder, encoder: Encoder, kept: KeptVectors, on_progress: Progress
) -> dict[Part, str]:
    """Embed and keep them, batch by batch. Returns those that can't be read, and why. Raises BadVector."""
    refused: dict[Part, str] = {}
    for done, batch in _decoded(todo, decoder):
        whole = [(order, views) for order, views in batch if isinstance(views, Views)]
        refused |= {order.part: str(views) for order, views in batch if not isinstance(views, Views)}
        named = [(makers[name], order.part) for order, _ in whole for name in order.preprocessings]
        vectors = encoder.embed([pixels for _, views in whole for pixels in views.pixels])
        kept.add((*row, vector) for row, vector in zip(named, vectors, strict=True))
        on_progress(done)
    return refused


def _decoded(todo: Sequence[Order], decoder: Decoder) -> Iterator[tuple[int, list[tuple[Order, Views | AppError]]]]:
    """How many are done with each batch, and the batch."""
    remaining, under_way, done = iter(todo), deque[tuple[Order, Future[Views]]](), 0
    while True:
        for order in islice(remaining, AHEAD - len(under_way)):
            under_way.append((order, decoder.views(order.path, order.preprocessings, order.part.box)))
        if not under_way:
            return
        batch = [under_way.popleft() for _ in range(min(BATCH, len(under_way)))]
        done += len(batch)
        yield done, [(order, _outcome(order, future)) for order, future in batch]


def _outcome(order: Order, future: Future[Views]) -> Views | AppError:
    try:
        views = future.result()
    except (UnreadableImage, InvalidInput) as refusal:
        return refusal
    return views if bytes.fromhex(views.digest) == order.part.digest else UnreadableImage(CHANGED)
