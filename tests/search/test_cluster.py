"""The same searches with the vectors on Milvus (Lite, in a file): copied, compared, kept fresh for every process."""

import pytest

from app import doctor, moving, switching, upkeep
from app.catalog import images
from app.catalog.models import Image
from app.errors import InvalidInput, ServiceUnavailable
from app.index.milvus import MilvusIndex, connect
from app.inspection import inspect
from app.resources import Resources, open_resources
from app.search.desk import SearchDesk
from tests.conftest import make_settings, paint
from tests.workshop import COLLECTION, fill, work


@pytest.fixture
def url(tmp_path) -> str:
    return f"milvus://{tmp_path / 'vectors.db'}"


def on_cluster(shop, url: str) -> Resources:
    """The same home and catalogue, as another process with the setting sees them."""
    return open_resources(make_settings(shop.resources.settings.home, vector_url=url))


def found(resources: Resources, shop, path) -> list[str]:
    page = SearchDesk(resources, shop.decoder, shop.encoders).by_file(COLLECTION, path, k=20)
    return [hit.path for hit in page.hits]


def test_a_copy_is_whole_and_answers_alike(shop, photos, url):
    fill(shop, photos)
    moved = moving.copy(shop.resources, COLLECTION, url)
    assert (moved.vectors, moved.on_cluster, moved.compared, moved.same_top_10) == (6, 6, 6, 1.0)
    assert moving.copy(shop.resources, COLLECTION, url) == moved  # again
    there = on_cluster(shop, url)
    for path in photos.rglob("*.*"):
        assert found(there, shop, path) == found(shop.resources, shop, path)
    there.catalog.dispose()


def test_what_comes_and_goes_is_seen_by_the_next_search_of_every_process(shop, photos, url):
    fill(shop, photos)
    one, other = on_cluster(shop, url), on_cluster(shop, url)
    assert len(found(one, shop, photos / "0.jpg")) == 6  # filled by whoever asks first
    late = paint(photos / "late.jpg", 40)
    fill(shop, photos)
    assert found(other, shop, late)[0] == str(late)
    assert len(found(one, shop, late)) == 7
    with shop.resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 1))
    assert len(found(one, shop, late)) == len(found(other, shop, late)) == 6
    for resources in (one, other):
        resources.catalog.dispose()


def test_one_process_that_hides_late_does_not_undo_what_another_brought_back(shop, photos, url, monkeypatch):
    fill(shop, photos)
    one, other = on_cluster(shop, url), on_cluster(shop, url)
    desks = [SearchDesk(resources, shop.decoder, shop.encoders) for resources in (one, other)]

    def hits(desk: SearchDesk) -> int:
        return len(desk.by_file(COLLECTION, photos / "0.jpg", k=20).hits)

    assert [hits(desk) for desk in desks] == [6, 6]
    with shop.resources.catalog.begin() as session:
        picture = session.get_one(Image, 1)
        images.hide_gone(session, picture)
    bury = MilvusIndex.bury

    def late(index: MilvusIndex, ids) -> None:
        monkeypatch.setattr(MilvusIndex, "bury", bury)
        with shop.resources.catalog.begin() as session:
            images.bring_back(session, 1, [1])  # seen again, while the first is about to hide it
        assert hits(desks[1]) == 6
        bury(index, ids)

    monkeypatch.setattr(MilvusIndex, "bury", late)
    hits(desks[0])  # and never again: a command that ends now
    assert hits(desks[1]) == 6
    for resources in (one, other):
        resources.catalog.dispose()


def test_a_cluster_that_lost_the_collection_is_filled_again(shop, photos, url, tmp_path):
    fill(shop, photos)
    moving.copy(shop.resources, COLLECTION, url)
    emptied = on_cluster(shop, f"milvus://{tmp_path / 'another.db'}")
    assert len(found(emptied, shop, photos / "0.jpg")) == 6
    emptied.catalog.dispose()


def test_a_fill_that_broke_off_is_taken_up_again(shop, photos, url, monkeypatch):
    fill(shop, photos)
    there = on_cluster(shop, url)
    with monkeypatch.context() as patched:
        patched.setattr(MilvusIndex, "absorb", breaks)
        with pytest.raises(ServiceUnavailable):
            found(there, shop, photos / "0.jpg")
    assert len(found(there, shop, photos / "0.jpg")) == 6
    there.catalog.dispose()


def breaks(*_) -> None:
    raise ServiceUnavailable("the cluster went away")


def test_each_cluster_knows_how_far_it_was_brought(shop, photos, url, tmp_path):
    fill(shop, photos)
    moving.copy(shop.resources, COLLECTION, url)
    paint(photos / "late.jpg", 40)
    fill(shop, photos)
    moving.copy(shop.resources, COLLECTION, f"milvus://{tmp_path / 'trial.db'}")
    there = on_cluster(shop, url)
    assert len(found(there, shop, photos / "0.jpg")) == 7
    there.catalog.dispose()


def test_a_copy_after_a_deletion_is_whole_again(shop, photos, url):
    fill(shop, photos)
    moving.copy(shop.resources, COLLECTION, url)
    with shop.resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 1))
    moved = moving.copy(shop.resources, COLLECTION, url)
    assert (moved.vectors, moved.on_cluster, moved.whole) == (5, 5, True)


def test_verify_gives_a_cluster_what_it_lost_and_hides_what_is_no_more(shop, photos, url):
    fill(shop, photos)
    there = on_cluster(shop, url)
    assert len(found(there, shop, photos / "0.jpg")) == 6
    name = connect(url).list_collections()[0]
    connect(url).delete(name, ids=[2, 3])
    connect(url).upsert(
        name, [{"image_id": 99, "vector": [1.0] + [0.0] * 191, "hidden": False, "known": True, "seq": 0}]
    )
    findings = inspect(there, COLLECTION).findings
    assert [(finding.kind, finding.count) for finding in findings] == [("other_cluster", 3)]
    assert len(found(there, shop, photos / "0.jpg")) == 6
    assert inspect(there, COLLECTION).findings == []
    there.catalog.dispose()


def test_a_change_of_model_fills_the_cluster_before_the_switch_and_every_process_goes_over(shop, photos, url):
    fill(shop, photos)
    there = on_cluster(shop, url)
    assert len(found(there, shop, photos / "0.jpg")) == 6
    switching.begin(there, COLLECTION, shop.encoders, "untrained_vits14")
    assert len(found(there, shop, photos / "0.jpg")) == 6
    work(shop)
    assert switching.advance(there, 1)
    names = connect(url).list_collections()
    assert sorted(
        connect(url).query(name, filter="known == true", output_fields=["count(*)"])[0]["count(*)"] for name in names
    ) == [6, 6]
    page = SearchDesk(there, shop.decoder, shop.encoders).by_file(COLLECTION, photos / "1.jpg", k=20)
    assert (page.model, len(page.hits), page.hits[0].name) == ("untrained_vits14", 6, "1.jpg")
    assert inspect(there, COLLECTION).findings == []
    there.catalog.dispose()


def test_a_change_waits_for_a_cluster_that_went_away(shop, photos, url, monkeypatch):
    fill(shop, photos)
    there = on_cluster(shop, url)
    switching.begin(there, COLLECTION, shop.encoders, "untrained_vits14")
    work(shop)
    with monkeypatch.context() as patched:
        patched.setattr(MilvusIndex, "absorb", breaks)
        with pytest.raises(ServiceUnavailable):
            switching.advance(there, 1)
    assert SearchDesk(there, shop.decoder, shop.encoders).by_image(COLLECTION, 1, k=5).model == "dinoseek_tiny14"
    assert switching.advance(there, 1)
    assert len(found(there, shop, photos / "0.jpg")) == 6
    there.catalog.dispose()


def test_no_snapshot_is_due_where_a_cluster_keeps_the_vectors(shop, photos, url):
    fill(shop, photos)
    there = on_cluster(shop, url)
    assert upkeep.due(there) == []
    with pytest.raises(InvalidInput, match="DINOSEEK_VECTOR_URL is set"):
        moving.copy(there, COLLECTION, url)
    state, said = doctor.CHECKS["indexes"](there)
    assert (state, said.startswith("Milvus answers")) == ("ok", True)
    assert upkeep.status(there, COLLECTION).state == "cluster"
    assert upkeep.rebuild(there, 1) is False
    with pytest.raises(InvalidInput, match="builds its own index"):
        upkeep.rebuild(there, 1, force=True)
    there.catalog.dispose()
