"""How surely copies are told from other pictures, by kind of edit, and how long a pair takes.

    python -m benchmarks.alignment FOLDER [--photos 60] [--seed 1]

Each photograph of the folder is edited in every way below, and compared with itself; then with its neighbours by name,
which are other pictures of like things. Only the check itself: which pairs get that far is the join's part.
"""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter
import PIL.ImageOps

from app.alignment import DEFAULT_THRESHOLD, VIEW_PX, View, compare

Image = PIL.Image.Image
Edit = Callable[[Image, np.random.Generator], Image]
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
NEIGHBOURS = 3


def _cut(share: float) -> Edit:
    def cut(picture: Image, rng: np.random.Generator) -> Image:
        """`share` of the area."""
        wide, high = (round(side * share**0.5) for side in picture.size)
        left, top = rng.integers(0, picture.width - wide + 1), rng.integers(0, picture.height - high + 1)
        return picture.crop((left, top, left + wide, top + high))

    return cut


def _turned(degrees: float) -> Edit:
    return lambda picture, rng: picture.rotate(degrees, PIL.Image.Resampling.BICUBIC, expand=True)


def _pasted(share: float, ground: Callable[[Image, np.random.Generator], Image]) -> Edit:
    def paste(picture: Image, rng: np.random.Generator) -> Image:
        """`share` of a canvas's area."""
        canvas = ground(picture, rng)
        small = picture.resize([round(side * share**0.5) for side in picture.size], PIL.Image.Resampling.LANCZOS)
        at = [int(rng.integers(0, room - side + 1)) for room, side in zip(canvas.size, small.size, strict=True)]
        canvas.paste(small, at)
        return canvas

    return paste


def _plain(picture: Image, rng: np.random.Generator) -> Image:
    return PIL.Image.new("RGB", picture.size, tuple(map(int, rng.integers(0, 256, 3))))


def _patterned(picture: Image, rng: np.random.Generator) -> Image:
    coarse = PIL.Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
    return coarse.resize(picture.size, PIL.Image.Resampling.BICUBIC)


def _small(share: float) -> Edit:
    return lambda picture, rng: picture.resize([max(8, round(side * share)) for side in picture.size])


def _blurred(share: float) -> Edit:
    return lambda picture, rng: picture.filter(PIL.ImageFilter.GaussianBlur(share * max(picture.size)))


def _noisy(sigma: float) -> Edit:
    def add(picture: Image, rng: np.random.Generator) -> Image:
        noise = rng.normal(0, sigma, (picture.height, picture.width, 3))
        return PIL.Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))

    return add


def _jpeg(quality: int) -> Edit:
    def save(picture: Image, rng: np.random.Generator) -> Image:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        return PIL.Image.open(buffer).convert("RGB")

    return save


def _captioned(picture: Image, rng: np.random.Generator) -> Image:
    made = picture.copy()
    size = picture.height // 9
    for share, words in ((0.03, "WHEN YOU FIND"), (0.85, "THE SAME PICTURE")):
        pen = PIL.ImageDraw.Draw(made)
        pen.text((picture.width // 12, share * picture.height), words, "white", font_size=size, stroke_width=3,
                 stroke_fill="black")  # fmt: skip
    return made


def _covered(picture: Image, rng: np.random.Generator) -> Image:
    made = picture.copy()
    wide, high = picture.width // 4, picture.height // 5
    left, top = (int(rng.integers(0, side - part)) for side, part in zip(picture.size, (wide, high), strict=True))
    PIL.ImageDraw.Draw(made).rectangle((left, top, left + wide, top + high), (250, 220, 20))
    return made


def _toned(gamma: float) -> Edit:
    table = [round(255 * (value / 255) ** gamma) for value in range(256)] * 3
    return lambda picture, rng: picture.point(table)


def _framed(picture: Image, rng: np.random.Generator) -> Image:
    return PIL.ImageOps.expand(picture, max(picture.size) // 8, "black")


def _in_turn(*edits: Edit) -> Edit:
    def edit(picture: Image, rng: np.random.Generator) -> Image:
        for one in edits:
            picture = one(picture, rng)
        return picture

    return edit


EDITS: dict[str, Edit] = {
    "cut to 70 %": _cut(0.7),
    "cut to 50 %": _cut(0.5),
    "cut to 30 %": _cut(0.3),
    "turned by 7°": _turned(7),
    "turned by 33°": _turned(33),
    "turned by 90°": _turned(90),
    "mirrored": lambda picture, rng: PIL.ImageOps.mirror(picture),
    "mirrored, cut to 50 %": _in_turn(lambda picture, rng: PIL.ImageOps.mirror(picture), _cut(0.5)),
    "framed": _framed,
    "half of a plain canvas": _pasted(0.5, _plain),
    "a quarter of a plain canvas": _pasted(0.25, _plain),
    "half of a patterned canvas": _pasted(0.5, _patterned),
    "a quarter of a patterned canvas": _pasted(0.25, _patterned),
    "a tenth of a plain canvas": _pasted(0.1, _plain),
    "a quarter of each side": _small(0.25),
    "a tenth of each side": _small(0.1),
    "blurred by 1 %": _blurred(0.01),
    "blurred by 2 %": _blurred(0.02),
    "noise of 25 grey levels": _noisy(25),
    "noise of 60 grey levels": _noisy(60),
    "JPEG at 10": _jpeg(10),
    "captions": _captioned,
    "a label upon it": _covered,
    "grey": lambda picture, rng: PIL.ImageOps.grayscale(picture).convert("RGB"),
    "negative": lambda picture, rng: PIL.ImageOps.invert(picture),
    "brighter": _toned(0.5),
    "darker": _toned(2.2),
    "stretched by a fifth": lambda picture, rng: picture.resize((round(picture.width * 1.2), picture.height)),
    "cut, noisy, JPEG at 20": _in_turn(_cut(0.6), _noisy(20), _jpeg(20)),
    "turned by 7° and cut": _in_turn(_turned(7), _cut(0.6)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threshold", type=float, default=DEFAULT_THRESHOLD)
    chosen = parser.parse_args()
    paths = sorted(path for path in chosen.folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    rng = np.random.default_rng(chosen.seed)
    starts = sorted(rng.choice(len(paths) - NEIGHBOURS, chosen.photos, replace=False).tolist())
    for name, edit in EDITS.items():
        scored = [_scored(_opened(paths[at]), edit, rng) for at in starts]
        _print(name, scored, lambda score: score >= chosen.threshold, "found")
    others = [_timed(_view(_opened(paths[at])), _view(_opened(paths[at + step])))
              for at in starts for step in range(1, NEIGHBOURS + 1)]  # fmt: skip
    _print("other pictures", others, lambda score: score >= chosen.threshold, "taken for copies")


def _opened(path: Path) -> Image:
    picture = PIL.ImageOps.exif_transpose(PIL.Image.open(path)).convert("RGB")
    picture.thumbnail((1280, 1280))
    return picture


def _view(picture: Image) -> View:
    seen = picture.copy()
    seen.thumbnail((VIEW_PX, VIEW_PX), PIL.Image.Resampling.LANCZOS)
    return View(np.asarray(seen))


def _scored(picture: Image, edit: Edit, rng: np.random.Generator) -> tuple[float, float]:
    return _timed(_view(picture), _view(edit(picture, rng)))


def _timed(first: View, second: View) -> tuple[float, float]:
    """Score, and milliseconds with all that is derived from the two pictures."""
    started = time.perf_counter()
    score = compare(first, second).score
    return score, 1000 * (time.perf_counter() - started)


def _print(name: str, scored: list[tuple[float, float]], holds: Callable[[float], bool], word: str) -> None:
    scores, times = (np.array(column) for column in zip(*scored, strict=True))
    share = np.mean([holds(score) for score in scores])
    low, middle, high = np.percentile(scores, (5, 50, 95))
    print(f"{name:32} {share:6.1%} {word}; score {low:.3f} · {middle:.3f} · {high:.3f}; "
          f"{np.median(times):.0f} ms, 95 %: {np.percentile(times, 95):.0f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
