"""What patches say, from the same pass as the vector: the published features of the detail blocks, in every shape."""

import numpy as np
import pytest
import torch

from app.samples.paint import painted
from app.samples.plan import Shot, plan
from app.vision import checkpoints
from app.vision.architectures import ARCHITECTURES, get_architecture
from app.vision.encoder import Encoder
from app.vision.models import find_weights
from app.vision.precision import PRECISIONS
from app.vision.vit import VisionTransformer

TINY = get_architecture("dinoseek_tiny14")
WINDOWS = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.25, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0))
SHAPES = ((56, 84, 3), (84, 56, 3), (56, 84, 3), (14, 14, 3))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Encoder:
    return Encoder.open(TINY.name, tmp_path_factory.mktemp("weights"), device="cpu")


@pytest.fixture(scope="module")
def pixels() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in SHAPES]


def published(tiny: Encoder, picture: np.ndarray) -> np.ndarray:
    """As the plain network, block by block, has them: (rows, columns, L D)."""
    plain = VisionTransformer.with_weights(TINY, checkpoints.load(TINY, find_weights(TINY, None))).float()
    batch = tiny._normalised(torch.tensor(picture[None]))
    maps = plain.get_intermediate_layers(batch, TINY.detail_blocks, reshape=True)
    return torch.cat(maps, dim=1)[0].permute(1, 2, 0).numpy()


def test_vectors_are_those_of_embed_and_patches_those_of_the_blocks(tiny, pixels):
    told = tiny.describe(pixels)
    np.testing.assert_allclose(told.vectors, tiny.embed(pixels), atol=1e-6)
    for picture, patches in zip(pixels, told.patches, strict=True):
        assert patches.dtype == np.float16
        assert patches.shape == (picture.shape[0] // 14, picture.shape[1] // 14, 3 * 192)
        np.testing.assert_allclose(patches, published(tiny, picture), atol=0.02)


def test_no_pictures_have_nothing_to_say(tiny):
    assert tiny.describe([]).patches == []


@pytest.mark.parametrize("row", [row for row in PRECISIONS if "cpu" in row.devices], ids=lambda row: row.name)
def test_every_precision_describes_and_stays_near(row, tiny, pixels, tmp_path):
    told = Encoder.open(TINY.name, tmp_path, device="cpu", precision=row.name).describe(pixels[:1])
    exact = tiny.describe(pixels[:1])
    for ours, theirs in ((told.vectors[0], exact.vectors[0]), (told.patches[0].ravel(), exact.patches[0].ravel())):
        ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
        assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > row.least_cosine


def test_a_batch_that_memory_does_not_hold_is_described_in_halves(tiny, pixels, monkeypatch):
    """The device refuses more than one picture at a time."""
    whole, run = tiny.describe(pixels, WINDOWS), tiny._network.embed

    def refuse(batch):
        if len(batch) > 1:
            raise torch.OutOfMemoryError("more than one")
        return run(batch)

    monkeypatch.setattr(tiny._network, "embed", refuse)
    monkeypatch.setattr(tiny, "batch_patches", tiny.batch_patches)
    halves = tiny.describe(pixels, WINDOWS)
    np.testing.assert_allclose(halves.windows, whole.windows, atol=1e-6)
    np.testing.assert_allclose(halves.vectors, whole.vectors, atol=1e-6)
    for ours, theirs in zip(halves.patches, whole.patches, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.02)
    assert tiny.batch_patches == 24


def test_detail_is_of_the_key_and_not_of_the_network(tiny):
    light = tiny.of_detail("light-v1")
    assert (light.key.detail, tiny.key.detail) == ("light-v1", "off")
    assert light._network is tiny._network


@pytest.mark.parametrize("row", ARCHITECTURES, ids=lambda row: row.name)
def test_every_model_names_blocks_before_its_last(row):
    assert len(row.detail_blocks) == 3
    assert all(0 < number < row.depth - 1 for number in row.detail_blocks)


def test_windows_change_nothing_else_and_one_of_all_is_the_whole(tiny, pixels):
    plain, told = tiny.describe(pixels), tiny.describe(pixels, WINDOWS)
    assert told.windows.shape == (len(pixels), len(WINDOWS), 192)
    np.testing.assert_allclose(told.vectors, plain.vectors, atol=1e-5)
    np.testing.assert_allclose(told.windows[:, 2], told.vectors, atol=1e-5)
    for ours, theirs in zip(told.patches, plain.patches, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_a_window_s_vector_is_nearest_to_that_of_the_window_cut_out(tiny):
    """Of four paintings side by side each window has the vector of its own, and not of another or of them all."""
    shots = [entry for entry in plan(9, 3) if isinstance(entry, Shot)][:4]
    tiles = [np.asarray(painted(shot).picture().convert("RGB").resize((168, 168))) for shot in shots]
    wall = np.concatenate([np.concatenate(tiles[:2], axis=1), np.concatenate(tiles[2:], axis=1)])
    windows = [(x, y, x + 0.5, y + 0.5) for y in (0, 0.5) for x in (0, 0.5)]
    told = tiny.describe([wall], windows)
    alike = told.windows[0] @ np.concatenate([tiny.embed(tiles), told.vectors]).T
    assert alike.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert alike[:, :4].diagonal().min() > 0.5  # where unrelated ones have about 0
