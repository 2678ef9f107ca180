"""The kinds of vectors that pictures have under a model key. Each kind has an index of its own, kept alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from app.catalog import embeddings, regions
from app.catalog.models import ModelKey
from app.catalog.states import Kind
from app.patches import get_detail


@dataclass(frozen=True)
class Layer:
    """One kind under one key. `rows` has its verbs: stream, all_of, of, count, damaged, ids_of."""

    kind: Kind
    rows: ModuleType
    each: int  # vectors of one picture, and of one that is asked with

    def ids_of(self, image_ids: Sequence[int]) -> np.ndarray:
        """What these images' vectors are called in an index, whether they are in it or not: int64."""
        return self.rows.ids_of(image_ids, self.each)


WHOLE = Layer(Kind.WHOLE, embeddings, 1)


def layers(key: ModelKey) -> tuple[Layer, ...]:
    """All that this key has."""
    windows = len(get_detail(key.detail).windows)
    return (WHOLE, Layer(Kind.REGIONS, regions, windows)) if windows else (WHOLE,)
