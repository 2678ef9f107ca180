"""A collection goes over to another model: real pictures, two real encoders, workers' work in this process."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import building, library, switching, upkeep
from app.catalog import backlogs, collections, images
from app.catalog.models import Collection, Embedding, Image
from app.catalog.states import ImageStatus
from app.errors import BadCheckpoint, InvalidInput, NotFound, WeightsUnavailable
from app.ingest import failures, scan
from app.ingest.embed import embed_pending
from app.ingest.progress import progress
from app.ingest.workshop import Workshop
from app.resources import open_resources
from app.search.desk import SearchDesk
from app.storage import Storage
from tests.conftest import make_settings, paint
from tests.workshop import COLLECTION, fill, work

OLD, NEW = "untrained_vits14", "dinoseek_tiny14"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Where home and pictures lie for each test: paths are in the rows."""
    return tmp_path_factory.mktemp("switching") / "place"


@pytest.fixture(scope="module")
def pristine(place, encoders, decoder) -> Path:
    """A copy of both, with six searchable pictures."""
    for number in range(6):
        paint(place / "photos" / f"{number}.jpg", number)
    resources = open_resources(make_settings(place / "home"))
    shop = Workshop(resources, encoders, decoder, "test")
    library.create_collection(resources, COLLECTION, OLD, encoders=encoders)
    fill(shop, place / "photos")
    resources.catalog.dispose()
    return shutil.copytree(place, place.with_name("pristine"))


@pytest.fixture
def photos(place) -> Path:
    return place / "photos"


@pytest.fixture
def filled(place, pristine, encoders, decoder) -> Iterator[Workshop]:
    """Six searchable pictures."""
    shutil.rmtree(place)
    shutil.copytree(pristine, place)
    resources = open_resources(make_settings(place / "home"))
    yield Workshop(resources, encoders, decoder, "test")
    resources.catalog.dispose()


@pytest.fixture
def desk(filled):
    return SearchDesk(filled.resources, filled.decoder, filled.encoders)


def begin(shop, model=NEW, **terms) -> library.CollectionFacts:
    return switching.begin(shop.resources, COLLECTION, shop.encoders, model, **terms)


def complete(shop) -> bool:
    """What workers do until nothing waits."""
    work(shop)
    return switching.advance(shop.resources, 1)


def facts(shop) -> library.CollectionFacts:
    return library.collection(shop.resources, COLLECTION)


def embedded(shop) -> dict[str, int]:
    """Vectors by model."""
    rows = select(Embedding.model_key_id, func.count()).group_by(Embedding.model_key_id)
    with shop.resources.catalog.read() as session:
        return {collections.get_model(session, key_id).model: count for key_id, count in session.execute(rows)}


def test_searches_answer_with_the_old_model_until_the_switch_and_with_the_new_one_after(filled, desk, photos):
    begun = begin(filled)
    assert (begun.model, begun.change.total, begun.change.done, begun.change.waiting) == (OLD, 6, 0, 6)
    before = desk.by_file(COLLECTION, photos / "2.jpg", k=6)
    work(filled)
    assert desk.by_file(COLLECTION, photos / "2.jpg", k=6).hits == before.hits
    assert (before.model, facts(filled).change.done) == (OLD, 6)
    assert switching.ripe(filled.resources) == [1]
    assert switching.advance(filled.resources, 1)
    after = desk.by_file(COLLECTION, photos / "2.jpg", k=6)
    assert (after.model, after.trained, facts(filled).change) == (NEW, True, None)
    assert [hit.path for hit in after.hits[:1]] == [str(photos / "2.jpg")]
    assert {hit.image_id for hit in after.hits} == {hit.image_id for hit in before.hits}
    assert [hit.score for hit in after.hits[1:]] != [hit.score for hit in before.hits[1:]]
    assert embedded(filled) == {OLD: 6, NEW: 6}


def test_a_picture_added_meanwhile_is_embedded_under_both_keys_before_the_switch(filled, photos):
    begin(filled)
    fresh = paint(photos / "fresh.jpg", 40)
    scan.ingest(filled.resources, [fresh], COLLECTION)
    assert switching.advance(filled.resources, 1) is False
    work(filled)
    assert embedded(filled) == {OLD: 7, NEW: 7}
    assert switching.advance(filled.resources, 1)


def test_new_pictures_go_before_those_to_embed_anew(filled, photos):
    begin(filled)
    filled.resources.settings.batch_images = 2
    scan.ingest(filled.resources, [paint(photos / "fresh.jpg", 40)], COLLECTION)
    assert embed_pending(filled, 1, budget_s=60, should_stop=lambda: True) is True
    assert embedded(filled) == {OLD: 7}


def test_a_change_that_was_stopped_goes_on_where_it_was(filled):
    filled.resources.settings.batch_images = 2
    begin(filled)
    assert embed_pending(filled, 1, budget_s=60, should_stop=lambda: True) is True
    assert (facts(filled).change.done, embedded(filled)[NEW]) == (2, 2)
    begin(filled, None)  # the one under way
    assert facts(filled).change.waiting == 4
    assert complete(filled)
    assert embedded(filled)[NEW] == 6


def test_added_vectors_lie_beside_and_a_switch_to_them_and_back_is_immediate(filled, desk, photos):
    begin(filled, add_only=True)
    assert complete(filled)
    assert (facts(filled).model, facts(filled).change, embedded(filled)) == (OLD, None, {OLD: 6, NEW: 6})
    assert begin(filled).model == NEW  # nobody works in between
    assert desk.by_file(COLLECTION, photos / "1.jpg", k=6).model == NEW
    assert begin(filled, OLD).model == OLD
    assert desk.by_file(COLLECTION, photos / "1.jpg", k=6).model == OLD


def test_what_goes_on_goes_on_as_it_was_begun(filled):
    begin(filled, add_only=True)
    change = begin(filled, None, leave_behind=True).change
    assert (change.add_only, change.leave_behind) == (True, True)
    assert complete(filled)
    assert facts(filled).model == OLD


def test_a_switch_back_embeds_what_came_since(filled, desk, photos):
    begin(filled)
    assert complete(filled)
    fill(filled, paint(photos / "since.jpg", 41))
    assert begin(filled, OLD).change.waiting == 1
    assert complete(filled)
    assert len(desk.by_file(COLLECTION, photos / "since.jpg", k=20).hits) == 7
    assert embedded(filled) == {OLD: 7, NEW: 7}


def test_a_picture_that_can_not_be_embedded_holds_the_switch_up_until_it_is_back(filled, photos):
    (photos / "0.jpg").rename(photos / "away")
    begin(filled)
    assert complete(filled) is False
    assert (facts(filled).change.failed, facts(filled).failed, facts(filled).model) == (1, 0, OLD)
    told = switching.held_up(filled.resources, COLLECTION)
    assert f"1 picture can't be embedded with {NEW}, squash168-v1 (first {photos / '0.jpg'}: the file is not at" in told
    assert told.endswith("put them back and run this again, or add --leave-behind")
    (photos / "away").rename(photos / "0.jpg")
    begin(filled)
    assert switching.held_up(filled.resources, COLLECTION) is None
    assert complete(filled)
    assert facts(filled).model == NEW


def test_what_is_left_behind_is_a_failure_with_its_reason_until_it_is_retried(filled, desk, photos):
    (photos / "0.jpg").rename(photos / "away")
    begin(filled)
    assert complete(filled) is False
    assert begin(filled, None, leave_behind=True).model == NEW
    (left,) = failures.failures(filled.resources, COLLECTION)
    assert (left.path, left.error) == (str(photos / "0.jpg"), "vanished")
    assert len(desk.by_file(COLLECTION, photos / "1.jpg", k=20).hits) == 5
    (photos / "away").rename(photos / "0.jpg")
    assert failures.retry(filled.resources, COLLECTION) == 1
    work(filled)
    assert len(desk.by_file(COLLECTION, photos / "0.jpg", k=20).hits) == 6


def test_pictures_that_went_are_no_obstacle(filled, desk, photos):
    begin(filled)
    with filled.resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 1))
    (photos / "0.jpg").rename(photos / "away")
    assert complete(filled)
    assert len(desk.by_file(COLLECTION, photos / "1.jpg", k=20).hits) == 5
    (photos / "away").rename(photos / "0.jpg")
    fill(filled, photos)  # seen again
    assert len(desk.by_file(COLLECTION, photos / "0.jpg", k=20).hits) == 6
    assert embedded(filled)[NEW] == 6


def test_a_picture_that_went_and_is_back_before_the_switch_is_waited_for(filled, photos):
    begin(filled)
    with filled.resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 1))
    work(filled)
    scan.ingest(filled.resources, [photos], COLLECTION)  # seen again: searchable at once, with the old model
    assert complete(filled) is False
    assert (facts(filled).model, facts(filled).change.waiting) == (OLD, 1)
    assert complete(filled)
    assert embedded(filled)[NEW] == 6


def test_of_workers_that_find_a_change_ready_one_makes_it(filled, monkeypatch):
    monkeypatch.setattr(upkeep, "LEAST_TAIL", 2)
    begin(filled)
    work(filled)
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(switching.advance, filled.resources, 1) for _ in range(4)]
    assert sorted(future.result() for future in made) == [False, False, False, True]
    assert upkeep.status(filled.resources, COLLECTION).state == "fresh"


def test_a_batch_that_was_looked_at_with_the_old_model_is_looked_at_again(filled, desk, photos, monkeypatch):
    """The switch comes while a worker has a new picture in its hands, as `leave_behind` allows."""
    begin(filled, leave_behind=True)
    work(filled)
    fresh = paint(photos / "fresh.jpg", 40)
    scan.ingest(filled.resources, [fresh], COLLECTION)

    def switch_first(*_) -> None:
        monkeypatch.undo()
        assert switching.advance(filled.resources, 1)

    monkeypatch.setattr(Storage, "keep_thumbnails", switch_first)
    work(filled)
    assert embedded(filled) == {OLD: 6, NEW: 6}  # given back
    work(filled)
    assert embedded(filled) == {OLD: 6, NEW: 7}
    assert desk.by_file(COLLECTION, fresh, k=1).hits[0].path == str(fresh)
    with filled.resources.catalog.read() as session:
        assert session.get_one(Image, 7).attempts == 1


def test_a_large_collection_goes_over_with_its_snapshot_built_and_keeps_the_old_one(filled, desk, photos, monkeypatch):
    monkeypatch.setattr(upkeep, "LEAST_TAIL", 2)
    assert upkeep.rebuild(filled.resources, 1)
    begin(filled)
    assert complete(filled)
    status = upkeep.status(filled.resources, COLLECTION)
    assert (status.model, status.snapshot["vectors"], status.tail, status.state) == (NEW, 6, 0, "fresh")
    assert len(desk.by_file(COLLECTION, photos / "1.jpg", k=20).hits) == 6
    assert upkeep.rebuild(filled.resources, 1, force=True)  # removes files that nobody needs
    monkeypatch.setattr(building, "make", None)  # nothing is built
    assert begin(filled, OLD).model == OLD
    assert upkeep.status(filled.resources, COLLECTION).state == "fresh"
    assert len(desk.by_file(COLLECTION, photos / "1.jpg", k=20).hits) == 6


def test_a_cancelled_change_keeps_its_vectors(filled):
    filled.resources.settings.batch_images = 2
    begin(filled)
    embed_pending(filled, 1, budget_s=60, should_stop=lambda: True)
    switching.cancel(filled.resources, COLLECTION)
    work(filled)
    assert (facts(filled).change, embedded(filled)) == (None, {OLD: 6, NEW: 2})
    assert begin(filled).change.waiting == 4
    with pytest.raises(InvalidInput, match="nothing to cancel"):
        switching.cancel(filled.resources, COLLECTION)
        switching.cancel(filled.resources, COLLECTION)


def test_the_same_model_seen_in_another_way_is_another_key(filled):
    assert begin(filled, None, preprocessing="pad224-v1").change.label == f"{OLD}, pad224-v1"
    assert complete(filled)
    assert (facts(filled).model, facts(filled).preprocessing) == (OLD, "pad224-v1")
    assert begin(filled, None, precision="int8").change.preprocessing == "pad224-v1"  # left open: as it is


def test_a_switch_to_what_there_is_changes_nothing(filled):
    assert begin(filled, OLD).change is None
    with pytest.raises(InvalidInput, match="say to which with --model"):
        begin(filled, None)


def test_one_change_at_a_time(filled):
    begin(filled)
    for other in ({"model": OLD}, {"model": NEW, "precision": "int8"}):
        with pytest.raises(InvalidInput, match=f"changing to {NEW}, squash168-v1: wait for that, or stop it"):
            begin(filled, **other)


def test_a_model_that_is_not_here_is_refused_at_once(filled):
    with pytest.raises(WeightsUnavailable, match="models pull dinov2_vitl14"):
        begin(filled, "dinov2_vitl14")
    with pytest.raises(NotFound):
        begin(filled, "nonsense")
    assert facts(filled).change is None


def test_a_collection_whose_weights_are_lost_goes_over_to_those_that_are_here(filled, desk, photos):
    """Nothing needs the old encoder; a new picture that waits for it is embedded with the new one afterwards."""
    with filled.resources.catalog.begin() as session:
        collections.model_of(session, session.get_one(Collection, 1)).weights_sha256 = "f" * 64
    fresh = paint(photos / "fresh.jpg", 40)
    scan.ingest(filled.resources, [fresh], COLLECTION)
    begin(filled, leave_behind=True)
    work(filled)
    with pytest.raises(BadCheckpoint, match="take these with `dinoseek collections switch`"):
        work(filled)  # what is left needs the weights that are lost
    assert switching.advance(filled.resources, 1)
    work(filled)
    assert len(desk.by_file(COLLECTION, fresh, k=20).hits) == 7


def test_progress_counts_what_is_left_to_change(filled):
    begin(filled)
    state = progress(filled.resources, COLLECTION)
    assert (state.waiting, state.change.total, state.change.waiting, state.change_eta_s) == (0, 6, 6, None)
    assert complete(filled)
    assert progress(filled.resources, COLLECTION).change is None


def test_a_deleted_collection_rests_and_goes_on_when_it_is_back(filled):
    begin(filled)
    library.delete_collection(filled.resources, COLLECTION)
    with filled.resources.catalog.read() as session:
        assert (backlogs.collections_waiting(session), switching.ripe(filled.resources)) == ([], [])
    library.restore_collection(filled.resources, COLLECTION)
    assert complete(filled)
    with filled.resources.catalog.read() as session:
        assert {image.status for image in session.scalars(select(Image))} == {ImageStatus.READY}


def test_a_lost_snapshot_of_the_key_is_built_again_before_the_switch(filled, monkeypatch):
    monkeypatch.setattr(upkeep, "LEAST_TAIL", 2)
    begin(filled, add_only=True)
    assert complete(filled)
    shutil.rmtree(filled.resources.storage.snapshots(1))
    assert begin(filled).model == NEW
    assert upkeep.status(filled.resources, COLLECTION).state == "fresh"
