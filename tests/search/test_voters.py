"""Of a collection that is not too large all pictures vote on a part, whatever their windows look like."""

from dataclasses import replace

import numpy as np
import pytest

from app.catalog import collections, images
from app.catalog.models import Image
from app.resources import Resources, open_resources
from app.search import voters
from app.search.voices import Voice
from app.search.voters import Voters
from tests.conftest import make_settings
from tests.patches.made import BARE, keypoints, moved, query_of
from tests.rows import fill_rows

DIM, COUNT, RIGHT = 24, 30, 17  # images 1 to COUNT
THING = keypoints(60, 1)
VOICES = [Voice(np.zeros((1, DIM), np.float32), False, query_of(THING))]


def described(resources: Resources, *image_ids: int, right: int = RIGHT) -> None:
    """Files of local descriptors; the right one shows the thing."""
    own = {one: replace(BARE, keypoints=keypoints(80, 50 + one)) for one in image_ids}
    if right in own:
        own[right] = replace(BARE, keypoints=moved(THING, 0.3, 4 + 5j, 2))
    with resources.catalog.read() as session:
        key = collections.model_of(session, collections.get(session, "photos"))
        digests = {one: session.get_one(Image, one).digest for one in image_ids}
    resources.storage.keep_patches(key.folder, {digests[one]: local.to_bytes() for one, local in own.items()})


@pytest.fixture
def filled(resources) -> Resources:
    fill_rows(resources, COUNT, DIM, detail="light")
    described(resources, *range(1, COUNT + 1))
    return resources


def roll(resources: Resources, asked: Voters) -> voters.Roll | None:
    with resources.catalog.read() as session:
        collection = collections.get(session, "photos")
        return asked.roll(session, collection, collections.model_of(session, collection))


def elected(resources: Resources, asked: Voters, *without: int, first=()) -> list[int]:
    now = roll(resources, asked)
    return asked.elect(now, VOICES, ~np.isin(now.ids, without), first)


def test_the_one_that_shows_the_thing_is_elected_first_and_what_may_not_be_found_is_not(filled):
    asked = Voters(filled.storage)
    found = elected(filled, asked)
    assert found[0] == RIGHT
    assert len(found) == len(set(found)) <= COUNT
    assert RIGHT not in elected(filled, asked, RIGHT)
    assert elected(filled, asked, RIGHT) == found[1:]


def test_those_that_come_vote_and_those_that_go_do_not(filled):
    asked = Voters(filled.storage)
    assert elected(filled, asked)[0] == RIGHT
    assert roll(filled, asked) is roll(filled, asked)  # nothing changed: nobody is counted again
    with filled.catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, RIGHT))
    assert RIGHT not in elected(filled, asked)
    later = fill_rows(filled, 5, DIM, seed=1, detail="light").tolist()
    described(filled, *later, right=later[2])
    assert elected(filled, asked)[0] == later[2]
    with filled.catalog.begin() as session:
        images.bring_back(session, 1, [RIGHT])
    assert set(elected(filled, asked)[:2]) == {RIGHT, later[2]}


def test_one_whose_file_is_lost_does_not_vote_until_it_is_made_again(filled, monkeypatch):
    now = roll(filled, Voters(filled.storage))
    path = filled.storage.patches(now.key.folder, now.digests[RIGHT])
    kept = path.read_bytes()
    for damaged in (None, kept[:-3]):
        path.unlink() if damaged is None else path.write_bytes(damaged)
        asked = Voters(filled.storage)
        assert RIGHT not in elected(filled, asked)
        path.write_bytes(kept)
        assert RIGHT not in elected(filled, asked)  # it is not looked for with every search
        monkeypatch.setattr(voters, "PATIENCE_S", 0.0)
        assert elected(filled, asked)[0] == RIGHT
        monkeypatch.undo()


def test_too_many_do_not_vote(resources, monkeypatch):
    fill_rows(resources, 4, DIM, detail="light")
    assert roll(resources, Voters(resources.storage)) is not None
    monkeypatch.setattr(voters, "EVERYONE", 3)
    assert roll(resources, Voters(resources.storage)) is None


def test_collections_from_before_keypoints_do_not_vote(resources):
    fill_rows(resources, 4, DIM, detail="light-v1")
    assert roll(resources, Voters(resources.storage)) is None


def test_what_went_is_let_go_and_other_collections_are_forgotten(filled, monkeypatch):
    asked = Voters(filled.storage)
    elected(filled, asked)
    with filled.catalog.begin() as session:
        for one in range(1, COUNT - 5):
            images.hide_gone(session, session.get_one(Image, one))
    elected(filled, asked)
    (held,) = asked._held.values()
    assert held.words.count == 6
    monkeypatch.setattr(voters, "COLLECTIONS", 0)
    elected(filled, asked)
    assert not asked._held


def test_what_takes_long_to_bring_is_left_to_the_next_searches_those_that_look_alike_come_first(tmp_path, monkeypatch):
    knobs = {"database_url": f"sqlite:///{tmp_path / 'shared.db'}", "storage_url": f"file://{tmp_path / 'share'}"}
    (tmp_path / "share").mkdir()
    here, there = (open_resources(make_settings(tmp_path / name, **knobs)) for name in ("here", "there"))
    fill_rows(here, COUNT, DIM, detail="light")
    described(here, *range(1, COUNT + 1))
    monkeypatch.setattr(voters, "PORTION", 10)
    monkeypatch.setattr(voters, "BUDGET_S", 0.0)
    asked = Voters(there.storage)
    assert elected(there, asked, first=[RIGHT, 99])[0] == RIGHT
    (held,) = asked._held.values()
    assert held.words.count == 10
    assert elected(there, asked)[0] == RIGHT
    assert held.words.count == 20
    restarted = Voters(there.storage)
    monkeypatch.setattr(voters, "PORTION", 20)
    elected(there, restarted, first=[COUNT])  # still in the store alone
    (again,) = restarted._held.values()
    assert again.numbers.keys() == held.numbers.keys()  # what is here comes before what is not
    here.catalog.dispose()
    there.catalog.dispose()
