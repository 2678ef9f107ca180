"""One file of the album: paint a shot or make a copy, write it, tell its truth. Runs in worker processes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image

from app.samples import edits
from app.samples.canvas import VISIBLE_ALPHA, Canvas, Placed
from app.samples.palettes import LANDS, LIGHTS, jittered
from app.samples.plan import Copy, Shot, recipe
from app.samples.scenes import SCENES
from app.samples.truth import PictureTruth, Sighting, write_beside
from app.samples.weather import WEATHER

SMALLEST_SIDE = 0.02  # an object whose box is narrower than this share of the picture is not told
SMALLEST_SHARE = 0.25  # nor one of which less than this is to be seen
QUALITY = 88


def paint(folder: Path, shot: Shot) -> PictureTruth:
    """Paint a shot into its file and return its truth."""
    canvas = painted(shot)
    sightings = tuple(sighting for placed in canvas.placed if (sighting := sighting_of(canvas, placed)))
    data = edits.encoded(canvas.picture(), Path(shot.path).suffix[1:], QUALITY, _exif(shot))
    write_beside(folder / shot.path, data)
    return PictureTruth(
        path=shot.path,
        recipe=recipe(shot),
        scene=shot.scene,
        light=shot.light,
        weather=shot.weather,
        taken_at=shot.taken_at.isoformat(),
        height_px=shot.height_px,
        width_px=shot.width_px,
        objects=sightings,
    )


def painted(shot: Shot) -> Canvas:
    """The finished canvas of a shot."""
    rng = np.random.default_rng(shot.seed)
    canvas = Canvas(shot.height_px, shot.width_px, jittered(LIGHTS[shot.light], rng), rng)
    SCENES[shot.scene].paint(canvas, dict(shot.cast), LANDS[shot.land])
    WEATHER[shot.weather](canvas)
    return canvas


def sighting_of(canvas: Canvas, placed: Placed) -> Sighting | None:
    """What of a placed thing a viewer can see; None when it is too little to look for."""
    share = float(placed.visible.sum()) / max(placed.whole, 1e-6)
    rows, columns = np.nonzero(placed.visible > VISIBLE_ALPHA)
    if share < SMALLEST_SHARE or not len(rows):
        return None
    x0, x1 = (placed.left + columns.min()) / canvas.width, (placed.left + columns.max() + 1) / canvas.width
    y0, y1 = (placed.top + rows.min()) / canvas.height, (placed.top + rows.max() + 1) / canvas.height
    return _told(Sighting(placed.name, (x0, y0, x1, y1), share, placed.turn_degrees))


def _told(sighting: Sighting) -> Sighting | None:
    x0, y0, x1, y1 = sighting.box
    if min(x1 - x0, y1 - y0) < SMALLEST_SIDE:
        return None
    box = tuple(round(float(edge), 4) for edge in sighting.box)
    return Sighting(
        sighting.name, box, round(min(sighting.visible_share, 1.0), 3), round(float(sighting.turn_degrees), 1)
    )


def copy(folder: Path, entry: Copy, original: PictureTruth) -> PictureTruth:
    """Make an edited copy of a file that is there already, and return its truth."""
    suffix = Path(entry.path).suffix[1:]
    data, move = edits.copy_bytes(entry.edit, folder / original.path, suffix, np.random.default_rng(entry.seed))
    write_beside(folder / entry.path, data)
    with PIL.Image.open(folder / entry.path) as opened:
        turned = opened.getexif().get(edits.ORIENTATION, 1) >= 5
        height_px, width_px = opened.size if turned else opened.size[::-1]
    return replace(
        original,
        path=entry.path,
        recipe=recipe(entry),
        height_px=height_px,
        width_px=width_px,
        objects=tuple(told for sighting in original.objects if (told := _moved(sighting, move))),
        original=original.path,
        edit=entry.edit,
        tier=edits.EDITS[entry.edit].tier,
    )


def _moved(sighting: Sighting, move: edits.Map) -> Sighting | None:
    box, whole = edits.moved_box(sighting.box, move)
    left = (box[2] - box[0]) * (box[3] - box[1]) / whole
    visible = replace(sighting, box=box, visible_share=sighting.visible_share * left)
    return _told(visible) if visible.visible_share >= SMALLEST_SHARE else None


def _exif(shot: Shot) -> PIL.Image.Exif:
    exif, stamp = PIL.Image.Exif(), shot.taken_at.strftime("%Y:%m:%d %H:%M:%S")
    exif[0x0131] = "dinoseek samples"
    exif[0x0132] = stamp
    exif.get_ifd(0x8769).update({0x9003: stamp, 0x9004: stamp})
    return exif
