"""What a collection with instances keeps of pictures, and how a box on one is looked at, as the workers and the search
do it, without a database."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.details import local_of
from app.patches import Basis, Detail
from app.search.sights import PART, Seen, see
from app.settings import Settings
from app.vision.architectures import get_architecture
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from app.vision.models import find_basis

MODEL, PREPROCESSING = "dinoseek_tiny14", "grid336-v1"  # what collections with instances take
PORTION = 32  # pictures whose patches are held at once

Box = tuple[float, float, float, float]


class Kept(NamedTuple):
    """Of each picture, in the order given."""

    vectors: np.ndarray  # float32 (N, D)
    windows: np.ndarray  # float32 (N, R, D)
    local: list[bytes]


class Observer:
    """The bundled encoder with its basis, and the children that decode."""

    def __init__(self) -> None:
        settings = Settings(_env_file=None)
        self.encoder = Encoder.open(MODEL, settings.weights, preprocessing=PREPROCESSING)
        self.basis = Basis.from_bytes(find_basis(get_architecture(MODEL)).read_bytes())
        self._decoder = Decoder(settings)

    def __enter__(self) -> "Observer":
        self._decoder.__enter__()
        return self

    def __exit__(self, *trouble: object) -> None:
        self._decoder.__exit__(*trouble)

    def keep(self, paths: Sequence[Path], detail: Detail) -> Kept:
        portions = [self._kept(paths[start : start + PORTION], detail) for start in range(0, len(paths), PORTION)]
        vectors, windows, local = zip(*portions, strict=True)
        return Kept(np.concatenate(vectors), np.concatenate(windows), [one for portion in local for one in portion])

    def look(self, path: Path, box: Box, detail: Detail) -> Seen:
        """At what lies in the box."""
        pixels = self._decoder.submit(path, preprocessing=PREPROCESSING, box=box).result().pixels
        return see(pixels, PART, detail.windows, self.encoder, self.basis)

    def _kept(self, paths: Sequence[Path], detail: Detail) -> Kept:
        futures = [self._decoder.submit(path, preprocessing=PREPROCESSING) for path in paths]
        pixels = [future.result().pixels for future in futures]
        features = self.encoder.describe(pixels, detail.windows)
        seen = zip(pixels, features.patches, strict=True)
        local = [local_of(*one, self.basis, detail).to_bytes() for one in seen]
        return Kept(features.vectors, features.windows, local)
