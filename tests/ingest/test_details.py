"""Details of pictures: written by workers with the vector, in one transaction, and beside it on the disk."""

import numpy as np
import pytest
from sqlalchemy import select

from app import library, switching
from app.catalog import collections, embeddings, regions
from app.catalog.models import Embedding, Image, ModelKey, Regions
from app.details import local_of
from app.ingest import scan
from app.ingest.workshop import Workshop
from app.patches import DETAILS, MOST_BYTES, OFF, Local
from tests.conftest import paint
from tests.workshop import COLLECTION, fill, work

SEEN = "squash168-v1"  # a quarter of the patches of what collections with detail see by themselves


@pytest.fixture
def photos(tmp_path):
    for number in range(3):
        paint(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


def create(shop: Workshop, detail: str = "light", name: str = COLLECTION) -> None:
    kind = {"detail": detail, "preprocessing": SEEN}
    library.create_collection(shop.resources, name, encoders=shop.encoders, **kind)


def key_of(shop: Workshop, name: str = COLLECTION) -> ModelKey:
    with shop.resources.catalog.read() as session:
        return collections.model_of(session, collections.get(session, name))


def numbers(shop: Workshop, table) -> dict[tuple[int, int], int]:
    """Change numbers by image and key."""
    with shop.resources.catalog.read() as session:
        rows = session.execute(select(table.image_id, table.model_key_id, table.seq))
        return {(image_id, key_id): seq for image_id, key_id, seq in rows}


def digests(shop: Workshop) -> list[str]:
    with shop.resources.catalog.read() as session:
        return list(session.scalars(select(Image.digest).order_by(Image.id)))


def kept(shop: Workshop, name: str = COLLECTION) -> dict[str, bytes]:
    return shop.resources.storage.find_patches(key_of(shop, name).folder, digests(shop))


@pytest.mark.parametrize("detail", [row for row in DETAILS if row != OFF], ids=lambda row: row.word)
def test_a_picture_s_regions_and_places_are_those_of_its_patches(shop, photos, detail):
    create(shop, detail.word)
    fill(shop, photos)
    key = key_of(shop)
    encoder, basis = shop.encoders.of(key), shop.bases.of(key, shop.encoders.of(key))
    pixels = shop.decoder.submit(photos / "0.jpg", preprocessing=SEEN).result().pixels
    features = encoder.describe([pixels], detail.windows)
    expected = local_of(pixels, features.patches[0], basis, detail)
    with shop.resources.catalog.read() as session:
        (row,) = session.scalars(select(Image).where(Image.id == 1))
        parts = regions.parts_of(session, [row.id], key.id)[row.id]
        stored = embeddings.find(session, row.id, key.id)
    np.testing.assert_allclose(stored, features.vectors[0], atol=1e-5)
    assert np.einsum("nd,nd->n", parts.vectors, features.windows[0]).min() > 0.999
    np.testing.assert_allclose(parts.boxes, np.array(detail.windows), atol=1e-4)
    local = kept(shop)[row.digest]
    assert len(local) <= MOST_BYTES
    assert Local.from_bytes(local).grid == expected.grid
    assert local == expected.to_bytes()


def test_regions_are_stored_with_the_vector_under_one_number(shop_on_both, photos):
    create(shop_on_both)
    fill(shop_on_both, photos)
    assert numbers(shop_on_both, Regions) == numbers(shop_on_both, Embedding)
    assert kept(shop_on_both).keys() == set(digests(shop_on_both))


def test_a_collection_without_detail_keeps_none(shop, photos):
    create(shop, "off")
    fill(shop, photos)
    assert (numbers(shop, Regions), kept(shop)) == ({}, {})
    assert not (shop.resources.storage.home / "patches").exists()


def test_one_file_serves_two_collections_of_one_key_and_none_of_another(shop, photos):
    create(shop)
    create(shop, name="twin")
    create(shop, "full", name="other")
    fill(shop, photos)
    before = kept(shop)
    for name in ("twin", "other"):
        fill(shop, photos, collection=name)
    assert key_of(shop).id == key_of(shop, "twin").id
    assert kept(shop).keys() == before.keys() == kept(shop, "other").keys()
    assert len(numbers(shop, Regions)) == 9


def test_from_off_to_light_and_back_and_light_again(shop, photos):
    """Each first time is a change that workers do; what was made is there when it is gone back to."""
    create(shop, "off")
    fill(shop, photos)
    whole = numbers(shop, Embedding)

    def switch(detail: str) -> library.CollectionFacts:
        return switching.begin(shop.resources, COLLECTION, shop.encoders, detail=detail, preprocessing=SEEN)

    begun = switch("light")
    assert (begun.instances, begun.change.instances, begun.change.waiting) == ("off", "light", 3)
    assert begun.change.label == "dinoseek_tiny14, instances light"
    work(shop)
    assert switching.advance(shop.resources, 1)
    assert library.collection(shop.resources, COLLECTION).instances == "light"
    assert numbers(shop, Embedding).items() >= whole.items()
    assert kept(shop).keys() == set(digests(shop))
    assert switch("off").instances == "off"  # nobody works in between
    fill(shop, paint(photos / "since.jpg", 9))
    assert switch("light").change.waiting == 1
    work(shop)
    assert switching.advance(shop.resources, 1)
    assert len(numbers(shop, Regions)) == len(kept(shop)) == 4


def test_pictures_are_seen_in_their_own_aspect_where_detail_is_kept_and_nothing_else_is_said(shop):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders, detail="light")
    assert library.collection(shop.resources, COLLECTION).preprocessing == "grid336-v1"
    assert switching.begin(shop.resources, COLLECTION, shop.encoders, detail="full").preprocessing == "grid336-v1"
    off = switching.begin(shop.resources, COLLECTION, shop.encoders, detail="off")
    assert (off.preprocessing, off.instances) == (SEEN, "off")


def test_another_model_keeps_the_detail(shop):
    create(shop)
    changed = switching.begin(shop.resources, COLLECTION, shop.encoders, "untrained")
    assert (changed.model, changed.instances, changed.preprocessing) == ("untrained_vits14", "light", "grid336-v1")


def test_a_picture_set_aside_meanwhile_has_no_rows_of_detail(shop, photos):
    create(shop)
    scan.ingest(shop.resources, [photos], COLLECTION)
    (photos / "0.jpg").unlink()
    work(shop)
    assert {image_id for image_id, _ in numbers(shop, Regions)} == {2, 3}
