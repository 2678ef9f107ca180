"""Designs: colours, a print, a label. Two wares of one kind are told apart by nothing else."""

from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageDraw

from app.samples.hunt.emblems import EMBLEMS
from app.samples.hunt.labels import LABELS, Inks, Panel, Words
from app.samples.hunt.prints import PRINTS

ARTWORK_PX = 420  # height of a drawn design
PALETTES = {  # paper, ink, main, second, accent
    "delft": ("#f6f1e4", "#16305e", "#2d5fa8", "#8fb4dc", "#d9822b"),
    "brick": ("#fbeeda", "#3d1512", "#b03a2e", "#e08a5a", "#2f6f6a"),
    "moss": ("#f3f0dc", "#1e2f22", "#4d7a3f", "#a8bf6a", "#c8402f"),
    "plum": ("#f7eaf0", "#33143a", "#7a3b82", "#c98bb9", "#e0a83a"),
    "mustard": ("#fff6dc", "#3a2a10", "#d7a021", "#f0cf73", "#24507a"),
    "sea": ("#eef7f2", "#0f3a40", "#1f8080", "#86c5b4", "#e4572e"),
    "rose": ("#fff3ee", "#4a1830", "#d85a7a", "#f2a9ac", "#2f5d3a"),
    "slate": ("#f0f1f2", "#1d232b", "#566373", "#a7b2bd", "#d9a43a"),
    "coral": ("#fff5e8", "#26324f", "#ef7753", "#f8bf8a", "#2a7f9e"),
    "night": ("#e9edf7", "#0c1230", "#27356f", "#6b7fc4", "#f0c14a"),
    "olive": ("#f8f4e2", "#2c2a12", "#80803a", "#c9c184", "#8e2f3c"),
    "mint": ("#f6fff8", "#143a2c", "#57b894", "#b9e3c6", "#c2417c"),
    "cocoa": ("#fbf1e6", "#2e1a10", "#7a4a2c", "#c39a6f", "#3f7fa0"),
    "teal": ("#f3f7f8", "#102f38", "#2b6777", "#9cc3c9", "#e0b04a"),
}
STARTS = (
    "Ma",
    "Tel",
    "Ro",
    "Vin",
    "Sol",
    "Ka",
    "Bel",
    "Or",
    "Fen",
    "Lu",
    "Gra",
    "Pi",
    "Nor",
    "Za",
    "Hal",
    "Due",
    "Cor",
)
MIDDLES = ("", "ri", "do", "la", "ve", "ni", "sto", "mi", "ra")
ENDS = ("va", "lin", "na", "ster", "mo", "rio", "tta", "by", "gan", "que", "zzi", "low", "nda", "k")
LINES = ("est. 18%02d", "No. %02d", "finest %02d", "batch %02d", "series %02d", "of 19%02d")


@dataclass(frozen=True)
class Design:
    palette: str
    print: str
    label: str
    words: Words
    seed: int  # of how the print falls out


def drawn(rng: np.random.Generator, *, palette: str | None = None, print_: str | None = None) -> Design:
    """One by lot; what is given stays."""
    return Design(
        palette=palette or str(rng.choice(list(PALETTES))),
        print=print_ or str(rng.choice(list(PRINTS))),
        label=str(rng.choice(list(LABELS))),
        words=_words(rng),
        seed=int(rng.integers(1 << 30)),
    )


def cousins(design: Design, rng: np.random.Generator) -> tuple[Design, Design]:
    """Two that are taken for it at a glance: one in its colours with another print, one with its print recoloured."""
    return (
        drawn(rng, palette=design.palette, print_=_other(PRINTS, design.print, rng)),
        drawn(rng, palette=_other(PALETTES, design.palette, rng), print_=design.print),
    )


def artwork(design: Design, aspect: float, label: tuple[float, float, float, float]) -> np.ndarray:
    """The whole face of a ware (h, w, 3) float32, `aspect` times as wide as high; `label` is its panel in shares."""
    height, width = ARTWORK_PX, round(ARTWORK_PX * aspect)
    codes, rng = PALETTES[design.palette], np.random.default_rng(design.seed)
    angle = np.broadcast_to((np.arange(width) + 0.5) / width - 0.5, (height, width)) * np.pi
    v = np.broadcast_to(((np.arange(height) + 0.5) / height)[:, None], (height, width))
    ground = PRINTS[design.print](codes, rng)(angle, v)
    picture = PIL.Image.fromarray((np.clip(ground, 0, 1) * 255).astype(np.uint8))
    panel = Panel(label[0] * width, label[1] * height, label[2] * width, label[3] * height)
    LABELS[design.label](PIL.ImageDraw.Draw(picture), panel, design.words, Inks(codes[0], codes[1], codes[4]))
    return np.asarray(picture, np.float32) / 255


def _words(rng: np.random.Generator) -> Words:
    name = "".join(str(rng.choice(parts)) for parts in (STARTS, MIDDLES, ENDS))
    line = str(rng.choice(LINES)) % int(rng.integers(10, 100))
    return Words(name.upper() if rng.random() < 0.6 else name, line, str(rng.choice(list(EMBLEMS))))


def _other(table: dict, taken: str, rng: np.random.Generator) -> str:
    return str(rng.choice([name for name in table if name != taken]))
