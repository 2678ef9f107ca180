"""The usage people know: networks by any name, with weights from the folder, from a path, or from a seed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import app.vision
from app.errors import BadCheckpoint, InvalidInput, NotFound, WeightsUnavailable
from app.settings import get_settings
from app.vision import get_model, list_models, untrained
from app.vision.architectures import ARCHITECTURES, Architecture, get_architecture
from app.vision.vit import VisionTransformer

NAME = "vit-small-p14_dinov2-pre_3rdparty"
X = torch.randn(2, 3, 28, 42, generator=torch.Generator().manual_seed(1))

# Prints the growth of memory that is this process's own, not the file's, while a model is loaded and asked once
MEASURED = """
import json, pathlib, re, sys
import torch
from app.vision import get_model

def kilobytes(file, field):
    return int(re.search(rf"^{field}:\\s+(\\d+) kB", pathlib.Path(file).read_text(), re.MULTILINE)[1])

name, path, side_px = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(2)
before = kilobytes("/proc/self/smaps_rollup", "Anonymous")
model = get_model(name, weights=path)
loaded = kilobytes("/proc/self/smaps_rollup", "Anonymous")
cls, = model(torch.ones(1, 3, side_px, side_px))
print(json.dumps({
    "own_bytes": (loaded - before) * 1024,
    "peak_bytes": kilobytes("/proc/self/status", "VmHWM") * 1024,
    "parameters": sum(parameter.numel() for parameter in model.parameters()),
    "shape": list(cls.shape),
    "finite": bool(cls.isfinite().all()),
}))
"""


def measured(name: str, path: Path, side_px: int) -> dict:
    """By a process of its own, whose peak is of nothing else."""
    command = [sys.executable, "-c", MEASURED, name, str(path), str(side_px)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def write_noise(architecture: Architecture, path: Path) -> None:
    """An official file of this variant's size."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in VisionTransformer(architecture).state_dict().items()}
    generator = torch.Generator().manual_seed(1)
    torch.save({name: torch.empty(shape).normal_(0, 0.02, generator=generator) for name, shape in shapes.items()}, path)


def same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> bool:
    """The same names with the same bits."""
    return ours.keys() == theirs.keys() and all(ours[name].equal(theirs[name]) for name in ours)


@pytest.fixture
def weights_dir(tmp_path, monkeypatch) -> Path:
    """An empty folder that the settings name."""
    monkeypatch.setenv("DINOSEEK_WEIGHTS_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def noise(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("noise") / "dinov2_vits14_pretrain.pth"
    write_noise(get_architecture(NAME), path)
    return path


def test_the_room_and_the_pixels_import_no_torch():
    code = "import sys, app.vision, app.vision.pixels; print(dir(app.vision)); print('torch' in sys.modules)"
    names, torch_is_here = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert "'get_model', " in names and "'list_models'" in names
    assert torch_is_here == "False"


def test_every_exported_name_is_there_and_no_other():
    assert all(callable(getattr(app.vision, name)) for name in app.vision.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'get_modle'"):
        _ = app.vision.get_modle


def test_pretrained_weights_come_from_the_folder_of_the_settings(weights_dir, noise):
    (weights_dir / noise.name).symlink_to(noise)
    model = get_model(NAME, pretrained=True)
    assert not model.training and not any(parameter.requires_grad for parameter in model.parameters())
    called, extracted = model(X), model.extract_feat(X)
    assert len(called) == len(extracted) == 1
    assert called[0].shape == (2, 384)
    assert torch.equal(called[0], extracted[0])
    assert same(model.state_dict(), torch.load(noise, weights_only=True))


@pytest.mark.parametrize("option", [{"weights": True}, {"pretrained": True}])
def test_a_path_is_taken_by_either_name(noise, option):
    (option_name,) = option
    for path in (noise, str(noise)):
        assert get_model(NAME, **{option_name: path}).cls_token.equal(get_model(NAME, weights=noise).cls_token)


def test_missing_weights_are_refused_in_one_line_with_the_command_that_fetches_them(weights_dir):
    with pytest.raises(WeightsUnavailable, match="run `dinoseek models pull dinov2_vits14`") as refusal:
        get_model(NAME, pretrained=True)
    assert "\n" not in str(refusal.value)
    assert str(weights_dir) in str(refusal.value)


def test_without_weights_the_network_is_the_seeded_one_on_every_machine(weights_dir):
    seeded = untrained.state_dict(get_architecture("untrained"))
    assert same(get_model("vits14").state_dict(), seeded)
    assert same(get_model("untrained", pretrained=True).state_dict(), seeded)


def test_weights_of_another_variant_or_no_file_at_all_are_refused(noise, tmp_path):
    with pytest.raises(BadCheckpoint, match="dinov2_vits14"):
        get_model("dinov2_vitb14", weights=noise)
    with pytest.raises(NotFound, match=r"there are no weights at .*nowhere\.pth"):
        get_model(NAME, weights=tmp_path / "nowhere.pth")
    with pytest.raises(NotFound, match="no model is called 'vit-tiny'"):
        get_model("vit-tiny")


def test_options_reach_the_network(noise):
    model = get_model(NAME, weights=noise, dtype=torch.bfloat16, device=torch.device("cpu"), sides="pad")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert model(torch.zeros(1, 3, 30, 30))[0].shape == (1, 384)
    as_others = get_model("dinov2_vits14", weights=noise, positions="size")
    assert not torch.allclose(as_others.positions(16, 16), get_model(NAME, weights=noise).positions(16, 16), atol=1e-3)


def test_impossible_options_are_refused():
    with pytest.raises(InvalidInput, match=r"dtype torch.int8: weights are real numbers"):
        get_model(NAME, dtype=torch.int8)
    with pytest.raises(InvalidInput, match="device 'cuda:99'"):
        get_model(NAME, device="cuda:99")


def test_every_listed_name_is_a_model():
    listed = list_models()
    assert listed == sorted(set(listed))
    assert {get_architecture(name) for name in listed} == set(ARCHITECTURES)
    assert {"dinov2_vitg14_reg", "facebook/dinov2-base", NAME} <= set(listed)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("vit-small*", [NAME]),
        ("VIT-Small", [NAME]),
        ("*dinov2-pre*", [f"vit-{size}-p14_dinov2-pre_3rdparty" for size in ("base", "giant", "large", "small")]),
        ("dinov2_vit?14_reg", [f"dinov2_vit{size}14_reg" for size in "bgls"]),
        ("resnet*", []),
    ],
)
def test_a_pattern_lists_what_it_begins(pattern, expected):
    assert list_models(pattern) == expected


def test_loading_maps_the_file_and_makes_no_second_copy(tmp_path):
    path = tmp_path / "base.pth"
    write_noise(get_architecture("dinov2_vitb14"), path)
    found = measured("dinov2_vitb14", path, side_px=28)
    assert found["own_bytes"] < path.stat().st_size / 10
    assert (found["parameters"], found["shape"], found["finite"]) == (86_580_480, [1, 768], True)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_giant_runs_in_well_under_24_gigabytes(tmp_path, capsys):
    path = tmp_path / "giant.pth"
    try:
        write_noise(get_architecture("dinov2_vitg14"), path)
        found = measured("dinov2_vitg14", path, side_px=224)
        found["file_bytes"] = path.stat().st_size
    finally:
        path.unlink(missing_ok=True)
    with capsys.disabled():
        print(f"\n{found}")
    assert found["own_bytes"] < found["file_bytes"] / 10
    assert found["peak_bytes"] < 24e9
    assert (found["parameters"], found["shape"], found["finite"]) == (1_136_480_768, [1, 1536], True)
