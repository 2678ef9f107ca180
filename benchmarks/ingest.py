"""How fast pictures become searchable through Celery, Redis and PostgreSQL, beside a bare loop over the same files.

    python -m benchmarks.ingest [throughput] [catalogue] [scale]

throughput  photographs and a ViT-S: one worker, then two, beside a loop of the same decoders and the same encoder
            that keeps nothing
catalogue   tiny pictures and the bundled encoder: what rows and messages cost when the network costs little
scale       100,000 tiny pictures end to end, with the memory of every process over time

Servers of its own, on loopback, in folders that go with it.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import PIL.Image
import redis
from sqlalchemy import func, select, text

from app import library
from app.catalog.models import Embedding, Image
from app.catalog.states import ImageStatus
from app.encoders import Encoders
from app.ingest import scan
from app.ingest.progress import progress, workers_alive
from app.resources import Resources, open_resources
from app.settings import Settings
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from app.vision.pipeline import embed_files
from benchmarks.memory import Watch, family
from benchmarks.photographs import make
from tests import servers

PHOTOGRAPH, PHOTOGRAPHS = (1200, 1600), 400
TINY_PX = 64
START_S = 60.0
LOOK_S = 0.25  # a look costs the processor 6 ms: twenty a second would slow what is measured


@dataclass
class Site:
    """Two servers, a home, and the workers we started."""

    resources: Resources
    workers: list[subprocess.Popen] = field(default_factory=list)

    def have_workers(self, count: int, threads: int) -> None:
        """Exactly so many, each on so many threads, alive and idle."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait()
        self.workers = [self._worker(threads) for _ in range(count)]
        deadline = time.monotonic() + START_S
        while len(workers_alive(self.resources)) < count and time.monotonic() < deadline:
            time.sleep(0.1)

    def _worker(self, threads: int) -> subprocess.Popen:
        settings = self.resources.settings
        known = {"HOME": settings.home, "DATABASE_URL": settings.database, "BROKER_URL": settings.broker}
        environment = os.environ | {f"DINOSEEK_{name}": str(value) for name, value in known.items()}
        environment |= {"OMP_NUM_THREADS": str(threads), "DINOSEEK_DECODE_PROCESSES": str(threads)}
        command = [sys.executable, "-m", "workers"]
        return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        home = Path(folder)
        broker = stack.enter_context(servers.redis(home))
        database = stack.enter_context(servers.postgres())
        settings = Settings(_env_file=None, home=home / "home", database_url=database, broker_url=broker)
        opened = Site(open_resources(settings))
        try:
            yield opened
        finally:
            opened.have_workers(0, 0)


def main() -> None:
    parts = {"throughput": throughput, "catalogue": catalogue, "scale": scale}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=list(parts)[:2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, help=f"{PHOTOGRAPHS} photographs, 5,000 and 100,000 tiny ones")
    arguments = parser.parse_args()
    for part in arguments.parts:
        print(f"\n{part}")
        with site() as opened, tempfile.TemporaryDirectory() as folder:
            parts[part](opened, Path(folder), arguments)


def throughput(here: Site, folder: Path, arguments: argparse.Namespace) -> None:
    paths = make(folder / "photographs", arguments.pictures or PHOTOGRAPHS, PHOTOGRAPH)
    encoder = Encoders(here.resources.settings).named("untrained_vits14")
    with Decoder(here.resources.settings) as decoder:
        for workers, threads in ((1, 2), (2, 1)):
            here.have_workers(workers, threads)
            queue_s(here, paths, encoder.key.model)  # every worker has its model open
            rounds = in_turn(here, paths, decoder, encoder, arguments.rounds)
            _tell_ratio(f"{workers} worker{'s' * (workers > 1)} of {threads} threads", len(paths), rounds)


def catalogue(here: Site, folder: Path, arguments: argparse.Namespace) -> None:
    paths = tiny_pictures(folder / "tiny", arguments.pictures or 5000)
    encoder = Encoders(here.resources.settings).named("dinoseek_tiny14")
    here.have_workers(1, 2)
    queue_s(here, tiny_pictures(folder / "first", 64, seed=10**6), encoder.key.model)
    before = database_bytes(here), redis_bytes(here)
    with Decoder(here.resources.settings) as decoder:
        rounds = in_turn(here, paths, decoder, encoder, arguments.rounds)
    _tell_ratio("1 worker of 2 threads", len(paths), rounds)
    extra_s = statistics.median(ours - bare for bare, ours in rounds) / len(paths)
    print(f"rows and messages alone {1 / extra_s:,.0f} images/s ({extra_s * 1000:.2f} ms each)")
    images = len(paths) * arguments.rounds
    print(f"database {(database_bytes(here) - before[0]) / images:,.0f} bytes an image")
    print(f"Redis {(redis_bytes(here) - before[1]) / images:,.1f} bytes an image at its peak")


def scale(here: Site, folder: Path, arguments: argparse.Namespace) -> None:
    count = arguments.pictures or 100_000
    tiny_pictures(folder / "tiny", count)
    here.have_workers(1, 2)
    watch = Watch(_parts(here.workers[0].pid))
    watch.start()
    took_s = queue_s(here, [folder / "tiny"], "dinoseek_tiny14")
    watch.stop()
    with here.resources.catalog.read() as session:
        ready = session.scalar(select(func.count()).where(Image.status == ImageStatus.READY))
        vectors = session.scalar(select(func.count()).select_from(Embedding))
    print(f"{count:,} pictures in {took_s:.0f} s, {count / took_s:.0f} images/s")
    print(f"{ready:,} searchable, {vectors:,} vectors")
    print(f"memory at a tenth / half / end: {watch.told()}")


def _parts(worker: int) -> dict[str, Callable[[], set[int]]]:
    """Whose memory is whose: everything that runs here was started by this process."""
    ours = os.getpid()
    return {
        "worker": lambda: family(worker),
        "ingest": lambda: {ours},
        "servers": lambda: family(ours) - family(worker) - {ours},
    }


Rounds = Sequence[tuple[float, float]]  # seconds of the bare loop, and of ours


def in_turn(here: Site, paths: Sequence[Path], decoder: Decoder, encoder: Encoder, rounds: int) -> Rounds:
    return [(bare_s(paths, decoder, encoder), queue_s(here, paths, encoder.key.model)) for _ in range(rounds)]


def bare_s(paths: Sequence[Path], decoder: Decoder, encoder: Encoder) -> float:
    started = time.perf_counter()
    for _ in embed_files(paths, decoder, encoder):
        pass
    return time.perf_counter() - started


def queue_s(here: Site, paths: Sequence[Path], model: str) -> float:
    """From the first look at the files until the last picture is searchable, in a collection of its own."""
    name = f"round {time.time_ns()}"
    library.create_collection(here.resources, name, model)
    started = time.perf_counter()
    scan.ingest(here.resources, paths, name)
    while progress(here.resources, name).waiting:
        time.sleep(LOOK_S)
    return time.perf_counter() - started


def tiny_pictures(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """JPEGs of noise, no two alike."""
    rng = np.random.default_rng(seed)
    paths = [folder / f"{number // 1000:03}" / f"{number:06}.jpg" for number in range(count)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize((TINY_PX, TINY_PX)).save(path)
    return paths


def database_bytes(here: Site) -> int:
    with here.resources.catalog.read() as session:
        return session.scalar(text("SELECT pg_database_size(current_database())"))


def redis_bytes(here: Site) -> int:
    return redis.Redis.from_url(here.resources.settings.broker).info("memory")["used_memory_peak"]


def _tell_ratio(what: str, pictures: int, rounds: Rounds) -> None:
    bare, ours = (pictures / statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(bare_s / ours_s for bare_s, ours_s in rounds)
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
    print(f"{what}: {ours:.1f} images/s, bare loop {bare:.1f}: {spread} of it")


if __name__ == "__main__":
    main()
