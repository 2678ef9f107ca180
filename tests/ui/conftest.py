"""What Streamlit's own test runner leaves behind."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def main_module_stays() -> Iterator[None]:
    """The runner puts a page in the place of `__main__`, and a process that is spawned later would begin with it."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
