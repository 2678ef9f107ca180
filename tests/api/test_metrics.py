"""`/metrics` as Prometheus reads it: valid by its own parser, true by the rows, without a name of a person's."""

import dataclasses

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from app.api import face
from app.api.meters import CatalogueMeter, Meters
from app.catalog import claims, leases, workers
from app.catalog.clock import db_now
from app.catalog.database import Catalog
from app.catalog.models import Image, Worker
from app.ingest.stages import STAGES
from app.resources import Resources
from app.search.query import Page
from tests.catalog.rows import make_collection, make_images

NAME = "Aunt Emma's funeral"
FAMILIES = {
    "dinoseek_images",
    "dinoseek_failures",
    "dinoseek_workers_alive",
    "dinoseek_images_per_second",
    "dinoseek_stage_seconds",
    "dinoseek_unclaimed_seconds",
    "dinoseek_snapshot_tail",
    "dinoseek_disk_free_bytes",
    "dinoseek_search_seconds",
}


def samples(text: bytes) -> dict[tuple, float]:
    """(name, label values…) -> number."""
    families = text_string_to_metric_families(text.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@pytest.fixture
def filled(resources_on_both, monkeypatch) -> Resources:
    """Ten pictures: four in a worker's hands, one refused, the rest waiting since long."""
    monkeypatch.setattr(workers, "ALIVE_S", 600.0)  # for the length of a test
    with resources_on_both.catalog.begin() as session:
        make_images(session, make_collection(session, NAME), 10)
        session.execute(update(Image).values(created_at=db_now() - 100))
        workers.announce(session, "w", "cuda:0", "dinov2_vits14")
        first, *_ = claims.claim(session, 1, owner="w", limit=5, lease_s=3600)
        claims.fail(session, first, "truncated", "cut short")
        stage_s = {stage.name: 0.01 for stage in STAGES}
        workers.beat(session, "w", images_per_s=20.0, stage_s=stage_s, batch_at=db_now())
    return resources_on_both


def test_the_figures_are_those_of_the_rows(filled):
    told = samples(Meters(filled).text())
    by_status = {status: told["dinoseek_images", "1", status] for status in ("pending", "working", "ready", "failed")}
    assert by_status == {"pending": 5, "working": 4, "ready": 0, "failed": 1}
    assert told["dinoseek_failures", "truncated"] == 1
    assert told["dinoseek_workers_alive", "cuda:0", "dinov2_vits14"] == 1
    assert told["dinoseek_images_per_second",] == 20.0
    assert told["dinoseek_stage_seconds", "network"] == pytest.approx(0.01)
    assert told["dinoseek_unclaimed_seconds", "1"] == 0
    assert told["dinoseek_snapshot_tail", "1"] == 0
    assert told["dinoseek_disk_free_bytes",] > 0


def test_a_dead_worker_leaves_its_work_unclaimed_and_no_rate(filled):
    with filled.catalog.begin() as session:
        leases.end_leases(session, ["w"])
        leases.expire(session, max_attempts=3)  # its work waits from now on
        session.execute(update(Image).values(not_before=Image.not_before - 100))
    told = samples(Meters(filled).text())
    assert told["dinoseek_unclaimed_seconds", "1"] == pytest.approx(100, abs=60)
    assert told["dinoseek_images_per_second",] == 0
    assert not [key for key in told if key[0] == "dinoseek_workers_alive"]


def test_the_database_is_asked_once_in_some_seconds_however_often_it_is_scraped(filled):
    meter = CatalogueMeter(filled, kept_s=3600)
    census = meter._fresh()
    assert meter._fresh() is census
    assert CatalogueMeter(filled, kept_s=-1.0)._fresh() is not census
    with filled.catalog.begin() as session:
        session.execute(update(Worker).values(images_per_s=1.0))
    assert meter._fresh().images_per_s == 20.0


def test_searches_are_counted_by_how_long_they_took(filled):
    meters = Meters(filled)
    for total_ms in (30.0, 70.0, 70.0):
        took = {"embed": 0.0, "search": total_ms, "rerank": 0.0, "total": total_ms}
        meters.note_search(Page(NAME, "m", True, "q", 10, [], took))
    told = samples(meters.text())
    assert told["dinoseek_search_seconds_bucket", "0.05"] == 1
    assert told["dinoseek_search_seconds_bucket", "0.1"] == told["dinoseek_search_seconds_count",] == 3
    assert told["dinoseek_search_seconds_sum",] == pytest.approx(0.17)


def test_names_of_collections_stay_at_home(filled):
    assert "Emma" not in Meters(filled).text().decode()


def test_the_route_answers_in_the_text_format_and_counts_the_pages_searches(house):
    house.face.desk.by_image("photos", house.image_id)
    answer = house.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert set(families) >= FAMILIES - {"dinoseek_failures", "dinoseek_workers_alive", "dinoseek_stage_seconds"}
    assert all(family.documentation for family in families.values())
    told = samples(answer.content)
    assert (told["dinoseek_images", "1", "ready"], told["dinoseek_snapshot_tail", "1"]) == (3, 3)
    assert told["dinoseek_search_seconds_count",] >= 1


def test_a_database_that_is_gone_is_one_line(house):
    """Another face in its place, whose database refuses."""
    face.install(dataclasses.replace(house.face.resources, catalog=Catalog("postgresql://me:hidden@127.0.0.1:1/none")))
    answer = house.client.get("/metrics")
    face.close()
    assert (answer.status_code, answer.text.count("\n")) == (503, 1)
    assert "hidden" not in answer.text
