"""Ten thousand damaged files through the real program: every one is accounted for, and its worker never falls."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.catalog import collections, embeddings
from app.catalog.models import Image, Location, Worker
from app.catalog.states import ImageStatus
from app.encoders import Encoders
from app.resources import Resources, open_resources
from app.vision.decoder import Decoder
from tests.conftest import make_settings
from tests.damage.mutations import mutants
from tests.damage.sources import sources
from tests.damage.test_decoding import BUNDLED, MANY, MOST_BYTES
from tests.program import Program
from tests.vision.processes import LINUX, decode_children_of, peak_memory_bytes, resident_bytes
from tests.workshop import COLLECTION

HEALTHY_EVERY = 20  # one whole picture among so many
SKIPPED = 2  # what lies beside photos and is none
LOOK_S = 0.25
ROUNDING = 2e-6  # sums of a batch come in another order than those of one picture
FLAT_BYTES = 150 * 2**20  # a worker that leaked a picture of ten thousand would grow by more


@dataclass
class Watch(threading.Thread):
    """Looks at the worker and its decode children until told to stop."""

    resources: Resources
    stop: threading.Event = field(default_factory=threading.Event)
    names: set[tuple[str, int]] = field(default_factory=set)  # of workers, with their process numbers
    worker_bytes: list[int] = field(default_factory=list)
    rest_bytes: dict[int, int] = field(default_factory=dict)  # of each child, when first seen
    child_bytes: int = 0  # the most over it

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        while not self.stop.wait(LOOK_S):
            with self.resources.catalog.read() as session:
                found = {(row.name, row.pid) for row in session.execute(select(Worker.name, Worker.pid))}
            self.names |= found
            for _, pid in found:
                self._look_at(pid)

    def _look_at(self, pid: int) -> None:
        try:
            self.worker_bytes.append(resident_bytes(pid))
            for child in decode_children_of(pid):
                peak = peak_memory_bytes(child)
                self.child_bytes = max(self.child_bytes, peak - self.rest_bytes.setdefault(child, peak))
        except (FileNotFoundError, ProcessLookupError, TypeError):  # one that is just ending
            return


def write_all(folder: Path, count: int) -> tuple[int, dict[Path, bytes]]:
    """The damaged files with whole ones among them; how many in all, and the whole ones."""
    folder.mkdir()
    for mutant in mutants(sources(), count):
        mutant.write(folder)
    rounds = range(1, 2 + count // HEALTHY_EVERY // len(sources()))
    whole = [one for number in rounds for one in sources(first=1000 * number)][: count // HEALTHY_EVERY]
    (folder / "list.csv").write_text("file,what\n")
    (folder / "00000-jpeg-cut.jpg.json").write_text("{}")
    healthy = {}
    for number, source in enumerate(whole):
        path = folder / f"{number * HEALTHY_EVERY:05}-whole{source.suffix}"
        path.write_bytes(source.data)
        healthy[path] = source.data
    return count + len(healthy) + SKIPPED, healthy


def endure(tmp_path: Path, count: int, patience_s: float) -> None:
    total, healthy = write_all(tmp_path / "files", count)
    with Program(tmp_path / "home", model=BUNDLED) as program:
        resources = open_resources(make_settings(program.home))
        watch = Watch(resources)
        watch.start()
        ingest = program.start("ingest", tmp_path / "files", "-c", COLLECTION, "--json")
        out, err = ingest.communicate(timeout=patience_s)
        watch.stop.set()
        watch.join()
    assert ingest.returncode == 0, err
    answer = json.loads(out)
    tell(answer, watch)
    assert_all_accounted_for(answer, total)
    assert_nothing_fell(watch, program.home, err)
    assert_searchable_as_if_alone(resources, healthy)
    resources.catalog.dispose()


def assert_all_accounted_for(answer: dict, total: int) -> None:
    counts = [answer[name] for name in ("added", "known", "failed", "skipped")]
    assert answer["seen"] == sum(counts) == total
    assert answer["skipped"] == SKIPPED
    assert min(answer["added"], answer["failed"]) > total / 4
    refused = answer["failures"] + answer["skips"]
    assert len(refused) == answer["failed"] + answer["skipped"]
    assert [row for row in refused if not row["error"] or len(row["reason"]) < 10] == []
    assert [row for row in refused if row["error"] in ("decoder_crashed", "decoder_timeout", "worker_died")] == []


def assert_nothing_fell(watch: Watch, home: Path, said: str) -> None:
    assert len(watch.names) == 1
    log = (home / "logs" / "worker.log").read_text()
    assert "Traceback" not in said + log
    assert "starting it again" not in said
    assert watch.child_bytes < MOST_BYTES
    early, late = np.array_split(watch.worker_bytes, 4)[1::2]
    assert np.median(late) < np.median(early) + FLAT_BYTES


def assert_searchable_as_if_alone(resources: Resources, healthy: dict[Path, bytes]) -> None:
    with resources.catalog.read() as session, Decoder(resources.settings) as decoder:
        key = collections.model_of(session, collections.get(session, COLLECTION))
        encoder = Encoders(resources.settings).of(key)
        rows = session.execute(select(Location.path, Image).join(Image, Image.id == Location.image_id)).all()
        found = {Path(path): image for path, image in rows if Path(path) in healthy}
        assert set(found) == set(healthy)
        assert {image.status for image in found.values()} == {ImageStatus.READY}
        stored = np.array([embeddings.find(session, image.id, key.id) for image in found.values()])
        seen = [decoder.submit(path, preprocessing=key.preprocessing).result().pixels for path in found]
    alone = np.array([encoder.embed([pixels])[0] for pixels in seen])
    print(f"{len(seen)} whole ones, at most {np.abs(stored - alone).max():.1e} from what they are alone")
    assert np.abs(stored - alone).max() < ROUNDING


def tell(answer: dict, watch: Watch) -> None:
    codes: dict[str, int] = {}
    for row in answer["failures"] + answer["skips"]:
        codes[row["error"]] = codes.get(row["error"], 0) + 1
    counts = {name: answer[name] for name in ("seen", "added", "known", "failed", "skipped", "seconds")}
    worker = [
        f"{size / 2**20:.0f}" for size in (watch.worker_bytes[0], max(watch.worker_bytes), watch.worker_bytes[-1])
    ]
    print(f"{counts}, {codes}, worker {worker} MB, children +{watch.child_bytes / 2**20:.0f} MB, {watch.names}")


@LINUX
@pytest.mark.soak
@pytest.mark.timeout(4000)
def test_ten_thousand_damaged_files_do_not_touch_the_service(tmp_path):
    endure(tmp_path, MANY, patience_s=3600)
