"""Vectors as rows: checksummed, and numbered so that a reader misses none."""

import threading

import numpy as np
import pytest
from sqlalchemy import update

from app.catalog import claims, embeddings
from app.catalog.models import Embedding, Image
from app.catalog.states import ImageStatus
from app.errors import BadVector
from tests.catalog.rows import make_collection, make_images
from tests.program import PATIENCE_S


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def collection(catalog):
    with catalog.begin() as session:
        made = make_collection(session)
        for row in make_images(session, made, 3):
            row.status = ImageStatus.READY
    return made


def read_all(catalog, collection, after_seq=0):
    with catalog.read() as session:
        batches = list(embeddings.stream(session, collection.id, collection.model_key_id, after_seq, batch=2))
    return {int(i): v for ids, vectors, _ in batches for i, v in zip(ids, vectors, strict=True)}


def store(catalog, collection, image_id, vector):
    with catalog.begin() as session:
        return embeddings.add(session, collection.id, collection.model_key_id, [image_id], vector[None])


def test_vectors_come_back_as_they_went_in(catalog, collection):
    store(catalog, collection, 1, unit(1, 2, 3, 4))
    store(catalog, collection, 3, unit(4, 3, 2, 1))
    found = read_all(catalog, collection)
    assert sorted(found) == [1, 3]
    np.testing.assert_array_equal(found[3], unit(4, 3, 2, 1))


def test_a_damaged_row_is_refused_by_name(catalog, collection):
    store(catalog, collection, 2, unit(1, 0, 0, 0))
    with catalog.begin() as session:
        session.execute(update(Embedding).values(vector=unit(0, 1, 0, 0).tobytes()))
    with pytest.raises(BadVector, match="picture 2 is damaged"):
        read_all(catalog, collection)


def test_hidden_images_are_not_read(catalog, collection):
    store(catalog, collection, 1, unit(1, 0, 0, 0))
    with catalog.begin() as session:
        session.get_one(Image, 1).status = ImageStatus.GONE
    assert read_all(catalog, collection) == {}


def test_a_reader_misses_no_row_that_commits_out_of_order(catalog, collection):
    """The slow writer takes its number first and commits last; by ids alone its row would be lost for ever."""
    slow_has_number, slow_may_commit = threading.Event(), threading.Event()

    def slow():
        with catalog.begin() as session:
            embeddings.add(session, collection.id, collection.model_key_id, [1], unit(1, 0, 0, 0)[None])
            slow_has_number.set()
            slow_may_commit.wait(PATIENCE_S)

    quick = threading.Thread(target=store, args=(catalog, collection, 2, unit(0, 1, 0, 0)))
    first = threading.Thread(target=slow)
    first.start()
    assert slow_has_number.wait(PATIENCE_S)
    quick.start()
    seen_early = read_all(catalog, collection)
    slow_may_commit.set()
    first.join()
    quick.join()
    watermark_between = 0 if not seen_early else 2
    assert sorted({**seen_early, **read_all(catalog, collection, watermark_between)}) == [1, 2]
    with catalog.read() as session:
        seqs = dict(session.query(Embedding.image_id, Embedding.seq).all())
    assert seqs == {1: 1, 2: 2}
    assert seen_early == {}  # number 2 can't be visible while number 1 is still open


def test_the_same_image_cannot_be_embedded_twice_by_one_model(catalog, collection):
    with catalog.begin() as session:
        session.get_one(Image, 1).status = ImageStatus.PENDING
    with catalog.begin() as session:
        (claimed,) = claims.claim(session, collection.id, owner="a", limit=1, lease_s=60)
    for expected in ({1}, set()):
        with catalog.begin() as session:
            ours = claims.settle(session, [claimed])
            embeddings.add(
                session, collection.id, collection.model_key_id, sorted(ours), unit(1, 0, 0, 0)[None][: len(ours)]
            )
            assert ours == expected
    assert sorted(read_all(catalog, collection)) == [1]
