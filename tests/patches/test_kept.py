"""What is kept of a picture's places: small, whole or refused, and the places that tell most."""

import numpy as np
import pytest

from app.errors import BadVector, InvalidInput, NotFound
from app.patches import DETAILS, MOST_BYTES, OFF, Basis, Local, describe, get_detail
from app.patches.basis import learn, unit
from tests.patches.made import local, plain_basis, scene


def tokens(rows: int, columns: int, width: int = 96) -> np.ndarray:
    return np.random.default_rng(rows * columns).normal(size=(rows, columns, width)).astype(np.float16)


@pytest.mark.parametrize("grid", [(24, 24), (8, 72), (36, 36), (1, 1), (3, 5)])
def test_descriptors_come_back_from_8_kb_nearly_as_they_were(grid):
    kept = describe(tokens(*grid), plain_basis(), 240)
    data = kept.to_bytes()
    back = Local.from_bytes(data)
    assert len(data) <= MOST_BYTES
    assert back.grid == kept.grid == grid
    np.testing.assert_array_equal(back.places, kept.places)
    np.testing.assert_allclose(back.levels, kept.levels, atol=1 / 255)
    assert np.einsum("kd,kd->k", back.features, kept.features).min() > 0.97


def test_damaged_bytes_are_refused_wherever_the_damage_is():
    data = local(scene(4, 4, 1)).to_bytes()
    for position in range(len(data)):
        spoilt = bytearray(data)
        spoilt[position] ^= 0x10
        with pytest.raises(InvalidInput, match="made again"):
            Local.from_bytes(bytes(spoilt))
    for length in (0, 5, len(data) - 1):
        with pytest.raises(InvalidInput):
            Local.from_bytes(data[:length])


def test_what_is_everywhere_in_a_picture_or_in_others_is_not_kept():
    """Half of a picture is one texture; a row of it is what the background is full of."""
    basis = plain_basis()
    picture = scene(24, 24, 2)
    picture[:, :12] = picture[0, 0]
    picture[5, 12:] = basis.background[:12]
    inverse = np.linalg.pinv(basis.directions)
    basis = Basis(basis.mean, basis.directions, np.repeat(basis.background, 8, axis=0))
    kept = describe(picture @ inverse, basis, 200)
    assert kept.places[:, 0].min() > 12
    assert not (kept.places[:, 1] == 5.5).any()


def test_a_basis_comes_back_as_it_was_and_damage_is_refused():
    basis = plain_basis()
    data = basis.to_bytes()
    back = Basis.from_bytes(data)
    some = tokens(3, 3)
    np.testing.assert_allclose(back.project(some), basis.project(some), atol=1e-6)
    np.testing.assert_allclose(back.background, basis.background, atol=0.01)
    with pytest.raises(InvalidInput, match="no basis"):
        Basis.from_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(BadVector, match="95 numbers"):
        basis.project(np.zeros((1, 95)))


def test_a_learned_basis_weighs_its_directions_alike():
    rng = np.random.default_rng(1)
    spread = np.geomspace(10, 0.1, 96)
    pictures = [rng.normal(size=(10, 12, 96)) * spread + 3 for _ in range(30)]
    basis = learn(pictures)
    seen = (np.concatenate(pictures).reshape(-1, 96) - basis.mean) @ basis.directions
    np.testing.assert_allclose(seen.std(axis=0), 1, rtol=0.02)
    np.testing.assert_allclose(np.linalg.norm(basis.background, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(learn(pictures).directions, basis.directions)


def test_details_are_found_by_name_and_by_word():
    assert [get_detail(row.word) for row in DETAILS] == [get_detail(row.name) for row in DETAILS] == list(DETAILS)
    assert (OFF.tokens, OFF.windows, len(get_detail("light").windows)) == (0, (), 8)
    assert (get_detail("light-v1").keypoints, get_detail("full-v1").word) == (0, "full")  # kept by older collections
    with pytest.raises(NotFound, match="off, light, full"):
        get_detail("heavy")


def test_zero_rows_have_no_direction_and_make_no_noise():
    assert not unit(np.zeros((2, 3))).any()
