"""Details that were lost are found by `index verify` and made again, while the pictures stay searchable."""

import shutil

import pytest
from sqlalchemy import delete, select, update

from app import library, switching
from app.bases import Bases
from app.catalog import collections, images, regions
from app.catalog.models import Basis, Embedding, Image, Reembedding, Regions
from app.catalog.states import ImageStatus
from app.ingest.workshop import Workshop
from app.inspection import inspect
from app.resources import open_resources
from app.search.desk import SearchDesk
from app.search.refresh import Readers
from tests.conftest import make_settings, paint
from tests.workshop import COLLECTION, fill, work

SEEN, WINDOWS = "squash168-v1", 8


@pytest.fixture
def photos(tmp_path):
    for number in range(4):
        paint(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


@pytest.fixture
def filled(shop_on_both, photos):
    kind = {"detail": "light", "preprocessing": SEEN}
    library.create_collection(shop_on_both.resources, COLLECTION, encoders=shop_on_both.encoders, **kind)
    fill(shop_on_both, photos)
    return shop_on_both


def found(shop) -> dict[str, int]:
    return {finding.kind: finding.count for finding in inspect(shop.resources, COLLECTION).findings}


def folder(shop):
    with shop.resources.catalog.read() as session:
        key = collections.model_of(session, collections.get(session, COLLECTION))
    return shop.resources.storage.patches(key.folder, "0" * 64).parents[1]


def files(shop) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder(shop).glob("*/*")}


def shown(shop) -> int:
    """Regions that a search sees."""
    with shop.resources.catalog.read() as session:
        collection = collections.get(session, COLLECTION)
        return (
            Readers(shop.resources)
            .fresh_regions(session, collection, collections.model_of(session, collection))
            .vectors
        )


def numbers(shop, table) -> dict[int, int]:
    with shop.resources.catalog.read() as session:
        return dict(session.execute(select(table.image_id, table.seq)).all())


def waiting(shop) -> int:
    with shop.resources.catalog.read() as session:
        return len(session.scalars(select(Reembedding.id).where(Reembedding.status == ImageStatus.PENDING)).all())


def test_what_is_whole_is_left_alone(filled):
    before = numbers(filled, Embedding), numbers(filled, Regions), files(filled)
    assert found(filled) == {}
    work(filled)
    assert (numbers(filled, Embedding), numbers(filled, Regions), files(filled)) == before


def test_a_lost_folder_is_filled_again_while_every_picture_stays_searchable(filled, photos):
    before, rows = files(filled), (numbers(filled, Embedding), numbers(filled, Regions))
    shutil.rmtree(folder(filled))
    assert found(filled) == {"lost_patches": 4}
    assert (waiting(filled), shown(filled)) == (4, 4 * WINDOWS)
    desk = SearchDesk(filled.resources, filled.decoder, filled.encoders)
    assert len(desk.by_file(COLLECTION, photos / "0.jpg", k=9).hits) == 4
    work(filled)
    assert files(filled) == before
    assert (numbers(filled, Embedding), numbers(filled, Regions)) == rows  # what was sound was not touched
    assert (waiting(filled), found(filled)) == (0, {})


def test_only_the_damaged_file_is_made_again(filled):
    before = files(filled)
    damaged = next(folder(filled).glob("*/*"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert found(filled) == {"lost_patches": 1}
    work(filled)
    assert files(filled) == before


def test_regions_that_are_gone_or_damaged_are_made_again_under_a_later_number(filled):
    with filled.resources.catalog.begin() as session:
        before = regions.parts_of(session, [1, 2, 3, 4], 1)
        session.execute(delete(Regions).where(Regions.image_id == 1))
        session.execute(update(Regions).where(Regions.image_id == 2).values(crc32=1))
    assert found(filled) == {"no_regions": 1, "damaged_regions": 1}
    assert shown(filled) == 2 * WINDOWS
    work(filled)
    assert (found(filled), shown(filled)) == ({}, 4 * WINDOWS)
    seqs = numbers(filled, Regions)
    assert min(seqs[1], seqs[2]) > max(seqs[3], seqs[4])
    with filled.resources.catalog.read() as session:
        after = regions.parts_of(session, [1, 2, 3, 4], 1)
    assert all(abs(after[i].vectors - before[i].vectors).max() < 0.02 for i in before)


def test_a_damaged_vector_takes_its_regions_along(filled):
    with filled.resources.catalog.begin() as session:
        session.execute(update(Embedding).where(Embedding.image_id == 3).values(crc32=1))
    assert found(filled) == {"damaged_vector": 1}
    assert shown(filled) == 3 * WINDOWS  # the picture waits
    work(filled)
    assert (found(filled), shown(filled)) == ({}, 4 * WINDOWS)


def test_one_whose_file_is_away_is_noted_again_by_the_next_look(filled, photos):
    (photos / "0.jpg").rename(photos / "away")
    shutil.rmtree(folder(filled))
    assert found(filled) == {"lost_patches": 4}
    work(filled)
    assert (len(files(filled)), shown(filled)) == (3, 4 * WINDOWS)
    (photos / "away").rename(photos / "0.jpg")
    assert found(filled) == {"lost_patches": 1}
    work(filled)
    assert found(filled) == {}


def test_a_change_and_what_is_made_again_do_not_get_in_each_other_s_way(filled):
    shutil.rmtree(folder(filled))
    assert found(filled) == {"lost_patches": 4}
    begun = switching.begin(filled.resources, COLLECTION, filled.encoders, detail="full", preprocessing=SEEN)
    assert (begun.change.waiting, begun.change.done) == (4, 0)
    assert switching.advance(filled.resources, 1) is False
    work(filled)
    assert (len(files(filled)), waiting(filled)) == (4, 0)
    assert switching.advance(filled.resources, 1)
    assert (found(filled), library.collection(filled.resources, COLLECTION).instances) == ({}, "full")


def test_a_switch_forgets_what_was_to_be_made_again_for_the_key_before(filled):
    kind = {"preprocessing": SEEN}
    switching.begin(filled.resources, COLLECTION, filled.encoders, detail="full", **kind)
    work(filled)
    shutil.rmtree(folder(filled))
    assert found(filled) == {"lost_patches": 4}
    assert switching.advance(filled.resources, 1)
    assert waiting(filled) == 0
    back = switching.begin(filled.resources, COLLECTION, filled.encoders, detail="light", **kind)
    assert (back.instances, found(filled)) == ("light", {"lost_patches": 4})


def test_a_cancelled_change_leaves_what_is_to_be_made_again(filled):
    shutil.rmtree(folder(filled))
    assert found(filled) == {"lost_patches": 4}
    switching.begin(filled.resources, COLLECTION, filled.encoders, detail="full", preprocessing=SEEN)
    switching.cancel(filled.resources, COLLECTION)
    assert waiting(filled) == 4


def test_a_picture_that_goes_meanwhile_is_no_work(filled):
    shutil.rmtree(folder(filled))
    assert found(filled) == {"lost_patches": 4}
    with filled.resources.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 1))
    assert waiting(filled) == 3


def test_a_damaged_basis_is_made_anew_and_all_that_was_written_in_it(filled):
    before = files(filled)
    with filled.resources.catalog.begin() as session:
        kept = session.scalar(select(Basis.basis))
        session.execute(update(Basis).values(basis=kept[::-1]))
    assert found(filled) == {"damaged_basis": 1}
    assert waiting(filled) == 4
    filled.bases = Bases(filled.resources.catalog)  # of a worker that starts now
    work(filled)
    with filled.resources.catalog.read() as session:
        assert session.scalar(select(Basis.basis)) == kept
    assert (files(filled), found(filled)) == (before, {})


def test_hosts_that_share_a_store_share_the_details(tmp_path, photos, encoders, decoder, store_url):
    knobs = {"database_url": f"sqlite:///{tmp_path / 'shared.db'}", "storage_url": store_url}
    a, b = (Workshop(open_resources(make_settings(tmp_path / name, **knobs)), encoders, decoder, name) for name in "ab")
    library.create_collection(a.resources, COLLECTION, encoders=encoders, detail="light", preprocessing=SEEN)
    fill(a, photos)
    names = list(files(a))
    before = b.resources.storage.find_patches(folder(b).name, names)
    assert before == files(a) == files(b)
    damaged = next(folder(b).glob("*/*"))
    damaged.write_bytes(b"")
    assert found(b) == {}  # the store has it whole
    assert b.resources.storage.find_patches(folder(b).name, names) == before
    b.resources.storage.store.remove(f"patches/{folder(b).name}")
    assert found(b) == {"lost_patches": 4}
    work(b)  # on the host that has no picture of its own: originals are in the store too
    assert a.resources.storage.read_patches(folder(a).name, names) == before
    for shop in (a, b):
        shop.resources.catalog.dispose()
