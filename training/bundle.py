"""Put a run's weights into the package, with their fingerprint.

    python -m training.bundle RUN PHOTOS

Measures the head on the photos that the run was taught, writes the running mean of the weights in half precision,
records what they say of the built-in picture, and prints the digest that belongs into the model's row of
`app/vision/architectures.py`.
"""

import argparse
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from app.vision import checkpoints, fingerprint
from app.vision.architectures import Architecture, get_architecture
from app.vision.digests import stream_sha256
from app.vision.encoder import take_fingerprint
from app.vision.models import BUNDLED
from training import pictures
from training.network import Student
from training.pictures import Pictures
from training.whitening import whitened

MOST_BYTES = 12_000_000  # that a package may grow by


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("photos", type=Path, help="those it was taught")
    arguments = parser.parse_args()
    kept = torch.load(arguments.run / "checkpoint.pt", weights_only=True)
    architecture = get_architecture(kept["plan"]["model"])
    path = BUNDLED / architecture.bundled
    album = arguments.run / "album"
    taught = pictures.load(arguments.photos, album if album.exists() else None)
    digest = write(finished(kept["mean"], architecture, taught), architecture, path)
    record(architecture.name, take_fingerprint(architecture.name, path), fingerprint.RECORDED)
    print(f"{path}: {path.stat().st_size:,} bytes after {kept['step']:,} steps, sha256 {digest}")


def finished(mean: dict[str, Tensor], architecture: Architecture, taught: Pictures) -> dict[str, Tensor]:
    """A checkpoint's running mean as tensors of the weights file, with their head."""
    student = Student(architecture)
    student.load_state_dict(mean)
    return whitened(architecture, student.export(), taught)


def write(tensors: dict[str, Tensor], architecture: Architecture, path: Path) -> str:
    """The SHA-256 of the file written. Raises BadCheckpoint where it would not load, ValueError for one too large."""
    data = safetensors.torch.save({name: tensor.half().contiguous() for name, tensor in tensors.items()})
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data):,} bytes, over the limit of {MOST_BYTES:,}: choose a smaller network")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    checkpoints.verify(architecture, path)
    with path.open("rb") as file:
        return stream_sha256(file)


def record(model: str, vector: np.ndarray, path: Path) -> None:
    """In place of an earlier fingerprint of this model."""
    with np.load(path, allow_pickle=False) as vectors:
        known = dict(vectors)
    np.savez(path, **known | {model: vector})


if __name__ == "__main__":
    main()
