"""What a box is searched by: few vectors for many looks."""

import numpy as np
import pytest

from app.patches import Basis
from app.search.sights import WHOLE, see
from app.vision.architectures import get_architecture
from app.vision.encoder import Encoder
from app.vision.looks import Way
from app.vision.models import find_basis

MODEL = "dinoseek_tiny14"
WAYS = tuple(Way(turn * 120, long_px) for long_px in (84, 56) for turn in range(3))


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    basis = Basis.from_bytes(find_basis(get_architecture(MODEL)).read_bytes())
    return Encoder.open(MODEL, tmp_path_factory.mktemp("weights"), device="cpu"), basis


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(4).integers(0, 256, (112, 98, 3), np.uint8)


def test_a_box_is_searched_by_its_first_look_and_the_middle_of_each_size(tools, pixels):
    seen = see(pixels, WAYS, (), *tools)
    assert seen.vectors.shape == (7, 192)
    middles = [seen.vectors[0], seen.vectors[1:4].mean(axis=0), seen.vectors[4:].mean(axis=0)]
    expected = [middle / np.linalg.norm(middle) for middle in middles]
    np.testing.assert_allclose(seen.names, expected, atol=1e-6)


def test_a_whole_picture_has_one_look(tools, pixels):
    seen = see(pixels, WHOLE, (), *tools)
    np.testing.assert_allclose(seen.names, seen.vectors, atol=1e-6)
