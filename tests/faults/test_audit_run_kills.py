"""kill -9 while an audit makes groups of what it has checked so far: the next run goes on, and ends as any other."""

import signal
from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import update

from app.audits import runs
from app.audits.showing import answers
from app.catalog import audits
from app.catalog.audit_models import Audit
from app.faults import Point
from tests.audits.album import family
from tests.program import PATIENCE_S, Program, document, wait_until
from tests.workshop import COLLECTION, fill

FORMING = (Point.AFTER_SETTLED, Point.MID_FORMING)
FAMILIES = 2
EVERYWHERE = list(product(FORMING, ("sqlite", "postgresql")))
SOON = {(Point.AFTER_SETTLED, "postgresql"), (Point.MID_FORMING, "sqlite")}  # each point and each database once
CASES = [pytest.param(*case, marks=() if case in SOON else pytest.mark.soak) for case in EVERYWHERE]


@pytest.fixture
def program(tmp_path, catalogue_url) -> Iterator[Program]:
    with Program(tmp_path / "home", database_url=catalogue_url) as opened:
        yield opened


@pytest.mark.parametrize(("point", "catalogue_url"), CASES, indirect=["catalogue_url"])
def test_an_audit_killed_while_groups_are_made_goes_on(shop_on_both, program, tmp_path, point, monkeypatch, capfd):
    families = [family(tmp_path / "photos", number) for number in range(FAMILIES)]
    fill(shop_on_both, tmp_path / "photos")
    armed = {"DINOSEEK_FAULT": f"{point}:{tmp_path / 'killed'}"}
    killed = program.start_logged(tmp_path / "audit.log", "audit", "run", "-c", COLLECTION, **armed)
    assert killed.wait(PATIENCE_S) == -signal.SIGKILL

    left = answers.document(shop_on_both.resources, 1)
    assert left["status"] == "running"
    assert (left["pairs_checked"] > 0, left["groups"] != []) == (point is Point.AFTER_SETTLED,) * 2
    done = document(program.here(monkeypatch, capfd, "audit", "run", "-c", COLLECTION, "--json"))
    assert done["status"] == "done"
    assert {frozenset(member["path"] for member in group["members"]) for group in done["groups"]} == {
        frozenset(map(str, paths.values())) for paths in families
    }


def test_an_audit_that_another_host_left_is_waited_for_and_goes_on(shop, tmp_path):
    paths, resources = family(tmp_path / "photos", 1), shop.resources
    fill(shop, tmp_path / "photos")
    audit_id = runs.open_audit(resources, COLLECTION)
    with resources.catalog.begin() as session:
        assert audits.claim(session, audit_id, "elsewhere:1:gone", lease_s=3600)
    with Program(tmp_path / "home") as program:
        log = tmp_path / "audit.log"
        waits = program.start_logged(log, "audit", "run", "-c", COLLECTION, "--json")
        wait_until(lambda: "waiting for it" in log.read_text(), "a second one that waits")
        with resources.catalog.begin() as session:
            session.execute(update(Audit).values(lease_until=0.0))
        assert waits.wait(PATIENCE_S) == 0
    assert "it goes on here" in log.read_text()
    assert str(paths["keeper"]) in log.read_text()
