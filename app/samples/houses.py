"""Gabled houses, each with a colour, a gable and windows of its own."""

import numpy as np

from app.samples import noise
from app.samples.noise import ramp
from app.samples.palettes import rgb
from app.samples.sketch import Sketch, smooth
from app.samples.town import PANES

PLASTER = (
    "#d98a6a",
    "#e9c46a",
    "#8fb9a8",
    "#c9705a",
    "#e8d8bd",
    "#7a9ab5",
    "#b5838d",
    "#d9a5a0",
    "#a3b18a",
    "#8a5a4a",
    "#f0b98a",
    "#6f8f9f",
)


def house(rng: np.random.Generator, dark: float, wet: bool = False) -> Sketch:
    """One gabled house of its own colour and gable; windows are lit as it gets dark."""
    wide = rng.uniform(0.38, 0.56)
    sketch = Sketch(wide, height_px=380)
    colour, floors, columns = str(rng.choice(PLASTER)), int(rng.integers(3, 5)), int(rng.integers(2, 4))
    trim = str(rng.choice(["#f6efe0", "#f6efe0", "#3a3432"]))
    low = GABLES[int(rng.integers(len(GABLES)))](sketch, wide, colour, trim)
    rough = np.random.default_rng(int(rng.integers(1 << 30)))
    sketch.box(0.0, low, wide, 1.0, lambda x, y: _render(rough, colour, x, y), bevel=0.006)
    sketch.box(-0.01, low - 0.012, wide + 0.01, low + 0.018, trim, bevel=0.008)
    step = (0.70 - low) / floors
    for floor in range(floors):
        for column in range(columns):
            x = wide * (column + 0.5) / columns
            _window(sketch, rng, x, low + 0.05 + floor * step, wide / columns * 0.27, step * 0.62, trim, dark)
    _ground_floor(sketch, rng, wide, trim, dark)
    return sketch


def _render(rng: np.random.Generator, code: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    stain = noise.field(rng, *x.shape, (7, 5), 4, 0.6) - 0.5
    course = 0.03 * np.sign(np.sin(y * 420))
    return rgb(code) * (1.0 + 0.16 * stain + course * (stain > 0.02) - 0.10 * ramp(y, 0.8, 1.0))[..., None]


def _window(
    sketch: Sketch, rng: np.random.Generator, x: float, y: float, half: float, tall: float, trim: str, dark: float
) -> None:
    lit = rng.random() < 0.15 + 0.55 * dark if dark > 0.2 else False
    glass = (str(rng.choice(PANES[:4])), "#f2a65a") if lit else ("#8fb0c0", "#3f5a6a")
    sketch.box(x - half - 0.012, y - 0.012, x + half + 0.012, y + tall + 0.014, trim, bevel=0.005)
    sketch.box(x - half, y, x + half, y + tall, glass, bevel=0.006, lift=-0.5)
    sketch.stroke([(x, y), (x, y + tall)], 0.007, trim, bevel=0)
    sketch.stroke([(x - half, y + tall * 0.42), (x + half, y + tall * 0.42)], 0.006, trim, bevel=0)
    if rng.random() < 0.35:
        sketch.box(x - half - 0.01, y + tall + 0.004, x + half + 0.01, y + tall + 0.024, "#6b4430", bevel=0.005)
        for at in np.linspace(x - half, x + half, 6):
            sketch.oval(
                at,
                y + tall - 0.002,
                0.013,
                0.012,
                str(rng.choice(["#e8485f", "#4f8a4c", "#f29ab0", "#5f9a4f"])),
                bevel=0.005,
            )


def _ground_floor(sketch: Sketch, rng: np.random.Generator, wide: float, trim: str, dark: float) -> None:
    door = str(rng.choice(["#2f5d4a", "#8f2f2a", "#24406f", "#6b4430", "#e0a63a"]))
    left = rng.random() < 0.5
    x = wide * (0.22 if left else 0.78)
    sketch.box(x - 0.055, 0.775, x + 0.055, 1.0, trim, bevel=0.006)
    sketch.box(x - 0.043, 0.79, x + 0.043, 1.0, (door, door), bevel=0.010)
    sketch.box(x - 0.028, 0.805, x + 0.028, 0.85, "#ffe0a0" if dark > 0.2 else "#9fc0cc", bevel=0.004)
    x0, x1 = (wide * 0.44, wide * 0.94) if left else (wide * 0.06, wide * 0.56)
    sketch.box(x0 - 0.01, 0.80, x1 + 0.01, 0.965, trim, bevel=0.006)
    sketch.box(
        x0, 0.81, x1, 0.955, ("#ffe3a8", "#e9a04f") if dark > 0.2 else ("#a9c9d4", "#4f6f7f"), bevel=0.008, lift=-0.5
    )
    if rng.random() < 0.65:
        _awning(
            sketch, x0 - 0.02, x1 + 0.02, (str(rng.choice(["#c8402f", "#2f6f6a", "#24508c", "#d98a1c"])), "#f8f1e0")
        )


def _awning(sketch: Sketch, x0: float, x1: float, codes: tuple[str, str]) -> None:
    stripes = 8
    step = (x1 - x0) / stripes
    for index in range(stripes):
        a, b = x0 + index * step, x0 + (index + 1) * step
        middle = (x0 + x1) / 2
        lower = [(middle + (x - middle) * 1.06, 0.845) for x in (b, a)]
        sketch.area([(a, 0.775), (b, 0.775), *lower], codes[index % 2], bevel=0.004)
        sketch.oval((lower[0][0] + lower[1][0]) / 2, 0.846, step * 0.53, 0.014, codes[index % 2], bevel=0.003)


def _pitched(sketch: Sketch, wide: float, colour: str, trim: str) -> float:
    sketch.box(wide * 0.66, 0.01, wide * 0.80, 0.2, "#8a5a4a", bevel=0.008)
    sketch.area(
        [(wide * -0.02, 0.22), (wide * 0.12, 0.05), (wide * 0.88, 0.05), (wide * 1.02, 0.22)],
        _tiles("#9a5440"),
        bevel=0.01,
    )
    return 0.21


def _stepped(sketch: Sketch, wide: float, colour: str, trim: str) -> float:
    for step, y in enumerate((0.17, 0.125, 0.08, 0.035)):
        inset = wide * 0.115 * (step + 0.35)
        sketch.box(inset, y, wide - inset, 0.22, colour, bevel=0.006)
        sketch.box(inset - 0.008, y - 0.008, wide - inset + 0.008, y + 0.008, trim, bevel=0.004)
    sketch.oval(wide / 2, 0.125, 0.028, 0.032, "#3f5a6a", bevel=0.006)
    return 0.20


def _belled(sketch: Sketch, wide: float, colour: str, trim: str) -> float:
    outline = [
        (0, 0.24),
        (wide * 0.10, 0.19),
        (wide * 0.26, 0.15),
        (wide * 0.32, 0.06),
        (wide * 0.5, 0.02),
        (wide * 0.68, 0.06),
        (wide * 0.74, 0.15),
        (wide * 0.90, 0.19),
        (wide, 0.24),
    ]
    curve = smooth(outline, closed=False)
    sketch.area(curve, colour, bevel=0.008)
    sketch.stroke(curve, 0.016, trim)
    sketch.box(wide / 2 - 0.03, 0.10, wide / 2 + 0.03, 0.17, "#3f5a6a", bevel=0.006)
    return 0.225


def _flat(sketch: Sketch, wide: float, colour: str, trim: str) -> float:
    sketch.box(wide * 0.12, 0.02, wide * 0.24, 0.12, "#7a5a4a", bevel=0.008)
    sketch.box(0, 0.08, wide, 0.20, colour, bevel=0.006)
    for at in np.arange(0.02, wide, 0.036):
        sketch.box(at, 0.10, at + 0.016, 0.128, trim, bevel=0.004)
    sketch.box(-0.01, 0.075, wide + 0.01, 0.10, trim, bevel=0.008)
    return 0.15


def _tiles(code: str):
    def fill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        row = np.floor(y * 60)
        shade = 0.86 + 0.22 * ((y * 60) % 1) * (np.abs(((x * 45 + 0.5 * (row % 2)) % 1) - 0.5) < 0.45)
        return rgb(code) * shade[..., None]

    return fill


GABLES = (_pitched, _stepped, _belled, _flat)
