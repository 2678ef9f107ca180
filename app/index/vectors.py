"""The gate every vector and id passes on build, absorb and query: what fails here never meets FAISS.

FAISS checks the dimension with a Python `assert` (gone under `python -O`, then it reads out of bounds), keeps NaN
rows, lets zero vectors match anything at 0.0 and takes one id twice. So these are checks of our own, never asserts.
"""

import numpy as np

from app.errors import BadVector, InvalidInput

NORM_SLACK = 1e-3  # half precision leaves a unit vector within this of length 1


def check_vectors(vectors: np.ndarray, dim: int) -> np.ndarray:
    """The same rows, C-contiguous: float32 (N, dim), finite, of length 1 ± NORM_SLACK.

    Raises BadVector naming the first row that is not and why.
    """
    return _check_lengths(_check_shape(vectors, dim))


def check_rows(ids: np.ndarray, vectors: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 (N,) and their vectors as by `check_vectors`; BadVector then names the image too.

    Raises InvalidInput for ids that are below 1, repeated or not one a vector.
    """
    vectors = _check_shape(vectors, dim)
    ids = check_ids(ids, len(vectors))
    return ids, _check_lengths(vectors, ids)


def check_ids(ids: np.ndarray, count: int) -> np.ndarray:
    """The same ids as int64 (count,): each > 0 and only once. Raises InvalidInput naming the first that is not."""
    ids = as_ids(ids)
    if ids.shape != (count,):
        raise InvalidInput(f"ids have shape {ids.shape} for {count} vectors: give one id a vector")
    if (ids <= 0).any():
        raise InvalidInput(f"id {ids[ids <= 0][0]} is not above 0: use the catalogue's image ids")
    refuse_repeats(np.sort(ids))
    return ids


def as_ids(ids: np.ndarray) -> np.ndarray:
    """int64 (N,). Raises InvalidInput for anything but whole numbers in one row; floats would be cut silently."""
    ids = np.asarray(ids)
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise InvalidInput(f"ids are {ids.dtype} {ids.shape}: give a one-dimensional array of int64")
    return ids.astype(np.int64)


def refuse_repeats(ascending: np.ndarray) -> None:
    """Raises InvalidInput where a sorted id equals the one before it."""
    repeated = ascending[1:][ascending[1:] == ascending[:-1]]
    if repeated.size:
        raise InvalidInput(f"id {repeated[0]} comes more than once: give each image one vector")


def find_rows(keys: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Places in `keys` (sorted, unique) of those `ids` that are there, in the order of `ids`."""
    places = np.searchsorted(keys, ids)
    inside = places < len(keys)
    places, ids = places[inside], ids[inside]
    return places[keys[places] == ids]


def _check_shape(vectors: np.ndarray, dim: int) -> np.ndarray:
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32:
        raise BadVector(f"vectors are {getattr(vectors, 'dtype', type(vectors).__name__)}: convert them to float32")
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise BadVector(f"vectors have shape {vectors.shape}, this index takes (N, {dim}): use the collection's model")
    return np.ascontiguousarray(vectors)


def _check_lengths(vectors: np.ndarray, ids: np.ndarray | None = None) -> np.ndarray:
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    bad = np.flatnonzero(~(np.abs(lengths - 1) <= NORM_SLACK))  # the length of a row with NaN is not <= anything
    if bad.size:
        raise BadVector(_complaint(bad[0], lengths[bad[0]], ids))
    return vectors


def _complaint(row: int, length: float, ids: np.ndarray | None) -> str:
    name = f"vector in row {row}" + ("" if ids is None else f" (image {ids[row]})")
    if not np.isfinite(length):
        return f"{name} has a value that is not finite: embed the image again"
    return f"{name} has length {length:.6g}, not 1 ± {NORM_SLACK}: normalise it"
