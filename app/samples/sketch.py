"""Sketch: one object drawn large and smooth, with soft light on every part. Its unit is the height of the object."""

from collections.abc import Callable, Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter

from app.samples import lathe
from app.samples.palettes import rgb

Point = tuple[float, float]
Fill = str | tuple[str, str] | Callable[[np.ndarray, np.ndarray], np.ndarray]  # plain, top to bottom, or (x, y) -> rgb
HEIGHT_PX = 560  # of a finished sprite as high as wide; scenes show objects smaller than this, mostly
SUPERSAMPLING = 2


def smooth(points: Sequence[Point], closed: bool = True, steps: int = 14) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    p = np.array(points, np.float32)
    before, after, beyond = (np.roll(p, shift, axis=0) for shift in (1, -1, -2))
    if not closed:
        before[0], after[-1], beyond[-2:] = p[0], p[-1], p[-1]
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None, None]
    bend = (2 * before - 5 * p + 4 * after - beyond) * t**2 + (3 * p - before - 3 * after + beyond) * t**3
    path = (0.5 * (2 * p + (after - before) * t + bend)).transpose(1, 0, 2)
    path = path if closed else path[:-1]
    return [tuple(xy) for xy in path.reshape(-1, 2).tolist()] + ([] if closed else [tuple(p[-1].tolist())])


class Sketch:
    """RGBA being built up, (h, w, 4) float32 with colour premultiplied; x runs 0…aspect, y runs 0…1."""

    def __init__(self, aspect: float, height_px: int | None = None) -> None:
        self.scale = (height_px or round(HEIGHT_PX / max(1.0, aspect) ** 0.6)) * SUPERSAMPLING
        self.shape = (self.scale, round(self.scale * aspect))
        self.rgba = np.zeros((*self.shape, 4), np.float32)

    def area(self, points: Sequence[Point], fill: Fill, *, bevel: float = 0.012, lift: float = 0.55) -> None:
        """A filled outline. `bevel` is how far light rounds its edges (heights), `lift` how strongly."""
        self._lay(
            lambda pen, at: pen.polygon([at(point) for point in points], fill=255), _bounds(points), fill, bevel, lift
        )

    def oval(
        self, x: float, y: float, rx: float, ry: float, fill: Fill, *, bevel: float = 0.012, lift: float = 0.55
    ) -> None:
        corners = [(x - rx, y - ry), (x + rx, y + ry)]
        self._lay(
            lambda pen, at: pen.ellipse([*at(corners[0]), *at(corners[1])], fill=255),
            (*corners[0], *corners[1]),
            fill,
            bevel,
            lift,
        )

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: Fill,
        *,
        round_: float = 0.0,
        bevel: float = 0.01,
        lift: float = 0.5,
    ) -> None:
        def draw(pen: PIL.ImageDraw.ImageDraw, at: Callable[[Point], Point]) -> None:
            pen.rounded_rectangle([*at((x0, y0)), *at((x1, y1))], radius=round_ * self.scale, fill=255)

        self._lay(draw, (x0, y0, x1, y1), fill, bevel, lift)

    def stroke(
        self, points: Sequence[Point], width: float, fill: Fill, *, bevel: float = 0.006, lift: float = 0.5
    ) -> None:
        """A line with round ends and joints; width in heights."""

        def draw(pen: PIL.ImageDraw.ImageDraw, at: Callable[[Point], Point]) -> None:
            path, radius = [at(point) for point in points], width * self.scale / 2
            pen.line(path, fill=255, width=max(1, round(2 * radius)), joint="curve")
            for px, py in (path[0], path[-1]):
                pen.ellipse([px - radius, py - radius, px + radius, py + radius], fill=255)

        x0, y0, x1, y1 = _bounds(points)
        self._lay(draw, (x0 - width, y0 - width, x1 + width, y1 + width), fill, bevel, lift)

    def ring(self, x: float, y: float, radius: float, width: float, fill: Fill, *, squash: float = 1.0) -> None:
        """A circle's line, or an ellipse's when squashed across."""
        turn = np.linspace(0, 2 * np.pi, 72)
        path = [(x + radius * squash * np.cos(a), y + radius * np.sin(a)) for a in turn]
        self.stroke(path, width, fill)

    def turned(
        self, x: float, y0: float, y1: float, profile: Sequence[Point], paint: lathe.Paint, **look: object
    ) -> None:
        """A lathe piece standing on y1, its top at y0, its axis at x; profile radii in its own heights."""
        height_px = round((y1 - y0) * self.scale)
        piece = lathe.turned(profile, paint, height_px, **look)
        grid = np.linspace(0, 1, 64, dtype=np.float32)
        tilt = look.get("tilt", 0.16)
        above = int(np.ceil(max(lathe.curve(profile, grid)[0], 1e-4) * tilt * height_px)) + 1
        self.paste(piece, round(x * self.scale) - piece.shape[1] // 2, round(y0 * self.scale) - above)

    def ball(self, x: float, y: float, radius: float, paint: lathe.Paint, gloss: float = 0.4) -> None:
        rows = np.linspace(0, 1, 24)
        profile = [(float(v), float(np.sqrt(max(0.25 - (v - 0.5) ** 2, 0)))) for v in rows]
        self.turned(x, y - radius, y + radius, profile, paint, tilt=0.0, gloss=gloss, inside=None)

    def paste(self, piece: np.ndarray, left: int, top: int) -> None:
        """Lay RGBA (h, w, 4), straight alpha, over what is there; parts beyond the edges are lost."""
        y0, x0 = max(0, top), max(0, left)
        part = piece[y0 - top : max(0, self.shape[0] - top), x0 - left : max(0, self.shape[1] - left)]
        window = self.rgba[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]]
        alpha = part[..., 3:]
        window *= 1 - alpha
        window[..., :3] += part[..., :3] * alpha
        window[..., 3:] += alpha

    def straight(self) -> np.ndarray:
        """What is drawn so far with straight alpha, fit to `paste` into another sketch."""
        alpha = self.rgba[..., 3:]
        return np.concatenate([self.rgba[..., :3] / np.maximum(alpha, 1e-4), alpha], axis=-1)

    def sprite(self) -> PIL.Image.Image:
        """The finished object as RGBA, cut to what is drawn."""
        height, width = (side // SUPERSAMPLING for side in self.shape)
        blocks = self.rgba[: height * SUPERSAMPLING, : width * SUPERSAMPLING]
        small = blocks.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 4).mean(axis=(1, 3))
        small[..., :3] /= np.maximum(small[..., 3:], 1e-4)
        whole = PIL.Image.fromarray((np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8))
        return whole.crop(whole.getchannel("A").getbbox())

    def _lay(
        self, draw: Callable, bounds: tuple[float, float, float, float], fill: Fill, bevel: float, lift: float
    ) -> None:
        left, top = (int(np.floor(edge * self.scale)) - 2 for edge in bounds[:2])
        right, bottom = (int(np.ceil(edge * self.scale)) + 3 for edge in bounds[2:])
        mask = PIL.Image.new("L", (right - left, bottom - top))
        draw(PIL.ImageDraw.Draw(mask), lambda point: (point[0] * self.scale - left, point[1] * self.scale - top))
        y, x = np.mgrid[top:bottom, left:right].astype(np.float32) / self.scale
        colour = _coloured(fill, x, y, bounds) * _rounded(mask, bevel * self.scale, lift)[..., None]
        alpha = np.asarray(mask, np.float32)[..., None] / 255
        self.paste(np.concatenate([colour, alpha], axis=-1), left, top)


def _bounds(points: Sequence[Point]) -> tuple[float, float, float, float]:
    x, y = zip(*points, strict=True)
    return min(x), min(y), max(x), max(y)


def _coloured(fill: Fill, x: np.ndarray, y: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    if callable(fill):
        return fill(x, y)
    if isinstance(fill, str):
        return np.broadcast_to(rgb(fill), (*x.shape, 3))
    share = np.clip((y - bounds[1]) / max(bounds[3] - bounds[1], 1e-4), 0, 1)[..., None]
    return rgb(fill[1]) * share + rgb(fill[0]) * (1 - share)


def _rounded(mask: PIL.Image.Image, radius_px: float, lift: float) -> np.ndarray:
    """How light changes near the edges of a mask, as on a cushion: above 1 towards the lamp, below 1 away from it."""
    if radius_px < 1:
        return np.ones(mask.size[::-1], np.float32)
    blur = PIL.ImageFilter.BoxBlur(radius_px)
    padded = np.asarray(mask.filter(blur).filter(blur), np.float32) / 255
    down, across = np.gradient(padded)
    return 1 - (across * lathe.LAMP[0] + down * lathe.LAMP[1]) * radius_px * lift
