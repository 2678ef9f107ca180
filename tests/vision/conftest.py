"""One encoder for all vision tests."""

from collections.abc import Iterator

import pytest
import torch

from app.vision.encoder import Encoder


@pytest.fixture(scope="package")
def encoder(tmp_path_factory) -> Iterator[Encoder]:
    """Untrained, on one thread: beside other work on few cores, two that wait for each other are slower."""
    threads = torch.get_num_threads()
    yield Encoder.open("untrained_vits14", tmp_path_factory.mktemp("weights"), device="cpu", threads=1)
    torch.set_num_threads(threads)
