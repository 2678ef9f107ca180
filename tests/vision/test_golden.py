"""Our network against the numbers of the original implementation, on small random networks of every kind."""

import hashlib
import tarfile

import numpy as np
import pytest
import torch

from app.errors import InvalidInput
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


@pytest.fixture(scope="module", params=CASES)
def case(request, shared, tmp_path_factory) -> tuple[VisionTransformer, dict]:
    """The network with the original's weights, and what the original answered."""
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    with tarfile.open(shared / "golden" / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    network = VisionTransformer(CASES[name]).eval()
    network.load_state_dict(checkpoints.load(CASES[name], folder / f"{name}_official.pth"))
    with np.load(shared / "golden" / f"{name}_io.npz") as numbers:
        return network, dict(numbers)


def golden_input(golden: dict, size: str) -> torch.Tensor:
    rng = np.random.default_rng(int(golden[f"input_{size}_seed"]))
    x = rng.standard_normal(tuple(golden[f"input_{size}_shape"]), dtype=np.float32)
    assert hashlib.sha256(x.tobytes()).hexdigest() == str(golden[f"input_{size}_sha256"])
    return torch.from_numpy(x)


def largest_difference(network: VisionTransformer, golden: dict, size: str, said_by: str) -> float:
    dtype = next(network.parameters()).dtype
    with torch.inference_mode():
        tokens = network.forward_features(golden_input(golden, size).to(dtype))
    ours = {
        "cls": tokens.cls,
        "patch8": tokens.patches[:, :8],
        "patchmean": tokens.patches.double().mean(1),
        "reg": tokens.registers,
    }
    theirs = {what: golden.get(f"{said_by}_{size}_{what}") for what in ours}
    compared = {what: np.abs(ours[what].numpy() - value).max() for what, value in theirs.items() if value is not None}
    assert len(compared) == (4 if network.architecture.registers else 3)
    return max(compared.values())


@pytest.mark.parametrize("size", SIZES)
def test_float32_equals_the_original(case, size):
    network, golden = case
    assert largest_difference(network.float(), golden, size, "official") <= FLOAT32_ATOL


@pytest.mark.parametrize("size", SIZES)
def test_float64_equals_the_original_to_nine_digits(case, size):
    network, golden = case
    assert largest_difference(network.double(), golden, size, "official64") <= FLOAT64_ATOL


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


def test_a_side_that_is_no_multiple_of_14_is_refused():
    network = VisionTransformer(tiny("mlp", 0))
    with pytest.raises(InvalidInput, match="230 x 224 px: the network takes sides that are multiples of 14"):
        network(torch.zeros(1, 3, 230, 224))


def test_every_name_of_a_row_means_that_row_and_no_other():
    names = [name.lower() for row in ARCHITECTURES for name in (row.name, *row.other_names)]
    assert len(set(names)) == len(names)
    assert get_architecture("VIT-Small-p14_dinov2-pre_3rdparty").name == "dinov2_vits14"
    assert get_architecture("facebook/dinov2-with-registers-giant").name == "dinov2_vitg14_reg"
