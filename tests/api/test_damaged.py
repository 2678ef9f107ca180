"""Damaged files at the browser's doors: an answer in words each time, and the service lives."""

import pytest

from tests.damage.bombs import saved
from tests.damage.sources import picture
from tests.damage.test_decoding import spread
from tests.workshop import COLLECTION

DOORS = {f"/api/uploads/{COLLECTION}": f"uploads/{COLLECTION}", "/api/queries": "queries"}
STATUSES = {200, 422}
SEARCHED_EVERY = 10


def send(house, door: str, name: str, data: bytes):
    headers = {"x-dinoseek-ticket": house.face.links.ticket(DOORS[door])}
    return house.client.post(door, params={"name": name}, content=data, headers=headers)


@pytest.fixture(scope="module", params=sorted(DOORS))
def answers(house, request) -> list:
    return [send(house, request.param, mutant.name, mutant.data) for mutant in spread()]


def test_hundreds_of_damaged_files_are_taken_or_refused_in_words(house, answers):
    assert {answer.status_code for answer in answers} <= STATUSES
    for answer in answers:
        told = answer.json()
        assert told.get("digest") or told.get("outcome") in ("added", "known") or told.get("error") or told["reason"]
        assert "Traceback" not in answer.text
    assert house.client.get("/health/ready").json() == {"database": True, "disk": True}


def test_what_was_taken_to_search_with_finds_something(house, answers):
    digests = [answer.json()["digest"] for answer in answers if "digest" in answer.json()]
    for digest in digests[::SEARCHED_EVERY]:
        assert house.face.desk.by_digest(COLLECTION, digest, k=2).hits


def test_a_whole_picture_is_taken_after_all_that(house):
    assert [send(house, door, "whole.png", saved("PNG", picture(77))).status_code for door in DOORS] == [200, 200]
