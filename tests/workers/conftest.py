"""Pictures enough to be killed among."""

from pathlib import Path

import pytest

from tests.conftest import paint


@pytest.fixture
def many(tmp_path) -> Path:
    folder = tmp_path / "many"
    for number in range(60):
        paint(folder / f"{number}.jpg", number)
    return folder
