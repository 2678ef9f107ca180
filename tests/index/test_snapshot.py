"""Building a generation: what is in it, in what order, from whatever order, in how much memory."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import faiss
import numpy as np
import pytest

from app.errors import AlreadyExists, BadVector
from app.index import building, recipe, snapshot
from app.index.live import LiveIndex
from tests.index.plain import MODEL, make_snapshot, unit_vectors
from tests.memory import peak_bytes


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_the_head_we_write_is_faiss_own(count):
    vectors = unit_vectors(count, 5)
    index = faiss.index_factory(5, "Flat", faiss.METRIC_INNER_PRODUCT)
    index.add(vectors)
    assert building.flat_head(count, 5) + vectors.tobytes() == faiss.serialize_index(index).tobytes()


@pytest.mark.parametrize("count", [0, 1, 1234])
def test_rows_in_any_order_come_back_by_id(tmp_path, count, monkeypatch):
    monkeypatch.setattr(building, "CHUNK_ROWS", 100)  # several chunks
    vectors = unit_vectors(count, 16)
    ids = np.random.default_rng(1).permutation(np.arange(1, count + 1) * 3)
    opened = make_snapshot(tmp_path / "1", ids, vectors)
    assert len(opened) == count
    assert opened.ids.tolist() == sorted(ids.tolist())
    assert (opened.vectors_at(opened.rows_of(ids)) == vectors).all()
    assert opened.rows_of(np.array([1, 2, 4, 10**12])).size == 0  # not there


def test_the_manifest_says_what_was_built(tmp_path):
    ids = np.arange(1, 11)
    built = snapshot.build(tmp_path / "1", [(ids, unit_vectors(10, 8))], dim=8, model_key=MODEL, watermark=99)
    assert built == snapshot.open(tmp_path / "1").manifest
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "1").iterdir()}
    assert {name: facts.bytes for name, facts in built.files.items()} == {
        name: sizes[name] for name in ("vectors.faiss", "ids.npy")
    }
    assert sizes.keys() == {"vectors.faiss", "ids.npy", "manifest.json"}  # no spool left
    assert (built.model_key, built.dim, built.vectors, built.watermark) == (MODEL, 8, 10, 99)
    assert (built.recipe, built.recall_at_10, built.bytes) == ("exact", 1.0, sum(f.bytes for f in built.files.values()))
    assert datetime.now(UTC) - datetime.fromisoformat(built.built_at) < timedelta(minutes=1)
    assert json.loads((tmp_path / "1" / "manifest.json").read_text())["vectors"] == 10


def test_two_builds_of_the_same_rows_have_the_same_files(tmp_path):
    ids, vectors = np.arange(1, 101), unit_vectors(100, 8)
    one = make_snapshot(tmp_path / "1", ids, vectors)
    two = make_snapshot(tmp_path / "2", ids[::-1].copy(), vectors[::-1].copy())
    assert one.manifest.files == two.manifest.files


def build_of_equal_batches(folder: Path, count: int, dim: int) -> None:
    batch = 2_000
    vectors = unit_vectors(batch, dim)
    batches = ((np.arange(start, start + batch)[::-1] + 1, vectors) for start in range(0, count, batch))
    snapshot.build(folder, batches, dim=dim, model_key=MODEL, watermark=0)


def test_a_build_needs_a_few_chunks_of_memory_and_not_all_rows(tmp_path):
    dim, count = 64, 160_000
    peak, _ = peak_bytes(build_of_equal_batches, tmp_path / "1", count, dim)
    assert peak < 0.4 * count * dim * 4


def test_a_generation_is_never_built_over(tmp_path):
    make_snapshot(tmp_path / "1", np.arange(1, 4), unit_vectors(3, 8))
    with pytest.raises(AlreadyExists, match="never changes"):
        snapshot.build(tmp_path / "1", [], dim=8, model_key=MODEL, watermark=0)
    assert len(snapshot.open(tmp_path / "1")) == 3


def test_of_builders_that_race_for_one_name_one_wins_and_the_others_leave_nothing(tmp_path):
    outcomes, together = [], threading.Barrier(6)

    def batches(builder: int):
        together.wait()  # all have begun before any ends
        yield np.arange(1, 4), unit_vectors(3, 8, seed=builder)

    def race(builder: int) -> None:
        try:
            snapshot.build(tmp_path / "1", batches(builder), dim=8, model_key=MODEL, watermark=builder)
            outcomes.append(builder)
        except AlreadyExists:
            outcomes.append(None)

    threads = [threading.Thread(target=race, args=(builder,)) for builder in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [builder for builder in outcomes if builder is not None]
    assert len(outcomes) == 6
    assert snapshot.open(tmp_path / "1").manifest.watermark == winner
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_what_the_callers_rows_raise_passes_untouched_and_leaves_nothing(tmp_path):
    def broken():
        yield np.arange(1, 4), unit_vectors(3, 8)
        raise ConnectionResetError("the database went away")

    with pytest.raises(ConnectionResetError, match="the database went away"):
        snapshot.build(tmp_path / "1", broken(), dim=8, model_key=MODEL, watermark=0)
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_deletes_what_was_left_and_spares_a_running_build(tmp_path):
    (tmp_path / "3.building-dead").mkdir()
    (tmp_path / "3.building-dead" / "spool.f32").write_bytes(b"half")
    swept = []

    def batches():
        swept.extend(snapshot.sweep_leftovers(tmp_path))
        yield np.arange(1, 4), unit_vectors(3, 8)

    snapshot.build(tmp_path / "4", batches(), dim=8, model_key=MODEL, watermark=0)
    assert swept == [tmp_path / "3.building-dead"]
    assert [path.name for path in tmp_path.iterdir()] == ["4"]
    assert snapshot.sweep_leftovers(tmp_path / "nowhere") == []


def test_damaged_generations_are_kept_aside_under_a_free_name(tmp_path):
    for _ in range(2):
        make_snapshot(tmp_path / "1", np.arange(1, 4), unit_vectors(3, 8))
        snapshot.set_aside(tmp_path / "1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.damaged-1", "1.damaged-2"]
    assert len(snapshot.open(tmp_path / "1.damaged-2")) == 3
    assert snapshot.set_aside(tmp_path / "1") is None


def test_a_reader_goes_on_when_its_generation_is_set_aside_or_deleted(tmp_path):
    vectors = unit_vectors(2000, 8)
    index = LiveIndex(8, make_snapshot(tmp_path / "1", np.arange(1, 2001), vectors))
    aside = snapshot.set_aside(tmp_path / "1")
    for path in aside.iterdir():
        path.unlink()
    assert index.search(vectors[:1], 1)[0][0].image_id == 1


def test_a_snapshot_of_another_dimension_is_refused(tmp_path):
    opened = make_snapshot(tmp_path / "1", np.arange(1, 4), unit_vectors(3, 8))
    with pytest.raises(BadVector, match="8 dimensions, this index 16"):
        LiveIndex(16, opened)


@pytest.mark.parametrize(
    ("count", "memory_bytes", "name"),
    [
        (0, 0, "exact"),
        (87_000, 0, "exact"),
        (88_000, 2**32, "cells-8bit"),
        (10_000_000, 2**32, "cells-8bit"),
        (12_000_000, 2**32, "cells-2bit"),
        (10**9, 2**32, "cells-2bit"),
    ],
)
def test_the_recipe_follows_size_and_memory(count, memory_bytes, name):
    assert recipe.choose(count, 384, memory_bytes).name == name


def test_what_is_asked_for_many_vectors_at_once_is_scanned_while_it_is_so_many_times_smaller():
    assert [recipe.choose(count, 384, asks=8).name for count in (10_900, 11_000)] == ["exact", "cells-8bit"]
