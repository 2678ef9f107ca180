"""The pictures to train on, decoded once and kept in memory as small squares. Examination folders are refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from app.errors import InvalidInput
from app.samples import truth

SIDE_PX = 160  # a little more than what the network sees, so that a crop of the middle is not blurred
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
EXAMINATION = {"near_dup", "instances", "orientation", "weird", "distractors"}  # never trained on
SIGHTING_MARGIN = 0.35  # of a box's sides, left around a painted object: it is learned with some of its surroundings
LEAST_SIGHTING_PX = 56  # of the shorter side of that; what is smaller is not worth recognising


@dataclass(frozen=True)
class Pictures:
    """`pixels` uint8 (N, 3, SIDE, SIDE), squashed; `aspects` float (N) width over height.

    `members` lists, by group, the rows that show the same; most groups have one. `sources` int64 (groups) numbers where
    each is from; `weights` (groups) sum to one.
    """

    pixels: Tensor
    aspects: Tensor
    members: list[list[int]]
    sources: Tensor
    weights: Tensor


@dataclass(frozen=True)
class _Cut:
    image: np.ndarray  # uint8 (3, SIDE, SIDE)
    aspect: float
    source: str
    group: str


def load(photos: Path, album: Path | None = None) -> Pictures:
    """Every photo below `photos`, each subfolder one source, and the painted scenes and objects of a sample album.

    Raises InvalidInput for a folder without pictures, or one that holds an examination.
    """
    cuts = list(_photos(photos)) + (list(_album(album)) if album else [])
    groups: dict[str, list[int]] = {}
    for row, cut in enumerate(cuts):
        groups.setdefault(cut.group, []).append(row)
    members = list(groups.values())
    names = [cuts[rows[0]].source for rows in members]
    sources = torch.tensor([sorted(set(names)).index(name) for name in names])
    pixels = torch.from_numpy(np.stack([cut.image for cut in cuts]))
    return Pictures(pixels, torch.tensor([cut.aspect for cut in cuts]), members, sources, _balanced(sources))


def photo_files(folder: Path) -> list[Path]:
    """Every photo below, sorted. Raises InvalidInput as `load` does."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    examined = EXAMINATION.intersection(part for path in files for part in path.relative_to(folder.parent).parts)
    if not files:
        raise InvalidInput(f"{folder} has no pictures: give the folder of photos to train on")
    if examined:
        raise InvalidInput(f"{folder} holds {', '.join(sorted(examined))}: that is the examination, never trained on")
    return files


def _photos(folder: Path) -> Iterator[_Cut]:
    for path in photo_files(folder):
        name = path.relative_to(folder).as_posix()
        with PIL.Image.open(path) as image:
            yield _cut(image, name.split("/")[0], name)


def _album(folder: Path) -> Iterator[_Cut]:
    """Whole scenes, then each object wherever it is seen large enough: one group per object."""
    known = truth.load(folder)
    if known is None:
        raise InvalidInput(f"{folder} has no {truth.FILE_NAME}: make one with `app.samples.generate`")
    for picture in known.pictures:
        if picture.original is not None:
            continue  # edited copies: training edits anew each time
        with PIL.Image.open(folder / picture.path) as opened:
            image = opened.convert("RGB")
        yield _cut(image, "scenes", picture.path)
        for sighting in picture.objects:
            part = _with_margin(image, sighting.box)
            if min(part.size) >= LEAST_SIGHTING_PX:
                yield _cut(part, "objects", f"object {sighting.name}")


def _with_margin(image: PIL.Image.Image, box: truth.Box) -> PIL.Image.Image:
    x0, y0, x1, y1 = box
    across, down = (x1 - x0) * SIGHTING_MARGIN, (y1 - y0) * SIGHTING_MARGIN
    edges = (max(0, x0 - across), max(0, y0 - down), min(1, x1 + across), min(1, y1 + down))
    return image.crop(tuple(round(e * side) for e, side in zip(edges, image.size * 2, strict=True)))


def _cut(image: PIL.Image.Image, source: str, group: str) -> _Cut:
    aspect = image.width / image.height
    square = image.convert("RGB").resize((SIDE_PX, SIDE_PX), PIL.Image.Resampling.BICUBIC)
    return _Cut(np.asarray(square).transpose(2, 0, 1), aspect, source, group)


def _balanced(sources: Tensor) -> Tensor:
    """A source is drawn by the square root of its groups: the large ones lead, the small ones are not drowned."""
    weights = sources.bincount()[sources] ** -0.5
    return weights / weights.sum()
