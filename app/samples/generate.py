"""Write the sample album: a few hundred painted pictures, edited copies of some, and the truth about all."""

from collections.abc import Callable, Iterator
from pathlib import Path

from app.errors import InvalidInput
from app.samples import paint
from app.samples.crew import CHUNK, crew, finished
from app.samples.plan import Copy, Shot, plan, recipe
from app.samples.truth import PictureTruth, Truth, load, save

Progress = Callable[[int, int], None]  # (done, total) files
SAVE_EVERY = 40  # files between two savings of the truth, so that an interrupted run loses little


def generate(folder: Path, count: int = 300, seed: int = 2026, on_progress: Progress | None = None) -> Truth:
    """Make the first `count` files of a seed's album in `folder`; the same seed makes the same bytes.

    Files already there are kept, so a run can be repeated, resumed, or grown by a larger count. Takes about 0.4 s of
    one core per file. Raises InvalidInput for a count below 1, or a folder that holds the album of another seed.
    """
    if count < 1:
        raise InvalidInput(f"count is {count}: samples need at least 1")
    before = load(folder)
    if before is not None and before.seed != seed:
        raise InvalidInput(
            f"{folder} holds the samples of seed {before.seed}, not {seed}: choose another folder or that seed"
        )
    entries = plan(count, seed)
    known = _kept(folder, before)
    wanted = [entry for entry in entries if not _is_known(entry, known)]
    report, kept = on_progress or (lambda done, total: None), count - len(wanted)
    report(kept, count)
    for done, picture in enumerate(_made(folder, wanted, known), start=kept + 1):
        known[picture.path] = picture
        if done % SAVE_EVERY == 0:
            save(folder, seed, known.values())
        report(done, count)
    return save(folder, seed, known.values())


def _kept(folder: Path, before: Truth | None) -> dict[str, PictureTruth]:
    pictures = before.pictures if before else ()
    return {picture.path: picture for picture in pictures if (folder / picture.path).exists()}


def _is_known(entry: Shot | Copy, known: dict[str, PictureTruth]) -> bool:
    return entry.path in known and known[entry.path].recipe == recipe(entry)


def _made(folder: Path, wanted: list[Shot | Copy], known: dict[str, PictureTruth]) -> Iterator[PictureTruth]:
    """The files as they are finished: first all shots, then the copies of them."""
    shots = sorted((entry for entry in wanted if isinstance(entry, Shot)), key=lambda shot: shot.scene)
    copies = [entry for entry in wanted if isinstance(entry, Copy)]
    if not wanted:
        return
    with crew(len(wanted)) as pool:
        yield from finished(pool, [(_paint_all, folder, shots[at : at + CHUNK]) for at in range(0, len(shots), CHUNK)])
        yield from finished(pool, [(_copy_one, folder, entry, known[entry.original.path]) for entry in copies])


def _paint_all(folder: Path, shots: list[Shot]) -> list[PictureTruth]:
    return [paint.paint(folder, shot) for shot in shots]


def _copy_one(folder: Path, entry: Copy, original: PictureTruth) -> list[PictureTruth]:
    return [paint.copy(folder, entry, original)]
