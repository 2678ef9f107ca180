"""On real photos: a picture finds its own copies whatever way the camera was held."""

import pytest

from app.search.desk import SearchDesk
from tests.workshop import COLLECTION, fill

FAMILIES = {"recurser_landscape": 9, "ianare_portrait": 8, "g4_tiff": 8, "xmp_orientation": 2}
CLOSE = 0.98


@pytest.mark.timeout(240)
def test_every_member_of_an_orientation_family_finds_all_others(shop, shared):
    folder = shared / "photos" / "orientation"
    report = fill(shop, folder)
    assert report.counts["failed"] == 0
    desk = SearchDesk(shop.resources, shop.decoder, shop.encoders)
    for family, size in FAMILIES.items():
        members = sorted((folder / family).iterdir())
        assert len(members) == size
        for member in members:
            page = desk.by_file(COLLECTION, member, k=size)
            found = {hit.path: hit.score for hit in page.hits}
            assert set(found) == set(map(str, members)), f"{member} is nearer to another picture"
            assert min(found.values()) >= CLOSE, found
