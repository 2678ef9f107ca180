"""The index of regions keeps up with its rows as the one of whole pictures does: on files and on a cluster."""

import zlib

import numpy as np
import pytest
from sqlalchemy import select, update

from app import inspection, moving, upkeep
from app.catalog import collections, images, regions
from app.catalog.models import Collection, Image, Regions, Snapshot
from app.catalog.regions import EACH
from app.catalog.states import Kind
from app.layers import layers
from app.patches import get_detail
from app.resources import Resources, open_resources
from app.search.refresh import Readers
from tests.conftest import make_settings
from tests.rows import fill_rows

DIM, LIGHT = 24, len(get_detail("light").windows)


@pytest.fixture(params=["files", "cluster"])
def place(request, tmp_path, sqlite_template) -> Resources:
    """Where the vectors are searched; the rows are in SQLite."""
    lite = {"vector_url": f"milvus://{tmp_path / 'lite.db'}"} if request.param == "cluster" else {}
    opened = open_resources(make_settings(tmp_path / "home", **lite))
    yield opened
    opened.catalog.dispose()


def stored(resources: Resources) -> dict[int, np.ndarray]:
    """What the rows of visible images say, by id of the region."""
    with resources.catalog.read() as session:
        collection = collections.get(session, "photos")
        batches = regions.stream(session, collection.id, collection.model_key_id)
        return {int(one): vector for ids, vectors, _ in batches for one, vector in zip(ids, vectors, strict=True)}


def searched(resources: Resources, readers: Readers):
    with resources.catalog.read() as session:
        collection = collections.get(session, "photos")
        return readers.fresh_regions(session, collection, collections.model_of(session, collection))


def assert_same(resources: Resources, readers: Readers) -> None:
    """The index shows every region of a visible image, with its own vector, and no other."""
    rows, live = stored(resources), searched(resources, readers)
    ids = np.array(sorted(rows), np.int64)
    found = live.vectors_of(np.arange(EACH, EACH * 64))
    order = np.argsort(found.ids)
    np.testing.assert_array_equal(found.ids[order], ids)
    np.testing.assert_array_equal(found.vectors[order], np.stack([rows[one] for one in ids]))
    nearest = live.search(found.vectors[order][::5], 1)
    assert [int(hits[0].image_id) for hits in nearest] == ids[::5].tolist()
    assert live.vectors == len(rows)


def hide(resources: Resources, *image_ids: int) -> None:
    with resources.catalog.begin() as session:
        for image_id in image_ids:
            images.hide_gone(session, session.get_one(Image, image_id))


def show(resources: Resources, *image_ids: int) -> None:
    with resources.catalog.begin() as session:
        images.bring_back(session, 1, image_ids)


def test_it_shows_what_came_went_and_came_back(place):
    readers = Readers(place)
    fill_rows(place, 6, DIM, detail="light")
    assert len(stored(place)) == 6 * LIGHT
    assert_same(place, readers)
    hide(place, 2, 5)
    assert_same(place, readers)
    fill_rows(place, 3, DIM, seed=1, detail="light")
    show(place, 5)
    assert_same(place, readers)
    assert_same(place, Readers(place))  # who comes late sees the same


def test_whole_pictures_and_regions_have_an_index_each(place):
    fill_rows(place, 4, DIM, detail="full")
    readers = Readers(place)
    with place.catalog.read() as session:
        collection = collections.get(session, "photos")
        key = collections.model_of(session, collection)
        whole, parts = readers.fresh(session, collection, key), readers.fresh_regions(session, collection, key)
        assert (whole.vectors, parts.vectors) == (4, 4 * len(get_detail("full").windows))


def test_a_collection_without_detail_has_no_index_of_regions(resources):
    fill_rows(resources, 3, DIM)
    assert searched(resources, Readers(resources)) is None
    assert upkeep.rebuild(resources, 1, force=True)
    assert upkeep.status(resources, "photos").regions is None


def test_a_snapshot_holds_them_and_what_is_newer_lies_beside_it(resources):
    readers = Readers(resources)
    fill_rows(resources, 8, DIM, detail="light")
    assert_same(resources, readers)
    assert upkeep.rebuild(resources, 1, force=True)
    facts = upkeep.status(resources, "photos")
    assert facts.snapshot["vectors"] == 8
    assert (facts.regions.each, facts.regions.snapshot["vectors"], facts.regions.state) == (LIGHT, 8 * LIGHT, "fresh")
    hide(resources, 1)
    fill_rows(resources, 2, DIM, seed=1, detail="light")
    for who in (readers, Readers(resources)):
        assert_same(resources, who)
        assert searched(resources, who).tail == 2 * LIGHT
    facts = upkeep.status(resources, "photos").regions
    assert (facts.tail, facts.tombstones, facts.state) == (2, 1, "tail")
    show(resources, 1)
    assert upkeep.rebuild(resources, 1, force=True)
    assert_same(resources, readers)
    assert searched(resources, readers).tail == 0


def test_what_outgrew_its_snapshot_is_built_again_and_the_last_two_generations_stay(resources, monkeypatch):
    monkeypatch.setattr(upkeep, "LEAST_TAIL", 2)
    for seed in range(4):
        fill_rows(resources, 4, DIM, seed, detail="light")
        assert upkeep.due(resources) == [1]
        assert upkeep.rebuild(resources, 1)
        assert upkeep.due(resources) == []
    with resources.catalog.read() as session:
        row = session.get_one(Collection, 1)
        kinds = dict(session.execute(select(Snapshot.id, Snapshot.kind)).all())
        assert (kinds[row.snapshot_id], kinds[row.regions_snapshot_id]) == (Kind.WHOLE, Kind.REGIONS)
    folders = {int(folder.name) for folder in resources.storage.snapshots(1).iterdir()}
    assert sorted(kinds[number] for number in folders) == [Kind.REGIONS] * 2 + [Kind.WHOLE] * 2


def test_only_the_kind_that_is_due_is_built(resources):
    fill_rows(resources, 4, DIM, detail="light")
    assert upkeep.rebuild(resources, 1, force=True)
    with resources.catalog.read() as session:
        number = session.get_one(Collection, 1).regions_snapshot_id
    for path in resources.storage.snapshot(1, number).iterdir():
        path.unlink()
    resources.storage.snapshot(1, number).rmdir()
    assert upkeep.due(resources) == [1]  # its files are lost
    assert upkeep.rebuild(resources, 1)
    with resources.catalog.read() as session:
        assert session.get_one(Collection, 1).snapshot_id < number < session.get_one(Collection, 1).regions_snapshot_id
    assert_same(resources, Readers(resources))


def test_damaged_files_are_set_aside_and_the_rows_answer(resources):
    fill_rows(resources, 5, DIM, detail="light")
    assert upkeep.rebuild(resources, 1, force=True)
    with resources.catalog.read() as session:
        folder = resources.storage.snapshot(1, session.get_one(Collection, 1).regions_snapshot_id)
    damaged = folder / "vectors.faiss"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert_same(resources, Readers(resources))
    assert not folder.exists()


def test_the_layers_of_a_key_are_those_of_its_detail(resources):
    fill_rows(resources, 1, DIM, detail="full")
    with resources.catalog.read() as session:
        key = collections.model_of(session, collections.get(session, "photos"))
    assert [(layer.kind, layer.each) for layer in layers(key)] == [(Kind.WHOLE, 1), (Kind.REGIONS, 33)]


def test_a_copy_to_a_cluster_takes_the_regions_along(resources, tmp_path):
    fill_rows(resources, 5, DIM, detail="light")
    hide(resources, 2)
    moved = moving.copy(resources, "photos", f"milvus://{tmp_path / 'copy.db'}")
    assert (moved.vectors, moved.on_cluster, moved.same_top_10) == (4 * (1 + LIGHT), 4 * (1 + LIGHT), 1.0)


def test_verify_finds_what_contradicts_the_rows(resources):
    """Files of regions that are not those of the rows, and a publication that is of another kind."""
    fill_rows(resources, 5, DIM, detail="light")
    assert upkeep.rebuild(resources, 1, force=True)
    with resources.catalog.begin() as session:
        (chosen,) = session.scalars(select(Regions).where(Regions.image_id == 3))
        packed = chosen.vectors[::-1]
        session.execute(
            update(Regions).where(Regions.image_id == 3).values(vectors=packed, crc32=zlib.crc32(packed + chosen.boxes))
        )
    assert "other_vectors" in kinds(resources)
    assert_same(resources, Readers(resources))
    with resources.catalog.begin() as session:
        row = session.get_one(Collection, 1)
        row.regions_snapshot_id = row.snapshot_id
    assert "unfit_regions" in kinds(resources)
    assert kinds(resources).keys() == {"lost_patches"}  # rows alone: no worker ever described these pictures


def kinds(resources: Resources) -> dict[str, int]:
    return {finding.kind: finding.count for finding in inspection.inspect(resources, "photos").findings}
