"""Thousands of damaged files: each is a picture in full or refused with its reason, within its time and its memory."""

from pathlib import Path

import numpy as np
import pytest

from app.vision.encoder import Encoder
from tests.conftest import SHARED
from tests.damage.mutations import MUTATIONS, Mutant, mutants
from tests.damage.ordeal import Ordeal, endure
from tests.damage.sources import Source, sources
from tests.vision.processes import LINUX

BUNDLED = "dinoseek_tiny14"
MANY = 10_120  # eight rounds of every mutation of every source, where HEIF is there
MOST_BYTES = 2**30
SAME_COSINE = 0.9999
SAME_LEVELS = 3.0  # of 255, mean over what the network sees: JPEG rounding, a damaged block; no two pictures are near
# none of them for want of time: each kept to its seconds of the processor
CODES = {"damaged", "truncated", "too_large", "not_a_picture", "unsupported_format", "empty", "decoder_memory"}


def spread() -> list[Mutant]:
    """Every third of a round: all mutations and all sources are among them."""
    healthy = sources()
    return list(mutants(healthy, len(healthy) * len(MUTATIONS), seed=1))[::3]


def assert_endured(ordeal: Ordeal) -> None:
    assert not [(mutant.name, str(refusal)) for mutant, refusal in ordeal.refused if refusal.code not in CODES]
    reasons = {str(refusal) for _, refusal in ordeal.refused}
    assert [reason for reason in reasons if not (10 < len(reason) < 250 and reason.isprintable())] == []
    assert ordeal.memory_bytes < MOST_BYTES


def false_duplicates(ordeal: Ordeal, encoder: Encoder) -> list[tuple[str, str, float, float]]:
    """Pairs whose vectors are the same and whose pixels are not: names, cosine, mean difference."""
    seen = [prepared.pixels for _, prepared in ordeal.accepted]
    vectors = np.concatenate([encoder.embed(seen[start : start + 32]) for start in range(0, len(seen), 32)])
    found = []
    for row, vector in enumerate(vectors):
        for other in np.flatnonzero(vectors[:row] @ vector > SAME_COSINE):
            apart = np.abs(seen[row].astype(np.int16) - seen[other]).mean()
            if apart > SAME_LEVELS:
                names = ordeal.accepted[row][0].name, ordeal.accepted[other][0].name
                found.append((*names, float(vectors[other] @ vector), float(apart)))
    return found


@pytest.fixture(scope="module")
def bundled(tmp_path_factory) -> Encoder:
    return Encoder.open(BUNDLED, tmp_path_factory.mktemp("weights"), device="cpu")


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Ordeal:
    with pytest.MonkeyPatch.context() as patch:
        return endure(tmp_path_factory.mktemp("home"), spread(), patch)


def test_the_same_number_gives_the_same_file_for_ever():
    healthy = sources()
    one, other = (list(mutants(healthy, 500, seed=3)) for _ in range(2))
    assert one == other
    assert len({mutant.data for mutant in one}) > 400
    assert [m.data for m in mutants(healthy, 500, seed=4)] != [m.data for m in one]


@LINUX
def test_a_few_of_every_damage_are_pictures_or_refused(few):
    assert {mutant.mutation for mutant, _ in few.accepted + few.refused} == set(MUTATIONS)
    assert {mutant.source.name for mutant, _ in few.accepted + few.refused} == {one.name for one in sources()}
    assert len(few.accepted) > 80
    assert len(few.refused) > 80
    assert_endured(few)


@LINUX
def test_a_few_damaged_files_have_the_same_vector_only_where_they_look_the_same(few, bundled):
    assert false_duplicates(few, bundled) == []


@LINUX
@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_ten_thousand_damaged_files(tmp_path, bundled, monkeypatch):
    ordeal = endure(tmp_path, mutants(sources(), MANY), monkeypatch)
    print(ordeal.told())
    assert_endured(ordeal)
    assert false_duplicates(ordeal, bundled) == []


@LINUX
@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_found_files_that_are_odd_already_damaged_further(tmp_path, monkeypatch):
    """Decoders know other decoders' files less well than Pillow's own. Nothing of them is kept."""
    found = sorted(path for path in (SHARED / "photos" / "weird").rglob("*") if _is_small(path))
    if not found:
        pytest.skip("no shared folder with odd files beside this checkout")
    odd = [Source(path.stem, path.suffix[1:].upper(), path.suffix, path.read_bytes()) for path in found]
    ordeal = endure(tmp_path, mutants(odd, 2 * len(odd) * len(MUTATIONS)), monkeypatch)
    print(ordeal.told())
    assert_endured(ordeal)


def _is_small(path: Path) -> bool:
    return path.is_file() and 16 < path.stat().st_size < 300_000
