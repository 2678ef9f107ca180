"""Our network against the numbers of the original implementations, on small random networks of every kind."""

import functools
import hashlib
import tarfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch

from app.vision import checkpoints
from app.vision.architectures import ARCHITECTURES, Architecture, get_architecture
from app.vision.facts import count
from app.vision.vit import VisionTransformer

SIZES = ("224", "518", "322x448")
FLOAT32_ATOL = 1e-5  # twice the noise between implementations, below the smallest mistake tried
FLOAT64_ATOL = 1e-9


def tiny(ffn: str, registers: int) -> Architecture:
    positions = {"position_offset": 0.0, "position_antialias": True} if registers else {}
    return Architecture(name="tiny", aliases=(), dim=128, depth=3, ffn=ffn, registers=registers, **positions)


CASES = {
    "mlp": tiny("mlp", 0),
    "mlp_reg": tiny("mlp", 4),
    "swiglu": tiny("swiglu", 0),
    "swiglu_reg": tiny("swiglu", 4),
}


# (case, who answered, the positions they resample by where that is not the row's own)
ORIGINALS = [
    ("mlp", "official", None),
    ("mlp", "hf", "size"),
    ("mlp", "mmpretrain", "size"),
    ("mlp_reg", "official", None),
    ("mlp_reg", "hf", None),
    ("swiglu", "official", None),
    ("swiglu", "hf", "size"),
    ("swiglu", "mmpretrain", "size"),
    ("swiglu_reg", "official", None),
    ("swiglu_reg", "hf", None),
]


class Golden(NamedTuple):
    """One small network's weights, and what the originals answered."""

    architecture: Architecture
    weights: dict[str, torch.Tensor]
    numbers: dict[str, np.ndarray]

    def network(self, dtype: torch.dtype = torch.float32, positions: str | None = None) -> VisionTransformer:
        weights = {name: tensor.to(dtype) for name, tensor in self.weights.items()}
        return VisionTransformer.with_weights(self.architecture, weights, positions=positions)


@pytest.fixture(scope="module")
def goldens(shared, tmp_path_factory) -> Callable[[str], Golden]:
    @functools.cache
    def opened(name: str) -> Golden:
        folder = tmp_path_factory.mktemp(name)
        with tarfile.open(shared / "golden" / f"{name}.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        with np.load(shared / "golden" / f"{name}_io.npz") as numbers:
            weights = checkpoints.load(CASES[name], folder / f"{name}_official.pth")
            return Golden(CASES[name], weights, dict(numbers))

    return opened


def golden_input(golden: dict, size: str) -> torch.Tensor:
    rng = np.random.default_rng(int(golden[f"input_{size}_seed"]))
    x = rng.standard_normal(tuple(golden[f"input_{size}_shape"]), dtype=np.float32)
    assert hashlib.sha256(x.tobytes()).hexdigest() == str(golden[f"input_{size}_sha256"])
    return torch.from_numpy(x)


def largest_difference(network: VisionTransformer, golden: dict, size: str, said_by: str) -> float:
    """Over every output on record of that implementation, and both ways to the cls token."""
    x = golden_input(golden, size).to(network.cls_token.dtype)
    with torch.inference_mode():
        tokens, called = network.forward_features(x), network(x)[0]
    ours = {
        "cls": tokens.cls,
        "pooler": tokens.cls,
        "patch8": tokens.patches[:, :8],
        "patchmean": tokens.patches.double().mean(1),
        "reg": tokens.registers,
    }
    prefix = f"{said_by}_{size}_"
    theirs = {name.removeprefix(prefix): value for name, value in golden.items() if name.startswith(prefix)}
    assert theirs.keys() >= {"cls", "patch8", "patchmean"}
    assert ("reg" in theirs) == bool(network.architecture.registers)
    differences = [np.abs(ours[what].numpy() - value).max() for what, value in theirs.items()]
    return max(*differences, np.abs(called.numpy() - theirs["cls"]).max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "said_by", "positions"), ORIGINALS)
def test_float32_equals_each_original_in_its_convention(goldens, name, said_by, positions, size):
    golden = goldens(name)
    assert largest_difference(golden.network(positions=positions), golden.numbers, size, said_by) <= FLOAT32_ATOL


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_float64_equals_the_original_to_nine_digits(goldens, name, size):
    golden = goldens(name)
    assert largest_difference(golden.network(torch.float64), golden.numbers, size, "official64") <= FLOAT64_ATOL


@pytest.mark.parametrize("size", ["224", "322x448"])
@pytest.mark.parametrize(("name", "wrong"), [("mlp", "size"), ("mlp_reg", "offset"), ("mlp_reg", "size")])
def test_the_numbers_would_show_the_wrong_convention(goldens, name, wrong, size):
    golden = goldens(name)
    assert largest_difference(golden.network(positions=wrong), golden.numbers, size, "official") > 1e-2


@pytest.mark.parametrize(
    ("name", "parameters", "giga_macs"),
    [
        ("dinov2_vits14", 22_056_576, 46.76),
        ("dinov2_vitb14", 86_580_480, 151.7),
        ("dinov2_vitl14", 304_368_640, 507.1),
        ("dinov2_vitg14", 1_136_480_768, 1784.2),
        ("dinov2_vits14_reg", 22_058_112, None),
        ("dinov2_vitb14_reg", 86_583_552, None),
        ("dinov2_vitl14_reg", 304_372_736, None),
        ("dinov2_vitg14_reg", 1_136_486_912, None),
    ],
)
def test_sizes_counted_from_the_network_are_the_published_ones(name, parameters, giga_macs):
    counted, macs = count(get_architecture(name))
    assert counted == parameters
    assert giga_macs is None or macs / 1e9 == pytest.approx(giga_macs, rel=5e-4)


def test_every_name_of_a_row_means_that_row_and_no_other():
    names = [name.lower() for row in ARCHITECTURES for name in (row.name, *row.other_names)]
    assert len(set(names)) == len(names)
    assert get_architecture("VIT-Small-p14_dinov2-pre_3rdparty").name == "dinov2_vits14"
    assert get_architecture("facebook/dinov2-with-registers-giant").name == "dinov2_vitg14_reg"
