"""What the network says of a batch's pictures: a vector of each, and where the model key has detail, their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.catalog.models import ModelKey
from app.catalog.regions import Parts
from app.details import local_of
from app.index.lanes import on_each_core
from app.ingest.workshop import Workshop
from app.patches import OFF, Local, get_detail

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

PORTION = 32  # pictures whose patches are held at once: 170 MB of the largest model's


@dataclass(frozen=True)
class Answer:
    """Of one picture."""

    vector: np.ndarray  # unit, float32 (D,)
    parts: Parts | None = None  # none of these: the key has no detail
    local: Local | None = None


def ask(workshop: Workshop, key: ModelKey, encoder: Encoder, pixels: Sequence[np.ndarray]) -> list[Answer]:
    """In their order. Raises BadVector for one whose vectors are none, and what `Encoder.embed` raises."""
    if get_detail(key.detail) == OFF:
        vectors = encoder.embed(pixels)
        workshop.pace.lap("network")
        return [Answer(vector) for vector in vectors]
    portions = (pixels[start : start + PORTION] for start in range(0, len(pixels), PORTION))
    return [answer for portion in portions for answer in _described(workshop, key, encoder, portion)]


def _described(workshop: Workshop, key: ModelKey, encoder: Encoder, pixels: Sequence[np.ndarray]) -> list[Answer]:
    detail, basis = get_detail(key.detail), workshop.bases.of(key, encoder)
    features = encoder.describe(pixels, detail.windows)
    workshop.pace.lap("network")
    parts = [Parts(vectors, np.array(detail.windows, np.float32)) for vectors in features.windows]
    seen = zip(pixels, features.patches, strict=True)
    local = on_each_core(lambda one: local_of(*one, basis, detail), seen)
    answers = [Answer(*one) for one in zip(features.vectors, parts, local, strict=True)]
    workshop.pace.lap("details")
    return answers


def keep_patches(workshop: Workshop, key: ModelKey, digests: Sequence[str], answers: Sequence[Answer]) -> None:
    """Local descriptors as files, each under the digest of its picture."""
    pairs = zip(digests, answers, strict=True)
    files = {digest: answer.local.to_bytes() for digest, answer in pairs if answer.local}
    workshop.resources.storage.keep_patches(key.folder, files)
    workshop.pace.lap("details")
