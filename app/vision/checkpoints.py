"""Weights files: the official layout, read strictly, never as pickled code. A refusal says what was found."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from app.errors import BadCheckpoint
from app.vision import digests
from app.vision.architectures import ARCHITECTURES, GRID, Architecture
from app.vision.vit import VisionTransformer

Tensors = dict[str, Tensor]

MAY_BE_ABSENT = {"mask_token"}  # used in training only; some people strip it

# (a name only this layout has, what to call it); only the last is read
FOREIGN_LAYOUTS = (
    ("teacher", "a training checkpoint"),
    ("state_dict", "an mmpretrain checkpoint"),
    ("backbone.cls_token", "an mmpretrain checkpoint"),
    ("embeddings.cls_token", "a Hugging Face checkpoint"),
    ("dinov2.embeddings.cls_token", "a Hugging Face classifier"),
    ("dinov2_with_registers.embeddings.cls_token", "a Hugging Face classifier"),
)


@dataclass(frozen=True)
class CheckpointFacts:
    """What a weights file holds."""

    path: Path
    model: str | None  # none: no variant has these tensors
    dtype: str
    tensors: int
    parameters: int
    sha256: str
    published: bool  # the digest is the one pinned for this model


def load(architecture: Architecture, path: Path) -> Tensors:
    """Every tensor of this network, by its official name, mapped from the file. Raises BadCheckpoint."""
    tensors = _read(path)
    expected = expected_shapes(architecture)
    missing = expected.keys() - tensors.keys() - MAY_BE_ABSENT
    unexpected = tensors.keys() - expected.keys()
    shapes = {name: tuple(tensors[name].shape) for name in expected.keys() & tensors.keys()}
    misshapen = sorted(name for name, shape in shapes.items() if shape != expected[name])
    if missing or unexpected or misshapen:
        found = _differences(missing, unexpected, {name: (shapes[name], expected[name]) for name in misshapen})
        cause = _likely_cause(architecture, tensors)
        raise BadCheckpoint(f"{path.name} is not {architecture.name}: {found}; {cause}")
    return {"mask_token": torch.zeros(expected["mask_token"]), **tensors}


def check(path: Path) -> CheckpointFacts:
    """Reads the whole file. Raises BadCheckpoint when it holds no tensors we can read."""
    tensors = _read(path)
    architecture = identify(tensors)
    digest = verified_sha256(path)
    return CheckpointFacts(
        path=path,
        model=architecture.name if architecture else None,
        dtype=", ".join(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()})),
        tensors=len(tensors),
        parameters=sum(tensor.numel() for tensor in tensors.values()),
        sha256=digest,
        published=architecture is not None and digest == architecture.sha256,
    )


def identify(tensors: Mapping[str, Tensor]) -> Architecture | None:
    """The row whose network has exactly these tensors."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items() if name not in MAY_BE_ABSENT}
    for row in ARCHITECTURES:
        expected = {name: shape for name, shape in expected_shapes(row).items() if name not in MAY_BE_ABSENT}
        if expected == shapes:
            return row
    return None


def expected_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Asked of the network itself, without memory for its weights."""
    with torch.device("meta"):
        network = VisionTransformer(architecture)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def verified_sha256(path: Path) -> str:
    """Of the file's bytes; a `.pth` must also agree with its own checksums. Raises BadCheckpoint.

    torch.load looks at no checksum, and a flipped bit would load in silence.
    """
    if (remembered := digests.recall(path)) is not None:
        return remembered
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise BadCheckpoint(f"{path.name} is damaged (checksum of {damaged}): fetch or copy it again")
    return digests.file_sha256(path)


def _read(path: Path) -> Tensors:
    read = _read_safetensors if path.suffix == ".safetensors" else _read_pth
    content = read(path)
    flat = isinstance(content, Mapping) and all(isinstance(value, Tensor) for value in content.values())
    if not flat or not content:
        found = _name_content(content)
        raise BadCheckpoint(f"{path.name} holds {found}: the official layout is one flat table of tensors")
    return dict(content)


def _read_safetensors(path: Path) -> object:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as refusal:
        raise _not_whole(path, refusal) from None


def _read_pth(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError:
        raise BadCheckpoint(
            f"{path.name} holds more than tensors, and could run code: take the official file"
        ) from None
    except (RuntimeError, OSError, EOFError, ValueError, KeyError) as refusal:
        raise _not_whole(path, refusal) from None


def _differences(missing: set[str], unexpected: set[str], misshapen: Mapping[str, tuple]) -> str:
    parts = []
    if missing:
        parts.append(f"{len(missing)} tensors are missing (first {min(missing)})")
    if unexpected:
        parts.append(f"{len(unexpected)} are not its own (first {min(unexpected)})")
    if misshapen:
        name, (found, expected) = next(iter(misshapen.items()))
        parts.append(f"{len(misshapen)} have another shape (first {name}: {found}, expected {expected})")
    return ", ".join(parts)


def _likely_cause(architecture: Architecture, tensors: Tensors) -> str:
    twin = identify(tensors)
    if twin is not None:
        return f"it holds {twin.name}: ask for that model or take the right file"
    layout = next((called for marker, called in FOREIGN_LAYOUTS if marker in tensors), None)
    if layout is not None:
        return f"it is {layout}: take the official file {architecture.file_name}"
    positions = tensors.get("pos_embed")
    if positions is not None and positions.dim() == 3 and positions.shape[1] != 1 + GRID * GRID:
        return (
            f"its positions were resized to {positions.shape[1]} tokens: take the file trained at 518 px (1370 tokens)"
        )
    if any(re.match(r"blocks\.\d+\.\d+\.", name) for name in tensors):
        return f"its blocks are chunked as in training: take the official file {architecture.file_name}"
    return f"it was cut short or belongs to another network: take the official file {architecture.file_name}"


def _name_content(content: object) -> str:
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}"
    if not content:
        return "nothing"
    layout = next((called for marker, called in FOREIGN_LAYOUTS if marker in content), None)
    return layout or f"entries that are no tensors (such as {next(iter(content))!r})"


def _not_whole(path: Path, refusal: Exception) -> BadCheckpoint:
    why = str(refusal).strip().split("\n", 1)[0][:160].rstrip(".")
    return BadCheckpoint(f"{path.name} is no whole weights file ({why}): fetch or copy it again")
