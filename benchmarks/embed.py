"""How fast pictures become vectors, beside transformers' Dinov2Model in the same process, on the same weights.

    python -m benchmarks.embed [--rounds 15] [--threads 2] [--photos ../shared/photos]

Random weights of ViT-S/14 at 224 px. Network alone, as a share of this machine's own matrix products too; files to
vectors at 12 megapixels and at 640 x 480; int8. With a CUDA device, see `benchmarks.embed_gpu`.
"""

import argparse
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
from app.vision.device import choose_device
from app.vision.encoder import Encoder
from app.vision.facts import count
from app.vision.models import ModelKey
from app.vision.pipeline import embed_files
from app.vision.precision import get_precision
from app.vision.preprocessing import DEFAULT
from app.vision.vit import VisionTransformer
from benchmarks.photographs import make
from benchmarks.rivals import UsualLoop, dinov2, twin
from benchmarks.rounds import Measured, measure

ARCHITECTURE = get_architecture("dinov2_vits14")
BATCHES = (1, 4, 8, 32)
PRODUCT = 2048  # a product of two square matrices this size reaches what the machine can do
FILES = (("12 MP JPEG", (3000, 4000), 16), ("640 x 480 JPEG", (480, 640), 64))


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    print(machine(arguments.threads))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        rival = dinov2(ARCHITECTURE)
        ours = twin(ARCHITECTURE, rival, Path(folder) / "weights")
        network(ours, rival, arguments.rounds)
        integers(ours, arguments.rounds)
        for name, size, number in FILES:
            files(name, make(Path(folder) / name, number, size), ours, rival, arguments)
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


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


def network(ours: VisionTransformer, rival: torch.nn.Module, rounds: int) -> None:
    """One table row for each batch size; both compute the same numbers."""
    x = torch.randn(max(BATCHES), 3, 224, 224, generator=torch.Generator().manual_seed(1))
    apart = (ours(x[:4]).cls - rival(pixel_values=x[:4]).pooler_output).abs().max()
    assert apart < 1e-4, apart
    square = torch.randn(PRODUCT, PRODUCT)
    whole, done = (count(ARCHITECTURE, 224, cls_only)[1] for cls_only in (False, True))
    print(f"\nnetwork alone, ViT-S/14, 224 px, float32; outputs {apart:.1e} apart")
    print(f"{whole / 1e9:.2f} G multiply-adds a picture, of which {done / 1e9:.2f} G are done")
    print(f"{'batch':>5} {'ours ms':>8} {'transformers':>13}   {'ratio':18} share of matrix-product rate, whole / done")
    for batch in BATCHES:
        run = measure(
            {
                "ours": lambda batch=batch: ours(x[:batch]),
                "rival": lambda batch=batch: rival(pixel_values=x[:batch]),
                "product": lambda: square @ square,
            },
            rounds,
        )
        rate = PRODUCT**3 / run.median_s("product")
        shares = [macs * batch / run.median_s("ours") / rate for macs in (whole, done)]
        ours_ms, rival_ms = (run.median_s(name) * 1000 / batch for name in ("ours", "rival"))
        print(
            f"{batch:5} {ours_ms:8.1f} {rival_ms:13.1f}   {run.ratio('rival', 'ours'):18} {shares[0]:.2f} / {shares[1]:.2f}"
        )
    print(f"matrix products: {2 * rate / 1e9:.0f} GFLOP/s (median)")


def integers(ours: VisionTransformer, rounds: int) -> None:
    x = torch.randn(4, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    rounded = get_precision("int8", torch.device("cpu")).convert(copy_of(ours))
    run = measure({"float32": lambda: ours(x), "int8": lambda: rounded(x)}, rounds)
    print(
        f"\nint8 over float32, batch 4: {run.ratio('float32', 'int8')} ({run.median_s('int8') * 250:.1f} ms a picture)"
    )


def files(
    name: str, paths: Sequence[Path], ours: VisionTransformer, rival: torch.nn.Module, arguments: argparse.Namespace
) -> None:
    """From the file on: what a person waits for."""
    key = ModelKey(ARCHITECTURE.name, "random", DEFAULT, "float32", ARCHITECTURE.dim, False)
    exact = Encoder(ours, key, choose_device("cpu"))
    rounded = Encoder(get_precision("int8", torch.device("cpu")).convert(copy_of(ours)), key, choose_device("cpu"))
    usual = UsualLoop(rival)
    with Decoder(Settings()) as decoder:
        run = measure(
            {
                "ours": lambda: vectors(paths, decoder, exact),
                "int8": lambda: vectors(paths, decoder, rounded),
                "usual": lambda: usual(paths),
            },
            max(3, arguments.rounds // 3),
        )
    size_mb = np.mean([path.stat().st_size for path in paths]) / 1e6
    print(f"\nfiles to vectors, {len(paths)} x {name} of {size_mb:.1f} MB on average")
    report(run, len(paths))


def report(run: Measured, pictures: int) -> None:
    for name in run.seconds:
        print(f"{name:8} {pictures / run.median_s(name):6.1f} pictures/s   {run.ratio('usual', name)} x the usual loop")


def vectors(paths: Sequence[Path], decoder: Decoder, encoder: Encoder) -> list[np.ndarray]:
    return [vector for _, vector in embed_files(paths, decoder, encoder)]


def copy_of(network: VisionTransformer) -> VisionTransformer:
    return VisionTransformer.with_weights(network.architecture, network.state_dict(), positions="size")


if __name__ == "__main__":
    main()
