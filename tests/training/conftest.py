"""A few painted pictures to train on."""

from pathlib import Path

import pytest
import torch

from tests.conftest import paint
from training import pictures
from training.pictures import Pictures


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
def folder(tmp_path_factory) -> Path:
    """Two sources: six pictures and two."""
    made = tmp_path_factory.mktemp("taught")
    for number in range(6):
        paint(made / "many" / f"{number}.jpg", number)
    for number in (6, 7):
        paint(made / "few" / f"{number}.png", number, size=(80, 160))
    return made


@pytest.fixture(scope="package")
def taught(folder) -> Pictures:
    return pictures.load(folder)
