"""Regions as rows: eight bits a number, checksummed, in the order their transactions committed."""

import numpy as np
import pytest
from sqlalchemy import update

from app.catalog import collections, embeddings, images, regions
from app.catalog.models import Image, Regions
from app.catalog.regions import Parts
from app.catalog.states import ImageStatus
from app.errors import BadVector
from tests.catalog.rows import make_collection, make_images

DIM, COUNT = 64, 8


def parts(seed: int, count: int = COUNT) -> Parts:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, DIM)).astype(np.float32)
    corners = np.sort(rng.random((count, 2, 2)), axis=1).reshape(count, 4)
    return Parts(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), corners.astype(np.float32))


def store(session, count: int = 3):
    """A collection whose images 1 to `count` are READY, each with its regions under a number of its own."""
    collection = make_collection(session)
    for row in make_images(session, collection, count):
        row.status = ImageStatus.READY
        session.flush()
        vector = np.eye(1, 4, dtype=np.float32)
        seq = embeddings.add(session, collection.id, collection.model_key_id, [row.id], vector)
        regions.add(session, collection.id, collection.model_key_id, seq, {row.id: parts(row.id)})
    return collection


def test_what_is_read_is_what_was_stored_to_the_rounding(catalog):
    with catalog.begin() as session:
        collection = store(session)
        found = regions.parts_of(session, [1, 3, 99], collection.model_key_id)
    assert found.keys() == {1, 3}
    cosines = np.einsum("nd,nd->n", found[3].vectors, parts(3).vectors)
    assert cosines.min() > 0.9998
    np.testing.assert_allclose(np.linalg.norm(found[3].vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found[3].boxes, parts(3).boxes, atol=1e-5)


def test_they_stream_by_image_and_number_behind_a_change_number_without_the_hidden(catalog):
    with catalog.begin() as session:
        collection = store(session)
        place = (session, collection.id, collection.model_key_id)
        images.hide_gone(session, session.get_one(Image, 2))
        ((ids, vectors, highest),) = regions.stream(*place)
        assert ids.tolist() == [64 * image + number for image in (1, 3) for number in range(COUNT)]
        assert (vectors.shape, vectors.dtype, highest) == ((2 * COUNT, DIM), np.float32, 3)
        ((late, _, _),) = regions.stream(*place, after_seq=1)
        assert set(late // 64) == {3}
        assert (regions.count(*place), regions.count(*place, after_seq=1)) == (2, 1)
        assert [batch[0].tolist() for batch in regions.stream(*place, batch=1)] == [
            list(range(64, 72)),
            list(range(192, 200)),
        ]
        found, own = regions.of(session, [3, 2], collection.model_key_id)
    assert set(found // 64) == {2, 3}  # hidden or not: who asks by id knows
    np.testing.assert_array_equal(own[COUNT:], vectors[COUNT:])


def test_ids_of_regions_leave_room_between_images():
    assert regions.ids_of([1, 5], 3).tolist() == [64, 65, 66, 320, 321, 322]


@pytest.mark.parametrize(
    "change", [{"vectors": b"\x01" * COUNT * DIM}, {"boxes": b"\x01" * COUNT * 8}, {"count": 7}, {"crc32": 1}]
)
def test_a_damaged_row_is_refused(catalog, change):
    with catalog.begin() as session:
        collection = store(session)
        session.execute(update(Regions).where(Regions.image_id == 2).values(**change))
        with pytest.raises(BadVector, match="picture 2"):
            list(regions.stream(session, collection.id, collection.model_key_id))


def test_a_key_with_detail_is_another_key(catalog):
    with catalog.begin() as session:
        collection = store(session)
        facts = {name: getattr(collections.model_of(session, collection), name) for name in KEPT}
        light = collections.register_model(session, **facts, detail="light-v1")
        assert light.id != collection.model_key_id
        assert light.folder == "000000000000-p-float32-light-v1"
        assert collections.register_model(session, **facts, detail="light-v1").id == light.id


KEPT = ("model", "weights_sha256", "preprocessing", "precision", "dim", "trained")
