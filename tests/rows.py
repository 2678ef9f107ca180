"""Searchable rows without pictures: collections of vectors alone, for what is about the index."""

import numpy as np
from sqlalchemy import select

from app.catalog import collections, embeddings, regions
from app.catalog.models import Collection, Image
from app.catalog.regions import Parts
from app.catalog.states import ImageStatus
from app.patches import get_detail
from app.resources import Resources

KEY = {
    "model": "m",
    "weights_sha256": "0" * 64,
    "preprocessing": "p",
    "precision": "float32",
    "detail": "off",
    "trained": True,
}


def random_units(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Float32, each row of the last axis of length one."""
    vectors = rng.normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def fill_rows(resources: Resources, count: int, dim: int, seed: int = 0, detail: str = "off") -> np.ndarray:
    """More images of the collection `photos`, made if need be, each READY with a random unit vector; their ids.

    With detail each has its regions too.
    """
    rng, kept = np.random.default_rng(seed), get_detail(detail)
    vectors = random_units(rng, count, dim)
    with resources.catalog.begin() as session:
        found = session.scalar(select(Collection).where(Collection.name == "photos"))
        if found is None:
            key = collections.register_model(session, **KEY | {"detail": kept.name}, dim=dim)
            found = collections.add(session, "photos", key.id)
        rows = [
            Image(
                collection_id=found.id, digest=f"{seed}-{number}", size_bytes=1, status=ImageStatus.READY, format="PNG"
            )
            for number in range(count)
        ]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]
        seq = embeddings.add(session, found.id, found.model_key_id, ids, vectors)
        if kept.windows:
            boxes = np.array(kept.windows, np.float32)
            parts = {image_id: Parts(random_units(rng, len(boxes), dim), boxes) for image_id in ids}
            regions.add(session, found.id, found.model_key_id, seq, parts)
    return np.array(ids)
