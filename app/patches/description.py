"""What is kept of a picture's places."""

import numpy as np

from app.patches.basis import Basis
from app.patches.local import Local, centres
from app.patches.salience import levels


def describe(tokens: np.ndarray, basis: Basis, most: int) -> Local:
    """Patch tokens (rows, columns, W) -> the `most` that tell most, in the order of the grid.

    Raises BadVector for tokens of another width than the basis takes.
    """
    projected = basis.project(tokens)
    rows, columns, dim = projected.shape
    features, chance = projected.reshape(-1, dim), levels(projected, basis)
    kept = np.sort(np.argsort(chance, kind="stable")[:most])
    return Local(features[kept], centres(kept, columns), chance[kept], (rows, columns))
