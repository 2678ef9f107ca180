"""Where an example and a hit agree, by signed address. What is drawn of it: tests/ui/test_instances_browser.py."""

from app.search.examples import Example
from tests.workshop import COLLECTION


def test_a_collection_without_details_is_refused_in_one_line(house):
    answer = house.client.get(house.face.evidence(COLLECTION, Example(image_id=house.image_id), house.image_id))
    assert answer.status_code == 400
    assert "--instances light" in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_an_address_is_of_one_example_and_one_picture(house):
    address = house.face.evidence(COLLECTION, Example(image_id=1), 2)
    for other in (address.replace("/i1/", "/i3/"), address.replace("/2?", "/3?"), address.replace(COLLECTION, "other")):
        assert house.client.get(other).status_code == 403
