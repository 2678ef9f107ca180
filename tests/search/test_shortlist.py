"""Of many pictures those are looked at closely whose windows are most alike, and those in which keypoints vote."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from app.catalog import collections, embeddings, regions
from app.patches import get_detail
from app.patches.basis import unit
from app.search.refresh import Readers
from app.search.shortlist import BY_WINDOWS, LONGEST, Shortlist, closest, shortlist
from app.search.voices import Voice
from tests.patches.made import BARE, keypoints, moved, query_of
from tests.rows import fill_rows, random_units

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


DIM, IMAGES, DETAIL = 24, 40, get_detail("light")


def asked(session, resources, looks: np.ndarray, *others: np.ndarray, allowed=None, without=()) -> list[int]:
    """Ids of what is listed for one example of these looks, and others, in order."""
    collection = collections.get(session, "photos")
    key = collections.model_of(session, collection)
    voices = [Voice(each, False, query_of(keypoints(5, 1))) for each in (looks, *others)]
    found = shortlist(session, Readers(resources), collection, key, DETAIL, voices, allowed, without)
    assert found.vectors.shape == (len(found.rows), len(DETAIL.windows) + 1, DIM)
    return [row.id for row in found.rows]


def likeness_of_all(session, look: np.ndarray) -> dict[int, float]:
    """Of each image, that of the nearest of its windows and of the whole."""
    collection = collections.get(session, "photos")
    parts = regions.parts_of(session, range(1, IMAGES + 1), collection.model_key_id)
    ids, wholes = embeddings.of(session, range(1, IMAGES + 1), collection.model_key_id)
    return {
        image_id: max(whole @ look, (parts[image_id].vectors @ look).max())
        for image_id, whole in zip(ids.tolist(), wholes, strict=True)
    }


@pytest.mark.parametrize("glanced", [5, 1000])
def test_of_what_is_near_a_look_the_nearest_are_read_and_come_first(resources, monkeypatch, glanced):
    monkeypatch.setattr("app.search.shortlist.GLANCED", glanced)
    fill_rows(resources, IMAGES, DIM, detail="light")
    look = random_units(np.random.default_rng(7), 1, DIM)
    with resources.catalog.read() as session:
        alike = likeness_of_all(session, look[0])
        best = sorted(alike, key=alike.get, reverse=True)
        assert asked(session, resources, look) == best[:glanced]
        others = [image_id for image_id in best if image_id not in best[:2]]
        assert asked(session, resources, look, without=best[:2]) == others[:glanced]
        few = np.array(sorted(others[3:9]))
        assert asked(session, resources, look, allowed=few, without=best[:2]) == others[3:9][:glanced]


def test_each_of_several_looks_names_what_is_near_it(resources, monkeypatch):
    """A thing turned lies near another look than the first."""
    monkeypatch.setattr("app.search.shortlist.ASKED_OF_A_PART", 1)
    fill_rows(resources, IMAGES, DIM, detail="light")
    with resources.catalog.read() as session:
        collection = collections.get(session, "photos")
        parts = regions.parts_of(session, [3, 17, 29], collection.model_key_id)
        looks = np.stack([parts[image_id].vectors[2] for image_id in (3, 17, 29)])
        assert {3, 17, 29} <= set(asked(session, resources, looks)) and len(asked(session, resources, looks)) <= 4


def test_no_example_crowds_out_what_another_is_nearest_to(resources, monkeypatch):
    """One is like many pictures, the other like one, and less so."""
    monkeypatch.setattr("app.search.shortlist.GLANCED", 6)
    fill_rows(resources, IMAGES, DIM, detail="light")
    with resources.catalog.read() as session:
        collection = collections.get(session, "photos")
        parts = regions.parts_of(session, range(1, IMAGES + 1), collection.model_key_id)
        common = unit(np.sum([parts[image_id].vectors[0] for image_id in range(1, 11)], axis=0, keepdims=True))
        rare = unit(parts[37].vectors[:1] + 3.0 * random_units(np.random.default_rng(3), 1, DIM))
        alike = likeness_of_all(session, rare[0])
        first = max(alike, key=alike.get)
        others = likeness_of_all(session, common[0])
        assert sorted(others, key=others.get).index(first) < IMAGES - 6  # not what the common one would bring
        found = asked(session, resources, common, rare)
        assert len(found) == 6
        assert first in found
