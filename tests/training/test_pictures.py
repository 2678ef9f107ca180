"""What is trained on, how often, and what never is."""

import PIL.Image
import pytest
import torch

from app.errors import InvalidInput
from app.samples.truth import PictureTruth, Sighting, save
from tests.conftest import paint
from training import pictures


def test_pictures_are_squares_that_remember_their_aspect(taught):
    assert (taught.pixels.shape, taught.pixels.dtype) == ((8, 3, 160, 160), torch.uint8)
    assert taught.aspects.tolist() == pytest.approx([0.5, 0.5, *[160 / 120] * 6])


def test_a_source_is_drawn_by_the_square_root_of_its_pictures(taught):
    few, many = taught.weights[:2].sum(), taught.weights[2:].sum()
    assert (few + many).item() == pytest.approx(1)
    assert (many / few).item() == pytest.approx((6 / 2) ** 0.5)


@pytest.mark.parametrize("name", sorted(pictures.EXAMINATION))
def test_an_examination_is_never_trained_on(tmp_path, name):
    paint(tmp_path / "photos" / name / "family" / "1.jpg", 1)
    for folder in (tmp_path / "photos", tmp_path / "photos" / name):
        with pytest.raises(InvalidInput, match=f"holds {name}: that is the examination"):
            pictures.load(folder)


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="has no pictures"):
        pictures.load(tmp_path)


def test_an_object_is_one_group_wherever_it_is_seen_large_enough(tmp_path, folder):
    sightings = {
        "a.png": [Sighting("vase", (0.1, 0.1, 0.5, 0.5), 1.0, 0.0)],
        "b.png": [Sighting("vase", (0.4, 0.2, 0.9, 0.8), 1.0, 0.0), Sighting("pin", (0.1, 0.1, 0.15, 0.15), 1.0, 0.0)],
    }
    for name in sightings:
        PIL.Image.new("RGB", (400, 400), "teal").save(tmp_path / name)
    save(tmp_path, 1, [scene(name, tuple(seen)) for name, seen in sightings.items()])
    taught = pictures.load(folder, tmp_path)
    assert len(taught.pixels) == 8 + 2 + 2  # the pin is too small to learn
    assert [len(rows) for rows in taught.members] == [1] * 9 + [2, 1]


def scene(path: str, objects: tuple[Sighting, ...]) -> PictureTruth:
    return PictureTruth(path, "r", "room", "noon", "clear", "2024-01-01T12:00:00", 400, 400, objects)
