"""The program within this process, for what is about its answer and not about a process of its own."""

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.ingest.workshop import Workshop
from app.resources import Resources, open_resources
from tests.conftest import make_settings
from tests.program import Program, document

Here = Callable[..., subprocess.CompletedProcess]
Ask = Callable[..., Any]


@pytest.fixture
def here(program: Program, monkeypatch, capfd) -> Here:
    return partial(program.here, monkeypatch, capfd)


@pytest.fixture
def ask(here: Here) -> Ask:
    """The one document that a command answers with."""
    return lambda *arguments: document(here(*arguments, "--json"))


@pytest.fixture(scope="module")
def workshop_at(encoders, decoder) -> Iterator[Callable[[Path], Workshop]]:
    """Makes homes searchable without a program, which takes seconds."""
    opened: list[Resources] = []

    def open_at(home: Path) -> Workshop:
        opened.append(open_resources(make_settings(home)))
        return Workshop(opened[-1], encoders, decoder, "test")

    yield open_at
    for resources in opened:
        resources.catalog.dispose()
