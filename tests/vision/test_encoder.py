"""Pixels to vectors: the weights made from a seed, the choice of model and device, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import BadCheckpoint, BadVector, InvalidInput, NotFound, WeightsUnavailable
from app.vision import containers, models, untrained
from app.vision.architectures import Architecture, get_architecture
from app.vision.device import choose_device
from app.vision.encoder import Encoder, unit_rows
from app.vision.facts import model_facts
from app.vision.models import find_weights, resolve_model
from app.vision.preprocessing import DEFAULT

# The bits of the untrained weights: vectors of two machines can be compared only while this holds on both
UNTRAINED_SHA256 = "0ffb250556118fe8a60738cb79c8be4ccea92df3e6d3b0ed2a150e04d84dc2b2"
VITS14 = get_architecture("dinov2_vits14")
TINY14 = get_architecture("dinoseek_tiny14")


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def vits14_dir(tmp_path_factory) -> Path:
    """A weights folder whose dinov2_vits14 holds the untrained tensors: same layout, known answers."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save(untrained.state_dict(VITS14), folder / VITS14.file_name)
    return folder


def test_the_untrained_weights_have_the_same_bits_everywhere(encoder):
    assert encoder.key.weights_sha256 == UNTRAINED_SHA256


def test_the_key_says_all_that_makes_vectors_comparable(encoder):
    key = encoder.key
    assert (key.model, key.preprocessing, key.precision, key.dim, key.trained) == (
        "untrained_vits14",
        DEFAULT,
        "float32",
        384,
        False,
    )


def test_vectors_are_unit_float32_in_the_order_given(encoder, pixels):
    vectors = encoder.embed(pixels)
    assert (vectors.shape, vectors.dtype) == ((3, 384), np.float32)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6
    one_by_one = np.concatenate([encoder.embed(pixels[row : row + 1]) for row in range(3)])
    assert np.abs(vectors - one_by_one).max() < 1e-5
    assert np.abs(encoder.embed(pixels[::-1])[::-1] - vectors).max() < 1e-5


def test_no_pictures_give_no_vectors(encoder):
    assert encoder.embed([]).shape == (0, 384)


def test_pictures_of_many_shapes_come_back_in_the_order_given(encoder, monkeypatch):
    monkeypatch.setattr(encoder, "batch_patches", 2 * 8)
    rng = np.random.default_rng(4)
    shapes = [(28, 56), (56, 28), (28, 56), (28, 28), (28, 56), (28, 56)]
    pictures = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
    one_by_one = np.concatenate([encoder.embed([picture]) for picture in pictures])
    assert np.abs(encoder.embed(pictures) - one_by_one).max() < 1e-5


def test_normalisation_is_imagenet_s(encoder):
    x = encoder._normalised(torch.full((1, 224, 224, 3), 255, dtype=torch.uint8))
    assert x[0, :, 0, 0].tolist() == pytest.approx([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])


@pytest.mark.parametrize("shape", [(224, 224, 3), (1, 3, 224, 224), (1, 225, 224, 3), (1, 0, 224, 3), (1, 224, 224, 4)])
def test_pixels_of_another_shape_are_refused(encoder, shape):
    with pytest.raises(InvalidInput, match="expected uint8"):
        encoder.embed(np.zeros(shape, np.uint8))


def test_pixels_of_another_type_are_refused(encoder):
    with pytest.raises(InvalidInput, match="pixels of float32"):
        encoder.embed(np.zeros((1, 224, 224, 3), np.float32))


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_a_vector_without_direction_is_refused(value):
    vectors = np.ones((3, 4), np.float32)
    vectors[1] = value
    with pytest.raises(BadVector, match="picture 2 of 3"):
        unit_rows(vectors)


def test_every_picture_of_a_constant_colour_has_a_direction(encoder):
    colours = np.array([[0, 0, 0], [255, 255, 255], [124, 116, 104]], np.uint8)
    plain = np.broadcast_to(colours[:, None, None, :], (3, 224, 224, 3))
    assert np.isfinite(encoder.embed(plain)).all()


def test_auto_takes_the_trained_model_once_its_weights_are_here(vits14_dir, tmp_path):
    assert resolve_model("auto", tmp_path).name == "dinoseek_tiny14"
    assert resolve_model("auto", vits14_dir).name == "dinov2_vits14"


def test_a_known_model_without_weights_says_how_to_get_them(tmp_path):
    with pytest.raises(WeightsUnavailable) as refused:
        resolve_model("facebook/dinov2-small", tmp_path)
    assert str(refused.value) == (
        f"dinov2_vits14 has no weights in {tmp_path}: run `dinoseek models pull dinov2_vits14`, "
        "or put dinov2_vits14_pretrain.pth there"
    )


def test_an_unknown_model_lists_the_known(tmp_path):
    with pytest.raises(NotFound, match="no model is called 'resnet': choose one of dinov2_vits14, dinov2_vitb14"):
        resolve_model("resnet", tmp_path)


def test_found_weights_give_the_network_s_numbers_and_the_file_s_digest(encoder, vits14_dir, pixels):
    opened = Encoder.open("auto", vits14_dir, device="cpu")
    assert np.abs(opened.embed(pixels) - encoder.embed(pixels)).max() < 1e-6
    assert (opened.key.model, opened.key.trained) == ("dinov2_vits14", True)
    assert opened.key.weights_sha256 != encoder.key.weights_sha256
    assert {row.name: row.weights for row in model_facts(vits14_dir)} == {
        "dinov2_vits14": "ready",
        "dinoseek_tiny14": "bundled",
        "untrained_vits14": "bundled",
        **{f"dinov2_vit{size}14": "missing" for size in "blg"},
        **{f"dinov2_vit{size}14_reg": "missing" for size in "sblg"},
    }


def test_the_bundled_model_is_trained_and_sees_pictures_of_its_own_size(tmp_path):
    opened = Encoder.open("auto", tmp_path, device="cpu")
    assert (opened.key.model, opened.key.trained, opened.key.dim) == ("dinoseek_tiny14", True, 192)
    assert opened.key.preprocessing == TINY14.preprocessing
    assert opened.key.weights_sha256 == TINY14.sha256
    assert list(tmp_path.iterdir()) == []


def test_the_bundled_file_is_half_precision_and_small():
    path = find_weights(TINY14, Path("nowhere"))
    assert path.stat().st_size <= 12_000_000
    assert {tensor.dtype for tensor in containers.read(path).values()} == {torch.float16}


def test_a_bundled_file_that_is_not_the_one_that_came_is_refused(tmp_path, monkeypatch):
    whole = find_weights(TINY14, tmp_path).read_bytes()
    monkeypatch.setattr(models, "BUNDLED", tmp_path)
    (tmp_path / TINY14.bundled).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BadCheckpoint, match="is not the file that dinoseek came with: install dinoseek anew"):
        Encoder.open("dinoseek_tiny14", tmp_path, device="cpu")


def test_a_preprocessing_that_is_asked_for_takes_the_place_of_the_model_s(tmp_path):
    opened = Encoder.open("dinoseek_tiny14", tmp_path, device="cpu", preprocessing="squash224-v2")
    assert opened.key.preprocessing == "squash224-v2"


def test_weights_of_another_model_under_this_name_are_refused(tmp_path):
    narrow = Architecture(name="narrow", aliases=(), dim=64, depth=12, file=VITS14.file)
    torch.save(untrained.state_dict(narrow), tmp_path / VITS14.file_name)
    with pytest.raises(BadCheckpoint, match=r"dinov2_vits14_pretrain\.pth is not dinov2_vits14"):
        Encoder.open("auto", tmp_path, device="cpu")


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "cpu:x", "meta"])
def test_a_device_that_is_not_here_is_refused(device):
    with pytest.raises(InvalidInput, match="device"):
        choose_device(device)


def test_auto_is_a_device_that_works():
    device = choose_device("auto")
    assert torch.ones(2, device=device).sum().item() == 2
