"""An empty catalogue on each database."""

from collections.abc import Iterator

import pytest

from app.catalog.database import Catalog


@pytest.fixture
def catalog(catalogue_url) -> Iterator[Catalog]:
    opened = Catalog(catalogue_url)
    yield opened
    opened.dispose()
