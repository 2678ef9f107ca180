"""Pictures that are quick to draw and like no other, and the copies that people make of them."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageOps

SIZE = (480, 360)


def picture(number: int, size: tuple[int, int] = SIZE) -> PIL.Image.Image:
    """(width, height); a hundred shapes over a shaded ground, drawn from `number`."""
    rng = np.random.default_rng(number)
    made = PIL.Image.linear_gradient("L").resize(size).rotate(90 * (number % 4))
    made = PIL.ImageOps.colorize(made, *(tuple(map(int, rng.integers(0, 256, 3))) for _ in range(2)))
    pen = PIL.ImageDraw.Draw(made)
    for _ in range(100):
        x, y, wide, high = (int(value) for value in rng.uniform(0, 1, 4) * (*size, size[0] / 5, size[1] / 5))
        colour = tuple(map(int, rng.integers(0, 256, 3)))
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw([x, y, x + 4 + wide, y + 4 + high], fill=colour)
    return made


def write(path: Path, made: PIL.Image.Image, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path, **{"quality": 92} | options)
    return path


def shrunk(made: PIL.Image.Image, share: float = 0.5) -> PIL.Image.Image:
    return made.resize((round(made.width * share), round(made.height * share)), PIL.Image.Resampling.LANCZOS)


def cropped(made: PIL.Image.Image, share: float = 0.7) -> PIL.Image.Image:
    left, top = round(made.width * (1 - share) / 2), round(made.height * (1 - share) / 3)
    return made.crop((left, top, left + round(made.width * share), top + round(made.height * share)))


def noisy(made: PIL.Image.Image, sigma: float) -> PIL.Image.Image:
    """With noise, in grey levels."""
    values = np.asarray(made, float)
    noise = np.random.default_rng(1).normal(0, sigma, values.shape)
    return PIL.Image.fromarray((values + noise).clip(0, 255).astype(np.uint8))


def decoded(path: Path) -> PIL.Image.Image:
    """As the file has it: written without loss, it is the same picture in another container."""
    return PIL.Image.open(io.BytesIO(path.read_bytes())).convert("RGB")


def family(folder: Path, number: int) -> dict[str, Path]:
    """One picture and a copy of each kind; by what an audit should say of it."""
    made = picture(number)
    first = write(folder / f"{number}" / "original.jpg", made)
    again = folder / "backup" / f"{number}.jpg"
    again.parent.mkdir(parents=True, exist_ok=True)
    again.write_bytes(first.read_bytes())
    return {
        "keeper": first,
        "identical": again,
        "same_pixels": write(folder / f"{number}" / "container.png", decoded(first)),
        "resized": write(folder / f"{number}" / "small.jpg", shrunk(made)),
        "cropped": write(folder / f"{number}" / "part.jpg", cropped(made)),
        "mirrored": write(folder / f"{number}" / "mirror.jpg", PIL.ImageOps.mirror(made)),
    }
