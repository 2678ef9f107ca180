"""One picture looked at in several sizes and turns: what the network has not learned to see as the same."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import PIL.Image

from app.vision.architectures import PATCH_PX
from app.vision.colour import BACKGROUND


class Way(NamedTuple):
    degrees: float  # anticlockwise
    long_px: int  # of the picture before it is turned


@dataclass(frozen=True)
class Look:
    """`turn * place + shift` takes a complex place x + iy in its patches to pixels of the picture it is a look at."""

    pixels: np.ndarray  # uint8 (H, W, 3), sides multiples of a patch; BACKGROUND where there is no picture
    turn: complex
    shift: complex


def looks(pixels: np.ndarray, ways: Sequence[Way]) -> list[Look]:
    """At a picture, uint8 (H, W, 3), in each of these ways; never enlarged."""
    picture = PIL.Image.fromarray(pixels)
    return [_look(picture, way) for way in ways]


def _look(picture: PIL.Image.Image, way: Way) -> Look:
    scale = min(1.0, way.long_px / max(picture.size))
    small = picture.resize([max(1, round(side * scale)) for side in picture.size], PIL.Image.Resampling.BICUBIC)
    back = cmath.exp(1j * math.radians(way.degrees))  # from the look to the picture; y goes down
    canvas = _canvas(small.size, back)
    middle, middle_there = complex(*canvas) / 2, complex(*small.size) / 2
    shift = middle_there - middle * back
    coefficients = (back.real, -back.imag, shift.real, back.imag, back.real, shift.imag)
    turned = small.transform(
        canvas, PIL.Image.Transform.AFFINE, coefficients, PIL.Image.Resampling.BICUBIC, fillcolor=BACKGROUND
    )
    return Look(np.asarray(turned), PATCH_PX * back / scale, shift / scale)


def _canvas(size: tuple[int, int], turn: complex) -> tuple[int, int]:
    """Width and height that hold all of it, rounded up to whole patches."""
    width, height = size
    across = abs(width * turn.real) + abs(height * turn.imag)
    down = abs(width * turn.imag) + abs(height * turn.real)
    whole = (PATCH_PX * max(1, math.ceil(side / PATCH_PX - 1e-6)) for side in (across, down))
    return tuple(whole)
