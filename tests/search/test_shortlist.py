"""Of many pictures those are looked at closely whose windows are most alike, and those in which keypoints vote."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from app.search.shortlist import BY_WINDOWS, LONGEST, Shortlist, closest
from app.search.voices import Voice
from tests.patches.made import BARE, keypoints, moved, query_of

KEY = SimpleNamespace(folder="a-key")  # only its folder is asked for
COUNT, LAST = 150, 149


@pytest.fixture
def listed() -> Shortlist:
    rows = [SimpleNamespace(digest=f"{number:064x}") for number in range(COUNT)]
    return Shortlist(rows, np.zeros((COUNT, 9, 4), np.float32))


def voice(points) -> Voice:
    return Voice(np.zeros((1, 4), np.float32), False, query_of(points))


def test_the_last_by_windows_is_looked_at_where_its_keypoints_vote_and_the_first_always(resources, listed):
    thing = keypoints(60, 1)
    kept = [replace(BARE, keypoints=keypoints(80, 50 + number)) for number in range(COUNT)]
    kept[LAST] = replace(BARE, keypoints=moved(thing, 0.3, 4 + 5j, 2))
    resources.storage.keep_patches(KEY.folder, {f"{n:064x}": local.to_bytes() for n, local in enumerate(kept)})
    chosen, candidates = closest(listed, [voice(thing)], resources.storage, KEY)
    numbers = [int(row.digest, 16) for row in chosen.rows]
    assert len(numbers) == len(candidates) == len(chosen.vectors) == LONGEST
    assert numbers[:BY_WINDOWS] == list(range(BY_WINDOWS))
    assert numbers == sorted(numbers)
    assert numbers[-1] == LAST
    np.testing.assert_array_equal(
        candidates.local(LONGEST - 1).keypoints.features > 0, kept[LAST].keypoints.features > 0
    )


def test_lost_and_damaged_files_vote_for_nothing_and_harm_no_other(resources, listed):
    thing = keypoints(60, 1)
    whole = replace(BARE, keypoints=moved(thing, 0.3, 4 + 5j, 2)).to_bytes()
    resources.storage.keep_patches(KEY.folder, {f"{LAST:064x}": whole, f"{LAST - 1:064x}": whole[:-3]})
    chosen, candidates = closest(listed, [voice(thing)], resources.storage, KEY)
    numbers = [int(row.digest, 16) for row in chosen.rows]
    assert LAST in numbers
    assert candidates.keypoints.counts.sum() == candidates.keypoints.counts[numbers.index(LAST)] > 0
