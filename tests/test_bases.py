"""A basis a model key: shipped or learned, made once, and the same for whoever comes second."""

import threading

import numpy as np
import pytest
from sqlalchemy import func, select, update

from app import bases, library
from app.bases import Bases
from app.catalog import collections
from app.catalog.models import Basis
from app.errors import BadVector
from app.vision import models
from app.vision.architectures import get_architecture
from tests.workshop import COLLECTION


def key_of(resources, encoders, model: str, **kind):
    library.create_collection(resources, COLLECTION, model, encoders=encoders, detail="light", **kind)
    with resources.catalog.read() as session:
        return collections.model_of(session, collections.get(session, COLLECTION))


def test_the_bundled_model_brings_its_own(resources, encoders):
    key = key_of(resources, encoders, "dinoseek_tiny14")
    made = Bases(resources.catalog).of(key, encoders.of(key))
    assert made.to_bytes() == models.find_basis(get_architecture(key.model)).read_bytes()


@pytest.fixture
def few(monkeypatch):
    """Painting 64 pictures takes half a minute."""
    monkeypatch.setattr(bases, "LEARNED_FROM", 2)


def test_two_that_learn_one_at_once_end_with_the_same(resources_on_both, encoders, few):
    key = key_of(resources_on_both, encoders, "untrained", preprocessing="squash140-v1")
    encoder, made = encoders.of(key), []
    threads = [
        threading.Thread(target=lambda: made.append(Bases(resources_on_both.catalog).of(key, encoder).to_bytes()))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made[0] == made[1]
    with resources_on_both.catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(Basis)) == 1


def test_what_another_host_made_is_read_and_not_made(resources, encoders):
    key = key_of(resources, encoders, "dinoseek_tiny14")
    first = Bases(resources.catalog).of(key, encoders.of(key))
    again = Bases(resources.catalog).of(key, None)  # no encoder is asked
    np.testing.assert_array_equal(again.to_bytes(), first.to_bytes())


def test_a_damaged_one_is_refused(resources, encoders):
    key = key_of(resources, encoders, "dinoseek_tiny14")
    Bases(resources.catalog).of(key, encoders.of(key))
    with resources.catalog.begin() as session:
        session.execute(update(Basis).values(crc32=1))
    with pytest.raises(BadVector, match="damaged"):
        Bases(resources.catalog).of(key, encoders.of(key))
