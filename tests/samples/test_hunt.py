"""Hunts: the plan keeps to its ranges, and the truth tells what the pictures show."""

import hashlib
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from app.errors import InvalidInput
from app.samples import hunt
from app.samples.hunt.plan import plan
from app.samples.hunt.staging import staged
from app.samples.hunt.wares import KINDS, Ware
from app.samples.paint import sighting_of

SIDE_PX = 224


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hunt")
    return folder, hunt.generate(folder, things=3, pictures=5, seed=3, side_px=SIDE_PX)


@pytest.fixture(scope="module")
def large():
    return plan(300, 600, 2026, SIDE_PX)


def digests(folder):
    paths = sorted(path for path in folder.rglob("*") if path.suffix == ".jpg")
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_hunt_has_the_same_bytes_and_a_smaller_one_is_part_of_it(painted, tmp_path):
    folder, whole = painted
    part = hunt.generate(tmp_path, things=2, pictures=3, seed=3, side_px=SIDE_PX)
    assert digests(tmp_path).items() <= digests(folder).items()
    assert part.questions == whole.questions[:2]


def test_the_truth_tells_of_every_picture_and_is_read_back_as_it_was_returned(painted):
    folder, truth = painted
    assert {*truth.pictures, *(question.picture for question in truth.questions)} == set(digests(folder))
    assert hunt.load(folder) == truth
    assert hunt.load(folder / "pictures") is None


def test_every_picture_has_the_longer_side_that_was_asked_for(painted):
    folder, _ = painted
    assert {max(PIL.Image.open(folder / path).size) for path in digests(folder)} == {SIDE_PX}


@pytest.mark.parametrize("number", [1, 2, 5, 8, 10])  # kinds whose every edge has a colour of their design
def test_the_box_holds_what_is_to_be_seen_of_the_thing(number):
    """Painted once more in other colours, a picture differs just there."""
    stage = plan(11, 11, 11, SIDE_PX).finds[number]
    design = stage.hero.design
    recoloured = replace(design, palette="brick" if design.palette == "night" else "night")
    one, other = staged(stage), staged(replace(stage, hero=Ware(stage.hero.kind, recoloured)))
    rows, columns = np.nonzero(np.abs(one.pixels - other.pixels).max(axis=-1) > 0.01)
    differs = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    box = np.array(sighting_of(one, one.placed[0]).box) * ((one.width, one.height) * 2)
    assert np.abs(np.array(differs) - box).max() <= 0.02 * SIDE_PX


def test_things_are_as_large_and_as_hidden_as_planned():
    for stage in plan(12, 12, 5, SIDE_PX).finds:
        canvas = staged(stage)
        hero = canvas.placed[0]
        assert 1 - hero.visible.sum() / hero.whole == pytest.approx(stage.hidden_share, abs=0.02)
        share = hero.whole / (canvas.height * canvas.width)
        assert share == pytest.approx(stage.share, rel=0.05) or _touches(canvas, hero)


def _touches(canvas, hero):
    """It is shown as large as the picture holds."""
    return max(hero.visible.shape[0] / canvas.height, hero.visible.shape[1] / canvas.width) > 0.95


def test_finds_are_spread_over_the_ranges_that_the_plan_names(large):
    shares, turns, hidden = (
        np.array([getattr(stage, name) for stage in large.finds]) for name in ("share", "turn_degrees", "hidden_share")
    )
    assert (shares.min() >= 0.05, shares.max() <= 0.40, hidden.max() <= 0.35) == (True, True, True)
    assert (np.mean(shares < 0.1) > 0.15, np.mean(shares > 0.25) > 0.2) == (True, True)
    assert 0.05 < np.mean(np.abs(turns) > 45) < 0.15
    assert np.abs(turns).max() <= 90
    assert 0.4 < np.mean(hidden >= 0.05) < 0.6


def test_what_is_asked_for_hides_in_one_picture_alone(large):
    hunted = [stage.hero for stage in large.finds]
    assert [stage.hero for stage in large.questions] == hunted
    assert len(set(hunted)) == len(hunted)
    others = {ware for stage in (*large.finds, *large.decoys) for ware in stage.others}
    assert not set(hunted) & (others | {stage.hero for stage in large.decoys})


def test_look_alikes_are_of_the_same_kind_and_share_colours_or_print(large):
    assert {stage.hero.kind for stage in large.finds} == set(KINDS)
    for stage in large.finds:
        one, other = (ware.design for ware in stage.others)
        mine = stage.hero.design
        assert {ware.kind for ware in stage.others} == {stage.hero.kind}
        assert (one.palette == mine.palette, one.print == mine.print) == (True, False)
        assert (other.palette == mine.palette, other.print == mine.print) == (False, True)
        assert mine.words not in (one.words, other.words)


def test_a_question_is_drawn_around_the_thing_with_a_little_room(painted):
    _, truth = painted
    stages = {stage.path: stage for stage in plan(3, 5, 3, SIDE_PX).questions}
    for question in truth.questions:
        canvas = staged(stages[question.picture])
        x0, y0, x1, y1 = sighting_of(canvas, canvas.placed[0]).box
        room = np.array([x0, y0, -x1, -y1]) - np.array(question.box) * (1, 1, -1, -1)
        assert (room >= -1e-4).all()
        assert (room <= 0.061 * np.array([x1 - x0, y1 - y0] * 2)).all()


@pytest.mark.parametrize(("things", "pictures"), [(0, 4), (3, 2)])
def test_a_hunt_of_nothing_is_refused(things, pictures, tmp_path):
    with pytest.raises(InvalidInput, match="in as many pictures or more"):
        hunt.generate(tmp_path, things=things, pictures=pictures)
