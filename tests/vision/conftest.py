"""One thread and one encoder for all vision tests."""

from collections.abc import Callable, Iterator

import pytest
import torch

from app.vision import download
from app.vision.encoder import Encoder
from tests.vision.mirrors import Behave, Mirror


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Beside other work on few cores, two that wait for each other are slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
def encoder(tmp_path_factory) -> Encoder:
    """Untrained."""
    return Encoder.open("untrained_vits14", tmp_path_factory.mktemp("weights"), device="cpu")


@pytest.fixture
def mirror(monkeypatch) -> Iterator[Callable[[Behave], Mirror]]:
    """Starts servers that behave as told; they end with the test."""
    monkeypatch.setattr(download, "PAUSE_S", 0.01)
    started: list[Mirror] = []

    def start(behave: Behave) -> Mirror:
        started.append(Mirror(behave))
        return started[-1]

    yield start
    for each in started:
        each.close()
