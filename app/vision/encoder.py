"""Pixels to vectors: one network on one device."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.errors import BadVector, InvalidInput
from app.vision import checkpoints, untrained
from app.vision.architectures import PATCH_PX, Architecture
from app.vision.models import ModelKey, find_weights, resolve_model
from app.vision.preprocessing import DEFAULT, get_preprocessing
from app.vision.vit import VisionTransformer

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, RGB, what DINOv2 was trained with
BATCH = 32  # pictures through the network at once; more only costs memory on a CPU


class Encoder:
    """A network with its weights, on a device. Safe to call from several threads."""

    def __init__(self, network: VisionTransformer, key: ModelKey, device: torch.device) -> None:
        self.key = key
        self.device = str(device)
        self._network = network.eval().requires_grad_(False).to(device)
        self._mean, self._std = (torch.tensor(row, device=device).view(3, 1, 1) for row in (MEAN, STD))

    @classmethod
    def open(
        cls,
        name: str,
        weights_dir: Path,
        device: str = "auto",
        threads: int | None = None,
        preprocessing: str = DEFAULT,
    ) -> "Encoder":
        """`name` as for `resolve_model`; device `auto`, `cpu`, `cuda`, `cuda:1` or `mps`; threads of the whole process.

        The preprocessing is only noted in the key: whoever decodes for this encoder asks for `key.preprocessing`.

        Raises NotFound, WeightsUnavailable, BadCheckpoint, InvalidInput for a device that is not here.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        chosen = choose_device(device)
        architecture = resolve_model(name, weights_dir)
        tensors, digest = _weights(architecture, weights_dir)
        with torch.device("meta"):
            network = VisionTransformer(architecture)
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=True, assign=True)
        seen = get_preprocessing(preprocessing).name
        key = ModelKey(architecture.name, digest, seen, "float32", architecture.dim, architecture.trained)
        return cls(network, key, chosen)

    def embed(self, pixels: Sequence[np.ndarray]) -> np.ndarray:
        """Pictures from `prepare`, uint8 (H, W, 3), of any shapes -> unit vectors, float32 (B, D), in the order given.

        The vector is the cls token after the final norm. Raises BadVector when one is not finite or zero.
        """
        vectors = np.empty((len(pixels), self.key.dim), np.float32)
        for rows in _batches(pixels):
            vectors[rows] = self._embed(np.stack([pixels[row] for row in rows]))
        return vectors

    def _embed(self, pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), _exact(self.device):
            cls = self._network(self._normalised(torch.tensor(np.ascontiguousarray(pixels)))).cls  # (B, D)
        return unit_rows(cls.float().cpu().numpy())

    def _normalised(self, pixels: Tensor) -> Tensor:
        x = pixels.to(self.device).permute(0, 3, 1, 2).float() / 255  # (B, 3, S, S)
        return (x - self._mean) / self._std


def _batches(pixels: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """Positions of pictures of one shape, at most BATCH of them. Raises InvalidInput for what is no such picture."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for row, picture in enumerate(pixels):
        alike.setdefault(_checked(picture).shape, []).append(row)
    for rows in alike.values():
        yield from (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _checked(picture: np.ndarray) -> np.ndarray:
    whole = picture.ndim == 3 and picture.shape[2] == 3 and all(s and s % PATCH_PX == 0 for s in picture.shape[:2])
    if picture.dtype != np.uint8 or not whole:
        raise InvalidInput(
            f"pixels of {picture.dtype} {picture.shape}: expected uint8 (H, W, 3), sides multiples of {PATCH_PX}"
        )
    return picture


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Each row over its length. Raises BadVector for one that has no direction."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lame = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if lame.size:
        raise BadVector(
            f"picture {lame[0] + 1} of {len(vectors)} gave a vector of length {lengths[lame[0], 0]}: not finite or zero"
        )
    return (vectors / lengths).astype(np.float32)


def choose_device(wanted: str) -> torch.device:
    """`auto` is the fastest here: CUDA, then Apple's, then the processor. Raises InvalidInput."""
    here = [
        name
        for name, present in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
        if present
    ]
    if wanted == "auto":
        return torch.device(here[0] if here else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise InvalidInput(f"device {wanted!r}: expected auto, cpu, cuda, cuda:N or mps") from None
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type not in (*here, "cpu") or (device.index or 0) >= count:
        raise InvalidInput(
            f"device {wanted!r} is not on this machine: choose auto or one of {', '.join([*here, 'cpu'])}"
        )
    return device


def _weights(architecture: Architecture, weights_dir: Path) -> tuple[dict[str, Tensor], str]:
    path = find_weights(architecture, weights_dir)
    if path is None:
        tensors = untrained.state_dict(architecture)
        return tensors, untrained.sha256(tensors)
    digest = checkpoints.verified_sha256(path)
    return checkpoints.load(architecture, path), digest


def _exact(device: str) -> contextlib.AbstractContextManager:
    """CUDA convolutions round to TF32 unless told not to: 1e-3 where we promise 1e-5."""
    return torch.backends.cudnn.flags(allow_tf32=False) if device.startswith("cuda") else contextlib.nullcontext()
