"""The same thing, found and pointed at: painted things in a real collection, asked for by boxes."""

import PIL.Image
import pytest

from app import library
from app.catalog.images import Filters
from app.errors import InvalidInput, NotFound
from app.evaluation.localisation import iou
from app.samples.paint import painted
from app.samples.plan import Shot, plan
from app.search.desk import SearchDesk
from app.search.examples import Example
from app.search.instances import InstanceDesk
from tests.workshop import fill, images_at

NAME = "things"
BOX = (0.25, 0.25, 0.85, 0.85)
PLACE = (380, 150, 680, 350)  # left, top, right, bottom, pixels of a picture of 720 x 480


@pytest.fixture(scope="module")
def paintings() -> list[PIL.Image.Image]:
    shots = [entry for entry in plan(16, 5) if isinstance(entry, Shot)][:9]
    return [painted(shot).picture().convert("RGB").resize((720, 480)) for shot in shots]


@pytest.fixture
def album(tmp_path, paintings):
    """Eight paintings; upon the last lies a part of the first, and the ninth is only asked with."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number, picture in enumerate(paintings[:7]):
        picture.save(folder / f"{number}.png")
    left, top, right, bottom = PLACE
    part = paintings[0].crop((180, 120, 612, 408)).resize((right - left, bottom - top))
    pasted = paintings[7].copy()
    pasted.paste(part, (left, top))
    pasted.save(folder / "pasted.png")
    return folder


@pytest.fixture
def desk(shop, album):
    library.create_collection(shop.resources, NAME, detail="light", encoders=shop.encoders)
    fill(shop, album, collection=NAME)
    return InstanceDesk(shop.resources, SearchDesk(shop.resources, shop.decoder, shop.encoders))


def test_a_part_is_found_where_it_lies_and_the_rest_only_looks_alike(desk, album):
    page = desk.find(NAME, [Example(path=album / "0.png", box=BOX)], k=8)
    own, pasted = page.hits[:2]
    assert (own.name, pasted.name) == ("0.png", "pasted.png")
    assert iou(own.box, BOX) > 0.8
    assert iou(pasted.box, (380 / 720, 150 / 480, 680 / 720, 350 / 480)) > 0.6
    assert own.supported and pasted.supported
    assert 0 < pasted.inliers <= pasted.matches
    assert [hit.rank for hit in page.hits] == list(range(1, 9))
    for hit in page.hits[2:]:
        assert hit.inliers < pasted.inliers
        assert (hit.box is None) is (hit.outline is None) is (not hit.supported)


def test_examples_of_the_collection_are_left_out_and_what_is_not_meant_sinks(desk, shop, album):
    (pasted,) = images_at(shop.resources, album / "pasted.png")
    first = Example(path=album / "0.png", box=BOX)
    plain = desk.find(NAME, [first], k=8)
    without = desk.find(NAME, [first, Example(image_id=pasted)], k=8)
    assert pasted not in [hit.image_id for hit in without.hits]
    assert len(without.hits) == 7
    sunk = desk.find(NAME, [first, Example(path=album / "pasted.png", box=(0, 0, 0.5, 1), wanted=False)], k=8)
    rank = {hit.name: hit.rank for hit in sunk.hits}
    assert rank["pasted.png"] >= {hit.name: hit.rank for hit in plain.hits}["pasted.png"]


def test_a_hit_names_the_wanted_example_that_it_fits_best(desk, album):
    others = [Example(path=album / "3.png", box=BOX), Example(path=album / "2.png", box=BOX, wanted=False)]
    page = desk.find(NAME, [*others, Example(path=album / "0.png", box=BOX)], k=8)
    fits = {hit.name: hit.example for hit in page.hits}
    assert (fits["3.png"], fits["pasted.png"]) == (0, 1)


def test_expansion_filters_and_uploads_give_pages_too(desk, shop, album):
    digest = shop.resources.storage.keep_query((album / "0.png").read_bytes())
    page = desk.find(NAME, [Example(digest=digest)], k=3, expand=True)
    assert page.hits[0].name == "0.png"
    assert page.hits[0].score == pytest.approx(1, abs=0.01)
    none = desk.find(NAME, [Example(digest=digest)], filters=Filters(folder="/nowhere"))
    assert none.hits == []


def test_evidence_draws_what_agrees_between_the_box_and_the_hit(desk, shop, album):
    (pasted,) = images_at(shop.resources, album / "pasted.png")
    told = desk.evidence(NAME, Example(path=album / "0.png", box=BOX), pasted)
    agreeing = [line for line in told.lines if line.agrees]
    assert told.supported
    assert len(agreeing) >= 4
    for line in agreeing:
        assert BOX[0] <= line.x0 <= BOX[2] and BOX[1] <= line.y0 <= BOX[3]
        x, y = ((line.x0 - BOX[0]) / 0.6, (line.y0 - BOX[1]) / 0.6)
        there = [row[0] * x + row[1] * y + row[2] for row in told.map]
        assert there == pytest.approx((line.x1, line.y1), abs=0.12)


def test_lost_descriptors_leave_the_likeness_and_no_support(desk, shop, album):
    for path in (shop.resources.storage.home / "patches").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged")
    page = desk.find(NAME, [Example(path=album / "0.png")], k=8)
    assert page.hits[0].name == "0.png"
    assert not any(hit.supported for hit in page.hits)


def test_a_collection_without_details_says_how_to_get_them(shop, album):
    library.create_collection(shop.resources, "plain", encoders=shop.encoders)
    desk = InstanceDesk(shop.resources, SearchDesk(shop.resources, shop.decoder, shop.encoders))
    with pytest.raises(InvalidInput, match="switch plain --instances light"):
        desk.find("plain", [Example(path=album / "0.png")])


def test_examples_that_are_none_are_refused(desk, album):
    with pytest.raises(InvalidInput, match="at least one"):
        desk.find(NAME, [Example(path=album / "0.png", wanted=False)])
    with pytest.raises(InvalidInput, match="a path, a digest or an image id"):
        Example()
    with pytest.raises(InvalidInput, match="0 ≤ x0"):
        Example(image_id=1, box=(0.5, 0, 0.4, 1))
    with pytest.raises(NotFound, match="drop it again"):
        desk.find(NAME, [Example(digest="0" * 64)])
    with pytest.raises(NotFound, match="its parts"):
        desk.find(NAME, [Example(image_id=10**6)])
