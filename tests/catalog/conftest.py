"""An empty catalogue on each database."""

from collections.abc import Iterator

import pytest

from app.catalog import schema
from app.catalog.database import Catalog


@pytest.fixture
def catalog(database_url) -> Iterator[Catalog]:
    schema.migrate(database_url)
    opened = Catalog(database_url)
    yield opened
    opened.dispose()
