"""A set in the layout of Revisited Oxford/Paris, painted by the project itself: what shows what is known."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from app.samples.paint import paint
from app.samples.plan import Shot, plan
from app.samples.truth import PictureTruth, Sighting

PLANNED, SEED = 36, 2026  # of them 30 are shots; the others would be copies, which are made here
SMALLER = 4
QUERIES, COPIED = 10, 4
EASY_SHARE = 0.98  # of a thing that is to be seen; what shows less is hard


@pytest.fixture(scope="session")
def scenes(tmp_path_factory) -> Path:
    """`gnd_scenes.pkl` beside `jpg/`: queries are boxes around things that other pictures show too."""
    folder = tmp_path_factory.mktemp("scenes")
    shots = [shot for shot in plan(PLANNED, SEED) if isinstance(shot, Shot)]
    pictures = [paint(folder / "jpg", small(shot)) for shot in shots]
    asked = list(_queries(pictures))[:QUERIES]
    copied = [_copy(folder / "jpg", picture) for picture, _ in asked[:COPIED]]
    (folder / "gnd_scenes.pkl").write_bytes(pickle.dumps(told(pictures, asked, copied), protocol=2))
    return folder


def small(shot: Shot) -> Shot:
    sides = {"height_px": shot.height_px // SMALLER, "width_px": shot.width_px // SMALLER}
    return replace(shot, path=f"{Path(shot.path).stem}.jpg", **sides)


def told(pictures: list[PictureTruth], asked: list[tuple[PictureTruth, Sighting]], copied: list[str]) -> dict:
    queries = [picture.path for picture, _ in asked]
    database = [picture for picture in pictures if picture.path not in queries]
    names = [picture.path for picture in database] + copied
    return {
        "imlist": [Path(name).stem for name in names],
        "qimlist": [Path(name).stem for name in queries],
        "gnd": [_answer(database, names, picture, thing) for picture, thing in asked],
    }


def _queries(pictures: list[PictureTruth]) -> Iterator[tuple[PictureTruth, Sighting]]:
    """One for each thing that several pictures show: the one with its largest box; no picture asks twice."""
    used = set()
    for thing in sorted({sighting.name for picture in pictures for sighting in picture.objects}):
        shown = [picture for picture in pictures if _sighting(picture, thing) and picture.path not in used]
        if len(shown) > 1:
            picture = max(shown, key=lambda picture: _area(_sighting(picture, thing)))
            used.add(picture.path)
            yield picture, _sighting(picture, thing)


def _answer(database: list[PictureTruth], names: list[str], asked: PictureTruth, thing: Sighting) -> dict:
    found = {row: _sighting(picture, thing.name) for row, picture in enumerate(database)}
    shares = {row: sighting.visible_share for row, sighting in found.items() if sighting}
    rows = {
        "easy": [row for row, share in shares.items() if share >= EASY_SHARE],
        "hard": [row for row, share in shares.items() if share < EASY_SHARE],
        "junk": [row for row, name in enumerate(names) if name == f"copy-of-{asked.path}"],
    }
    return {"bbx": _in_pixels(thing, asked)} | {key: np.array(found, np.int64) for key, found in rows.items()}


def _in_pixels(thing: Sighting, picture: PictureTruth) -> list[float]:
    return [share * side for share, side in zip(thing.box, (picture.width_px, picture.height_px) * 2, strict=True)]


def _copy(folder: Path, picture: PictureTruth) -> str:
    """The same at a lower quality: what a query must not be praised for."""
    with PIL.Image.open(folder / picture.path) as image:
        image.save(folder / f"copy-of-{picture.path}", quality=40)
    return f"copy-of-{picture.path}"


def _sighting(picture: PictureTruth, thing: str) -> Sighting | None:
    return next((sighting for sighting in picture.objects if sighting.name == thing), None)


def _area(sighting: Sighting) -> float:
    x0, y0, x1, y1 = sighting.box
    return (x1 - x0) * (y1 - y0)
