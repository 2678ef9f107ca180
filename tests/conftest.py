"""Homes, databases and pictures that several test folders share."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import pytest
from sqlalchemy import create_engine, make_url, text

from app.encoders import Encoders
from app.ingest.workshop import Workshop
from app.resources import Resources, open_resources
from app.settings import Settings
from tests import servers
from tests.workshop import workshop

SHARED = Path(__file__).parents[2] / "shared"
LONGEST = ("test_two_hosts", "workers/", "faults/", "cli/", "test_inspection", "ui/")  # programs, servers, browsers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: else one process ends minutes after the others."""
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(LONGEST))


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared folder with golden numbers and photos is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with servers.postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server, request) -> Iterator[str]:
    """An empty database of its own on the session's server."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    engine = create_engine(make_url(postgres_server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    """Both databases: what holds on one must hold on the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalogue.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[dict[str, str]]:
    with servers.s3() as environment:
        yield environment


@pytest.fixture(params=["folder", "s3"])
def store_url(request, tmp_path, monkeypatch) -> str:
    """An empty store that several homes can share: what holds of one kind must hold of the other."""
    if request.param == "folder":
        (tmp_path / "share").mkdir()
        return f"file://{tmp_path / 'share'}"
    for name, value in request.getfixturevalue("s3_server").items():
        monkeypatch.setenv(name, value)
    return f"s3://pictures/{secrets.token_hex(8)}"


def make_settings(home: Path, **knobs) -> Settings:
    """`dinoseek_tiny14`: what stands here holds of every model, and a ViT-S takes eleven times as long."""
    return Settings(_env_file=None, home=home, **{"model": "dinoseek_tiny14"} | knobs)


@pytest.fixture
def resources(tmp_path) -> Iterator[Resources]:
    """A fresh home on SQLite."""
    opened = open_resources(make_settings(tmp_path / "home"))
    yield opened
    opened.catalog.dispose()


@pytest.fixture
def resources_on_both(tmp_path, database_url) -> Iterator[Resources]:
    opened = open_resources(make_settings(tmp_path / "home", database_url=database_url))
    yield opened
    opened.catalog.dispose()


def paint(path: Path, number: int, size: tuple[int, int] = (160, 120)) -> Path:
    """A small picture that no other number gives: a striped ground and a disc."""
    picture = PIL.Image.new("RGB", size, ((number * 53) % 256, (number * 97) % 256, (number * 31) % 256))
    pen = PIL.ImageDraw.Draw(picture)
    for x in range(0, size[0], 8 + number % 7):
        pen.line(
            [(x, 0), (x + number % 40, size[1])], fill=((number * 11) % 256, 255 - (number * 7) % 256, 90), width=3
        )
    centre = (20 + (number * 37) % 100, 20 + (number * 23) % 70)
    pen.ellipse([centre, (centre[0] + 30, centre[1] + 30)], fill=(250, (number * 41) % 256, 40))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=90)
    return path


@pytest.fixture(scope="session")
def encoders(tmp_path_factory) -> Encoders:
    """The networks, each loaded once for all tests of this process."""
    return Encoders(make_settings(tmp_path_factory.mktemp("weights")))


@pytest.fixture
def shop(resources, encoders) -> Iterator[Workshop]:
    with workshop(resources, encoders) as opened:
        yield opened


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder of six pictures, two of them below."""
    folder = tmp_path / "photos"
    for number in range(4):
        paint(folder / f"{number}.jpg", number)
    for number in (4, 5):
        paint(folder / "below" / f"{number}.png", number)
    return folder
