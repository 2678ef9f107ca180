"""Other kinds of numbers: near the exact answers, independent of neighbours, and named in the key."""

import numpy as np
import pytest
import torch
from torch import nn

from app.errors import InvalidInput, NotFound
from app.settings import Settings
from app.vision.architectures import FALLBACK, Architecture
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from app.vision.int8 import INPUT_LEVELS, WEIGHT_LEVELS, Int8Linear
from app.vision.precision import PRECISIONS, get_precision
from app.vision.served import Linear, serve
from app.vision.vit import VisionTransformer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def int8(tmp_path_factory) -> Encoder:
    return Encoder.open("untrained_vits14", tmp_path_factory.mktemp("weights"), device="cpu", precision="int8")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Pictures unlike each other: one bright, one dark, one busy."""
    rng = np.random.default_rng(8)
    return [rng.integers(low, high, (224, 224, 3), dtype=np.uint8) for low, high in ((200, 256), (0, 20), (0, 256))]


def linear(seed: int = 0, inputs: int = 96, outputs: int = 40) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(inputs, outputs).requires_grad_(False)


def test_integers_stay_near_the_exact_answer(encoder, int8, pictures):
    exact, rounded = encoder.embed(pictures), int8.embed(pictures)
    assert (exact * rounded).sum(1).min() > 0.995
    assert np.abs(exact - rounded).max() > 1e-6  # it is not float32 by another name


def test_a_vector_in_integers_does_not_depend_on_its_neighbours(int8, pictures):
    together = int8.embed(pictures)
    alone = np.concatenate([int8.embed([picture]) for picture in pictures])
    assert np.abs(together - alone).max() < 1e-6


def test_the_integer_products_are_exact_at_their_extremes():
    """Where a processor adds pairs of products in 16 bits, eight bits times eight would overflow."""
    inputs = torch.full((20, 1536), INPUT_LEVELS, dtype=torch.int8)
    inputs[1::2] = -INPUT_LEVELS
    weights = torch.full((32, 1536), WEIGHT_LEVELS, dtype=torch.int8)
    weights[::3] = -WEIGHT_LEVELS
    assert torch.equal(torch._int_mm(inputs, weights.t()).long(), inputs.long() @ weights.long().t())


def test_a_linear_map_in_integers_errs_by_less_than_its_steps():
    exact, x = linear(), torch.randn(5, 7, 96, generator=torch.Generator().manual_seed(1))
    x[0, 0] = 0  # a token of zeros
    x[1] *= 1000  # one a thousand times as loud as its neighbours
    error = (Int8Linear(exact)(x) - exact(x)).abs()
    steps = x.abs().amax(-1, keepdim=True) * exact.weight.abs().amax(1)  # (5, 7, 40)
    assert (error <= steps * 96 * (0.5 / INPUT_LEVELS + 0.5 / WEIGHT_LEVELS) + 1e-6).all()
    assert torch.allclose(Int8Linear(exact)(x)[0, 0], exact.bias)


@pytest.mark.parametrize("kind", [Linear, Int8Linear])
def test_a_served_map_adds_its_scaled_outputs_in_place(kind):
    exact, scale, rng = linear(), torch.linspace(-2, 2, 40), torch.Generator().manual_seed(2)
    x, onto = torch.randn(3, 5, 96, generator=rng), torch.randn(3, 5, 40, generator=rng)
    expected = onto + exact(x) * scale
    served = kind(exact, scale).add(x, onto)
    assert served is onto
    assert (served - expected).abs().max() < (1e-5 if kind is Linear else 0.1)


@pytest.mark.parametrize("ffn", ["mlp", "swiglu"])
def test_a_served_network_says_what_the_plain_one_says(ffn):
    architecture = Architecture(name="tiny", aliases=(), dim=128, depth=3, ffn=ffn, registers=4)
    generator = torch.Generator().manual_seed(3)
    shapes = VisionTransformer(architecture).state_dict()
    weights = {name: torch.randn(tensor.shape, generator=generator) * 0.3 for name, tensor in shapes.items()}
    x = torch.randn(2, 3, 70, 42, generator=generator)
    plain = VisionTransformer.with_weights(architecture, weights)(x).cls
    served = serve(VisionTransformer.with_weights(architecture, weights))
    assert (served(x).cls - plain).abs().max() < 1e-5
    assert (served(x).cls - plain).abs().max() < 1e-5  # again, with its positions remembered


@pytest.mark.parametrize("row", [row for row in PRECISIONS if "cpu" in row.devices], ids=lambda row: row.name)
def test_the_key_names_the_precision(row, tmp_path):
    opened = Encoder.open("untrained_vits14", tmp_path, device="cpu", precision=row.name)
    assert opened.key.precision == row.name


@pytest.mark.parametrize("row", [row for row in PRECISIONS if "cpu" in row.devices], ids=lambda row: row.name)
def test_the_bundled_encoder_stays_near_itself_in_every_precision(row, tmp_path, shared):
    """Its head makes rounding larger: 0.995 was measured at worst."""
    exact, opened = (Encoder.open(FALLBACK, tmp_path, device="cpu", precision=name) for name in ("float32", row.name))
    photos = sorted((shared / "photos" / "near_dup" / "caltech00").iterdir())
    with Decoder(Settings(_env_file=None)) as decoder:
        futures = [decoder.submit(path, preprocessing=exact.key.preprocessing) for path in photos]
        pixels = [future.result().pixels for future in futures]
    assert (exact.embed(pixels) * opened.embed(pixels)).sum(1).min() > 0.99


def test_an_unknown_precision_lists_the_known():
    with pytest.raises(
        NotFound, match=r"no precision is called 'int4': choose one of float32, bfloat16, float16, int8"
    ):
        get_precision("int4", CPU)


def test_a_precision_that_the_device_does_not_do_is_refused():
    with pytest.raises(InvalidInput, match="float16 does not run on cpu, only on cuda or mps: choose another"):
        get_precision("float16", CPU)
