"""Homes, databases and pictures that several test folders share."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import pytest
from sqlalchemy import create_engine, make_url, text

from app.catalog.schema import migrate
from app.encoders import Encoders
from app.ingest.workshop import Workshop
from app.resources import Resources, open_resources
from app.settings import Settings
from app.vision.decoder import Decoder
from tests import servers

SHARED = Path(__file__).parents[2] / "shared"
LONGEST = ("workers/", "faults/", "cli/", "ui/", "test_compose", "test_inspection", "vision/test_photos")


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


def make_postgres_database(server: str, name: str, template: str = "template1") -> str:
    """Its URL."""
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _name_of(request: pytest.FixtureRequest) -> str:
    return f"t{abs(hash(request.node.nodeid)) % 10**12}"


@pytest.fixture
def postgres_url(postgres_server, request) -> str:
    """An empty database of its own on the session's server."""
    return make_postgres_database(postgres_server, _name_of(request))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    """Both databases: what holds on one must hold on the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalogue.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """A catalogue without rows: copies of it need no migration, which takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "dinoseek.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server) -> str:
    """The same on the session's server; its name."""
    migrate(make_postgres_database(postgres_server, "template_of_tests"))
    return "template_of_tests"


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue_url(request, tmp_path) -> str:
    """As `database_url`, with all tables and no rows."""
    if request.param == "sqlite":
        copied = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "catalogue.db")
        return f"sqlite:///{copied}"
    server, template = (request.getfixturevalue(f"postgres_{what}") for what in ("server", "template"))
    return make_postgres_database(server, _name_of(request), template)


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
def resources(tmp_path, sqlite_template) -> Iterator[Resources]:
    """A fresh home on SQLite."""
    (tmp_path / "home").mkdir()
    shutil.copy(sqlite_template, tmp_path / "home" / "dinoseek.db")
    opened = open_resources(make_settings(tmp_path / "home"))
    yield opened
    opened.catalog.dispose()


@pytest.fixture
def resources_on_both(tmp_path, catalogue_url) -> Iterator[Resources]:
    opened = open_resources(make_settings(tmp_path / "home", database_url=catalogue_url))
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


@pytest.fixture(scope="session")
def decoder(tmp_path_factory) -> Iterator[Decoder]:
    """Its children start once for all tests of this process that leave its limits as they are."""
    with Decoder(make_settings(tmp_path_factory.mktemp("decoder"))) as opened:
        yield opened


@pytest.fixture
def shop(resources, encoders, decoder) -> Workshop:
    return Workshop(resources, encoders, decoder, "test")


@pytest.fixture
def shop_on_both(resources_on_both, encoders, decoder) -> Workshop:
    return Workshop(resources_on_both, encoders, decoder, "test")


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder of six pictures, two of them below."""
    folder = tmp_path / "photos"
    for number in range(4):
        paint(folder / f"{number}.jpg", number)
    for number in (4, 5):
        paint(folder / "below" / f"{number}.png", number)
    return folder
