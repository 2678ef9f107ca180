"""Trees, bushes, grass and flowers, drawn as many small marks from dark to light."""

import numpy as np
import PIL.Image
import PIL.ImageDraw

from app.samples.canvas import Canvas
from app.samples.palettes import rgb
from app.samples.scenery import ground_colour

SUPERSAMPLING = 2


class Marks:
    """A layer of single-colour marks with a brightness each, later covered onto the canvas in one go."""

    def __init__(self, canvas: Canvas, top: float = 0.0) -> None:
        self.canvas, self.top_px = canvas, max(0, int(top * canvas.height))
        size = canvas.width * SUPERSAMPLING, (canvas.height - self.top_px) * SUPERSAMPLING
        self.alpha, self.tone = PIL.Image.new("L", size), PIL.Image.new("L", size, 128)
        self.pens = PIL.ImageDraw.Draw(self.alpha), PIL.ImageDraw.Draw(self.tone)
        self.scale = canvas.height * SUPERSAMPLING

    def at(self, x: float, y: float) -> tuple[float, float]:
        return x * self.canvas.width * SUPERSAMPLING, y * self.scale - self.top_px * SUPERSAMPLING

    def polygon(self, points: list[tuple[float, float]], tone: float) -> None:
        """`points` in pixels from `at`; tone 1 is the layer's colour itself, 0…2."""
        self.pens[0].polygon(points, fill=255)
        self.pens[1].polygon(points, fill=int(np.clip(tone * 128, 0, 255)))

    def blob(self, x: float, y: float, rx: float, ry: float, tone: float) -> None:
        """An ellipse; all in pixels from `at`."""
        self.pens[0].ellipse([x - rx, y - ry, x + rx, y + ry], fill=255)
        self.pens[1].ellipse([x - rx, y - ry, x + rx, y + ry], fill=int(np.clip(tone * 128, 0, 255)))

    def stroke(self, points: list[tuple[float, float]], width: float, tone: float) -> None:
        self.pens[0].line(points, fill=255, width=max(1, round(width)), joint="curve")
        self.pens[1].line(points, fill=int(np.clip(tone * 128, 0, 255)), width=max(1, round(width)), joint="curve")

    def lay(self, colour: np.ndarray, within: np.ndarray | None = None) -> None:
        """Cover the canvas in a colour, (3,) or (h, w, 3) from `top_px` down, through a mask of that shape."""
        bounds = self.alpha.getbbox()
        if bounds is None:
            return
        left, top, right, low = (edge // SUPERSAMPLING for edge in bounds)
        right, low = right + 1, low + 1  # marks cover little of the picture: work where they are
        window = tuple(edge * SUPERSAMPLING for edge in (left, top, right, low))
        alpha = np.asarray(self.alpha.crop(window).reduce(SUPERSAMPLING), np.float32) / 255
        tone = np.asarray(self.tone.crop(window).reduce(SUPERSAMPLING), np.float32) / 128
        height, width = (self.canvas.height - self.top_px - top, self.canvas.width - left)
        alpha, tone = alpha[:height, :width], tone[:height, :width]
        part = slice(top, top + alpha.shape[0]), slice(left, left + alpha.shape[1])
        alpha = alpha * within[part] if within is not None else alpha
        ink = colour[part] if colour.ndim == 3 else colour
        self.canvas.cover(alpha, np.clip(ink * tone[..., None], 0, 1.2), self.top_px + top, left)


def pines(
    canvas: Canvas, crest: np.ndarray, code: str, haze: float, size: float, spacing: float, snow: bool = False
) -> None:
    """A row of firs rooted on a crest; size and spacing in canvas heights."""
    rng = canvas.rng
    count = max(3, round(canvas.aspect / spacing))
    roots = np.sort(rng.random(count))
    heights = size * rng.uniform(0.55, 1.15, count)
    feet = crest[(roots * (canvas.width - 1)).astype(int)] + 0.012
    marks = Marks(canvas, float((feet - heights).min()) - 0.01)
    for x, foot, height in zip(roots, feet, heights, strict=True):
        pine(marks, rng, x, foot, height, 1.35 if snow else 1.0)
    marks.lay(ground_colour(canvas, code, haze))


def pine(marks: Marks, rng: np.random.Generator, x: float, foot: float, height: float, bright: float) -> None:
    px, base = marks.at(x, foot)
    tall, tiers = height * marks.scale, 7
    tone = rng.uniform(0.82, 1.12)
    marks.polygon([(px - tall * 0.02, base), (px + tall * 0.02, base), (px, base - tall * 0.4)], tone * 0.6)
    for tier in range(tiers):
        share = tier / tiers
        half = tall * 0.21 * (1 - share) ** 0.85 * rng.uniform(0.85, 1.1) + tall * 0.012
        low, high = base - tall * (0.07 + share * 0.86), base - tall * (0.07 + share * 0.86 + 0.24 * (1 - share * 0.4))
        droop = tall * 0.022
        left, right = (px - half, low + droop), (px + half, low + droop * rng.uniform(0.6, 1.4))
        marks.polygon(
            [left, (px - half * 0.45, low - droop), (px, low + droop * 0.4), right, (px, high)],
            tone * (0.80 + 0.22 * share),
        )
        marks.polygon([left, (px - half * 0.35, low - droop * 0.6), (px, high)], tone * bright * (0.98 + 0.25 * share))


def tree(
    canvas: Canvas, x: float, foot: float, height: float, code: str, haze: float = 0.0, trunk: str = "#4a3628"
) -> None:
    """A round-headed tree with light from the upper left."""
    rng = canvas.rng
    trunk_marks = Marks(canvas, max(0.0, foot - height))
    px, base = trunk_marks.at(x, foot)
    tall = height * trunk_marks.scale
    trunk_marks.polygon(
        [
            (px - tall * 0.035, base),
            (px - tall * 0.018, base - tall * 0.55),
            (px + tall * 0.018, base - tall * 0.55),
            (px + tall * 0.04, base),
        ],
        1.0,
    )
    for side in (-1, 1):
        trunk_marks.stroke([(px, base - tall * 0.36), (px + side * tall * 0.14, base - tall * 0.58)], tall * 0.022, 0.9)
    trunk_marks.lay(ground_colour(canvas, trunk, haze))
    crown = Marks(canvas, max(0.0, foot - height * 1.1))
    px, base = crown.at(x, foot)
    _crown(crown, rng, px, base - tall * 0.66, tall * 0.34)
    crown.lay(ground_colour(canvas, code, haze))


def _crown(marks: Marks, rng: np.random.Generator, px: float, py: float, radius: float) -> None:
    """Leaves in clumps: each next round is smaller, lighter and nearer to the light."""
    for tone, spread, size, count, lift in (
        (0.62, 0.80, 0.42, 16, 0.10),
        (0.84, 0.82, 0.26, 34, 0.0),
        (1.06, 0.78, 0.17, 46, -0.12),
        (1.28, 0.70, 0.10, 46, -0.26),
    ):
        turn, reach = rng.random(count) * 2 * np.pi, np.sqrt(rng.random(count)) * radius * spread
        for angle, distance in zip(turn, reach, strict=True):
            dx, dy = distance * np.cos(angle) + lift * radius * 0.8, distance * np.sin(angle) * 0.86 + lift * radius
            marks.blob(px + dx, py + dy, radius * size, radius * size * 0.85, tone * rng.uniform(0.92, 1.08))


def woods(canvas: Canvas, crest: np.ndarray, code: str, haze: float, size: float, spacing: float) -> None:
    """A belt of leafy treetops along a crest."""
    rng = canvas.rng
    count = max(3, round(canvas.aspect / spacing))
    roots = rng.random(count)
    feet = crest[(roots * (canvas.width - 1)).astype(int)]
    marks = Marks(canvas, float(feet.min()) - size * 1.6)
    for tone, size_share, lift in ((0.66, 1.0, 0.2), (0.88, 0.74, -0.1), (1.08, 0.5, -0.35), (1.28, 0.28, -0.6)):
        for x, foot in zip(roots, feet, strict=True):
            px, py = marks.at(x, foot)
            radius = size * marks.scale * size_share * rng.uniform(0.5, 0.75)
            marks.blob(
                px + size * marks.scale * (lift * 0.35 + rng.normal(0, 0.12)),
                py + size * marks.scale * (lift * 0.5 - 0.1),
                radius,
                radius * 0.85,
                tone * rng.uniform(0.93, 1.07),
            )
    marks.lay(ground_colour(canvas, code, haze))


def canopy(canvas: Canvas, code: str, haze: float, depth: float, size: float) -> None:
    """Leaves hanging into the picture from above, thinning out downwards."""
    rng, marks = canvas.rng, Marks(canvas)
    count = round(1.6 * depth * canvas.aspect / size**2 / 4)
    for tone in (0.62, 0.84, 1.06, 1.30):
        drops = np.minimum(rng.exponential(depth * 0.40, count), depth * 1.4)
        for x, drop in zip(rng.random(count), drops, strict=True):
            px, py = marks.at(x, drop - 0.02)
            radius = size * marks.scale * rng.uniform(0.5, 1.0) * (1.25 - 0.35 * tone)
            marks.blob(px, py, radius, radius * rng.uniform(0.5, 0.9), tone * rng.uniform(0.9, 1.1))
    marks.lay(ground_colour(canvas, code, haze))


def grass(canvas: Canvas, top: float, code: str, density: float = 1.0, size: float = 0.05) -> None:
    """Blades that grow taller towards the viewer."""
    rng = canvas.rng
    marks = Marks(canvas, top - size)
    count = round(700 * density * canvas.aspect)
    for x, depth in sorted(zip(rng.random(count), rng.random(count), strict=True), key=lambda blade: blade[1]):
        px, py = marks.at(x, top + (1.04 - top) * depth)
        tall = size * marks.scale * (0.15 + 0.85 * depth) * rng.uniform(0.5, 1.1)
        bend = rng.normal(0.1, 0.3) * tall
        marks.polygon(
            [
                (px - tall * 0.05, py),
                (px + bend * 0.4, py - tall * 0.6),
                (px + bend, py - tall),
                (px + tall * 0.05, py),
            ],
            rng.uniform(0.75, 1.3),
        )
    marks.lay(ground_colour(canvas, code, 0.0))


def blossoms(canvas: Canvas, top: float, codes: tuple[str, ...], density: float = 1.0, size: float = 0.012) -> None:
    """Flowers scattered over a meadow, larger towards the viewer."""
    rng = canvas.rng
    for code in codes:
        marks = Marks(canvas, top)
        count = round(90 * density * canvas.aspect)
        for x, depth in zip(rng.random(count), rng.random(count) ** 0.8, strict=True):
            px, py = marks.at(x, top + (1.02 - top) * depth)
            radius = size * marks.scale * (0.15 + 0.85 * depth**1.5) * rng.uniform(0.6, 1.1)
            for turn in np.arange(5) * 2 * np.pi / 5 + rng.random():
                marks.blob(
                    px + radius * 0.6 * np.cos(turn),
                    py + radius * 0.5 * np.sin(turn),
                    radius * 0.5,
                    radius * 0.42,
                    rng.uniform(0.95, 1.2),
                )
            marks.blob(px, py, radius * 0.28, radius * 0.24, 0.7)
        marks.lay(rgb(code) * rgb(canvas.light.tint))
