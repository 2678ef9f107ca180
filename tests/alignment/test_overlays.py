"""What lies upon a copy: a label or words on painted scenes, whose soft skies hold a refinement little."""

from pathlib import Path

import PIL.Image
import pytest

from app.alignment import DEFAULT_THRESHOLD, compare
from app.samples.generate import generate
from tests.alignment.edits import captioned, labelled, view

SCENES = 12


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("scenes")
    generate(folder, SCENES)
    return sorted(folder.rglob("*.jpg"))


@pytest.mark.parametrize("edit", [labelled, lambda one: captioned(one, 0.03, 0.85)], ids=["a label", "words"])
def test_it_does_not_draw_the_map_towards_itself(scenes, edit):
    assert len(scenes) > SCENES / 2
    for path in scenes:
        with PIL.Image.open(path) as opened:
            picture = opened.convert("RGB")
        found = compare(view(picture), view(edit(picture)))
        assert found.score >= DEFAULT_THRESHOLD, path.name
        assert found.warp == pytest.approx((1, 0, 0, 0, 1, 0), abs=0.02), path.name
