"""The plan alone: what an album will hold, without painting it."""

from collections import Counter

from app.samples import cast
from app.samples.edits import EDITS
from app.samples.palettes import LANDS, LIGHTS
from app.samples.plan import Copy, Shot, plan, recipe
from app.samples.scenes import ROUND, SCENES
from app.samples.weather import WEATHER

ALBUM = plan(300, seed=2026)
SHOTS = [entry for entry in ALBUM if isinstance(entry, Shot)]
COPIES = [entry for entry in ALBUM if isinstance(entry, Copy)]


def test_every_object_is_in_at_least_three_pictures_of_the_whole_album():
    seen = Counter(name for shot in SHOTS for name in shot.things)
    assert set(seen) == set(cast.CAST)
    assert min(seen.values()) >= 3, seen.most_common()[-5:]


def test_a_dozen_pictures_already_repeat_objects_and_hold_copies():
    dozen = plan(12, seed=2026)
    seen = Counter(name for entry in dozen if isinstance(entry, Shot) for name in entry.things)
    assert sum(times >= 2 for times in seen.values()) >= 3
    assert sum(isinstance(entry, Copy) for entry in dozen) == 2


def test_a_smaller_album_is_the_beginning_of_a_larger_one():
    assert plan(40, seed=7) == plan(90, seed=7)[:40]


def test_another_seed_makes_another_album():
    assert plan(10, seed=1) != plan(10, seed=2)


def test_no_two_files_share_a_name():
    assert len({entry.path.lower() for entry in ALBUM}) == len(ALBUM)


def test_recipes_tell_every_file_apart():
    assert len({recipe(entry) for entry in ALBUM}) == len(ALBUM)


def test_forty_to_sixty_files_are_copies_and_every_edit_occurs_three_times():
    assert 40 <= len(COPIES) <= 60
    edits = Counter(copy.edit for copy in COPIES)
    assert set(edits) == set(EDITS)
    assert min(edits.values()) >= 3


def test_some_originals_have_several_copies():
    assert max(Counter(copy.original.path for copy in COPIES).values()) >= 3


def test_a_copy_comes_after_its_original():
    position = {entry.path: index for index, entry in enumerate(ALBUM)}
    assert all(position[copy.original.path] < position[copy.path] for copy in COPIES)


def test_pictures_vary_in_shape_format_and_time():
    assert {shot.path.rsplit(".")[-1] for shot in SHOTS} == {"jpg", "png", "webp"}
    assert any(shot.width_px > 2 * shot.height_px for shot in SHOTS)
    assert any(shot.height_px > shot.width_px for shot in SHOTS)
    assert all(600 <= max(shot.height_px, shot.width_px) <= 1600 for shot in SHOTS)
    assert SHOTS[-1].taken_at.year - SHOTS[0].taken_at.year >= 2


def test_scenes_name_only_lights_lands_weathers_and_habitats_that_exist():
    habitats = {thing.habitat for thing in cast.CAST.values()}
    for scene in SCENES.values():
        assert set(scene.lights) <= set(LIGHTS), scene.name
        assert set(scene.lands) <= set(LANDS), scene.name
        assert set(scene.weathers) <= set(WEATHER), scene.name
        assert {habitat for habitat, _, _ in scene.slots} <= habitats, scene.name


def test_every_scene_is_part_of_a_round():
    assert set(ROUND) == set(SCENES)
