"""The crasher: a home with workers, a log of what was acknowledged, and the proof that each of it is there, once."""

import hashlib
import json
import signal
import subprocess
from pathlib import Path

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import library
from app.catalog import collections, embeddings, regions
from app.catalog.models import Embedding, Image, ModelKey, Worker
from app.catalog.states import ImageStatus
from app.encoders import Encoders
from app.ingest import scan
from app.ingest.progress import progress
from app.patches import OFF, get_detail
from app.resources import open_resources
from app.search.desk import SearchDesk
from app.settings import Settings
from app.vision.decoder import Decoder
from tests.conftest import paint
from tests.program import Program, wait_until
from tests.workshop import COLLECTION

MODEL = "dinoseek_tiny14"  # bundled, and fast: many kills meet many batches
TINY = (96, 72)
SAMPLE = 10  # pictures whose vectors are computed again
MOST_EXACT = 1000  # hits that one question may ask for


class Crasher:
    """Everything goes through real processes; `acknowledged` is what they told us they have."""

    def __init__(self, folder: Path, detail: str = "off", **knobs: object) -> None:
        self.folder = folder
        self.program = Program(folder / "home", model=MODEL, **knobs)
        self.settings = Settings(_env_file=None, home=folder / "home", **{"model": MODEL, **knobs})
        self.resources = open_resources(self.settings)
        library.open_collection(self.resources, COLLECTION, MODEL, detail=detail)  # here: a program loads torch for it
        self.acknowledged: dict[str, Path] = {}  # digest -> file
        self.painted = 0

    def hire(self, count: int = 1, **how) -> list[subprocess.Popen]:
        """Supervised workers, as `dinoseek worker` starts them."""
        log = self.folder / "workers.log"
        return [self.program.start_logged(log, "worker", **how) for _ in range(count)]

    def paint(self, count: int, name: str = "") -> Path:
        """A folder of pictures there were none like before."""
        folder = self.folder / f"pictures{name}{self.painted}"
        for number in range(self.painted, self.painted + count):
            paint(folder / f"{number}.jpg", number, size=TINY)
        self.painted += count
        return folder

    def ingest(self, folder: Path, *options: str) -> dict:
        document = self.program.json("ingest", folder, "-c", COLLECTION, *options)
        self.acknowledge(folder)
        return document

    def record(self, folder: Path) -> None:
        """As `ingest --no-wait`, in this process."""
        scan.ingest(self.resources, [folder], COLLECTION)
        self.acknowledge(folder)

    def keep_busy(self, least: int) -> None:
        """At least so many pictures wait: what is to be met in mid-work meets work."""
        if self.waiting() < least:
            self.record(self.paint(least))

    def start_ingest(self, folder: Path) -> subprocess.Popen:
        return self.program.start("ingest", folder, "-c", COLLECTION, "--json")

    def finish(self, ingest: subprocess.Popen, folder: Path) -> dict:
        """What a waiting `ingest` answered in the end: it must have come through by itself."""
        out, err = ingest.communicate(timeout=900)
        assert ingest.returncode == 0, err
        self.acknowledge(folder)
        return json.loads(out)

    def acknowledge(self, folder: Path) -> None:
        for path in folder.iterdir():
            self.acknowledged[hashlib.sha256(path.read_bytes()).hexdigest()] = path

    def waiting(self) -> int:
        return progress(self.resources, COLLECTION).waiting

    def ready(self) -> int:
        with self.resources.catalog.read() as session:
            return session.scalar(select(func.count()).where(Image.status == ImageStatus.READY))

    def rows(self) -> list[Image]:
        with self.resources.catalog.read() as session:
            return list(session.scalars(select(Image).order_by(Image.id)))

    def workers(self) -> dict[str, int]:
        """Names and process numbers of the workers that run."""
        with self.resources.catalog.read() as session:
            rows = session.execute(select(Worker.name, Worker.pid)).all()
        return {name: pid for name, pid in rows if runs(pid)}

    def troubles(self) -> set[str]:
        with self.resources.catalog.read() as session:
            return set(session.scalars(select(Worker.trouble).where(Worker.trouble.is_not(None))))

    def holders(self) -> list[int]:
        """Process numbers of workers that hold pictures now."""
        with self.resources.catalog.read() as session:
            holds = select(Image.owner).where(Image.status == ImageStatus.WORKING)
            pids = session.scalars(select(Worker.pid).where(Worker.name.in_(holds))).all()
        return [pid for pid in pids if runs(pid)]

    def wait_until_done(self, seconds: float) -> None:
        wait_until(lambda: self.waiting() == 0, "every picture done", seconds)

    def prove(self, refused: frozenset[str] = frozenset()) -> None:
        """All that was acknowledged is searchable, once, with its own vector; but for what must be `refused`."""
        rows = {row.digest: row for row in self.rows()}
        wanted = self.acknowledged.keys() - refused
        assert {d: rows[d].reason for d in wanted if rows[d].status is not ImageStatus.READY} == {}, "lost"
        assert {rows[d].status for d in refused} <= {ImageStatus.FAILED}
        assert rows.keys() == self.acknowledged.keys(), "rows that nobody asked for"
        self._prove_vectors([rows[digest] for digest in wanted])
        self._prove_search({rows[digest].id for digest in wanted})

    def _prove_vectors(self, rows: list[Image]) -> None:
        with self.resources.catalog.read() as session:
            held = session.scalars(select(Embedding.image_id)).all()
            assert sorted(held) == sorted(row.id for row in rows), "a vector too many, or too few"
            key = collections.model_of(session, collections.get(session, COLLECTION))
            stored = {row.digest: embeddings.find(session, row.id, key.id) for row in rows[:: len(rows) // SAMPLE or 1]}
            self._prove_details(session, key, {row.id: row.digest for row in rows})
        encoder = Encoders(self.settings).of(key)
        with Decoder(self.settings) as decoder:
            for digest, vector in stored.items():
                seen = decoder.submit(self.acknowledged[digest], preprocessing=encoder.key.preprocessing).result()
                np.testing.assert_allclose(vector, encoder.embed([seen.pixels])[0], atol=1e-4)

    def _prove_details(self, session: Session, key: ModelKey, digests: dict[int, str]) -> None:
        """Where the key has detail each picture has its regions and its local descriptors; else none has."""
        wanted = {} if get_detail(key.detail) == OFF else digests
        found = regions.parts_of(session, list(digests), key.id)
        assert {len(parts.vectors) for parts in found.values()} <= {len(get_detail(key.detail).windows)}
        assert found.keys() == wanted.keys()
        kept = self.resources.storage.find_patches(key.folder, digests.values())
        assert kept.keys() == set(wanted.values())

    def _prove_search(self, ids: set[int]) -> None:
        """As many hits as one may ask for: each is a picture of ours, and comes once."""
        k = min(len(ids), MOST_EXACT)
        with Decoder(self.settings) as decoder:
            desk = SearchDesk(self.resources, decoder)
            hits = desk.by_file(COLLECTION, next(iter(self.acknowledged.values())), k=k).hits
        found = [hit.image_id for hit in hits]
        assert len(set(found)) == len(found) == k
        assert set(found) <= ids
        assert {facts.ready for facts in library.collections(self.resources)} == {len(ids)}

    def close(self) -> None:
        self.program.close()
        self.resources.catalog.dispose()


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """Of all its threads: a supervisor starts its worker in one."""
    try:
        told = [thread.read_text() for thread in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for child in " ".join(told).split()]


def stop(process: subprocess.Popen, seconds: float = 60) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=seconds)


def report(**figures: object) -> None:
    """Seen with `pytest -s`: the figures a person asks for."""
    print("\nFIGURES", json.dumps(figures, default=str), flush=True)
