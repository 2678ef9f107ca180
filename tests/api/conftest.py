"""One application for all route tests: Streamlit's runtime is one per process."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from app import library
from app.api import face
from app.api.face import Face
from app.api.server import build_app
from app.resources import open_resources
from tests.conftest import make_settings, paint
from tests.workshop import COLLECTION, fill, workshop

ADDRESS = "http://127.0.0.1:8501"
UPLOAD_LIMIT_BYTES = 200_000


@dataclass(frozen=True)
class House:
    """A served home with three pictures."""

    client: TestClient
    app: object
    face: Face
    image_id: int
    digest: str


@pytest.fixture(scope="session")
def house(tmp_path_factory, encoders) -> Iterator[House]:
    root = tmp_path_factory.mktemp("house")
    resources = open_resources(make_settings(root / "home", upload_max_bytes=UPLOAD_LIMIT_BYTES))
    photos = [paint(root / "photos" / f"{number}.jpg", number) for number in range(3)]
    with workshop(resources, encoders) as shop:
        fill(shop, *photos)
    first = library.pictures(resources, COLLECTION)[0]
    app = build_app(resources)
    # the client is not entered: routes need no running pages
    yield House(TestClient(app, base_url=ADDRESS), app, face.current(), first.image_id, first.digest)
    face.close()
    resources.catalog.dispose()
