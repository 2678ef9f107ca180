"""A collection that no encoder was loaded for: what is about rows needs no network."""

import pytest

from app.catalog import collections
from app.resources import Resources
from tests.rows import KEY
from tests.workshop import COLLECTION


def make_collection(resources: Resources) -> Resources:
    with resources.catalog.begin() as session:
        key = collections.register_model(session, **KEY, dim=384)
        collections.add(session, COLLECTION, key.id)
    return resources


@pytest.fixture
def rows(resources) -> Resources:
    return make_collection(resources)


@pytest.fixture
def rows_on_both(resources_on_both) -> Resources:
    return make_collection(resources_on_both)
