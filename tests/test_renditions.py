"""Large copies for the screen: made once, in a browser's format, no more of them than asked."""

import os

import PIL.Image
import pytest

from app.errors import NotFound, UnreadableImage
from app.library import pictures
from app.renditions import LONG_SIDE_PX, Renditions, sweep
from tests.workshop import COLLECTION, fill


@pytest.fixture
def renditions(resources):
    opened = Renditions(resources)
    yield opened
    opened.close()


def test_a_large_tiff_becomes_a_webp_of_screen_size_made_once(shop, renditions, tmp_path):
    PIL.Image.linear_gradient("L").resize((3000, 1500)).save(tmp_path / "large.tiff")
    fill(shop, tmp_path / "large.tiff")
    image_id = pictures(shop.resources, COLLECTION)[0].image_id
    path = renditions.of_image(image_id)
    with PIL.Image.open(path) as shown:
        assert (shown.format, shown.size) == ("WEBP", (LONG_SIDE_PX, LONG_SIDE_PX // 2))
    made = path.stat().st_mtime_ns
    assert renditions.of_image(image_id) == path
    assert path.stat().st_mtime_ns == made


def test_what_is_no_picture_or_not_there_is_refused(resources, renditions):
    digest = resources.storage.keep_query(b"no picture")
    with pytest.raises(UnreadableImage):
        renditions.of_query(digest)
    with pytest.raises(NotFound, match="drop it again"):
        renditions.of_query("0" * 64)


def test_the_oldest_go_first(tmp_path):
    for age, name in enumerate("abcd"):
        path = tmp_path / name / f"{name}.webp"
        path.parent.mkdir()
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    sweep(tmp_path, kept=2)
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["a.webp", "b.webp"]
