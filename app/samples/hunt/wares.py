"""Wares: things of a few everyday shapes, each made one of a kind by its design."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import PIL.Image

from app.samples import patterns
from app.samples.hunt.designs import PALETTES, Design, artwork
from app.samples.hunt.prints import looked_up
from app.samples.lathe import Paint
from app.samples.objects_table import CUP, MOON
from app.samples.sketch import Fill, Sketch, smooth

FLASK = ((0, 0.115), (0.05, 0.10), (0.24, 0.10), (0.36, 0.26), (0.44, 0.30), (0.96, 0.30), (1, 0.28))
CAN = ((0, 0.37), (1, 0.37))
BEAKER = ((0, 0.34), (0.12, 0.29), (0.38, 0.24), (0.64, 0.28), (0.86, 0.31), (1, 0.25))
URN = ((0, 0.22), (0.06, 0.2), (0.2, 0.33), (0.5, 0.43), (0.8, 0.34), (1, 0.22))


@dataclass(frozen=True)
class Kind:
    """A shape; `aspect` and `label` are of its face, `draw` takes the face as a paint and the five colours."""

    aspect: float
    label: tuple[float, float, float, float]
    draw: Callable[[Paint, tuple[str, ...], int], Sketch]


@dataclass(frozen=True)
class Ware:
    kind: str
    design: Design

    @property
    def name(self) -> str:
        words, design = self.design.words, self.design
        return f"{self.kind} {words.name} {words.line}, {design.palette} {design.print}, {words.emblem}"


@functools.lru_cache(maxsize=256)
def sprite(ware: Ware, height_px: int) -> PIL.Image.Image:
    """It alone, upright, as RGBA."""
    kind = KINDS[ware.kind]
    face = looked_up(artwork(ware.design, kind.aspect, kind.label))
    return kind.draw(face, PALETTES[ware.design.palette], height_px).sprite()


def tin(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    sketch = Sketch(0.8, height_px)
    steel = patterns.fade("#e4e6e8", "#9aa0a6")
    sketch.turned(0.4, 0.1, 0.95, CAN, steel, tilt=0.16, gloss=0.6, inside="#b9bec3")
    sketch.turned(0.4, 0.13, 0.91, ((0, 0.405), (1, 0.405)), face, tilt=0.16, gloss=0.25, inside=None)
    return sketch


def bottle(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    """Dark glass with the face around its body."""
    sketch = Sketch(0.62, height_px)
    glass = patterns.fade(codes[2], codes[1])
    sketch.turned(0.31, 0.05, 0.97, FLASK, glass, tilt=0.1, gloss=0.8, inside=None)
    sketch.turned(0.31, 0.02, 0.1, ((0, 1.2), (1, 1.3)), patterns.plain(codes[4]), tilt=0.1, gloss=0.5, inside=None)
    sketch.turned(0.31, 0.46, 0.93, ((0, 0.592), (1, 0.592)), face, tilt=0.1, gloss=0.3, inside=None)
    return sketch


def mug(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    sketch = Sketch(1.2, height_px)
    grip = smooth([(0.80, 0.30), (0.98, 0.27), (1.10, 0.42), (1.06, 0.62), (0.90, 0.74), (0.76, 0.76)], closed=False)
    sketch.stroke(grip, 0.085, codes[2], bevel=0.03, lift=0.9)
    sketch.turned(0.45, 0.10, 0.95, CUP, face, tilt=0.2, gloss=0.5, inside=codes[0])
    return sketch


def vase(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    return _jar(face, MOON, height_px)


def beaker(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    return _jar(face, BEAKER, height_px)


def urn(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    sketch = _jar(face, URN, height_px)
    sketch.turned(0.45, 0.03, 0.16, ((0, 0.5), (0.5, 1.6), (1, 1.9)), patterns.plain(codes[4]), tilt=0.14, inside=None)
    return sketch


def book(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    """Upright, its spine to the left, a strip of pages to the right."""
    sketch = Sketch(0.76, height_px)
    sketch.box(0.1, 0.035, 0.745, 0.985, ("#f6efdf", "#d8cdb4"), bevel=0.006)
    sketch.box(0.02, 0.02, 0.73, 0.97, _spread(face, 0.02, 0.02, 0.73, 0.97), round_=0.015, bevel=0.01)
    sketch.box(0.02, 0.02, 0.1, 0.97, codes[1], round_=0.01, bevel=0.025, lift=0.9)
    for y in (0.12, 0.16, 0.8, 0.84):
        sketch.box(0.022, y, 0.098, y + 0.016, codes[4], bevel=0)
    return sketch


def carton(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    """Seen from its front and a little from the right."""
    sketch = Sketch(0.86, height_px)
    sketch.area([(0.7, 0.06), (0.84, 0.02), (0.84, 0.93), (0.7, 0.98)], (codes[2], codes[1]), bevel=0.004)
    for share in (0.2, 0.3, 0.68):
        y0, y1 = 0.06 + share * 0.92, 0.02 + share * 0.91
        sketch.stroke([(0.72, y0), (0.82, y1)], 0.02, codes[0], bevel=0)
    sketch.area([(0.02, 0.06), (0.17, 0.02), (0.84, 0.02), (0.7, 0.06)], (codes[3], codes[2]), bevel=0.004)
    sketch.box(0.02, 0.06, 0.7, 0.98, _spread(face, 0.02, 0.06, 0.7, 0.98), bevel=0.008)
    return sketch


def plate(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    """From above: the face in the well, a rim of two rings."""
    sketch = Sketch(1.0, height_px)
    sketch.oval(0.5, 0.5, 0.49, 0.49, codes[0], bevel=0.03, lift=0.7)
    sketch.oval(0.5, 0.5, 0.465, 0.465, codes[2], bevel=0.0)
    sketch.oval(0.5, 0.5, 0.44, 0.44, codes[0], bevel=0.0)
    sketch.oval(0.5, 0.5, 0.42, 0.42, _spread(face, 0.08, 0.08, 0.92, 0.92), bevel=0.035, lift=-0.5)
    return sketch


def framed(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    """A print in a moulded frame."""
    sketch = Sketch(1.25, height_px)
    sketch.box(0.01, 0.01, 1.24, 0.99, ("#8a6236", "#4f3318"), bevel=0.03, lift=1.0)
    sketch.box(0.06, 0.06, 1.19, 0.94, "#f3ecdd", bevel=0.012, lift=-0.6)
    sketch.box(0.11, 0.11, 1.14, 0.89, _spread(face, 0.11, 0.11, 1.14, 0.89), bevel=0)
    return sketch


def cushion(face: Paint, codes: tuple[str, ...], height_px: int) -> Sketch:
    sketch = Sketch(1.1, height_px)
    outline = [(0.03, 0.04), (0.3, 0.08), (0.8, 0.08), (1.07, 0.04), (1.03, 0.3), (1.03, 0.7)]
    outline += [(1.07, 0.96), (0.8, 0.92), (0.3, 0.92), (0.03, 0.96), (0.07, 0.7), (0.07, 0.3)]
    sketch.area(smooth(outline), codes[1], bevel=0.02)
    inner = [(0.55 + (x - 0.55) * 0.955, 0.5 + (y - 0.5) * 0.945) for x, y in outline]
    sketch.area(smooth(inner), _spread(face, 0.03, 0.04, 1.07, 0.96), bevel=0.09, lift=0.9)
    return sketch


KINDS = {
    "tin": Kind(1.35, (0.2, 0.16, 0.8, 0.84), tin),
    "bottle": Kind(1.6, (0.2, 0.12, 0.8, 0.88), bottle),
    "mug": Kind(1.3, (0.2, 0.2, 0.8, 0.86), mug),
    "vase": Kind(1.1, (0.24, 0.32, 0.76, 0.78), vase),
    "beaker": Kind(0.9, (0.2, 0.48, 0.8, 0.86), beaker),
    "urn": Kind(1.2, (0.22, 0.3, 0.78, 0.78), urn),
    "book": Kind(0.75, (0.2, 0.16, 0.9, 0.6), book),
    "carton": Kind(0.74, (0.1, 0.2, 0.9, 0.66), carton),
    "plate": Kind(1.0, (0.24, 0.3, 0.76, 0.7), plate),
    "framed": Kind(1.32, (0.22, 0.22, 0.78, 0.78), framed),
    "cushion": Kind(1.13, (0.24, 0.26, 0.76, 0.74), cushion),
}


def _jar(face: Paint, profile: tuple, height_px: int) -> Sketch:
    sketch = Sketch(0.9, height_px)
    sketch.turned(0.45, 0.07, 0.97, profile, face, tilt=0.16, gloss=0.5)
    return sketch


def _spread(face: Paint, x0: float, y0: float, x1: float, y1: float) -> Fill:
    """A face laid flat over a rectangle of the sketch."""
    return lambda x, y: face(((x - x0) / (x1 - x0) - 0.5) * np.pi, (y - y0) / (y1 - y0))
