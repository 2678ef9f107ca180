"""Rain, snow and fog in front of everything."""

from collections.abc import Callable

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter

from app.samples.canvas import Canvas
from app.samples.palettes import rgb
from app.samples.scenery import mist


def clear(canvas: Canvas) -> None:
    """Nothing in the air."""


def rain(canvas: Canvas) -> None:
    canvas.pixels *= np.array([0.86, 0.90, 0.95], np.float32)
    layer = PIL.Image.new("L", (canvas.width, canvas.height))
    pen = PIL.ImageDraw.Draw(layer)
    for _ in range(round(520 * canvas.aspect)):
        x, y = canvas.rng.uniform(-0.1, 1.1) * canvas.width, canvas.rng.random() * canvas.height
        length = canvas.height * canvas.rng.uniform(0.02, 0.06)
        pen.line([(x, y), (x - length * 0.22, y + length)], fill=int(canvas.rng.uniform(40, 120)), width=1)
    streaks = np.asarray(layer.filter(PIL.ImageFilter.GaussianBlur(0.6)), np.float32) / 255
    _veil(canvas, streaks, "#dfe8f2")
    mist(canvas, 0.7, 0.4, 0.18)


def snow(canvas: Canvas) -> None:
    for size, blur, count, strength in ((0.0016, 0.5, 420, 0.7), (0.003, 0.9, 170, 0.8), (0.008, 3.5, 26, 0.6)):
        layer = PIL.Image.new("L", (canvas.width, canvas.height))
        pen = PIL.ImageDraw.Draw(layer)
        for _ in range(round(count * canvas.aspect)):
            x, y = canvas.rng.random() * canvas.width, canvas.rng.random() * canvas.height
            radius = max(0.8, canvas.height * size * canvas.rng.uniform(0.6, 1.4))
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
        flakes = np.asarray(layer.filter(PIL.ImageFilter.GaussianBlur(blur)), np.float32) / 255
        _veil(canvas, flakes * strength, "#ffffff")


def _veil(canvas: Canvas, alpha: np.ndarray, code: str) -> None:
    """Thin marks in the air do not hide an object: they are blended without counting as cover."""
    canvas.pixels += alpha[..., None] * (rgb(code) * (1 - 0.45 * canvas.light.dark) - canvas.pixels)


def fog(canvas: Canvas) -> None:
    for at, depth in ((0.55, 0.22), (0.75, 0.16)):
        drift = np.exp(-(((canvas.y - at) / depth) ** 2)) * canvas.rng.uniform(0.35, 0.5)
        _veil(canvas, np.broadcast_to(drift, (canvas.height, canvas.width)), canvas.light.haze)


WEATHER: dict[str, Callable[[Canvas], None]] = {"clear": clear, "rain": rain, "snow": snow, "fog": fog}
