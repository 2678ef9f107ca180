"""The two ways dinoseek runs: with nothing beside it, and with PostgreSQL and Redis."""

import contextlib
from collections.abc import Iterator

import pytest

from tests import servers
from tests.faults.crasher import Crasher

SWEEP_S = 2  # of a broker's worker: so that a kill meets work, not a pause


@pytest.fixture
def embedded(tmp_path) -> Iterator[Crasher]:
    opened = Crasher(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def served(tmp_path, postgres_url) -> Iterator[Crasher]:
    with servers.redis(tmp_path) as broker:
        opened = Crasher(tmp_path, database_url=postgres_url, broker_url=broker, sweep_s=SWEEP_S)
        yield opened
        opened.close()


@pytest.fixture(params=["embedded", pytest.param("served", marks=pytest.mark.soak)])
def detailed(request, tmp_path) -> Iterator[Crasher]:
    """As `crasher`, with a collection that keeps detail."""
    with contextlib.ExitStack() as stack:
        knobs = {"preprocessing": "squash168-v1"}
        if request.param == "served":
            knobs |= {"database_url": request.getfixturevalue("postgres_url"), "sweep_s": SWEEP_S}
            knobs["broker_url"] = stack.enter_context(servers.redis(tmp_path))
        opened = Crasher(tmp_path, detail="light", **knobs)
        yield opened
        opened.close()


@pytest.fixture(params=["embedded", "served"])
def crasher(request) -> Crasher:
    return request.getfixturevalue(request.param)
