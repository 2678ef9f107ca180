"""Two hosts that share PostgreSQL, Redis and an S3 store, and no disk: ingest on both, search on either."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.catalog.models import Image, Snapshot, Worker
from app.catalog.states import ImageStatus
from app.resources import Resources, open_resources
from app.upkeep import LEAST_TAIL
from tests import servers
from tests.conftest import make_settings, paint
from tests.gate import Gate
from tests.hosts import Host, namespaces
from tests.program import wait_until
from tests.workers.watching import assert_each_searchable_once
from tests.workshop import COLLECTION
from workers.pulse import UPKEEP_S

LEASE_S = 15.0
SWEEP_S = 2.0
AWAY_S = 20.0  # of the store
SLACK_S = 120.0  # a worker's start and its batches, on a machine that does other things too


@dataclass
class Pair:
    """Two hosts, what they share, and a look at the catalogue from outside."""

    hosts: list[Host]
    gate: Gate
    catalogue: Resources

    def digests(self) -> dict[str, int]:
        """Ids of all pictures, by their digest."""
        with self.catalogue.catalog.read() as session:
            return dict(map(tuple, session.execute(select(Image.digest, Image.id))))


@pytest.fixture
def pair(tmp_path, postgres_url) -> Iterator[Pair]:
    port, behind = servers.free_port(), servers.free_port()
    with contextlib.ExitStack() as opened:
        broker = opened.enter_context(servers.redis(tmp_path))
        environment = opened.enter_context(servers.s3(port=behind)) | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        knobs = {"database_url": postgres_url, "broker_url": broker, "storage_url": "s3://pictures/ours"}
        knobs |= {"batch_images": 4, "lease_s": LEASE_S, "sweep_s": SWEEP_S}
        hosts = [opened.enter_context(Host(name, tmp_path, **knobs)) for name in ("host-a", "host-b")]
        for host in hosts:
            host.environment |= environment
        catalogue = open_resources(make_settings(tmp_path / "watching", database_url=postgres_url))
        opened.callback(catalogue.catalog.dispose)
        yield Pair(hosts, Gate(port, behind), catalogue)


def painted(folder: Path, numbers: Sequence[int]) -> Path:
    """Named from 0 on whatever they show, so that hosts have different pictures under the same names."""
    for name, number in enumerate(numbers):
        paint(folder / f"{name}.jpg", number)
    return folder


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def ingest_on_both(pair: Pair, folders: Sequence[Path], name: str) -> list[subprocess.Popen]:
    places = [host.copy_in(folder, name) for host, folder in zip(pair.hosts, folders, strict=True)]
    return [
        host.start("ingest", place, "-c", COLLECTION, "--json") for host, place in zip(pair.hosts, places, strict=True)
    ]


def finished(ingests: Sequence[subprocess.Popen]) -> list[dict]:
    told = []
    for ingest in ingests:
        out, err = ingest.communicate(timeout=600)
        assert ingest.returncode == 0, err
        told.append(json.loads(out))
    return told


def hosts_at_work(pair: Pair) -> dict[str, int]:
    """Pictures done, by the host whose workers did them."""
    with pair.catalogue.catalog.read() as session:
        done = select(Worker.host, func.sum(Worker.images_done)).where(Worker.images_done > 0).group_by(Worker.host)
        return {host: int(number) for host, number in session.execute(done)}


def attempts(pair: Pair) -> set[int]:
    with pair.catalogue.catalog.read() as session:
        return set(session.scalars(select(Image.attempts).distinct()))


def snapshot_ids(pair: Pair) -> list[int]:
    with pair.catalogue.catalog.read() as session:
        return list(session.scalars(select(Snapshot.id).order_by(Snapshot.id)))


def assert_found_on(pair: Pair, host: Host, picture: Path) -> None:
    """By looking like itself; by this host's page its thumbnail, a large copy, and its very bytes."""
    digest = digest_of(picture)
    image_id = pair.digests()[digest]
    query = host.folder / "query.jpg"
    host.do("cp", picture, query)
    best = host.json("search", query, "-c", COLLECTION, "-k", 3)["hits"][0]
    assert (best["image_id"], round(best["score"], 3)) == (image_id, 1.0)
    assert best["path"].endswith(f"/{picture.name}")
    assert host.get(f"/api/thumbs/{digest}.webp").content[8:12] == b"WEBP"
    assert host.get(f"/api/originals/{image_id}").content == picture.read_bytes()
    assert host.get(f"/api/pictures/{image_id}.webp").status_code == 200


def assert_each_has_the_others(pair: Pair, folders: Sequence[Path]) -> None:
    for host, folder in zip(pair.hosts, reversed(folders), strict=True):
        assert_found_on(pair, host, folder / "0.jpg")


def manifest(host: Host, number: int) -> bytes:
    return host.read(host.home / "snapshots" / "1" / f"{number:08d}" / "manifest.json")


def meet(pair: Pair, folders: Sequence[Path], count: int) -> None:
    """Both ingest at once, both work, each picture is done once, and either serves what the other was given."""
    for host in pair.hosts:
        host.start("worker")
        host.serve()
    wait_until(lambda: len(workers(pair)) == 2, "a worker on each host", 240)
    told = finished(ingest_on_both(pair, folders, "photos"))
    assert [(report["seen"], report["failed"]) for report in told] == [(len(list(f.iterdir())), 0) for f in folders]
    assert_each_searchable_once(pair.catalogue, count)
    assert attempts(pair) == {1}
    done = hosts_at_work(pair)
    assert sum(done.values()) == count
    if namespaces():
        assert sorted(done) == ["host-a", "host-b"]
    assert_each_has_the_others(pair, folders)


def workers(pair: Pair) -> list[tuple[str, int]]:
    """(host, process) of those alive."""
    with pair.catalogue.catalog.read() as session:
        return [tuple(row) for row in session.execute(select(Worker.host, Worker.pid))]


def assert_one_snapshot_serves_both(pair: Pair, folders: Sequence[Path], rounds: int) -> None:
    a, b = pair.hosts
    assert a.json("index", "build", "-c", COLLECTION)["state"] == "fresh"
    built = snapshot_ids(pair)
    assert_found_on(pair, b, folders[0] / "1.jpg")
    assert manifest(a, built[-1]) == manifest(b, built[-1])
    time.sleep(rounds * (UPKEEP_S + SWEEP_S))  # both hosts' workers look after the index meanwhile
    assert snapshot_ids(pair) == built
    assert a.json("index", "status", "-c", COLLECTION) == b.json("index", "status", "-c", COLLECTION)


@pytest.mark.timeout(900)
@pytest.mark.soak
def test_two_hosts_ingest_at_once_and_either_serves_what_the_other_has(pair, tmp_path):
    folders = [painted(tmp_path / "for a", range(8)), painted(tmp_path / "for b", range(100, 108))]
    meet(pair, folders, 16)
    assert_one_snapshot_serves_both(pair, folders, rounds=2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hosts_through_a_kill_a_lost_home_and_a_store_that_goes_away(pair, tmp_path):
    each = LEAST_TAIL // 2 + 10  # so that an index is worth building
    folders = [painted(tmp_path / "for a", range(each)), painted(tmp_path / "for b", range(1000, 1000 + each))]
    meet(pair, folders, 2 * each)
    wait_until(lambda: snapshot_ids(pair), "the index that is due", 120)
    assert_one_snapshot_serves_both(pair, folders, rounds=4)
    count = 2 * each

    count += take_over(pair, tmp_path)
    assert_each_searchable_once(pair.catalogue, count)

    lose_the_home(pair, folders)
    assert_each_searchable_once(pair.catalogue, count)

    count += go_on_after_the_store_was_away(pair, tmp_path)
    assert_each_searchable_once(pair.catalogue, count)
    assert_each_has_the_others(pair, folders)


def take_over(pair: Pair, tmp_path: Path) -> int:
    """Host a dies with pictures in its hands: host b does them within a lease and a sweep."""
    folders = [painted(tmp_path / "more a", range(2000, 2060)), painted(tmp_path / "more b", range(3000, 3060))]
    finished(no_wait(pair, folders))
    dead, pid = wait_until(lambda: at_work_on(pair, "host-a"), "host a at work")
    supervisor = next(p for p in pair.hosts[0].started if p.args[-1] == "worker" and p.poll() is None)
    supervisor.kill()
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: not unfinished(pair), "the rest done by host b", LEASE_S + SWEEP_S + SLACK_S)
    assert time.monotonic() - killed < LEASE_S + SWEEP_S + SLACK_S
    assert dead == "host-a"
    pair.hosts[0].start("worker")
    return 120


def no_wait(pair: Pair, folders: Sequence[Path]) -> list[subprocess.Popen]:
    places = [host.copy_in(folder, "more") for host, folder in zip(pair.hosts, folders, strict=True)]
    return [
        host.start("ingest", place, "-c", COLLECTION, "--json", "--no-wait")
        for host, place in zip(pair.hosts, places, strict=True)
    ]


def at_work_on(pair: Pair, host: str) -> tuple[str, int] | None:
    """(host, process) of a worker there that holds pictures."""
    with pair.catalogue.catalog.read() as session:
        holds = select(Image.owner).where(Image.status == ImageStatus.WORKING)
        found = session.execute(
            select(Worker.host, Worker.pid).where(Worker.name.in_(holds), Worker.host == host)
        ).first()
    return tuple(found) if found else None


def unfinished(pair: Pair) -> int:
    with pair.catalogue.catalog.read() as session:
        return session.scalar(select(func.count()).where(Image.status != ImageStatus.READY).select_from(Image))


def lose_the_home(pair: Pair, folders: Sequence[Path]) -> None:
    """All of host b is stopped, its home deleted, and started again."""
    b = pair.hosts[1]
    stopped = [process for process in b.started if process.poll() is None]
    for process in stopped:
        process.terminate()
    for process in stopped:
        process.communicate(timeout=120)
    b.do("rm", "-rf", b.home)
    b.start("worker")
    b.serve()
    assert_found_on(pair, b, folders[0] / "2.jpg")
    assert_found_on(pair, b, folders[1] / "2.jpg")
    assert b.exists(b.home / "snapshots" / "1" / f"{snapshot_ids(pair)[-1]:08d}")


def go_on_after_the_store_was_away(pair: Pair, tmp_path: Path) -> int:
    """In the middle of both hosts' ingest and work."""
    folders = [painted(tmp_path / "late a", range(4000, 4060)), painted(tmp_path / "late b", range(5000, 5060))]
    before = len(pair.digests())
    ingests = ingest_on_both(pair, folders, "late")
    wait_until(lambda: len(pair.digests()) > before, "the first of them recorded")
    pair.gate.shut()
    time.sleep(AWAY_S)
    pair.gate.open()
    assert [report["failed"] for report in finished(ingests)] == [0, 0]
    return 120
