"""Labels: a panel with a name, an emblem and small print, drawn over what is printed below."""

from collections.abc import Callable
from dataclasses import dataclass

import PIL.ImageDraw
import PIL.ImageFont

from app.samples.hunt import emblems

Pen = PIL.ImageDraw.ImageDraw
NARROWEST_PX = 8


@dataclass(frozen=True)
class Words:
    """What a label says: its name, a line below it, and an emblem."""

    name: str
    line: str
    emblem: str


@dataclass(frozen=True)
class Inks:
    paper: str
    ink: str
    accent: str


@dataclass(frozen=True)
class Panel:
    """Where a label lies, in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def wide(self) -> float:
        return self.x1 - self.x0

    @property
    def high(self) -> float:
        return self.y1 - self.y0

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Shares of the panel as pixels."""
        return self.x0 + x * self.wide, self.y0 + y * self.high


def plaque(pen: Pen, panel: Panel, words: Words, inks: Inks) -> None:
    """A framed card: emblem above, name, line, small print."""
    _card(pen, panel, inks, round_=0.06)
    emblems.draw(pen, words.emblem, *panel.at(0.5, 0.27), 0.34 * panel.high, inks.accent)
    _write(pen, words.name, panel.at(0.5, 0.58), 0.86 * panel.wide, 0.24 * panel.high, inks.ink)
    _write(pen, words.line, panel.at(0.5, 0.76), 0.7 * panel.wide, 0.11 * panel.high, inks.ink)
    _small_print(pen, panel, 0.86, 2, inks.ink)


def banner(pen: Pen, panel: Panel, words: Words, inks: Inks) -> None:
    """A band with the name between two emblems."""
    band = Panel(*panel.at(-0.1, 0.18), *panel.at(1.1, 0.82))
    pen.rectangle([band.x0, band.y0, band.x1, band.y1], fill=inks.ink)
    for y in (0.06, 0.94):
        pen.line([band.at(0, y), band.at(1, y)], fill=inks.paper, width=max(2, round(0.03 * band.high)))
    for x in (0.13, 0.87):
        emblems.draw(pen, words.emblem, *band.at(x, 0.5), 0.44 * band.high, inks.accent)
    _write(pen, words.name, band.at(0.5, 0.42), 0.52 * band.wide, 0.44 * band.high, inks.paper)
    _write(pen, words.line, band.at(0.5, 0.74), 0.5 * band.wide, 0.17 * band.high, inks.paper)


def medal(pen: Pen, panel: Panel, words: Words, inks: Inks) -> None:
    """An oval with a large emblem, the name above and the line below."""
    oval = [panel.x0, panel.y0, panel.x1, panel.y1]
    pen.ellipse(oval, fill=inks.paper, outline=inks.ink, width=max(3, round(0.035 * panel.high)))
    emblems.draw(pen, words.emblem, *panel.at(0.5, 0.56), 0.38 * panel.high, inks.accent)
    _write(pen, words.name, panel.at(0.5, 0.25), 0.62 * panel.wide, 0.2 * panel.high, inks.ink)
    _write(pen, words.line, panel.at(0.5, 0.84), 0.46 * panel.wide, 0.1 * panel.high, inks.ink)


def sidelong(pen: Pen, panel: Panel, words: Words, inks: Inks) -> None:
    """A card of two fields: the emblem in one, words in the other."""
    _card(pen, panel, inks, round_=0.0)
    pen.rectangle([*panel.at(0.03, 0.05), *panel.at(0.36, 0.95)], fill=inks.ink)
    emblems.draw(pen, words.emblem, *panel.at(0.195, 0.5), 0.27 * panel.wide, inks.paper)
    _write(pen, words.name, panel.at(0.675, 0.3), 0.56 * panel.wide, 0.3 * panel.high, inks.accent)
    _write(pen, words.line, panel.at(0.675, 0.54), 0.52 * panel.wide, 0.14 * panel.high, inks.ink)
    _small_print(pen, Panel(*panel.at(0.38, 0), *panel.at(0.97, 1)), 0.7, 3, inks.ink)


def bare(pen: Pen, panel: Panel, words: Words, inks: Inks) -> None:
    """No card: large letters and the emblem, each with an edge of paper colour."""
    edge = max(3, round(0.035 * panel.high))
    disc = 0.3 * panel.high
    x, y = panel.at(0.5, 0.66)
    pen.ellipse([x - disc, y - disc, x + disc, y + disc], fill=inks.paper)
    emblems.draw(pen, words.emblem, x, y, 1.35 * disc, inks.accent)
    _write(pen, words.name, panel.at(0.5, 0.2), 1.05 * panel.wide, 0.36 * panel.high, inks.ink, edge, inks.paper)


LABELS: dict[str, Callable[[Pen, Panel, Words, Inks], None]] = {
    "plaque": plaque, "banner": banner, "medal": medal, "sidelong": sidelong, "bare": bare,
}  # fmt: skip


def _card(pen: Pen, panel: Panel, inks: Inks, round_: float) -> None:
    width = max(3, round(0.03 * panel.high))
    corner = round_ * panel.high
    pen.rounded_rectangle([panel.x0, panel.y0, panel.x1, panel.y1], corner, inks.paper, inks.ink, width)


def _write(
    pen: Pen,
    text: str,
    middle: tuple[float, float],
    wide: float,
    high: float,
    ink: str,
    edge: int = 0,
    around: str = "",
) -> None:
    """As large as fits into `wide` × `high` pixels."""
    font = PIL.ImageFont.load_default(max(NARROWEST_PX, high))
    room = wide / max(pen.textlength(text, font), 1)
    font = PIL.ImageFont.load_default(max(NARROWEST_PX, high * min(1, room)))
    pen.text(middle, text, font=font, fill=ink, anchor="mm", stroke_width=edge, stroke_fill=around or None)


def _small_print(pen: Pen, panel: Panel, top: float, lines: int, ink: str) -> None:
    for number in range(lines):
        y = top + 0.08 * number
        short = 0.1 * (number % 2)
        pen.line([panel.at(0.16, y), panel.at(0.84 - short, y)], fill=ink, width=max(1, round(0.018 * panel.high)))
