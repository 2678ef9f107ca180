"""What people lay over and around pictures: captions, stickers, frames, other pictures."""

import functools

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import torch
from torch import Tensor
from torch.nn import functional as F

from training.draws import Draws

SHEETS = 384  # overlays drawn once; flipped and rolled they are many more
SHEET_PX = 112
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !?&#@"


def surround(views: Tensor, inside: Tensor, draws: Draws) -> Tensor:
    """Fill what lies outside of the picture: with a colour, its own blurred border, or another picture of the batch."""
    kind = draws.uniform()
    flat = torch.where(draws.chance(0.5), draws.uniform(0, 1, (3, 1, 1)), draws.chance(0.5).float())
    others = views.roll(1, 0)
    filling = torch.where(kind < 0.5, flat, torch.where(kind < 0.8, others, views))
    return views * inside + filling * (1 - inside)


def paste(views: Tensor, draws: Draws) -> Tensor:
    """A part of another picture over a rectangle of some."""
    along = (torch.arange(views.shape[-1]) + 0.5) / views.shape[-1]
    height, width = draws.uniform(0.15, 0.6), draws.uniform(0.15, 0.6)
    top, left = draws.uniform() * (1 - height), draws.uniform() * (1 - width)
    y, x = along.view(1, 1, -1, 1), along.view(1, 1, 1, -1)
    hit = (y >= top) & (y < top + height) & (x >= left) & (x < left + width) & draws.chance(0.12)
    return torch.where(hit, views.roll(2, 0), views)


def scribble(views: Tensor, draws: Draws) -> Tensor:
    """A caption or stickers over some."""
    rows = draws.chosen(0.25)
    if not len(rows):
        return views
    sheet = sheets()[draws.whole(SHEETS, len(rows))].float() / 255
    shift = draws.whole(SHEET_PX, 2).tolist()
    sheet = sheet.roll(shift, (2, 3))
    sheet = F.interpolate(sheet, size=views.shape[2:], mode="bilinear")
    alpha = sheet[:, 3:] * draws.uniform(0.5, 1.0)[rows]
    views = views.clone()
    views[rows] = views[rows] * (1 - alpha) + sheet[:, :3] * alpha
    return views


@functools.cache
def sheets() -> Tensor:
    """uint8 (SHEETS, 4, SHEET_PX, SHEET_PX), RGBA; always the same."""
    rng = np.random.default_rng(7)
    drawn = [DRAWERS[number % len(DRAWERS)](rng) for number in range(SHEETS)]
    return torch.from_numpy(np.stack([np.asarray(sheet) for sheet in drawn])).permute(0, 3, 1, 2).contiguous()


def _sheet() -> tuple[PIL.Image.Image, PIL.ImageDraw.ImageDraw]:
    image = PIL.Image.new("RGBA", (SHEET_PX, SHEET_PX))
    return image, PIL.ImageDraw.Draw(image)


def _colour(rng: np.random.Generator) -> tuple[int, ...]:
    plain = rng.random() < 0.5
    return (*((int(rng.integers(2)) * 255,) * 3 if plain else rng.integers(0, 256, 3).tolist()), 255)


def _caption(rng: np.random.Generator) -> PIL.Image.Image:
    """One to four lines, on a bar or without."""
    image, pen = _sheet()
    size, colour, bar = int(rng.integers(9, 28)), _colour(rng), _colour(rng)
    lines, top = int(rng.integers(1, 5)), int(rng.integers(0, SHEET_PX - 12))
    if rng.random() < 0.4:
        pen.rectangle((0, top, SHEET_PX, top + lines * size), fill=bar)
    for line in range(lines):
        text = "".join(rng.choice(list(LETTERS), int(rng.integers(3, 20))))
        left = int(rng.integers(-5, 40))
        pen.text((left, top + line * size), text, fill=colour, font=PIL.ImageFont.load_default(size))
    return image


def _stickers(rng: np.random.Generator) -> PIL.Image.Image:
    """Faces, discs, boxes and stars of one to four colours."""
    image, pen = _sheet()
    for _ in range(int(rng.integers(1, 5))):
        x, y, r = (int(value) for value in (*rng.integers(0, SHEET_PX, 2), rng.integers(5, 26)))
        box, colour = (x - r, y - r, x + r, y + r), _colour(rng)
        if rng.random() < 0.5:
            pen.ellipse(box, fill=colour, outline=_colour(rng), width=2)
            pen.ellipse((x - r // 2, y - r // 2, x - r // 4, y), fill=(0, 0, 0, 255))
            pen.ellipse((x + r // 4, y - r // 2, x + r // 2, y), fill=(0, 0, 0, 255))
            pen.arc((x - r // 2, y - r // 4, x + r // 2, y + r // 2), 20, 160, fill=(0, 0, 0, 255), width=2)
        else:
            pen.regular_polygon((x, y, r), int(rng.integers(3, 8)), int(rng.integers(360)), fill=colour)
    return image


def _lines(rng: np.random.Generator) -> PIL.Image.Image:
    """Strokes, and for some a frame."""
    image, pen = _sheet()
    for _ in range(int(rng.integers(1, 6))):
        pen.line(rng.integers(0, SHEET_PX, 4).tolist(), fill=_colour(rng), width=int(rng.integers(1, 7)))
    if rng.random() < 0.5:
        pen.rectangle((0, 0, SHEET_PX - 1, SHEET_PX - 1), outline=_colour(rng), width=int(rng.integers(2, 10)))
    return image


DRAWERS = (_caption, _stickers, _caption, _lines)
