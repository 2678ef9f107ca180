"""How little a token tells: what is everywhere, in other pictures or in its own, can be matched with anything."""

import numpy as np

from app.patches.basis import Basis

REPEATS = 20  # as many places of its own picture like it are no repetition yet: shelves hold things in dozens
APART = 2  # tokens along either side: nearer ones share what they see


def levels(projected: np.ndarray, basis: Basis) -> np.ndarray:
    """Of unit rows (rows, columns, D): float32 (rows * columns), the cosine that chance reaches with each."""
    rows, columns, dim = projected.shape
    flat = projected.reshape(-1, dim)
    return np.maximum(basis.levels(flat), _repeated(flat, rows, columns))


def _repeated(flat: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The cosine of each with the REPEATS-th nearest of the same picture that lies apart; -1 where so few do."""
    if len(flat) <= REPEATS:
        return np.full(len(flat), -1, np.float32)
    alike = flat @ flat.T
    down, across = np.divmod(np.arange(rows * columns), columns)
    near = (np.abs(down[:, None] - down) <= APART) & (np.abs(across[:, None] - across) <= APART)
    alike[near] = -1
    return np.partition(alike, -REPEATS, axis=1)[:, -REPEATS]
