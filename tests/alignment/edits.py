"""What people do to a picture before it comes back as a copy, with where each of its points went."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter
import PIL.ImageOps

from app.alignment import VIEW_PX, View
from tests.audits.album import picture

Image = PIL.Image.Image
Point = tuple[float, float]  # shares of width and height


class Edit(NamedTuple):
    made: Callable[[Image], Image]
    moved: Callable[[float, float], Point] = lambda x, y: (x, y)
    names: frozenset[str] = frozenset()  # relations that must be told; others may be as well, `never` excepted
    never: frozenset[str] = frozenset()


def view(made: Image) -> View:
    seen = made.convert("RGB")
    seen.thumbnail((VIEW_PX, VIEW_PX), PIL.Image.Resampling.LANCZOS)
    return View(np.asarray(seen))


def cut(box: tuple[float, float, float, float]) -> Edit:
    """left, top, right and bottom in shares."""
    left, top, right, bottom = box

    def made(one: Image) -> Image:
        return one.crop((left * one.width, top * one.height, right * one.width, bottom * one.height))

    def moved(x: float, y: float) -> Point:
        return (x - left) / (right - left), (y - top) / (bottom - top)

    return Edit(made, moved, frozenset({"cropped"}), frozenset({"padded", "mirrored", "overlaid"}))


def on_canvas(share: float, colour: str) -> Edit:
    """In the middle, `share` of each side."""

    def made(one: Image) -> Image:
        canvas = PIL.Image.new("RGB", one.size, colour)
        small = one.resize((round(one.width * share), round(one.height * share)), PIL.Image.Resampling.LANCZOS)
        canvas.paste(small, ((one.width - small.width) // 2, (one.height - small.height) // 2))
        return canvas

    around = (1 - share) / 2
    return Edit(
        made, lambda x, y: (around + share * x, around + share * y), frozenset({"padded"}), frozenset({"cropped"})
    )


def noisy(one: Image, levels: float = 40) -> Image:
    grain = np.random.default_rng(5).normal(0, levels, (one.height, one.width, 3))
    return PIL.Image.fromarray(np.clip(np.asarray(one) + grain, 0, 255).astype(np.uint8))


def captioned(one: Image, *lines: float) -> Image:
    """Words at these shares of the height; below, if none is given."""
    made = one.copy()
    pen = PIL.ImageDraw.Draw(made)
    style = {"font_size": one.height // 9, "stroke_width": 3, "stroke_fill": "black"}
    for line in lines or (0.84,):
        pen.text((20, one.height * line), "THE SAME PICTURE", "white", **style)
    return made


def mirrored_cut() -> Edit:
    """Keypoints alone find it: it is none of the eight forms of the whole."""
    part = cut((0.1, 0.2, 0.8, 0.9))

    def moved(x: float, y: float) -> Point:
        across, down = part.moved(x, y)
        return 1 - across, down

    names, never = frozenset({"cropped", "mirrored"}), frozenset({"padded", "overlaid"})
    return Edit(lambda one: PIL.ImageOps.mirror(part.made(one)), moved, names, never)


def labelled(one: Image) -> Image:
    made = one.copy()
    PIL.ImageDraw.Draw(made).rectangle((40, 30, 40 + one.width // 5, 30 + one.height // 6), (250, 220, 20))
    return made


def toned(one: Image) -> Image:
    return one.point([round(255 * (value / 255) ** 0.6) for value in range(256)] * 3)


def halved(one: Image) -> Image:
    return one.resize((one.width // 2, one.height // 2), PIL.Image.Resampling.LANCZOS)


OVERLAID, RECOLOURED = frozenset({"overlaid"}), frozenset({"recoloured"})
PLAIN = frozenset({"mirrored", "cropped", "padded", "rotated_90", "rotated_180", "rotated_270", "overlaid", "other"})
EDITS = {
    "half size": Edit(halved, names=frozenset({"resized"}), never=PLAIN | RECOLOURED),
    "blurred": Edit(lambda one: one.filter(PIL.ImageFilter.GaussianBlur(5)), never=PLAIN),
    "noisy": Edit(noisy, never=PLAIN),
    "brighter": Edit(toned, names=RECOLOURED, never=PLAIN),
    "grey": Edit(lambda one: PIL.ImageOps.grayscale(one).convert("RGB"), names=RECOLOURED, never=PLAIN),
    "negative": Edit(PIL.ImageOps.invert, names=RECOLOURED, never=PLAIN),
    "captions": Edit(captioned, names=OVERLAID, never=PLAIN - OVERLAID),
    "a label upon it": Edit(labelled, names=OVERLAID, never=PLAIN - OVERLAID),
    "mirrored": Edit(PIL.ImageOps.mirror, lambda x, y: (1 - x, y), frozenset({"mirrored"}), PLAIN - {"mirrored"}),
    "a quarter turn": Edit(
        lambda one: one.transpose(PIL.Image.Transpose.ROTATE_90), lambda x, y: (y, 1 - x), frozenset({"rotated_90"})
    ),
    "half a turn": Edit(
        lambda one: one.transpose(PIL.Image.Transpose.ROTATE_180), lambda x, y: (1 - x, 1 - y),
        frozenset({"rotated_180"}), PLAIN - {"rotated_180"},
    ),
    "half of it": cut((0.1, 0.2, 0.8, 0.9)),
    "half of it, mirrored": mirrored_cut(),
    "a third of it": cut((0.35, 0.3, 0.9, 0.9)),
    "on a plain canvas": on_canvas(0.5, "white"),
    "framed": on_canvas(0.85, "black"),
}  # fmt: skip

SHOWN = picture(3, (800, 600))
