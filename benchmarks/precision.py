"""What coarser numbers cost: a model in each precision this device has, on photos whose truth is known.

    python -m benchmarks.precision PHOTOS --model untrained_vits14

PHOTOS has `near_dup` and `instances` (a subfolder per class) and `distractors`. Cosines are those of a photo's vector
to its own in float32; mAP as `dinoseek eval folders` gives it, with the distractors.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.errors import AppError, InvalidInput
from app.evaluation.folders import find_exam
from app.evaluation.ranking import score
from app.settings import get_settings
from app.vision.encoder import Encoder
from app.vision.precision import FLOAT32, PRECISIONS
from benchmarks.preprocessing import EXAMS, embed, examined

Vectors = dict[Path, np.ndarray]


@dataclass(frozen=True)
class Row:
    precision: str
    mean_cosine: float
    least_cosine: float
    maps: list[float]  # in the order of EXAMS


def main() -> None:
    arguments = parse()
    exams = [find_exam(arguments.photos / name, [arguments.photos / "distractors"]) for name in EXAMS]
    paths = list(dict.fromkeys(path for exam in exams for path in exam))
    exact = embedded(paths, arguments.model, FLOAT32)
    print(f"{arguments.model}, {len(exact)} photos\n{'precision':10} {'cosine mean':>12} {'least':>8}", *EXAMS)
    for name in (row.name for row in PRECISIONS):
        try:
            show(compared(name, exact, exact if name == FLOAT32 else embedded(paths, arguments.model, name), exams))
        except InvalidInput as refusal:
            print(f"{name:10} {refusal}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", default="auto")
    return parser.parse_args()


def embedded(paths: list[Path], model: str, precision: str) -> Vectors:
    """The vectors of what can be read. Raises InvalidInput for a precision that this device does not do."""
    return embed(paths, Encoder.open(model, get_settings().weights, "auto", precision=precision))[0]


def compared(precision: str, exact: Vectors, coarse: Vectors, exams: list[dict[Path, str | None]]) -> Row:
    cosines = [float(exact[path] @ coarse[path]) for path in exact]
    return Row(
        precision, float(np.mean(cosines)), min(cosines), [score(*examined(exam, coarse))[0].map for exam in exams]
    )


def show(row: Row) -> None:
    maps = " ".join(f"{value:.4f}" for value in row.maps)
    print(f"{row.precision:10} {row.mean_cosine:12.5f} {row.least_cosine:8.5f} {maps}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except AppError as refusal:
        sys.exit(str(refusal))
