"""Searchable rows without pictures: collections of vectors alone, for what is about the index."""

import numpy as np
from sqlalchemy import select

from app.catalog import collections, embeddings
from app.catalog.models import Collection, Image
from app.catalog.states import ImageStatus
from app.resources import Resources

KEY = {
    "model": "m",
    "weights_sha256": "0" * 64,
    "preprocessing": "p",
    "precision": "float32",
    "detail": "off",
    "trained": True,
}


def fill_rows(resources: Resources, count: int, dim: int, seed: int = 0) -> np.ndarray:
    """More images of the collection `photos`, made if need be, each READY with a random unit vector; their ids."""
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with resources.catalog.begin() as session:
        found = session.scalar(select(Collection).where(Collection.name == "photos"))
        if found is None:
            key = collections.register_model(session, **KEY, dim=dim)
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
        embeddings.add(session, found.id, found.model_key_id, ids, vectors)
    return np.array(ids)
