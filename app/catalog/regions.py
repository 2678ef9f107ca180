"""Vectors of parts of pictures as rows: 8-bit, checksummed, under the change number of their picture's embedding.

To an index the region `number` of an image is the id `image * EACH + number`. The verbs are those of `embeddings`.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Select, and_, func, insert, select
from sqlalchemy.orm import Session

from app.catalog import collections
from app.catalog.images import portions
from app.catalog.models import Image, Regions
from app.catalog.states import ImageStatus
from app.errors import BadVector

EACH = 64  # ids of one image
LEVELS, BOX_LEVELS = 127, 65535


class Parts(NamedTuple):
    """Of one picture."""

    vectors: np.ndarray  # unit, float32 (R, D)
    boxes: np.ndarray  # float32 (R, 4), shares of the upright picture


def add(session: Session, collection_id: int, model_key_id: int, seq: int, parts: Mapping[int, Parts]) -> None:
    """Store regions by image id, fewer than EACH of each."""
    common = {"collection_id": collection_id, "model_key_id": model_key_id, "seq": seq}
    values = [{"image_id": image_id, **_packed(of_one), **common} for image_id, of_one in parts.items()]
    if values:
        session.execute(insert(Regions), values)


def renew(session: Session, collection_id: int, model_key_id: int, parts: Mapping[int, Parts]) -> None:
    """Store those of images that have none, under a change number of their own."""
    known = parts_of(session, list(parts), model_key_id)
    lost = {image_id: of_one for image_id, of_one in parts.items() if image_id not in known}
    if lost:
        add(session, collection_id, model_key_id, collections.next_seq(session, collection_id), lost)


def stream(
    session: Session, collection_id: int, model_key_id: int, after_seq: int = 0, batch: int = 1024
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """(ids of regions (N,), vectors (N, D) float32, highest change number) of visible images, in batches, in id order.

    Raises BadVector for a row whose checksum is wrong.
    """
    statement = (
        _rows(collection_id, model_key_id)
        .join(Image, Image.id == Regions.image_id)
        .where(Regions.seq > after_seq, Image.status == ImageStatus.READY)
        .order_by(Regions.image_id)
    )
    for rows in session.execute(statement.execution_options(yield_per=batch)).partitions():
        yield *_unpacked(rows), max(row.seq for row in rows)


def all_of(
    session: Session, collection_id: int, model_key_id: int, watermark: int, batch: int = 1024
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Of every image, hidden ones too, in batches, by id: ids (N,), vectors (N, D), and two bool (N,):

    whether the vector is as old as this watermark, and whether the image was visible by then and is still.
    """
    shown = and_(Image.status == ImageStatus.READY, Image.changed_seq <= watermark, Regions.seq <= watermark)
    statement = _rows(collection_id, model_key_id).join(Image, Image.id == Regions.image_id)
    statement = statement.add_columns(shown.label("shown")).order_by(Regions.image_id)
    for rows in session.execute(statement.execution_options(yield_per=batch)).partitions():
        each = [row.count for row in rows]
        inside, seen = ([row.seq <= watermark for row in rows], [bool(row.shown) for row in rows])
        yield *_unpacked(rows), np.repeat(inside, each), np.repeat(seen, each)


def damaged(session: Session, collection_id: int, model_key_id: int, dim: int, slack: float) -> list[int]:
    """Ids of images whose regions fail their checksum, are of another size, or not of length 1 within `slack`."""
    rows = session.execute(_rows(collection_id, model_key_id).execution_options(yield_per=1024))
    return [row.image_id for row in rows if not _is_sound(row, dim, slack)]


def count(session: Session, collection_id: int, model_key_id: int, after_seq: int = 0) -> int:
    """Visible images that have regions, of changes after `after_seq`."""
    statement = select(func.count()).select_from(Regions).join(Image, Image.id == Regions.image_id)
    here = (Regions.collection_id == collection_id, Regions.model_key_id == model_key_id)
    return session.scalar(statement.where(*here, Regions.seq > after_seq, Image.status == ImageStatus.READY))


def of(session: Session, image_ids: Sequence[int], model_key_id: int) -> tuple[np.ndarray, np.ndarray] | None:
    """(ids of regions (N,), vectors (N, D)) of these images; None when none has any."""
    rows = _of(session, image_ids, model_key_id)
    return _unpacked(rows) if rows else None


def parts_of(session: Session, image_ids: Sequence[int], model_key_id: int) -> dict[int, Parts]:
    """By image id, of those that have any."""
    return {row.image_id: _checked(row) for row in _of(session, image_ids, model_key_id)}


def ids_of(image_ids: Sequence[int], each: int) -> np.ndarray:
    """To an index, the first `each` regions of these images: int64."""
    return (np.asarray(image_ids, np.int64)[:, None] * EACH + np.arange(each)).ravel()


def _of(session: Session, image_ids: Sequence[int], model_key_id: int) -> list[Regions]:
    return [row for chosen in portions(image_ids) for row in _of_portion(session, chosen, model_key_id)]


def _of_portion(session: Session, image_ids: Sequence[int], model_key_id: int) -> Sequence[Regions]:
    chosen = (Regions.image_id.in_(image_ids), Regions.model_key_id == model_key_id)
    return session.scalars(select(Regions).where(*chosen).order_by(Regions.image_id)).all()


def _rows(collection_id: int, model_key_id: int) -> Select:
    columns = (Regions.image_id, Regions.seq, Regions.count, Regions.dim, Regions.crc32, Regions.vectors, Regions.boxes)
    return select(*columns).where(Regions.collection_id == collection_id, Regions.model_key_id == model_key_id)


def _is_sound(row, dim: int, slack: float) -> bool:
    try:
        vectors = _checked(row).vectors
    except BadVector:
        return False
    return row.dim == dim and bool((np.abs(np.linalg.norm(vectors, axis=1) - 1) <= slack).all())


def _packed(parts: Parts) -> dict:
    """A vector is of length one: what its numbers are to each other is all there is to keep."""
    most = np.abs(parts.vectors).max(axis=1, keepdims=True)
    vectors = np.rint(parts.vectors / most * LEVELS).astype("i1").tobytes()
    boxes = np.rint(parts.boxes * BOX_LEVELS).astype("<u2").tobytes()
    count, dim = parts.vectors.shape
    return {"count": count, "dim": dim, "crc32": zlib.crc32(vectors + boxes), "vectors": vectors, "boxes": boxes}


def _unpacked(rows: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Ids and vectors of all of them."""
    vectors = [_checked(row).vectors for row in rows]
    ids = np.concatenate([row.image_id * EACH + np.arange(len(own)) for row, own in zip(rows, vectors, strict=True)])
    return ids.astype(np.int64), np.concatenate(vectors)


def _checked(row) -> Parts:
    if zlib.crc32(row.vectors + row.boxes) != row.crc32:
        raise BadVector(f"the stored regions of picture {row.image_id} are damaged: run `dinoseek index verify`")
    if (len(row.vectors), len(row.boxes)) != (row.count * row.dim, row.count * 8):
        raise BadVector(f"picture {row.image_id} has not the {row.count} regions of {row.dim} that its row says")
    levels = np.frombuffer(row.vectors, "i1").reshape(row.count, row.dim).astype(np.float32)
    vectors = levels / np.linalg.norm(levels, axis=1, keepdims=True)
    return Parts(vectors, np.frombuffer(row.boxes, "<u2").reshape(row.count, 4).astype(np.float32) / BOX_LEVELS)
