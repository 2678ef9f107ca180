"""Scene: one kind of picture, where it may play and what may stand in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.samples.canvas import Canvas
from app.samples.palettes import Land

Cast = Mapping[str, Sequence[str]]  # habitat -> names of the things that stand there
Paint = Callable[[Canvas, Cast, Land], None]


@dataclass(frozen=True)
class Scene:
    """`slots` says how many things of a habitat take part: (habitat, fewest, most)."""

    name: str
    folder: str
    titles: tuple[str, ...]  # words its file names are made of
    lights: tuple[str, ...]
    lands: tuple[str, ...]
    weathers: tuple[str, ...]  # repeated for weight
    slots: tuple[tuple[str, int, int], ...]
    paint: Paint
