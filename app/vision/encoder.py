"""Pixels to vectors: one network on one device, in one precision."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from app.errors import BadVector, InvalidInput, ServiceUnavailable
from app.vision import checkpoints, fingerprint, untrained
from app.vision.architectures import PATCH_PX, Architecture, get_architecture
from app.vision.detailed import look
from app.vision.device import BATCH_PATCHES, choose_device, is_out_of_memory, keep_freed_memory, release_memory
from app.vision.lanes import Lanes
from app.vision.models import ModelKey, find_weights, resolve_model
from app.vision.precision import FLOAT32, Precision, get_precision
from app.vision.preprocessing import get_preprocessing
from app.vision.vit import VisionTransformer

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, RGB, what DINOv2 was trained with


Windows = Sequence[Sequence[float]]  # shares x0, y0, x1, y1
Run = Callable[[np.ndarray], tuple[np.ndarray, ...]]  # uint8 (B, H, W, 3) -> arrays of B rows


class Features(NamedTuple):
    """What pictures show, as a whole, by windows and place by place, in the order given."""

    vectors: np.ndarray  # unit, float32 (B, D), as `Encoder.embed` gives them
    windows: np.ndarray  # unit, float32 (B, R, D), of the same kind
    patches: list[np.ndarray]  # of each float16 (rows, columns, L D), after the architecture's detail blocks


class Encoder:
    """A network with its weights, on a device. Safe to call from several threads."""

    def __init__(
        self, network: VisionTransformer, key: ModelKey, device: torch.device, batch_patches: int | None = None
    ) -> None:
        self.key = key
        self.device = str(device)
        self.batch_patches = batch_patches or BATCH_PATCHES[device.type]  # halved when memory does not hold them
        self._network, self._lanes = network, Lanes(device)
        self._mean, self._std = (torch.tensor(row, device=device).view(3, 1, 1) for row in (MEAN, STD))

    @classmethod
    def open(
        cls,
        name: str,
        weights_dir: Path,
        device: str = "auto",
        threads: int | None = None,
        preprocessing: str | None = None,
        precision: str = FLOAT32,
    ) -> "Encoder":
        """`name` as for `resolve_model`; device `auto`, `cpu`, `cuda`, `cuda:1` or `mps`; threads of the whole process.

        The preprocessing, the model's own if none is given, is only noted in the key: whoever decodes for this encoder
        asks for `key.preprocessing`.

        Raises NotFound, WeightsUnavailable, BadCheckpoint, InvalidInput for a device or precision that is not here, and
        ServiceUnavailable where this machine's arithmetic does not give the model's recorded fingerprint.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        keep_freed_memory()
        chosen, architecture = choose_device(device), resolve_model(name, weights_dir)
        seen = get_preprocessing(preprocessing or architecture.preprocessing)
        kind = get_precision(precision, chosen)
        tensors, digest = _weights(architecture, weights_dir)
        key = ModelKey(architecture.name, digest, seen.name, kind.name, architecture.dim, architecture.trained)
        encoder = cls(_network(architecture, tensors, chosen, kind), key, chosen)
        fingerprint.check(architecture.name, encoder.embed([fingerprint.picture()])[0], kind)
        return encoder

    @property
    def images_at_once(self) -> int:
        """Pictures of 224 px that go through the network together; as many keep a GPU busy."""
        return self.batch_patches // (224 // PATCH_PX) ** 2

    def embed(self, pixels: Sequence[np.ndarray]) -> np.ndarray:
        """Pictures from `prepare`, uint8 (H, W, 3), of any shapes -> unit vectors, float32 (B, D), in the order given.

        The vector is the cls token after the final norm and the head. Raises BadVector when one is not finite or zero,
        ServiceUnavailable when the device can't hold even one of them.
        """
        vectors = np.empty((len(pixels), self.key.dim), np.float32)
        for rows, (answer,) in self._answers(self._whole, pixels):
            vectors[rows] = answer
        return vectors

    def describe(self, pixels: Sequence[np.ndarray], windows: Windows = ()) -> Features:
        """As `embed`, with what these windows of each picture (R, 4) and all its places say, from the same pass."""
        vectors = np.empty((len(pixels), 1 + len(windows), self.key.dim), np.float32)
        patches: dict[int, np.ndarray] = {}
        for rows, (answer, places) in self._answers(partial(self._detailed, windows=windows), pixels):
            vectors[rows] = answer
            patches |= zip(rows, places, strict=True)
        return Features(vectors[:, 0], vectors[:, 1:], [patches[row] for row in range(len(pixels))])

    def of_detail(self, detail: str) -> Self:
        """The same network, for keys of this detail."""
        other = copy.copy(self)
        other.key = replace(self.key, detail=detail)
        return other

    def _answers(self, run: Run, pixels: Sequence[np.ndarray]) -> Iterator[tuple[list[int], tuple[np.ndarray, ...]]]:
        """Batch by batch: the positions of its pictures, and what `run` made of them."""
        batches = list(self._batches(pixels))
        answers = self._lanes.map(lambda rows: self._run(run, [pixels[row] for row in rows]), batches)
        yield from zip(batches, answers, strict=True)

    def _batches(self, pixels: Sequence[np.ndarray]) -> Iterator[list[int]]:
        """Positions of pictures of one shape, few enough. Raises InvalidInput for what is no such picture."""
        alike: dict[tuple[int, ...], list[int]] = {}
        for row, picture in enumerate(pixels):
            alike.setdefault(_checked(picture).shape, []).append(row)
        for rows in alike.values():
            fitting = self.batch_patches // _patches(pixels[rows[0]])
            size = max(1, min(fitting, self._lanes.share(len(rows))))
            yield from (rows[start : start + size] for start in range(0, len(rows), size))

    def _run(self, run: Run, pictures: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Once more in halves when memory runs out, and in smaller batches from then on."""
        try:
            return run(np.stack(pictures))
        except (RuntimeError, MemoryError) as trouble:
            if not is_out_of_memory(trouble):
                raise
        half = len(pictures) // 2  # only here is what the failed run held free again
        if not half:
            raise ServiceUnavailable(
                f"{self.device} has no memory for one picture of {pictures[0].shape[:2]} px: end what else runs there, "
                "or choose a smaller model"
            )
        release_memory(self.device)
        # not half of what it is: the other half of this batch may have failed, and set it, before us
        self.batch_patches = min(self.batch_patches, half * _patches(pictures[0]))
        halves = (self._run(run, pictures[:half]), self._run(run, pictures[half:]))
        return tuple(np.concatenate(parts) for parts in zip(*halves, strict=True))

    def _whole(self, pixels: np.ndarray) -> tuple[np.ndarray]:
        with self._inference():
            cls = self._network(self._normalised(torch.tensor(pixels)))[0]  # (B, D)
        return (unit_rows(cls.float().cpu().numpy()),)

    def _detailed(self, pixels: np.ndarray, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (B, 1 + R, D), the whole's first, and places."""
        blocks = self._network.architecture.detail_blocks
        with self._inference():
            seen = look(self._network, self._normalised(torch.tensor(pixels)), blocks, windows)
            vectors = torch.cat([seen.cls[:, None], seen.windows], dim=1).float().cpu().numpy()
            places = seen.places.half().cpu().numpy()
        return unit_rows(vectors.reshape(-1, vectors.shape[2])).reshape(vectors.shape), places

    @contextlib.contextmanager
    def _inference(self) -> Iterator[None]:
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):  # 1e-3 where we promise 1e-5
            yield

    def _normalised(self, pixels: Tensor) -> Tensor:
        x = pixels.to(self._mean.device).permute(0, 3, 1, 2).float() / 255  # (B, 3, H, W)
        return (x - self._mean) / self._std


def take_fingerprint(model: str, weights: Path) -> np.ndarray:
    """What a weights file or folder says of the built-in picture, on the processor: unit float32 (D).

    Raises NotFound, BadCheckpoint.
    """
    device, architecture = torch.device("cpu"), get_architecture(model)
    kind = get_precision(FLOAT32, device)
    network = _network(architecture, checkpoints.load(architecture, weights), device, kind)
    key = ModelKey(architecture.name, "", architecture.preprocessing, kind.name, architecture.dim, architecture.trained)
    return Encoder(network, key, device).embed([fingerprint.picture()])[0]


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Each row over its length. Raises BadVector for one that has no direction."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lame = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if lame.size:
        raise BadVector(
            f"picture {lame[0] + 1} of {len(vectors)} gave a vector of length {lengths[lame[0], 0]}: not finite or zero"
        )
    return (vectors / lengths).astype(np.float32)


def _patches(picture: np.ndarray) -> int:
    return picture.shape[0] * picture.shape[1] // PATCH_PX**2


def _checked(picture: np.ndarray) -> np.ndarray:
    whole = picture.ndim == 3 and picture.shape[2] == 3 and all(s and s % PATCH_PX == 0 for s in picture.shape[:2])
    if picture.dtype != np.uint8 or not whole:
        raise InvalidInput(
            f"pixels of {picture.dtype} {picture.shape}: expected uint8 (H, W, 3), sides multiples of {PATCH_PX}"
        )
    return picture


def _weights(architecture: Architecture, weights_dir: Path) -> tuple[dict[str, Tensor], str]:
    path = find_weights(architecture, weights_dir)
    if path is None:
        tensors = untrained.state_dict(architecture)
        return tensors, untrained.sha256(tensors)
    return checkpoints.load_known(architecture, path)


def _network(
    architecture: Architecture, tensors: dict[str, Tensor], device: torch.device, precision: Precision
) -> VisionTransformer:
    placed = {name: tensor.to(device) for name, tensor in tensors.items()}
    return precision.convert(VisionTransformer.with_weights(architecture, placed))
