"""A snapshot's upkeep: one builder at a time, for as long as it takes."""

import threading
import time

from app import upkeep
from app.catalog import embeddings
from app.index import recipe
from tests.rows import fill_rows

DIM = 16


def test_a_build_that_outlasts_its_lease_keeps_it(resources, monkeypatch):
    fill_rows(resources, 50, DIM)
    monkeypatch.setattr(upkeep, "BUILD_LEASE_S", 0.4)
    monkeypatch.setattr(upkeep, "RENEW_S", 0.1)
    reading, stream = threading.Event(), embeddings.stream

    def slowly(*arguments):
        reading.set()
        time.sleep(1.2)
        yield from stream(*arguments)

    monkeypatch.setattr(embeddings, "stream", slowly)
    answers = []
    builder = threading.Thread(target=lambda: answers.append(upkeep.rebuild(resources, 1, force=True)))
    builder.start()
    assert reading.wait(10)
    time.sleep(0.8)  # twice the lease
    assert upkeep.rebuild(resources, 1, force=True) is False
    builder.join(30)
    assert answers == [True]
    assert upkeep.status(resources, "photos").snapshot["vectors"] == 50


def test_what_must_be_reached_comes_from_the_settings(resources, monkeypatch):
    fill_rows(resources, 3000, DIM)
    monkeypatch.setattr(recipe, "RECIPES", (recipe.get_recipe("cells-8bit"),))
    assert upkeep.rebuild(resources, 1, force=True)
    facts = upkeep.status(resources, "photos").snapshot
    assert facts["recipe"] == "cells-8bit"
    assert resources.settings.index_recall <= facts["recall_at_10"] <= 1
    assert facts["build_s"] > 0
