"""What the picture routes give to those who hold an address, and what uploads answer."""

import io
from urllib.parse import quote

import PIL.Image
import pytest

from app import library, whereabouts
from app.api.guard import Allowance
from tests.api.conftest import UPLOAD_LIMIT_BYTES
from tests.conftest import paint

TICKET = "x-dinoseek-ticket"


def post(house, path: str, data: bytes, purpose: str, name: str = "a.jpg"):
    return house.client.post(
        f"{path}?name={quote(name)}", content=data, headers={TICKET: house.face.links.ticket(purpose)}
    )


def ask(house, data: bytes):
    return post(house, "/api/queries", data, "queries")


@pytest.fixture
def jpeg(tmp_path) -> bytes:
    return paint(tmp_path / "query.jpg", 40, (300, 200)).read_bytes()


def test_a_thumbnail_may_be_kept_for_good(house):
    answer = house.client.get(house.face.thumbnail(house.digest))
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert PIL.Image.open(io.BytesIO(answer.content)).size == (160, 120)


def test_an_address_stays_the_same_so_that_the_browser_can_keep_its_picture(house):
    assert house.face.thumbnail(house.digest) == house.face.thumbnail(house.digest)


def test_a_large_copy_is_encoded_anew(house):
    answer = house.client.get(house.face.large(house.image_id))
    assert PIL.Image.open(io.BytesIO(answer.content)).format == "WEBP"


def test_an_original_leaves_as_a_download_with_the_type_it_was_decoded_as(house):
    answer = house.client.get(house.face.original(house.image_id))
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.content == whereabouts.original(house.face.resources, house.image_id).read_bytes()


def test_a_picture_that_is_not_there_is_404_in_one_line(house):
    for address in (
        house.face.large(999),
        house.face.original(999),
        house.face.thumbnail("a" * 64),
        house.face.query("b" * 64),
    ):
        answer = house.client.get(address)
        assert answer.status_code == 404
        assert "\n" not in answer.json()["error"]


def test_a_digest_that_is_a_path_is_no_digest(house):
    answer = house.client.get(house.face.links.sign("/api/thumbs/..%2f..%2fsecret.webp"))
    assert answer.status_code in (400, 403, 404)


def test_a_query_is_kept_under_its_digest_and_shown_again(house, jpeg):
    answer = ask(house, jpeg)
    assert (answer.status_code, answer.json()["height_px"], answer.json()["width_px"]) == (200, 200, 300)
    shown = house.client.get(house.face.query(answer.json()["digest"]))
    assert PIL.Image.open(io.BytesIO(shown.content)).size == (300, 200)


@pytest.mark.parametrize("data", [b"not a picture", b"\xff\xd8\xff\xe0 broken", b"<svg onload=alert(1)>", b""])
def test_bytes_that_are_no_picture_are_refused_in_one_line(house, data):
    answer = ask(house, data)
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error"}
    assert "Traceback" not in answer.text


def test_a_body_past_the_limit_is_refused_with_and_without_a_length(house):
    too_much = b"x" * (UPLOAD_LIMIT_BYTES + 1)
    assert ask(house, too_much).status_code == 413
    chunks = (too_much[start : start + 4096] for start in range(0, len(too_much), 4096))
    headers = {TICKET: house.face.links.ticket("queries")}
    assert house.client.post("/api/queries", content=chunks, headers=headers).status_code == 413


def test_an_upload_is_received_once_whatever_its_name(house, jpeg):
    name = "../../etc/<b>pass\u202ewd</b>.jpg"
    first = post(house, "/api/uploads/photos", jpeg, "uploads/photos", name)
    again = post(house, "/api/uploads/photos", jpeg, "uploads/photos", "other.jpg")
    assert first.json()["outcome"] == "added"
    assert again.json() == first.json() | {"outcome": "known"}
    facts = library.picture(house.face.resources, first.json()["image_id"])
    assert facts.path.startswith(str(house.face.resources.settings.home / "uploads"))


def test_an_upload_to_no_collection_says_so(house, jpeg):
    answer = post(house, "/api/uploads/nowhere", jpeg, "uploads/nowhere")
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["error"]


def test_an_allowance_is_used_up_and_refilled(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("app.api.guard.time.monotonic", lambda: now[0])
    allowance = Allowance(per_minute=2)
    assert [allowance.take("a") for _ in range(3)] == [True, True, False]
    assert allowance.take("b")
    now[0] += 30
    assert [allowance.take("a"), allowance.take("a")] == [True, False]
