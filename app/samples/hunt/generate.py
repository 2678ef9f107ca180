"""Paint a hunt: pictures in which things hide, questions that show these things elsewhere, and the truth about both."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image

from app.samples import edits
from app.samples.crew import CHUNK, crew, finished
from app.samples.hunt.plan import Plan, Stage, plan
from app.samples.hunt.staging import staged
from app.samples.hunt.truth import Find, Hunt, Question, save
from app.samples.paint import sighting_of
from app.samples.truth import Box, Sighting, write_beside

Progress = Callable[[int, int], None]  # (done, total) files
Seen = tuple[str, Sighting, float]  # path, what is to be seen of its hero, and the share of the picture it would cover
QUALITY = 90
ROOM = 0.06  # a hand draws each edge of its box up to so far outside of the thing, of the thing's width or height


def generate(
    folder: Path,
    things: int = 200,
    pictures: int = 400,
    seed: int = 2026,
    side_px: int = 640,
    on_progress: Progress | None = None,
) -> Hunt:
    """Hide `things` in as many of the pictures, which lie in `folder`/pictures, questions in `folder`/queries.

    The same arguments make the same bytes. Takes about a third of a second of one core per file. Raises InvalidInput
    for a hunt of nothing, or with fewer pictures than things.
    """
    hunt = plan(things, pictures, seed, side_px)
    seen = _painted(folder, _by_family(hunt), on_progress or (lambda done, total: None))
    questions = tuple(
        _question(seen[asked.path], seen[hiding.path], asked)
        for asked, hiding in zip(hunt.questions, hunt.finds, strict=True)
    )
    paths = sorted(stage.path for stage in (*hunt.finds, *hunt.decoys))
    return save(folder, Hunt(seed, tuple(paths), questions))


def _by_family(hunt: Plan) -> list[Stage]:
    """Pictures with the same wares side by side: a worker then draws each ware once."""
    return sorted((*hunt.questions, *hunt.finds, *hunt.decoys), key=lambda stage: stage.seed)


def _painted(folder: Path, stages: list[Stage], on_progress: Progress) -> dict[str, Seen]:
    seen: dict[str, Seen] = {}
    with crew(len(stages)) as pool:
        calls = [(_paint_all, folder, stages[at : at + CHUNK]) for at in range(0, len(stages), CHUNK)]
        for each in finished(pool, calls):
            seen[each[0]] = each
            on_progress(len(seen), len(stages))
    return seen


def _paint_all(folder: Path, stages: list[Stage]) -> list[Seen]:
    return [_paint(folder, stage) for stage in stages]


def _paint(folder: Path, stage: Stage) -> Seen:
    canvas = staged(stage)
    hero = canvas.placed[0]
    write_beside(folder / stage.path, edits.encoded(canvas.picture(), "jpg", QUALITY, PIL.Image.Exif()))
    return stage.path, sighting_of(canvas, hero), round(hero.whole / (stage.height_px * stage.width_px), 4)


def _question(asked: Seen, hiding: Seen, stage: Stage) -> Question:
    path, seen, share = asked
    where, found, covers = hiding
    turn = round(found.turn_degrees - seen.turn_degrees, 1)
    find = Find(where, found.box, covers, turn, round(1 - found.visible_share, 3))
    return Question(path, _drawn_around(seen.box, stage), stage.hero.name, share, find)


def _drawn_around(box: Box, stage: Stage) -> Box:
    x0, y0, x1, y1 = box
    room = np.random.default_rng([*stage.seed, 1]).uniform(0, ROOM, 4) * (x1 - x0, y1 - y0, x1 - x0, y1 - y0)
    edges = np.clip(np.array(box) + room * (-1, -1, 1, 1), 0, 1)
    return tuple(round(float(edge), 4) for edge in edges)
