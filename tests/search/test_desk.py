"""The desk: real pictures, a real encoder, a real index; what is found, and what never shows."""

import shutil
import threading

import numpy as np
import pytest

from app import library, upkeep
from app.catalog import images
from app.catalog.images import Filters
from app.catalog.models import Image
from app.catalog.states import ImageStatus
from app.errors import InvalidInput, NotFound, UnreadableImage
from app.ingest import scan
from app.search.desk import SearchDesk
from tests.conftest import paint
from tests.workshop import COLLECTION, fill, images_at, work


@pytest.fixture
def filled(shop, photos):
    fill(shop, photos)
    return shop


@pytest.fixture
def desk(filled):
    return SearchDesk(filled.resources, filled.decoder, filled.encoders)


def hide(resources, image_id: int) -> None:
    with resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, image_id))


def test_a_picture_finds_itself_first_and_the_rest_by_falling_score(desk, photos):
    page = desk.by_file(COLLECTION, photos / "2.jpg", k=6)
    assert page.hits[0].path == str(photos / "2.jpg")
    assert page.hits[0].score == pytest.approx(1.0, abs=1e-5)
    scores = [hit.score for hit in page.hits]
    assert scores == sorted(scores, reverse=True)
    assert [hit.rank for hit in page.hits] == [1, 2, 3, 4, 5, 6]
    assert (page.model, page.trained) == ("dinoseek_tiny14", True)
    assert set(page.took_ms) == {"embed", "search", "rerank", "total"}


def test_a_fresh_picture_is_found_by_a_desk_that_is_open(desk, filled, photos):
    assert len(desk.by_file(COLLECTION, photos / "0.jpg").hits) == 6
    fill(filled, paint(photos / "new.jpg", 50))
    assert desk.by_file(COLLECTION, photos / "new.jpg", k=1).hits[0].name == "new.jpg"


def test_a_hidden_picture_leaves_the_results_at_once_and_comes_back(desk, filled, photos):
    first = desk.by_file(COLLECTION, photos / "0.jpg", k=6).hits[0]
    hide(filled.resources, first.image_id)
    assert first.image_id not in [hit.image_id for hit in desk.by_file(COLLECTION, photos / "0.jpg", k=6).hits]
    with filled.resources.catalog.begin() as session:
        row = session.get_one(Image, first.image_id)
        images.bring_back(session, row.collection_id, [row.id])
    assert desk.by_file(COLLECTION, photos / "0.jpg", k=6).hits[0].image_id == first.image_id


def test_a_picture_that_went_before_it_was_embedded_is_found_when_it_is_back(desk, filled, photos):
    new = paint(photos / "new.jpg", 51)
    scan.ingest(filled.resources, [new], COLLECTION)
    (image_id,) = images_at(filled.resources, new)
    hide(filled.resources, image_id)
    assert len(desk.by_file(COLLECTION, new).hits) == 6
    scan.ingest(filled.resources, [new], COLLECTION)
    assert len(desk.by_file(COLLECTION, new).hits) == 6  # back, and not embedded yet
    work(filled)
    assert desk.by_file(COLLECTION, new, k=1).hits[0].image_id == image_id


def test_the_row_has_the_last_word_where_the_index_has_not_heard_yet(desk, filled, photos):
    """Hidden between the refresh and the answer: the index still finds it, the row keeps it back, k are shown."""
    first = desk.by_file(COLLECTION, photos / "0.jpg", k=6).hits[0]
    with filled.resources.catalog.begin() as session:
        session.get_one(Image, first.image_id).status = ImageStatus.GONE  # without a change number: unheard of
    hits = desk.by_file(COLLECTION, photos / "0.jpg", k=5).hits
    assert first.image_id not in [hit.image_id for hit in hits]
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("hidden_before_the_build", [True, False])
def test_a_snapshot_answers_like_the_rows_did(filled, photos, hidden_before_the_build):
    resources = filled.resources
    asked = photos / "1.jpg"
    if hidden_before_the_build:
        hide(resources, 3)
    before = SearchDesk(resources, filled.decoder, filled.encoders).by_file(COLLECTION, asked, k=6)
    assert upkeep.rebuild(resources, 1, force=True)
    after = SearchDesk(resources, filled.decoder, filled.encoders).by_file(COLLECTION, asked, k=6)
    assert [hit.image_id for hit in after.hits] == [hit.image_id for hit in before.hits]
    np.testing.assert_allclose([hit.score for hit in after.hits], [hit.score for hit in before.hits], atol=1e-5)
    hide(resources, 5)
    status = upkeep.status(resources, COLLECTION)
    assert (status.snapshot["vectors"], status.tail, status.tombstones) == (6 - hidden_before_the_build, 0, 1)
    desk = SearchDesk(resources, filled.decoder, filled.encoders)
    assert 5 not in [hit.image_id for hit in desk.by_file(COLLECTION, asked, k=6).hits]


def test_an_open_desk_goes_over_to_a_new_snapshot(desk, filled, photos):
    desk.by_file(COLLECTION, photos / "0.jpg")
    upkeep.rebuild(filled.resources, 1, force=True)
    fill(filled, paint(photos / "after.jpg", 60))
    assert desk.by_file(COLLECTION, photos / "after.jpg", k=1).hits[0].name == "after.jpg"
    assert len(desk.by_file(COLLECTION, photos / "0.jpg", k=20).hits) == 7


def test_a_damaged_snapshot_never_answers_and_is_built_again(desk, filled, photos):
    upkeep.rebuild(filled.resources, 1, force=True)
    folder = filled.resources.storage.snapshot(1, 1)
    damaged = max(folder.iterdir(), key=lambda file: file.stat().st_size)
    raw = bytearray(damaged.read_bytes())
    raw[len(raw) // 2] ^= 1
    damaged.write_bytes(raw)
    fresh = SearchDesk(filled.resources, filled.decoder, filled.encoders)
    assert [hit.path for hit in fresh.by_file(COLLECTION, photos / "3.jpg", k=1).hits] == [str(photos / "3.jpg")]
    assert not folder.exists()  # set aside, not deleted
    assert list(folder.parent.glob("00000001.damaged*"))
    assert upkeep.status(filled.resources, COLLECTION).state == "due"
    assert upkeep.due(filled.resources) == [1]  # a worker that looks finds it, nobody has to ask
    assert upkeep.rebuild(filled.resources, 1)
    status = upkeep.status(filled.resources, COLLECTION)
    assert (status.snapshot["vectors"], status.tail, status.state) == (6, 0, "fresh")


def test_a_box_searches_by_a_part_of_the_picture(desk, photos):
    whole = desk.by_file(COLLECTION, photos / "0.jpg", k=1).hits[0].score
    part = desk.by_file(COLLECTION, photos / "0.jpg", k=6, box=(0.0, 0.0, 0.3, 0.3))
    mine = next(hit.score for hit in part.hits if hit.name == "0.jpg")
    assert mine < whole - 1e-3


@pytest.mark.parametrize("preprocessing", ["pad224-v1", "grid224-v1"])
def test_a_query_is_seen_as_the_collection_s_pictures_were(shop, photos, preprocessing):
    tall = paint(photos / "tall.jpg", 70, (120, 300))
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders, preprocessing=preprocessing)
    fill(shop, photos)
    desk = SearchDesk(shop.resources, shop.decoder, shop.encoders)
    hit = desk.by_file(COLLECTION, tall, k=1).hits[0]
    assert (hit.name, hit.score) == ("tall.jpg", pytest.approx(1.0, abs=1e-5))
    assert desk.by_file(COLLECTION, tall, k=1, box=(0, 0, 1, 1)).hits[0].score == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    "box", [(0.5, 0.5, 0.5, 0.9), (0.0, 0.0, 1.2, 1.0), (0.9, 0.0, 0.1, 1.0), (float("nan"), 0, 1, 1)]
)
def test_a_box_that_is_none_is_refused(desk, photos, box):
    with pytest.raises(InvalidInput, match="shares"):
        desk.by_file(COLLECTION, photos / "0.jpg", box=box)


def test_more_like_this_leaves_the_picture_itself_out(desk):
    page = desk.by_image(COLLECTION, 2, k=10)
    assert sorted(hit.image_id for hit in page.hits) == [1, 3, 4, 5, 6]
    assert page.took_ms["embed"] == 0.0  # its stored vector serves


def test_a_kept_query_answers_by_its_digest_as_the_file_does(desk, photos):
    data = (photos / "0.jpg").read_bytes()
    stored = desk.prepare_query(data)
    assert (stored.height_px, stored.width_px) == (120, 160)
    by_digest = desk.by_digest(COLLECTION, stored.digest, k=3)
    assert [h.image_id for h in by_digest.hits] == [
        h.image_id for h in desk.by_file(COLLECTION, photos / "0.jpg", k=3).hits
    ]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (Filters(formats=("PNG",)), {"4.png", "5.png"}),
        (Filters(min_px=121), set()),
        (Filters(min_px=120), {f"{n}.jpg" for n in range(4)} | {"4.png", "5.png"}),
        (Filters(max_bytes=1), set()),
        (Filters(folder="{photos}/below"), {"4.png", "5.png"}),
        (Filters(folder="{photos}/bel"), set()),
    ],
)
def test_filters_leave_only_what_passes(desk, photos, filters, names):
    folder = filters.folder and filters.folder.format(photos=photos)
    asked = Filters(**{**vars(filters), "folder": folder})
    assert {hit.name for hit in desk.by_file(COLLECTION, photos / "0.jpg", k=10, filters=asked).hits} == names


def test_refusals_are_of_the_right_kind(desk, photos, tmp_path):
    (tmp_path / "no.jpg").write_text("not a picture")
    with pytest.raises(UnreadableImage):
        desk.by_file(COLLECTION, tmp_path / "no.jpg")
    with pytest.raises(NotFound, match="no collection is called 'nope'"):
        desk.by_file("nope", photos / "0.jpg")
    with pytest.raises(NotFound, match="drop it again"):
        desk.by_digest(COLLECTION, "0" * 64)
    with pytest.raises(InvalidInput, match="1 to 1000"):
        desk.by_file(COLLECTION, photos / "0.jpg", k=0)


def test_many_threads_search_while_pictures_come_and_go(desk, filled, photos):
    """Every answer holds only pictures that were visible; nothing crashes while the index is swapped beneath."""
    errors, stop = [], threading.Event()

    def search() -> None:
        while not stop.is_set():
            try:
                assert desk.by_image(COLLECTION, 1, k=5).hits
            except Exception as error:  # noqa: BLE001  (whatever it is, the test names it)
                errors.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(100, 104):
        fill(filled, paint(photos / f"{number}.jpg", number))
        upkeep.rebuild(filled.resources, 1, force=True)
        hide(filled.resources, 2 + number - 100)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {hit.image_id for hit in desk.by_image(COLLECTION, 1, k=20).hits} == {6, 7, 8, 9, 10}


def test_old_generations_are_removed_but_the_last_two(filled):
    for _ in range(4):
        upkeep.rebuild(filled.resources, 1, force=True)
    left = sorted(folder.name for folder in filled.resources.storage.snapshots(1).iterdir() if folder.is_dir())
    assert left == ["00000003", "00000004"]


def test_a_deleted_collection_is_out_of_sight_and_comes_back(desk, filled, photos):
    library.delete_collection(filled.resources, COLLECTION)
    with pytest.raises(NotFound):
        desk.by_file(COLLECTION, photos / "0.jpg")
    assert library.restore_collection(filled.resources, COLLECTION).ready == 6
    assert len(desk.by_file(COLLECTION, photos / "0.jpg").hits) == 6


def test_a_search_needs_no_files_but_the_rows(filled, photos):
    """Snapshots and thumbnails are derived: without them the answers are the same."""
    upkeep.rebuild(filled.resources, 1, force=True)
    for room in ("snapshots", "thumbs"):
        shutil.rmtree(filled.resources.storage.home / room)
    desk = SearchDesk(filled.resources, filled.decoder, filled.encoders)
    assert len(desk.by_image(COLLECTION, 1, k=10).hits) == 5
