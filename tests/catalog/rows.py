"""Rows that tests start from."""

from sqlalchemy.orm import Session

from app.catalog import collections
from app.catalog.models import Collection, Image

KEY = {
    "model": "m",
    "weights_sha256": "0" * 64,
    "preprocessing": "p",
    "precision": "float32",
    "detail": "off",
    "dim": 4,
    "trained": True,
}


def make_collection(session: Session, name: str = "photos", dim: int = 4) -> Collection:
    key = collections.register_model(session, **KEY | {"dim": dim})
    return collections.add(session, name, key.id)


def make_images(session: Session, collection: Collection, count: int) -> list[Image]:
    rows = [Image(collection_id=collection.id, digest=f"{n:064d}", size_bytes=n) for n in range(count)]
    session.add_all(rows)
    session.flush()
    return rows
