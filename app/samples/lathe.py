"""Things turned on a lathe: vases, balloons, lighthouses. A profile and a pattern become a lit solid.

Seen from slightly above, a ring of radius r at height v appears at v + tilt·r·cos(angle): bands curve, rims open.
"""

from collections.abc import Callable, Sequence

import numpy as np

from app.samples.palettes import rgb

Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (angle −π/2…π/2, v 0…1) -> (h, w, 3)
LAMP = np.array([-0.52, -0.55, 0.65], np.float32)  # from the upper left, towards the viewer


def curve(points: Sequence[tuple[float, float]], at: np.ndarray) -> np.ndarray:
    """A smooth line through (position, value) points, flat where the values turn, so that it never overshoots."""
    x, y = np.array(points, np.float32).T
    steps = np.diff(y) / np.diff(x)
    same_way = steps[:-1] * steps[1:] > 0
    inner = np.where(same_way, 2 * steps[:-1] * steps[1:] / np.where(same_way, steps[:-1] + steps[1:], 1), 0)
    slopes = np.concatenate([steps[:1], inner, steps[-1:]])
    i = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    width = x[i + 1] - x[i]
    t = np.clip((at - x[i]) / width, 0, 1)
    start, end = y[i] * (2 * t**3 - 3 * t**2 + 1), y[i + 1] * (3 * t**2 - 2 * t**3)
    return start + end + width * (slopes[i] * (t**3 - 2 * t**2 + t) + slopes[i + 1] * (t**3 - t**2))


def _eased(radii: np.ndarray, reach: int = 9) -> np.ndarray:
    """A profile without the kinks that flat knots leave; its ends stay where they are."""
    padded = np.concatenate([2 * radii[0] - radii[reach:0:-1], radii, 2 * radii[-1] - radii[-2 : -reach - 2 : -1]])
    kernel = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(padded, kernel / kernel.sum(), mode="valid").astype(np.float32)


def turned(
    profile: Sequence[tuple[float, float]],
    paint: Paint,
    height_px: int,
    *,
    tilt: float = 0.16,
    gloss: float = 0.5,
    inside: str | None = "#3a2f2a",
    glow: float = 0.0,
) -> np.ndarray:
    """A solid as RGBA (h, w, 4) float32. Profile: (v, radius), v from 0 top to 1 bottom, radius in heights.

    The array is higher than `height_px` by the tilted rings at its ends. `glow` lifts the shadows, as for lamp shades.
    """
    grid = np.linspace(0, 1, 256, dtype=np.float32)
    radii = np.maximum(_eased(curve(profile, grid)), 1e-4)
    top_px, bottom_px = (int(np.ceil(radii[end] * tilt * height_px)) + 1 for end in (0, -1))
    half = int(np.ceil(radii.max() * height_px)) + 1
    x = (np.arange(-half, half, dtype=np.float32) + 0.5)[None, :] / height_px
    y = (np.arange(-top_px, height_px + bottom_px, dtype=np.float32) + 0.5)[:, None] / height_px
    v, radius = _surface(x, y, grid, radii, tilt)
    sine = np.clip(x / radius, -1, 1)
    slope = np.interp(v, grid, np.gradient(radii, grid)).astype(np.float32)
    lit, shine = _light(sine, slope, gloss)
    lit = lit + (1 - lit) * glow
    colour = paint(np.arcsin(sine), np.clip(v, 0, 1)) * lit[..., None] + shine[..., None]
    edge = np.clip((radius - np.abs(x)) * height_px, 0, 1)
    alpha = edge * np.clip(v * height_px + 0.5, 0, 1) * np.clip((1 - v) * height_px + 0.5, 0, 1)
    rgba = np.concatenate([np.clip(colour, 0, 1), alpha[..., None]], axis=-1).astype(np.float32)
    return rgba if inside is None else _with_opening(rgba, x, y, float(radii[0]), tilt, height_px, rgb(inside))


def _surface(
    x: np.ndarray, y: np.ndarray, grid: np.ndarray, radii: np.ndarray, tilt: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where on the profile each pixel looks: v and the radius there, by three rounds of substitution."""
    v = np.broadcast_to(y, (y.shape[0], x.shape[1]))
    for _ in range(3):
        radius = np.interp(np.clip(v, 0, 1), grid, radii).astype(np.float32)
        v = y - tilt * np.sqrt(np.clip(radius**2 - x**2, 0, None))
    return v, np.interp(np.clip(v, 0, 1), grid, radii).astype(np.float32)


def _light(sine: np.ndarray, slope: np.ndarray, gloss: float) -> tuple[np.ndarray, np.ndarray]:
    cosine = np.sqrt(1 - sine**2)
    length = np.sqrt(1 + slope**2)
    facing = (sine * LAMP[0] - slope * LAMP[1] + cosine * LAMP[2]) / length
    diffuse = 0.42 + 0.66 * np.clip(facing * 0.75 + 0.25, 0, 1)
    bounce = 0.10 * np.clip(sine, 0, 1) ** 3  # light thrown back from the surroundings on the dark side
    window = np.exp(-(((sine + 0.52) / 0.10) ** 2)) * np.clip(facing, 0, 1) ** 2
    spot = np.clip(facing, 0, 1) ** 24
    return diffuse + bounce, gloss * (0.30 * window + 0.45 * spot)


def _with_opening(
    rgba: np.ndarray, x: np.ndarray, y: np.ndarray, radius: float, tilt: float, height_px: int, inside: np.ndarray
) -> np.ndarray:
    """Show the dark inside through the rim: the top ring, where the front wall does not hide it."""
    down = y / (tilt * radius)
    reach = np.sqrt((x / radius) ** 2 + down**2)
    hole = np.clip((1 - reach) * radius * tilt * height_px + 0.5, 0, 1)
    rim = np.clip((reach - 0.90) * 12, 0, 1)[..., None]
    depth = np.clip(0.75 + 0.5 * down + 0.25 * x / radius, 0.3, 1.3)[..., None]
    colour = inside * depth * (1 - rim) + np.clip(inside * 2.2 + 0.1, 0, 1) * rim
    merged = hole + rgba[..., 3] * (1 - hole)
    mixed = colour * hole[..., None] + rgba[..., :3] * (rgba[..., 3] * (1 - hole))[..., None]
    return np.concatenate([mixed / np.maximum(merged, 1e-4)[..., None], merged[..., None]], axis=-1).astype(np.float32)
