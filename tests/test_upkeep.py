"""A snapshot's upkeep: one builder at a time, for as long as it takes."""

import dataclasses
import threading
import time

import pytest

from app import building, upkeep
from app.catalog import embeddings, snapshots
from app.catalog.models import Snapshot
from app.cli.index import show
from app.index import recipe
from app.inspection import inspect
from app.resources import open_resources
from tests.conftest import make_settings
from tests.program import PATIENCE_S, wait_until
from tests.rows import fill_rows

DIM = 16


def test_a_build_that_outlasts_its_lease_keeps_it(resources, monkeypatch):
    fill_rows(resources, 50, DIM)
    monkeypatch.setattr(building, "BUILD_LEASE_S", 3.0)
    monkeypatch.setattr(building, "RENEW_S", 0.1)
    reading, read_on, stream = threading.Event(), threading.Event(), embeddings.stream

    def when_let(*arguments):
        reading.set()
        assert read_on.wait(PATIENCE_S)
        yield from stream(*arguments)

    monkeypatch.setattr(embeddings, "stream", when_let)
    answers = []
    builder = threading.Thread(target=lambda: answers.append(upkeep.rebuild(resources, 1, force=True)))
    builder.start()
    assert reading.wait(PATIENCE_S)
    with resources.catalog.read() as session:
        lease_until = session.get_one(Snapshot, 1).lease_until
    wait_until(lambda: time.time() > lease_until, "the end of the first lease")
    assert upkeep.rebuild(resources, 1, force=True) is False
    with resources.catalog.read() as session:
        assert snapshots.ids(session, 1) == [1]  # it did not even begin
    read_on.set()
    builder.join(PATIENCE_S)
    assert answers == [True]
    assert upkeep.status(resources, "photos").snapshot["vectors"] == 50


@pytest.mark.parametrize(("memory_bytes", "recipe_name"), [(2**30, "cells-8bit"), (2000 * DIM, "cells-2bit")])
def test_what_an_index_may_take_comes_from_the_settings(tmp_path, monkeypatch, memory_bytes, recipe_name):
    resources = open_resources(make_settings(tmp_path, index_memory_bytes=memory_bytes, index_recall=0.5))
    fill_rows(resources, 3000, DIM)
    monkeypatch.setattr(recipe, "RECIPES", recipe.RECIPES[1:])
    assert upkeep.rebuild(resources, 1, force=True)
    facts = upkeep.status(resources, "photos").snapshot
    assert facts["recipe"] == recipe_name
    assert 0.5 <= facts["recall_at_10"] <= 1
    assert facts["build_s"] > 0
    resources.catalog.dispose()


def test_a_recall_that_cells_can_not_reach_is_met_by_a_scan(tmp_path, monkeypatch):
    resources = open_resources(make_settings(tmp_path, index_recall=1.0))
    fill_rows(resources, 3000, DIM)
    coarse = dataclasses.replace(recipe.get_recipe("cells-2bit"), depth=1, max_bytes=float("inf"))
    monkeypatch.setattr(recipe, "RECIPES", (coarse,))
    assert upkeep.rebuild(resources, 1, force=True)
    facts = upkeep.status(resources, "photos").snapshot
    assert facts["recipe"] == "exact" or facts["recall_at_10"] == 1.0
    resources.catalog.dispose()


@pytest.mark.parametrize("step", ["mark_verified", "publish"])
def test_builders_that_die_leave_no_files_for_good(resources, monkeypatch, step):
    fill_rows(resources, 50, DIM)
    monkeypatch.setattr(building, "BUILD_LEASE_S", 0.0)
    for _ in range(3):
        with monkeypatch.context() as patched:
            patched.setattr(snapshots, step, dies)
            patched.setattr(snapshots, "give_up", lambda *_: None)  # nobody is there any more to do it
            with pytest.raises(KeyboardInterrupt):
                upkeep.rebuild(resources, 1, force=True)
    for _ in range(2):
        assert upkeep.rebuild(resources, 1, force=True)
    assert len(list(resources.storage.snapshots(1).iterdir())) == 2
    assert [finding.kind for finding in inspect(resources, "photos").findings] in ([], ["dead_build"])


def dies(*_, **__) -> None:
    raise KeyboardInterrupt


def test_the_status_of_a_snapshot_of_the_release_before_is_told(resources, capsys):
    fill_rows(resources, 50, DIM)
    assert upkeep.rebuild(resources, 1, force=True)
    with resources.catalog.begin() as session:
        session.get_one(Snapshot, 1).build_s = None
    show(upkeep.status(resources, "photos"), as_json=False)
    assert "50 (exact)" in capsys.readouterr().out
