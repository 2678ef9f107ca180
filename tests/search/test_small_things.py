"""A small painted hunt through a real collection: small, turned, half hidden things are found among look-alikes."""

import pytest

from app import library
from app.evaluation.localisation import Pointed, score
from app.samples import hunt
from app.search import shortlist
from app.search.desk import SearchDesk
from app.search.examples import Example
from app.search.instances import InstanceDesk
from tests.workshop import fill

NAME = "hunt"
THINGS, PICTURES, SEED = 8, 14, 31


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hunt")
    return folder, hunt.generate(folder, THINGS, PICTURES, SEED)


def narrowed(monkeypatch) -> None:
    """As in a large collection: by its windows the right one is among none that are named."""
    monkeypatch.setattr(shortlist, "GLANCED", 1)
    monkeypatch.setattr(shortlist, "BY_WINDOWS", 0)
    monkeypatch.setattr(shortlist, "LONGEST", 3)


@pytest.mark.parametrize("named", ["by windows", "by votes of all"])
def test_things_that_hide_are_found_first_and_pointed_at(shop, painted, monkeypatch, named):
    if named == "by votes of all":
        narrowed(monkeypatch)
    folder, truth = painted
    library.create_collection(shop.resources, NAME, detail="light", encoders=shop.encoders)
    fill(shop, folder / "pictures", collection=NAME)
    desk = InstanceDesk(shop.resources, SearchDesk(shop.resources, shop.decoder, shop.encoders))
    found = [desk.find(NAME, [Example(path=folder / asked.picture, box=asked.box)], k=14) for asked in truth.questions]
    told = score(truth.questions, [[Pointed(f"pictures/{hit.name}", hit.box) for hit in page.hits] for page in found])
    assert told.right_first >= 7 / 8
    assert told.pointed >= 6 / 8
    supported = [sum(hit.supported for hit in page.hits) for page in found]
    assert sum(supported) <= 3 * THINGS  # a cousin with the same print may be
