"""JPEG files as cameras make them, out of painted samples: nobody's photo is needed to repeat a measurement."""

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter

from app.samples.generate import generate

QUALITY = 92  # what phones and cameras write, at 4:2:0
GRAIN = 6.0  # standard deviation of a sensor's noise, in levels of 255: gives the files their usual size


def make(folder: Path, count: int, size: tuple[int, int], seed: int = 7) -> list[Path]:
    """`count` different JPEGs of (height, width) px."""
    painted = folder / "painted"
    generate(painted, count, seed)
    sources = sorted(path for path in painted.rglob("*") if path.suffix in {".jpg", ".png", ".webp"})[:count]
    return [_photograph(source, folder / f"{number:03}.jpg", size, number) for number, source in enumerate(sources)]


def _photograph(source: Path, path: Path, size: tuple[int, int], seed: int) -> Path:
    height, width = size
    with PIL.Image.open(source) as image:
        large = image.convert("RGB").resize((width, height), PIL.Image.Resampling.BICUBIC)
    grain = np.random.default_rng(seed).normal(0, GRAIN, (height, width, 1)).astype(np.float32)
    noisy = np.clip(np.asarray(large, np.float32) + grain, 0, 255).astype(np.uint8)
    # a lens and a demosaic leave no edge sharper than this
    PIL.Image.fromarray(noisy).filter(PIL.ImageFilter.GaussianBlur(0.7)).save(path, quality=QUALITY)
    return path
