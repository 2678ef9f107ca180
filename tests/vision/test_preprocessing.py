"""How each mode lays a picture before the network: geometry by hand, Hugging Face's crop to the byte."""

import math
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from app.errors import InvalidInput, NotFound
from app.vision import pixels
from app.vision.colour import BACKGROUND
from app.vision.preprocessing import DEFAULT, PREPROCESSINGS, at_side, get_preprocessing

NAMES = [row.name for row in PREPROCESSINGS]
GOLDEN = ("h300w400", "h640w427", "h97w1000", "h225w225", "h518w518", "h50w60")
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SIZES = ((3000, 4000), (4000, 3000), (1, 1), (1, 9000), (9000, 1), (97, 1000), (1080, 1920), (500, 501))


def placed(name: str, *size: int) -> tuple:
    return tuple(get_preprocessing(name).place(size))


def test_names_are_unique_the_default_is_known_and_another_lists_them():
    assert len(set(NAMES)) == len(NAMES)
    assert get_preprocessing(DEFAULT).name == DEFAULT
    with pytest.raises(NotFound, match=f"no preprocessing is called 'stretch': choose one of {NAMES[0]}, "):
        get_preprocessing("stretch")


@pytest.mark.parametrize("name", NAMES)
def test_the_page_on_models_has_a_row_for_every_name(name):
    assert f"\n| `{name}` |" in (Path(__file__).parents[2] / "docs" / "models.md").read_text()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_every_shape_gives_a_canvas_the_network_takes_and_its_transpose_the_transposed(name, size):
    placement, turned = get_preprocessing(name).place(size), get_preprocessing(name).place(size[::-1])
    assert get_preprocessing(name).allows(placement.canvas)
    assert (turned.resized, turned.canvas) == (placement.resized[::-1], placement.canvas[::-1])
    assert (turned.top, turned.left) == (placement.left, placement.top)
    assert max(placement.resized) <= 16 * 256


@pytest.mark.parametrize("canvas", [(0, 14), (-14, -14), (7, 14), (224, 225), (224, 238), (14, 14 * 257)])
def test_a_canvas_that_is_none_of_its_own_is_not_allowed(canvas):
    assert not get_preprocessing("grid224-v1").allows(canvas)


def test_pad_keeps_the_aspect_in_the_middle_of_the_background():
    assert placed("pad224-v1", 300, 600) == ((112, 224), (224, 224), 56, 0)
    assert placed("pad224-v1", 600, 300) == ((224, 112), (224, 224), 0, 56)
    assert placed("pad224-v1", 10, 9000) == ((14, 224), (224, 224), 105, 0)
    seen = pixels.prepare(PIL.Image.new("RGB", (600, 300), (10, 20, 30)), None, "pad224-v1")
    assert (seen[[0, 55, 168, 223]] == BACKGROUND).all()
    assert (seen[56:168] == (10, 20, 30)).all()


@pytest.mark.parametrize(
    ("size", "rows_columns"),
    [
        ((1000, 1000), (16, 16)),
        ((3000, 4000), (14, 18)),  # 252 patches, 4 % narrower than the picture
        ((4000, 3000), (18, 14)),
        ((1080, 1920), (12, 21)),  # 252
        ((500, 1000), (11, 23)),  # 253
        ((10, 9000), (4, 64)),
    ],
)
def test_a_grid_has_as_many_patches_as_fit_at_nearly_the_picture_s_aspect(size, rows_columns):
    resized, canvas, top, left = placed("grid224-v1", *size)
    assert (resized, canvas, top, left) == (canvas, tuple(14 * n for n in rows_columns), 0, 0)


def test_a_grid_stretches_by_a_sixteenth_at_most_and_wastes_few_patches():
    for elongation in np.exp(np.linspace(0, math.log(16), 500)):
        height, width = get_preprocessing("grid224-v1").place((10_000, round(10_000 * elongation))).canvas
        ratio = width / height / elongation
        assert max(ratio, 1 / ratio) <= 17 / 16 + 1e-4
        assert height * width / 14**2 >= (200 if elongation < 4 else 160)


def test_crop_rounds_as_the_published_evaluation_does():
    assert placed("crop224-v1", 640, 427) == ((383, 256), (224, 224), -79, -16)
    assert placed("crop224-v1", 97, 1000) == ((256, 2639), (224, 224), -16, -1207)
    assert placed("crop224-v1", 50, 60) == ((256, 307), (224, 224), -16, -41)


@pytest.mark.parametrize("name", GOLDEN)
def test_crop_is_hugging_face_s_processor_to_the_byte(shared, name):
    golden = np.load(shared / "golden" / "preprocess.npz")
    seen = pixels.prepare(PIL.Image.fromarray(golden[f"image_{name}"]), None, "crop224-v1")
    assert (seen == golden[f"crop_u8_{name}"]).all()
    normalised = ((seen / 255 - MEAN) / STD).transpose(2, 0, 1)[:, ::32, ::32]
    assert np.abs(normalised - golden[f"pixel_values_sub32_{name}"]).max() <= 3.7e-7


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("crop")])
def test_the_whole_picture_is_seen_borders_and_all(name):
    wide = PIL.Image.new("RGB", (1000, 100), "red")
    wide.paste("blue", (950, 0, 1000, 100))
    seen = pixels.prepare(wide, None, name).astype(int)
    blue = (seen[..., 2] - seen[..., 0] > 128) & (seen[..., 1] < 64)
    red = (seen[..., 0] - seen[..., 2] > 128) & (seen[..., 1] < 64)
    assert blue.sum() / (blue | red).sum() == pytest.approx(0.05, abs=0.01)


def test_a_box_is_fitted_by_its_own_shape():
    picture = PIL.Image.new("RGB", (1000, 1000))
    assert pixels.prepare(picture, (0, 0, 1, 0.5), "grid224-v1").shape == (11 * 14, 23 * 14, 3)
    assert pixels.prepare(picture, (0, 0, 0.5, 0.5), "grid224-v1").shape == (224, 224, 3)


def test_inside_keeps_the_aspect_to_the_nearest_patch_and_never_enlarges():
    assert placed("inside224-v1", 768, 1024) == ((168, 224), (168, 224), 0, 0)
    assert placed("inside224-v1", 1024, 683) == ((224, 154), (224, 154), 0, 0)  # 149.4: 10.7 patches
    assert placed("inside224-v1", 100, 50) == ((98, 56), (98, 56), 0, 0)
    assert placed("inside224-v1", 3, 5000) == ((14, 224), (14, 224), 0, 0)
    assert placed("inside224-v1@448", 768, 1024) == ((336, 448), (336, 448), 0, 0)


def test_a_row_at_another_side_has_a_name_of_its_own_and_at_its_own_side_is_itself():
    assert at_side("crop224-v1", 448) == get_preprocessing("crop224-v1@448").name == "crop224-v1@448"
    assert placed("crop224-v1@448", 1000, 2000) == ((512, 1024), (448, 448), -32, -288)
    assert at_side("squash224-v2@448", 336) == get_preprocessing("squash224-v2@0336").name == "squash224-v2@336"
    assert at_side("squash224-v2@448", 224) == "squash224-v2"
    assert get_preprocessing("grid224-v1@2044").allows((2044, 2044))


@pytest.mark.parametrize("side", [0, 13, 225, 2058, 10**30])
def test_a_side_the_network_does_not_take_is_refused_with_one_that_it_does(side):
    with pytest.raises(InvalidInput, match=r"takes multiples of 14 up to 2044; choose (14|224|2044)$"):
        get_preprocessing(f"squash224-v2@{side}")


@pytest.mark.parametrize("name", ["squash224-v2@", "squash224-v2@-14", "squash224-v2@14@14", "@448", "squash224-v2@²"])
def test_a_side_that_is_no_number_is_no_name(name):
    with pytest.raises(NotFound, match="no preprocessing is called"):
        get_preprocessing(name)
