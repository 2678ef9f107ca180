"""One thread and one encoder for all vision tests."""

from collections.abc import Iterator

import pytest
import torch

from app.vision.encoder import Encoder


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
