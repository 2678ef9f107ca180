"""What lies upon a copy: a label or words on painted scenes, whose soft skies hold a refinement little."""

import PIL.Image
import pytest

from app.alignment import DEFAULT_THRESHOLD, Facts, compare, relations
from app.samples.generate import generate
from tests.alignment.edits import captioned, labelled, noisy, view

SCENES = 12


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> dict[str, PIL.Image.Image]:
    folder = tmp_path_factory.mktemp("scenes")
    generate(folder, SCENES)
    paths = sorted(folder.rglob("*.jpg"))
    assert len(paths) > SCENES / 2
    return {path.name: PIL.Image.open(path).convert("RGB") for path in paths}


def facts(made: PIL.Image.Image) -> Facts:
    return Facts(made.height, made.width, "JPEG", made.width * made.height // 4)


@pytest.mark.parametrize("edit", [labelled, lambda one: captioned(one, 0.03, 0.85)], ids=["a label", "words"])
def test_it_does_not_draw_the_map_towards_itself(scenes, edit):
    for name, picture in scenes.items():
        found = compare(view(picture), view(edit(picture)))
        assert found.score >= DEFAULT_THRESHOLD, name
        assert found.warp == pytest.approx((1, 0, 0, 0, 1, 0), abs=0.02), name


def test_a_small_picture_full_of_grain_is_a_copy(scenes):
    for name, picture in scenes.items():
        small = picture.resize((160, 120), PIL.Image.Resampling.LANCZOS)
        assert compare(view(small), view(noisy(small, 45))).score >= DEFAULT_THRESHOLD, name


@pytest.mark.parametrize("size", [(64, 48), (128, 128)])
def test_edges_that_a_small_copy_lost_are_nothing_laid_upon_it(scenes, size):
    for name, picture in scenes.items():
        tiny = picture.resize(size)
        told = relations(compare(view(picture), view(tiny)), facts(picture), facts(tiny))
        assert "overlaid" not in told, name
