"""`index verify`: contradictions planted one by one, on both databases; each is found by its name and set right."""

import zlib

import numpy as np
import pytest
from sqlalchemy import text

from app import upkeep
from app.catalog import images
from app.catalog.database import migration_engine
from app.catalog.models import Image
from app.catalog.states import ImageStatus
from app.inspection import inspect
from app.search.desk import SearchDesk
from tests.workshop import COLLECTION, fill, work

FAR = 10**6


@pytest.fixture
def filled(shop_on_both, photos):
    fill(shop_on_both, photos)
    assert upkeep.rebuild(shop_on_both.resources, 1, force=True)
    return shop_on_both


def plant(shop, *statements: str, **values) -> None:
    """Behind the program's back, foreign keys off where they can be."""
    engine = migration_engine(shop.resources.settings.database)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement), values)
    engine.dispose()


def kinds(shop) -> dict[str, int]:
    return {finding.kind: finding.count for finding in inspect(shop.resources, COLLECTION).findings}


def assert_whole(shop, photos) -> None:
    """Nothing is left to find, and every picture finds itself and the five others."""
    work(shop)
    assert kinds(shop) == {}
    desk = SearchDesk(shop.resources, shop.decoder, shop.encoders)
    for path in photos.rglob("*.*"):
        page = desk.by_file(COLLECTION, path, k=6)
        assert len(page.hits) == 6
        assert page.hits[0].path == str(path)


OTHER_COLLECTION = (
    "INSERT INTO collections (id, name, model_key_id, seq, created_at) VALUES (7, 'other', 1, 1, 0)",
    "INSERT INTO images (id, collection_id, digest, size_bytes, stored, created_at, changed_seq, status, attempts,"
    " fence, not_before) VALUES (77, 7, 'x', 1, false, 0, 0, 'failed', 0, 0, 0)",
)
VECTOR = (
    "INSERT INTO embeddings (image_id, model_key_id, collection_id, seq, dtype, dim, crc32, vector)"
    " SELECT {image}, 1, 1, seq, dtype, dim, crc32, vector FROM embeddings WHERE image_id = 1"
)
PLANTS = {
    "no_vector": ("DELETE FROM embeddings WHERE image_id = 2",),
    "strange_vector of nobody": (VECTOR.format(image=999),),
    "strange_vector of another collection": (*OTHER_COLLECTION, VECTOR.format(image=77)),
    "misfiled_vector": (*OTHER_COLLECTION, "UPDATE embeddings SET collection_id = 7 WHERE image_id = 3"),
    "strange_path of nobody": (
        "INSERT INTO locations (collection_id, image_id, path_bytes, path, folder, size_bytes, mtime_ns)"
        " SELECT 1, 999, :name, 'gone', 'gone', 1, 1",
    ),
    "early_vector": ("UPDATE images SET status = 'pending' WHERE id = 4",),
    "held_by_nobody": ("UPDATE images SET status = 'working' WHERE id = 4",),
    "held_in_vain": (f"UPDATE images SET owner = 'ghost', lease_until = {FAR} WHERE id = 4",),
    "idle_work of no change": (
        "INSERT INTO reembeddings (collection_id, image_id, model_key_id, status, attempts, fence, not_before)"
        " VALUES (1, 4, 9, 'pending', 0, 0, 0)",
    ),
    "unfit_publication of nothing": ("UPDATE collections SET snapshot_id = 99 WHERE id = 1",),
    "unfit_publication never verified": ("UPDATE snapshots SET status = 'building', lease_until = 0 WHERE id = 1",),
    "unfit_publication of the future": (f"UPDATE snapshots SET watermark = {FAR} WHERE id = 1",),
    "dead_build": (
        "INSERT INTO snapshots (collection_id, model_key_id, status, owner, lease_until, watermark, created_at)"
        " VALUES (1, 1, 'building', 'ghost', 5, 0, 0)",
    ),
    "number_ahead of a vector": (f"UPDATE embeddings SET seq = {FAR} WHERE image_id = 5",),
    "number_ahead of a change": (f"UPDATE images SET changed_seq = {FAR} WHERE id = 5",),
    "damaged_vector by a checksum": ("UPDATE embeddings SET crc32 = 1 WHERE image_id = 6",),
    "damaged_vector by its size": ("UPDATE embeddings SET dim = 5 WHERE image_id = 6",),
    "damaged_vector by its type": ("UPDATE embeddings SET dtype = 'nonsense' WHERE image_id = 6",),
    "other_vectors": (  # sound by itself, and not what the snapshot holds
        "UPDATE embeddings SET vector = (SELECT o.vector FROM embeddings o WHERE o.image_id = 2),"
        " crc32 = (SELECT o.crc32 FROM embeddings o WHERE o.image_id = 2) WHERE image_id = 1",
    ),
}


@pytest.mark.parametrize("what", PLANTS)
def test_a_contradiction_between_rows_is_found_by_its_name_and_set_right(filled, photos, what):
    assert kinds(filled) == {}
    plant(filled, *PLANTS[what], **({"name": b"gone"} if ":name" in "".join(PLANTS[what]) else {}))
    assert kinds(filled)[what.split()[0]] == 1
    if what == "other_vectors":  # the row is the truth, whatever it says: picture 1 looks like picture 2 now
        assert kinds(filled) == {}
        return
    assert_whole(filled, photos)


def test_a_picture_that_is_gone_stays_so_when_its_vector_is_dropped(filled):
    with filled.resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 6))
    plant(filled, *PLANTS["damaged_vector by a checksum"])
    assert kinds(filled)["damaged_vector"] == 1
    with filled.resources.catalog.read() as session:
        assert session.get_one(Image, 6).status is ImageStatus.GONE


def flip(path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-9] ^= 1
    path.unlink()
    path.write_bytes(raw)


def lose(folder) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


FILES = {
    "damaged_files": lambda folder: flip(folder / "vectors.faiss"),
    "lost_files": lose,
    "stray_folder": lambda folder: (folder.parent / "00000099").mkdir(),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_that_contradict_the_rows_are_set_aside_and_built_again(filled, photos, kind):
    FILES[kind](filled.resources.storage.snapshot(1, 1))
    assert kinds(filled) == {kind: 1}
    assert upkeep.status(filled.resources, COLLECTION).state == "fresh"
    assert_whole(filled, photos)


def test_a_row_that_the_snapshot_should_hold_and_does_not_is_found(filled, photos):
    """Hidden while it was built, and shown again with an old number: no reader would ever look for it."""
    with filled.resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 3))
    assert upkeep.rebuild(filled.resources, 1, force=True)
    plant(filled, "UPDATE images SET status = 'ready', changed_seq = 0 WHERE id = 3")
    assert kinds(filled) == {"other_vectors": 1}
    assert_whole(filled, photos)


def test_a_vector_that_is_no_vector_is_made_anew(filled, photos):
    raw = np.zeros(384, "<f4").tobytes()
    plant(filled, "UPDATE embeddings SET vector = :raw, crc32 = :crc WHERE image_id = 2", raw=raw, crc=zlib.crc32(raw))
    assert kinds(filled)["damaged_vector"] == 1
    assert_whole(filled, photos)
