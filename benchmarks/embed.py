"""How fast pictures become vectors, beside transformers' Dinov2Model in the same process, on the same weights.

    python -m benchmarks.embed [--rounds 15] [--threads 2]

Random weights of ViT-S/14 at 224 px. Network alone, as a share of this machine's own matrix products too; files to
vectors at 12 megapixels and at 640 x 480; int8.
"""

import argparse
import functools
import os
import platform
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from app.settings import Settings
from app.vision.architectures import get_architecture
from app.vision.decoder import Decoder
from app.vision.device import keep_freed_memory
from app.vision.encoder import MEAN, STD, Encoder
from app.vision.facts import count
from app.vision.models import ModelKey
from app.vision.pipeline import embed_files
from app.vision.precision import get_precision
from app.vision.preprocessing import DEFAULT
from app.vision.vit import VisionTransformer
from benchmarks.photographs import make
from benchmarks.rivals import UsualLoop, dinov2, twin
from benchmarks.rounds import Contestant, measure

ARCHITECTURE = get_architecture("dinov2_vits14")
BATCHES = (1, 8, 32)
PRODUCT = 2048  # a product of two square matrices this size reaches what the machine can do
SQUARE = torch.randn(PRODUCT, PRODUCT, generator=torch.Generator().manual_seed(0))
FILES = (("12 MP JPEG", (3000, 4000), 16), ("640 x 480 JPEG", (480, 640), 64))


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()  # as every encoder does when it is opened; the rival has it too
    print(machine(arguments.threads))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(), Decoder(Settings()) as decoder:
        rival = dinov2(ARCHITECTURE)
        ours = twin(ARCHITECTURE, rival, Path(folder) / "weights")
        exact, rounded = encoder_of(ours, "float32"), encoder_of(ours, "int8")
        network(exact, rival, arguments.rounds)
        integers(exact, rounded, arguments.rounds)
        contestants = {
            "float32": lambda paths: list(embed_files(paths, decoder, exact)),
            "int8": lambda paths: list(embed_files(paths, decoder, rounded)),
            "usual": UsualLoop(rival),
        }
        for name, size, number in FILES:
            files(name, make(Path(folder) / name, number, size), contestants, max(3, arguments.rounds // 3))
    print(f"\npeak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def machine(threads: int) -> str:
    name = platform.processor() or platform.machine()
    with Path("/proc/cpuinfo").open() as lines:
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{name}, {capability}, {os.cpu_count()} cores, {threads} threads, torch {torch.__version__}"


def product() -> None:
    torch.mm(SQUARE, SQUARE)


def network(encoder: Encoder, rival: torch.nn.Module, rounds: int) -> None:
    """Prepared pixels to vectors; both compute the same numbers from them."""
    rng = np.random.default_rng(1)
    pixels = list(rng.integers(0, 256, (max(BATCHES), 224, 224, 3), dtype=np.uint8))
    x = torch.from_numpy((np.stack(pixels) / 255 - MEAN) / STD).permute(0, 3, 1, 2).float().contiguous()
    apart = np.abs(encoder.embed(pixels[:4]) - normalised(rival(pixel_values=x[:4]).pooler_output)).max()
    assert apart < 1e-5, apart
    whole, done = (count(ARCHITECTURE, 224, cls_only)[1] for cls_only in (False, True))
    print(f"\nnetwork alone, ViT-S/14, 224 px, float32; unit vectors {apart:.1e} apart")
    print(f"{whole / 1e9:.2f} G multiply-adds a picture, of which {done / 1e9:.2f} G are done")
    print(
        f"{'pictures':>8} {'ours ms':>8} {'transformers':>13}   {'ratio':18} share of matrix-product rate, whole / done"
    )
    for batch in BATCHES:
        run = measure(
            {
                "ours": lambda batch=batch: encoder.embed(pixels[:batch]),
                "rival": lambda batch=batch: in_eights(rival, x[:batch]),
                "product": product,
            },
            rounds,
        )
        rate = PRODUCT**3 / run.median_s("product")
        shares = [macs * batch / run.median_s("ours") / rate for macs in (whole, done)]
        ours_ms, rival_ms = (run.median_s(name) * 1000 / batch for name in ("ours", "rival"))
        ratio = run.ratio("rival", "ours")
        print(f"{batch:8} {ours_ms:8.1f} {rival_ms:13.1f}   {ratio:18} {shares[0]:.2f} / {shares[1]:.2f}")
        print(f"{'':8} matrix products of {PRODUCT} x {PRODUCT}: {2 * rate / 1e9:.0f} GFLOP/s")


def in_eights(rival: torch.nn.Module, x: torch.Tensor) -> None:
    """Of the sizes tried the one that serves it best: 4 and 8 are alike, 32 is a quarter slower."""
    for part in x.split(8):
        rival(pixel_values=part)


def integers(exact: Encoder, rounded: Encoder, rounds: int) -> None:
    pixels = list(np.random.default_rng(1).integers(0, 256, (8, 224, 224, 3), dtype=np.uint8))
    run = measure({"float32": lambda: exact.embed(pixels), "int8": lambda: rounded.embed(pixels)}, rounds)
    print(f"\nint8 over float32, 8 pictures: {run.ratio('float32', 'int8')}, {run.median_s('int8') * 125:.1f} ms each")


def files(name: str, paths: Sequence[Path], contestants: dict[str, Contestant], rounds: int) -> None:
    """From the file on: what a person waits for."""
    run = measure({kind: functools.partial(embed, paths) for kind, embed in contestants.items()}, rounds)
    size_mb = np.mean([path.stat().st_size for path in paths]) / 1e6
    print(f"\nfiles to vectors, {len(paths)} x {name} of {size_mb:.1f} MB on average")
    for kind in contestants:
        print(
            f"{kind:8} {len(paths) / run.median_s(kind):6.1f} pictures/s, {run.ratio('usual', kind)} x the usual loop"
        )


def encoder_of(network: VisionTransformer, precision: str) -> Encoder:
    device, weights = torch.device("cpu"), network.state_dict()
    copy = VisionTransformer.with_weights(network.architecture, weights, positions="size")  # as the rival resamples
    key = ModelKey(ARCHITECTURE.name, "random", DEFAULT, precision, ARCHITECTURE.dim, False)
    return Encoder(get_precision(precision, device).convert(copy), key, device)


def normalised(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors, dim=1).numpy()


if __name__ == "__main__":
    main()
