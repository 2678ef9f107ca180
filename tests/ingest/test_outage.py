"""A database that is away: waited for, and not for ever."""

import contextlib

import pytest

from app.catalog.database import Catalog
from app.errors import NotFound, ServiceUnavailable
from app.ingest import outage, scan
from app.ingest.outage import outlast
from tests.workshop import COLLECTION


class Flaky:
    """Refuses so many times, then answers."""

    def __init__(self, refusals: int, error: Exception | None = None) -> None:
        self.left = refusals
        self.error = error or ServiceUnavailable("the database restarts")

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(outage, "PAUSE_S", 0.01)


def test_a_database_that_comes_back_is_waited_for_and_one_line_says_so(caplog):
    assert outlast(Flaky(5)) == "done"
    assert [record.getMessage() for record in caplog.records] == ["the database restarts (waiting for up to 120 s)"]


def test_one_that_stays_away_is_the_refusal_it_was():
    with pytest.raises(ServiceUnavailable, match="restarts"):
        outlast(Flaky(10_000), away_s=0.05)


def test_what_waiting_can_not_help_is_raised_at_once():
    step = Flaky(2, NotFound("no such collection"))
    with pytest.raises(NotFound):
        outlast(step)
    assert step.left == 1


def test_every_transaction_of_an_ingest_is_waited_for_from_the_first_to_the_last(rows, photos, monkeypatch):
    begin, refusals = Catalog.begin, []

    @contextlib.contextmanager
    def refused_every_other_time(catalog):
        if len(refusals) % 2 == 0:
            refusals.append("away")
            raise ServiceUnavailable("the database restarts")
        refusals.append("there")
        with begin(catalog) as session:
            yield session

    monkeypatch.setattr(Catalog, "begin", refused_every_other_time)
    assert scan.ingest(rows, [photos], COLLECTION).counts["added"] == 6
    assert refusals.count("there") >= 3  # the folder is remembered, its files recorded, its reading ended
