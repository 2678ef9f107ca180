"""Rate, time left and what is in the way: honest when a worker idles, stalls or dies. On both databases."""

import pytest
from sqlalchemy import select, update

from app import doctor, library
from app.catalog import claims, collections, workers
from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, Worker
from app.catalog.states import ImageStatus
from app.ingest import failures, lookout, scan
from app.ingest.lookout import Lookout
from app.ingest.progress import IDLE_S, STALLED_S, UNCLAIMED_S, eta_s, progress, workers_alive
from app.ingest.stages import STAGES
from app.resources import open_resources
from tests.catalog.rows import make_collection, make_images
from tests.conftest import make_settings, paint
from tests.program import SLOW, Program, wait_until
from tests.workshop import COLLECTION, work


@pytest.fixture
def house(resources_on_both, monkeypatch):
    """A catalogue with ten pictures that wait, and nobody to look at them."""
    monkeypatch.setattr(workers, "ALIVE_S", 600.0)  # who is hired lives for the length of a test
    with resources_on_both.catalog.begin() as session:
        make_images(session, make_collection(session), 10)
    return resources_on_both


def write(resources, table, **values) -> None:
    with resources.catalog.begin() as session:
        session.execute(update(table).values(**values))


def hire(resources, name: str = "w", **facts) -> None:
    with resources.catalog.begin() as session:
        workers.announce(session, name, "cpu", "m")
        session.execute(update(Worker).where(Worker.name == name).values(pid=1, **facts))


def claim(resources, owner: str = "w", limit: int = 4, lease_s: float = 60.0, collection_id: int = 1) -> list:
    with resources.catalog.begin() as session:
        return claims.claim(session, collection_id, owner=owner, limit=limit, lease_s=lease_s)


def test_a_worker_tells_where_its_time_goes_with_every_batch(resources_on_both, shop_on_both, photos):
    library.create_collection(resources_on_both, COLLECTION, encoders=shop_on_both.encoders)
    scan.ingest(resources_on_both, [photos], COLLECTION)
    hire(resources_on_both, shop_on_both.name)
    work(shop_on_both)
    (worker,) = workers_alive(resources_on_both)
    assert (worker.images_done, worker.model, worker.holding) == (6, "dinoseek_tiny14", 0)
    assert set(worker.stage_s) == {stage.name for stage in STAGES}
    assert all(seconds > 0 for seconds in worker.stage_s.values())
    with resources_on_both.catalog.read() as session:
        told = session.scalar(select(Worker.images_per_s))
    assert sum(worker.stage_s.values()) == pytest.approx(1 / told)


def test_who_looks_again_and_again_leaves_the_database_most_of_its_time(house, monkeypatch):
    watched = Lookout(house)
    assert 0 < watched.pause_s("photos") <= lookout.SELDOM_S
    monkeypatch.setattr(lookout, "LOOKS_APART", 10**6)
    assert watched.pause_s("photos") == lookout.SELDOM_S
    write(house, Image, status=ImageStatus.READY)
    assert watched.progress("photos").waiting == 0  # what is asked for is counted


def test_the_rate_is_that_of_all_workers_and_the_time_left_follows(house):
    hire(house, "a", images_per_s=3.0, batch_at=db_now())
    hire(house, "b", images_per_s=2.0, batch_at=db_now())
    now = progress(house, "photos")
    assert (now.rate_per_s, now.eta_s, now.waiting) == (5.0, 2.0, 10)


def test_a_worker_that_stalls_is_worth_less_and_less(house):
    hire(house, images_per_s=40.0, batch_at=db_now() - 100)
    claim(house, limit=4)
    assert progress(house, "photos").rate_per_s == pytest.approx(4 / 100, rel=0.1)
    write(house, Worker, batch_at=db_now() - 1000)
    assert progress(house, "photos").rate_per_s == pytest.approx(4 / 1000, rel=0.1)


def test_a_worker_that_idles_has_no_rate_and_one_between_two_tasks_has(house):
    hire(house, images_per_s=40.0, batch_at=db_now())
    assert progress(house, "photos").rate_per_s == 40.0
    write(house, Worker, batch_at=db_now() - IDLE_S - 1)
    now = progress(house, "photos")
    assert (now.rate_per_s, now.eta_s) == (None, None)
    assert not now.workers[0].at_work


def test_a_worker_that_is_no_longer_heard_of_counts_for_nothing(house):
    hire(house, images_per_s=40.0, batch_at=db_now(), heartbeat_at=db_now() - workers.ALIVE_S - 1)
    now = progress(house, "photos")
    assert (now.workers, now.rate_per_s, now.eta_s) == ([], None, None)


def test_what_waits_for_a_further_try_is_waiting(house):
    with house.catalog.begin() as session:
        for claimed in claims.claim(session, 1, owner="w", limit=2, lease_s=3600):
            claims.retry_later(session, claimed, "decoder_crashed", "its child died", max_attempts=3)
    assert progress(house, "photos").waiting == 10


def test_workers_take_turns_among_the_collections_that_wait(house):
    with house.catalog.begin() as session:
        make_images(session, make_collection(session, "others"), 40)
    hire(house, images_per_s=2.0, batch_at=db_now())
    assert progress(house, "photos").eta_s == (10 + 10) / 2.0
    assert progress(house, "others").eta_s == (40 + 10) / 2.0
    assert eta_s(10, [], 5.0) == 2.0


def test_how_long_work_has_waited_that_nobody_claims(house):
    write(house, Image, created_at=db_now() - 500)
    assert progress(house, "photos").unclaimed_s == pytest.approx(500, abs=60)
    with house.catalog.begin() as session:
        collections.note_work(session, 1)
    assert progress(house, "photos").unclaimed_s < 60
    write(house, Collection, worked_at=db_now() - 200)  # its worker died, and its row went with it
    assert progress(house, "photos").unclaimed_s == pytest.approx(200, abs=60)
    claim(house)
    assert progress(house, "photos").unclaimed_s is None


def test_a_lease_that_ran_out_is_nobody_at_work(house):
    write(house, Image, created_at=db_now() - 500)
    claim(house, lease_s=-1.0)
    assert progress(house, "photos").unclaimed_s == pytest.approx(500, abs=60)


def test_nothing_waits_unclaimed_where_nothing_waits(house):
    write(house, Image, status=ImageStatus.READY)
    now = progress(house, "photos")
    assert (now.unclaimed_s, now.obstacle, now.done_share) == (None, None, 1.0)


def test_a_picture_tried_again_waits_from_then(house):
    write(house, Image, created_at=db_now() - 500, status=ImageStatus.FAILED, code="vanished")
    before = progress(house, "photos")
    assert (before.failed, before.unclaimed_s) == (10, None)
    assert failures.retry(house, "photos") == 10
    assert progress(house, "photos").unclaimed_s < 60


def test_each_obstacle_has_its_sentence_and_its_way_out(house):
    assert "no worker is alive" in str(progress(house, "photos").obstacle)
    hire(house, trouble="the disk is full: make room")
    assert str(progress(house, "photos").obstacle) == "no worker can do its work: the disk is full: make room"
    write(house, Worker, trouble=None)
    assert progress(house, "photos").obstacle is None  # it has just come
    write(house, Image, created_at=db_now() - UNCLAIMED_S - 1000)
    just_started = progress(house, "photos").obstacle
    assert "nobody has claimed any for 1,0" in just_started.what
    assert "just started" in just_started.way_out
    write(house, Worker, started_at=db_now() - 900)
    assert "start them again" in progress(house, "photos").obstacle.way_out
    state, finding, way_out = doctor.CHECKS["workers"](house)
    assert (state, "start them again" in way_out) == ("warning", True)
    assert finding.startswith("photos: work waits and nobody has claimed any for")


def test_workers_that_are_busy_elsewhere_are_not_told_to_start_again(house):
    with house.catalog.begin() as session:
        make_images(session, make_collection(session, "others"), 10)
    write(house, Image, created_at=db_now() - 500)
    hire(house, started_at=db_now() - 900)
    claim(house, collection_id=2)
    assert "busy with other collections" in progress(house, "photos").obstacle.way_out
    assert progress(house, "others").obstacle is None


def test_a_worker_that_hangs_with_pictures_in_its_hands_is_named(house):
    long_ago = db_now() - STALLED_S - 60
    hire(house, claimed_at=long_ago, batch_at=long_ago, images_per_s=5.0)
    claim(house, limit=3)
    found = progress(house, "photos").obstacle
    assert found.what.startswith("w has held 3 pictures for 66")
    assert "nothing is lost" in found.way_out
    write(house, Worker, claimed_at=db_now())
    assert progress(house, "photos").obstacle is None


def test_a_real_worker_is_seen_at_work_from_outside(tmp_path):
    folder = tmp_path / "many"
    for number in range(40):
        paint(folder / f"{number}.jpg", number)
    resources = open_resources(make_settings(tmp_path / "home"))
    with Program(tmp_path / "home", batch_images=4, model=SLOW) as program:
        program.start("ingest", folder, "-c", COLLECTION)
        told = wait_until(lambda: [w for w in workers_alive(resources) if w.images_per_s], "a worker with a rate")
    assert (told[0].device, told[0].model, told[0].at_work) == ("cpu", SLOW, True)
    assert set(told[0].stage_s) == {stage.name for stage in STAGES}
    resources.catalog.dispose()
