"""Rows of the catalogue as hits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import images
from app.catalog.images import Filters
from app.catalog.models import Collection, Image
from app.search.query import Hit


def allowed(session: Session, collection: Collection, filters: Filters) -> np.ndarray | None:
    """Ids that pass the filters; None without any."""
    if not filters:
        return None
    return np.array(images.matching_ids(session, collection.id, filters), np.int64)


def hit(rank: int, row: Image, paths: Mapping[int, str], score: float, **found) -> Hit:
    """`found` as an instance search has it."""
    path = paths.get(row.id, "")
    return Hit(
        rank=rank,
        image_id=row.id,
        digest=row.digest,
        path=path,
        name=Path(path).name,
        score=score,
        height_px=row.height_px,
        width_px=row.width_px,
        size_bytes=row.size_bytes,
        format=row.format,
        taken_at=row.taken_at,
        **found,
    )
