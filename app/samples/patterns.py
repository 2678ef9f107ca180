"""Glazes and cloths for turned things: each maker returns a paint, (angle, v) -> colours (h, w, 3)."""

from collections.abc import Sequence

import numpy as np

from app.samples.lathe import Paint
from app.samples.noise import ramp
from app.samples.palettes import rgb


def _table(codes: Sequence[str]) -> np.ndarray:
    return np.stack([rgb(code) for code in codes])


def _over(base: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return base + (colour - base) * alpha[..., None]


def plain(code: str) -> Paint:
    return lambda angle, v: np.broadcast_to(rgb(code), (*v.shape, 3))


def fade(*codes: str) -> Paint:
    """Colours melting into each other from top to bottom."""
    table = _table(codes)
    stops = np.linspace(0, 1, len(codes))
    return lambda angle, v: np.stack([np.interp(v, stops, table[:, channel]) for channel in range(3)], axis=-1)


def gores(codes: Sequence[str], count: int, seam: float = 0.06) -> Paint:
    """Upright panels, `count` around, as a balloon is sewn."""
    table = _table(codes)

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        turn = angle / (2 * np.pi) * count + 100.25
        stitched = np.abs(turn - np.round(turn)) < seam * 0.5
        return table[np.floor(turn).astype(int) % len(table)] * np.where(stitched, 0.82, 1)[..., None]

    return paint


def bands(edges: Sequence[float], codes: Sequence[str]) -> Paint:
    """Rings; `edges` are the v where one colour ends and the next begins (one fewer than colours)."""
    table = _table(codes)
    return lambda angle, v: table[np.searchsorted(np.asarray(edges, np.float32), v)]


def spiral(codes: Sequence[str], turns: float, lean: float) -> Paint:
    table = _table(codes)
    return lambda angle, v: table[np.floor(v * turns + angle / np.pi * lean + 50).astype(int) % len(table)]


def zigzag(codes: Sequence[str], count: int, rows: float, height: float = 0.5) -> Paint:
    """Chevrons: rows of a zigzag with `count` teeth around."""
    table = _table(codes)

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        tooth = np.abs((angle / (2 * np.pi) * count) % 1 - 0.5) * 2
        return table[np.floor(v * rows + tooth * height + 50).astype(int) % len(table)]

    return paint


def diamonds(codes: Sequence[str], count: int, rows: float) -> Paint:
    table = _table(codes)

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        across, down = angle / (2 * np.pi) * count, v * rows
        return table[(np.floor(across + down + 50) + 2 * np.floor(across - down + 50)).astype(int) % len(table)]

    return paint


def checks(codes: Sequence[str], count: int, rows: float) -> Paint:
    table = _table(codes)
    return lambda angle, v: table[
        (np.floor(angle / (2 * np.pi) * count + 50) + np.floor(v * rows)).astype(int) % len(table)
    ]


def dots(
    base: Paint, code: str, count: int, rows: float, size: float = 0.30, within: tuple[float, float] = (0, 1)
) -> Paint:
    """Round spots in staggered rows over another paint."""

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        row = np.floor(v * rows)
        across = (angle / (2 * np.pi) * count + 0.5 * (row % 2)) % 1 - 0.5
        reach = np.sqrt(across**2 + ((v * rows) % 1 - 0.5) ** 2)
        alpha = ramp(reach, size + 0.05, size - 0.03) * ((v > within[0]) & (v < within[1]))
        return _over(base(angle, v), rgb(code), alpha)

    return paint


def flowers(base: Paint, code: str, heart: str, count: int, rows: float, within: tuple[float, float] = (0, 1)) -> Paint:
    """Five-petalled blossoms in staggered rows over another paint."""

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        row = np.floor(v * rows)
        across = (angle / (2 * np.pi) * count + 0.5 * (row % 2)) % 1 - 0.5
        down = (v * rows) % 1 - 0.5
        reach, turn = np.hypot(across, down), np.arctan2(down, across)
        petal = 0.24 + 0.13 * np.cos(5 * turn + row)
        inside = (v > within[0]) & (v < within[1])
        bloom = _over(base(angle, v), rgb(code), ramp(reach, petal + 0.03, petal - 0.03) * inside)
        return _over(bloom, rgb(heart), ramp(reach, 0.11, 0.08) * inside)

    return paint


def waves(base: Paint, code: str, at: float, count: int, amplitude: float, width: float) -> Paint:
    """One wavy ring painted over another paint."""

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        middle = at + amplitude * np.sin(angle * count)
        return _over(base(angle, v), rgb(code), ramp(np.abs(v - middle), width, width * 0.6))

    return paint


def dipped(base: Paint, code: str, at: float, drip: float = 0.05) -> Paint:
    """Glaze run down from the top to an uneven edge at v = `at`."""

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        edge = at + drip * (np.sin(angle * 5 + 1) + 0.6 * np.sin(angle * 11))
        return _over(base(angle, v), rgb(code), ramp(v, edge + 0.008, edge - 0.008))

    return paint


def speckled(base: Paint, code: str, seed: int, share: float = 0.03) -> Paint:
    """Fine spots, as in stoneware."""

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        table = np.random.default_rng(seed).random((160, 160)) < share
        spot = table[(v * 159).astype(int), ((angle / np.pi + 0.5) * 159).astype(int)]
        return _over(base(angle, v), rgb(code), spot * 0.7)

    return paint


def figure(base: Paint, code: str, shape: Paint | None, at: tuple[float, float], size: float) -> Paint:
    """A round medallion facing the viewer, filled with another paint or plain."""

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        reach = np.hypot((angle - at[0]) * 0.42, v - at[1])
        fill = rgb(code) if shape is None else shape(angle, v)
        return _over(base(angle, v), fill, ramp(reach, size + 0.006, size - 0.006))

    return paint
