"""Vectors as rows: little-endian, checksummed, in the order their transactions committed."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Select, and_, func, insert, select
from sqlalchemy.orm import Session

from app.catalog import collections
from app.catalog.images import portions
from app.catalog.models import Embedding, Image
from app.catalog.states import ImageStatus
from app.errors import BadVector

DTYPE = "<f4"


def add(
    session: Session, collection_id: int, model_key_id: int, image_ids: Sequence[int], vectors: np.ndarray
) -> int | None:
    """Store unit vectors (N, D), one per image, all under one change number; that number, None for no rows."""
    if not len(image_ids):
        return None
    seq = collections.next_seq(session, collection_id)
    rows = vectors.astype(DTYPE)
    common = {"collection_id": collection_id, "model_key_id": model_key_id, "seq": seq, "dtype": DTYPE}
    values = [
        {"image_id": image_id, "dim": row.size, "crc32": zlib.crc32(raw := row.tobytes()), "vector": raw, **common}
        for image_id, row in zip(image_ids, rows, strict=True)
    ]
    session.execute(insert(Embedding), values)
    return seq


def stream(
    session: Session, collection_id: int, model_key_id: int, after_seq: int = 0, batch: int = 4096
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """(image ids (N,), vectors (N, D) float32, highest change number) of visible images, in batches, in id order.

    Raises BadVector for a row whose checksum is wrong.
    """
    statement = (
        _rows(collection_id, model_key_id)
        .join(Image, Image.id == Embedding.image_id)
        .where(Embedding.seq > after_seq, Image.status == ImageStatus.READY)
        .order_by(Embedding.image_id)
    )
    for rows in session.execute(statement.execution_options(yield_per=batch)).partitions():
        ids = np.array([row.image_id for row in rows], dtype=np.int64)
        yield ids, np.stack([_checked(row) for row in rows]), max(row.seq for row in rows)


def all_of(
    session: Session, collection_id: int, model_key_id: int, watermark: int, batch: int = 4096
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Of every image, hidden ones too, in batches, by id: ids (N,), vectors (N, D), and two bool (N,):

    whether the vector is as old as this watermark, and whether the image was visible by then and is still.
    """
    shown = and_(Image.status == ImageStatus.READY, Image.changed_seq <= watermark, Embedding.seq <= watermark)
    statement = _rows(collection_id, model_key_id).join(Image, Image.id == Embedding.image_id)
    statement = statement.add_columns(shown.label("shown")).order_by(Embedding.image_id)
    for rows in session.execute(statement.execution_options(yield_per=batch)).partitions():
        ids, inside, seen = zip(*((row.image_id, row.seq <= watermark, bool(row.shown)) for row in rows), strict=True)
        yield np.array(ids, np.int64), np.stack([_checked(row) for row in rows]), np.array(inside), np.array(seen)


def damaged(session: Session, collection_id: int, model_key_id: int, dim: int, slack: float) -> list[int]:
    """Ids of images whose vector fails its checksum, is of another size, or not of length 1 within `slack`."""
    rows = session.execute(_rows(collection_id, model_key_id).execution_options(yield_per=4096))
    return [row.image_id for row in rows if not _is_sound(row, dim, slack)]


def _rows(collection_id: int, model_key_id: int) -> Select:
    columns = (Embedding.image_id, Embedding.seq, Embedding.dtype, Embedding.dim, Embedding.crc32, Embedding.vector)
    return select(*columns).where(Embedding.collection_id == collection_id, Embedding.model_key_id == model_key_id)


def _is_sound(row, dim: int, slack: float) -> bool:
    try:
        vector = _checked(row)
    except (BadVector, TypeError, ValueError):  # a type of numbers that is none, bytes that are no whole numbers
        return False
    return vector.size == dim and abs(float(np.linalg.norm(vector)) - 1) <= slack


def _checked(row) -> np.ndarray:
    if zlib.crc32(row.vector) != row.crc32:
        raise BadVector(f"the stored vector of picture {row.image_id} is damaged: run `dinoseek index verify`")
    vector = np.frombuffer(row.vector, dtype=row.dtype).astype(np.float32)
    if vector.size != row.dim:
        raise BadVector(f"the vector of picture {row.image_id} has {vector.size} numbers, its row says {row.dim}")
    return vector


def ids_of(image_ids: Sequence[int], each: int = 1) -> np.ndarray:
    """To an index a picture's one vector goes by the picture's id: int64."""
    return np.asarray(image_ids, np.int64)


def find(session: Session, image_id: int, model_key_id: int) -> np.ndarray | None:
    """The vector (D,) of one image."""
    row = session.get(Embedding, (image_id, model_key_id))
    return None if row is None else _checked(row)


def count(session: Session, collection_id: int, model_key_id: int, after_seq: int = 0) -> int:
    """Embeddings of visible images, of changes after `after_seq`."""
    statement = select(func.count()).select_from(Embedding).join(Image, Image.id == Embedding.image_id)
    here = (Embedding.collection_id == collection_id, Embedding.model_key_id == model_key_id)
    return session.scalar(statement.where(*here, Embedding.seq > after_seq, Image.status == ImageStatus.READY))


def of(session: Session, image_ids: Sequence[int], model_key_id: int) -> tuple[np.ndarray, np.ndarray] | None:
    """(ids (N,), vectors (N, D)) of those that have one; None when none has."""
    rows = [row for chosen in portions(image_ids) for row in _of_portion(session, chosen, model_key_id)]
    if not rows:
        return None
    return np.array([row.image_id for row in rows], np.int64), np.stack([_checked(row) for row in rows])


def _of_portion(session: Session, image_ids: Sequence[int], model_key_id: int) -> Sequence[Embedding]:
    chosen = (Embedding.image_id.in_(image_ids), Embedding.model_key_id == model_key_id)
    return session.scalars(select(Embedding).where(*chosen).order_by(Embedding.image_id)).all()
