"""Bad vectors and ids are refused at every door, asserts or not."""

import subprocess
import sys

import numpy as np
import pytest

from app.errors import BadVector, InvalidInput
from app.index import snapshot
from app.index.live import LiveIndex
from app.index.vectors import check_ids, check_vectors
from tests.index.plain import MODEL, unit_vectors


def spoilt(row: int, value: float) -> np.ndarray:
    vectors = unit_vectors(4, 8)
    vectors[row, 3] = value
    return vectors


BAD = {
    "a NaN": (spoilt(2, np.nan), "row 2 .*not finite"),
    "an infinity": (spoilt(1, np.inf), "row 1 .*not finite"),
    "a huge number": (spoilt(3, 3e38), "row 3 .*has length 3e\\+38"),
    "a zero vector": (unit_vectors(4, 8) * np.float32([[1], [0], [1], [1]]), "row 1 .*has length 0,"),
    "a length of 1.002": (unit_vectors(4, 8) * np.float32(1.002), "row 0 .*has length 1.002"),
    "another dimension": (unit_vectors(4, 9), r"shape \(4, 9\), this index takes \(N, 8\)"),
    "one flat row": (unit_vectors(1, 8)[0], r"shape \(8,\)"),
    "doubles": (unit_vectors(4, 8).astype(np.float64), "float64"),
    "other byte order": (unit_vectors(4, 8).astype(">f4"), ">f4"),
    "a list": (unit_vectors(4, 8).tolist(), "list"),
}


@pytest.mark.parametrize(("vectors", "reason"), BAD.values(), ids=BAD.keys())
def test_bad_vectors_are_refused_on_build_absorb_and_query_with_row_and_reason(tmp_path, vectors, reason):
    index = LiveIndex(8)
    ids = np.arange(1, len(vectors) + 1)
    with pytest.raises(BadVector, match=reason):
        snapshot.build(tmp_path / "1", [(ids, vectors)], dim=8, model_key=MODEL, watermark=0)
    with pytest.raises(BadVector, match=reason):
        index.absorb(ids, vectors)
    with pytest.raises(BadVector, match=reason):
        index.search(vectors, 3)
    assert list(tmp_path.iterdir()) == []
    assert index.vectors == 0


def test_a_bad_row_is_named_by_its_image_too():
    with pytest.raises(BadVector, match=r"row 2 \(image 30\)"):
        LiveIndex(8).absorb(np.array([10, 20, 30, 40]), spoilt(2, np.nan))


def test_half_precision_is_near_enough_to_length_1():
    halves = unit_vectors(500, 384).astype(np.float16).astype(np.float32)
    assert check_vectors(halves, 384) is halves


def test_a_strided_view_comes_back_contiguous_and_equal():
    view = unit_vectors(6, 8)[::2]
    assert check_vectors(view, 8).flags.c_contiguous
    assert (check_vectors(view, 8) == view).all()


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ([1, 2, 0], "id 0 is not above 0"),
        ([1, -7, 3], "id -7 is not above 0"),
        ([5, 9, 5], "id 5 comes more than once"),
        ([1, 2], r"shape \(2,\) for 3 vectors"),
        ([1.0, 2.0, 3.0], "float64"),
        ([True, False, True], "bool"),
        ([[1, 2, 3]], r"\(1, 3\)"),
        (np.array([2**63, 1, 2], np.uint64), "is not above 0"),
    ],
)
def test_bad_ids_are_refused(ids, reason):
    with pytest.raises(InvalidInput, match=reason):
        check_ids(ids, 3)


def test_an_id_repeated_in_another_batch_is_refused(tmp_path):
    batches = [(np.array([1, 2]), unit_vectors(2, 8)), (np.array([3, 2]), unit_vectors(2, 8))]
    with pytest.raises(InvalidInput, match="id 2 comes more than once"):
        snapshot.build(tmp_path / "1", batches, dim=8, model_key=MODEL, watermark=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_1_is_refused(k):
    with pytest.raises(InvalidInput, match=f"k is {k}"):
        LiveIndex(8).search(unit_vectors(1, 8), k)


OPTIMISED = """
import pathlib, sys
from app.errors import BadVector
from app.index import snapshot
from app.index.live import LiveIndex
from tests.index.test_gate import BAD, MODEL
from tests.index.plain import make_snapshot, unit_vectors
import numpy as np
folder, refused = pathlib.Path(sys.argv[1]), 0
index = LiveIndex(8, make_snapshot(folder / "good", np.arange(1, 51), unit_vectors(50, 8)))
for vectors, _ in BAD.values():
    ids = np.arange(1, len(vectors) + 1)
    for act in (
        lambda: snapshot.build(folder / "bad", [(ids, vectors)], dim=8, model_key=MODEL, watermark=0),
        lambda: index.absorb(ids, vectors),
        lambda: index.search(vectors, 3),
    ):
        try:
            act()
        except BadVector:
            refused += 1
print(__debug__, refused, index.vectors, sorted(path.name for path in folder.iterdir()))
"""


def test_all_of_it_is_refused_under_python_minus_o_too(tmp_path):
    command = [sys.executable, "-O", "-c", OPTIMISED, str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.strip() == f"False {3 * len(BAD)} 50 ['good']"
