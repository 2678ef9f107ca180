"""A page for a home that is filled, and what Streamlit's own test runner leaves behind."""

import sys
from collections.abc import Iterator

import pytest

from tests.ui.browser import server


@pytest.fixture(autouse=True)
def main_module_stays() -> Iterator[None]:
    """The runner puts a page in the place of `__main__`, and a process that is spawned later would begin with it."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="module")
def address(root) -> Iterator[str]:
    """Of the pages of the home below the module's own `root`."""
    with server(root / "home") as address:
        yield address
