"""How fast the bundled encoder is, beside a ViT-S on the same machine, and how long it takes to load.

    python -m benchmarks.bundled [--rounds 9] [--threads 2]

Each network alone in float32, cls token only, on batches of squares of its own preprocessing; the ViT-S has weights
made from a seed, which cost the same.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from app.vision.architectures import FALLBACK, get_architecture
from app.vision.encoder import Encoder
from app.vision.models import find_weights
from app.vision.preprocessing import get_preprocessing
from benchmarks.rounds import measure

SIZED_AS_VITS = "untrained_vits14"
BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        encoders = {name: opened(name, Path(folder)) for name in (FALLBACK, SIZED_AS_VITS)}
    show_rates(encoders, arguments.rounds)


def opened(name: str, weights_dir: Path) -> Encoder:
    """Loaded twice: what torch itself loads on first use is no cost of the weights."""
    Encoder.open(name, weights_dir, "cpu")
    started = time.perf_counter()
    encoder = Encoder.open(name, weights_dir, "cpu")
    path = find_weights(get_architecture(name), weights_dir)
    size = f"{path.stat().st_size:,} bytes" if path else "made from a seed"
    print(f"{name}: {size}, open after {time.perf_counter() - started:.3f} s, fingerprint included")
    return encoder


def show_rates(encoders: dict[str, Encoder], rounds: int) -> None:
    found = measure({name: lambda each=each: each.embed(squares(each)) for name, each in encoders.items()}, rounds)
    for name, encoder in encoders.items():
        print(f"{name} in {encoder.key.preprocessing}: {BATCH / found.median_s(name):.1f} pictures/s")
    print(f"{FALLBACK} is {found.ratio(SIZED_AS_VITS, FALLBACK)} times as fast")


def squares(encoder: Encoder) -> list[np.ndarray]:
    side = get_preprocessing(encoder.key.preprocessing).side_px
    return list(np.random.default_rng(1).integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8))


if __name__ == "__main__":
    main()
