"""Networks by name, asked for as in mmpretrain."""

import fnmatch
from pathlib import Path

import torch
from torch import Tensor

from app.errors import InvalidInput, NotFound
from app.settings import get_settings
from app.vision import checkpoints, untrained
from app.vision.architectures import ARCHITECTURES, Architecture, get_architecture
from app.vision.device import choose_device
from app.vision.models import find_weights, resolve_model
from app.vision.vit import VisionTransformer


def get_model(
    name: str,
    pretrained: bool | str | Path = False,
    *,
    weights: str | Path | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    positions: str | None = None,
    sides: str = "refuse",
) -> VisionTransformer:
    """The network of any name in `list_models`, in eval mode, its weights without gradients.

    weights    a file or folder in any layout `checkpoints` reads; a path given as `pretrained` means the same
    pretrained those in the settings' weights folder, whose bytes are checked once; nothing is ever fetched here
    neither    made from a seed: they tell layouts and colours apart, not meaning, and are the same on every machine
    device     auto, cpu, cuda, cuda:N or mps
    positions, sides   as for `VisionTransformer`

    Raises NotFound for the name or path, WeightsUnavailable, BadCheckpoint, InvalidInput for an option.
    """
    if not dtype.is_floating_point:
        raise InvalidInput(f"dtype {dtype}: weights are real numbers, choose torch.float32, float16 or bfloat16")
    chosen = choose_device(str(device))
    own = weights if isinstance(pretrained, bool) else pretrained
    architecture, tensors = _given(name, Path(own).expanduser()) if own else _known(name, pretrained)
    placed = {key: tensor.to(chosen, dtype) for key, tensor in tensors.items()}  # already so: the tensor itself
    return VisionTransformer.with_weights(architecture, placed, positions=positions, sides=sides)


def list_models(pattern: str | None = None) -> list[str]:
    """Every name `get_model` takes, sorted; or those a glob pattern begins with, in any case: `vit-small`, `*reg`."""
    names = sorted(name for row in ARCHITECTURES for name in (row.name, *row.other_names))
    if pattern is None:
        return names
    wanted = pattern.lower() + "*"  # mmpretrain lets any ending match
    return [name for name in names if fnmatch.fnmatchcase(name.lower(), wanted)]


def _given(name: str, path: Path) -> tuple[Architecture, dict[str, Tensor]]:
    architecture = get_architecture(name)
    if not path.exists():
        raise NotFound(f"there are no weights at {path}: give a file, or a folder that holds one")
    return architecture, checkpoints.load(architecture, path)


def _known(name: str, pretrained: bool) -> tuple[Architecture, dict[str, Tensor]]:
    if not pretrained:
        architecture = get_architecture(name)
        return architecture, untrained.state_dict(architecture)
    folder = get_settings().weights
    architecture = resolve_model(name, folder)
    path = find_weights(architecture, folder)
    if path is None:  # a model that is made from a seed
        return architecture, untrained.state_dict(architecture)
    return architecture, checkpoints.load_known(architecture, path)[0]
