"""Which way of laying a picture before the network finds most: every preprocessing on photos whose truth is known.

    python -m benchmarks.preprocessing PHOTOS --model untrained_vits14

PHOTOS has `near_dup` and `instances` (a subfolder per class), `distractors`, and `orientation` (each subfolder one
picture in several orientations). Each mode embeds all of them once; mAP as `dinoseek eval folders` gives it, with
the distractors; "other shape" is the mAP of those queries whose right answers mostly have another aspect than they, so
that an equal frame helps nobody; "worst turned" is the lowest cosine between two files of one orientation family.
Speed is that of the network alone, by this process's own processor time: other work on the machine counts little.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import torch

from app.errors import AppError
from app.evaluation.folders import find_exam
from app.evaluation.ranking import score
from app.settings import Settings, get_settings
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from app.vision.pipeline import embed_files
from app.vision.preprocessing import DEFAULT, PREPROCESSINGS

EXAMS = ("near_dup", "instances")
SAME_ASPECT = 0.01
OTHER_SHOTS = "phone_desk"  # four shots of one desk, not one shot turned


@dataclass(frozen=True)
class Row:
    preprocessing: str
    maps: list[float]  # in the order of EXAMS
    other_shape: float  # mAP over both
    worst_turned: float
    photos_per_cpu_s: float


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    settings = get_settings()
    rows = []
    for name in arguments.preprocessing:
        rows.append(measure(arguments.photos, Encoder.open(arguments.model, settings.weights, "auto", None, name)))
        show(rows[-1], rows[0])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    names = [DEFAULT, *(row.name for row in PREPROCESSINGS if row.name != DEFAULT)]
    parser.add_argument("--preprocessing", nargs="+", choices=names, default=names)
    return parser.parse_args()


def measure(photos: Path, encoder: Encoder) -> Row:
    exams = {name: find_exam(photos / name, [photos / "distractors"]) for name in EXAMS}
    turned = {path: name for path, name in find_exam(photos / "orientation").items() if name != OTHER_SHOTS}
    everything = list(dict.fromkeys(path for exam in (*exams.values(), turned) for path in exam))
    vectors, cpu_s = embed(everything, encoder)
    maps = [score(*examined(exams[name], vectors))[0].map for name in EXAMS]
    others = float(np.mean([precision for exam in exams.values() for precision in other_shaped(exam, vectors)]))
    return Row(encoder.key.preprocessing, maps, others, worst_within(*examined(turned, vectors)), len(vectors) / cpu_s)


def embed(paths: Sequence[Path], encoder: Encoder) -> tuple[dict[Path, np.ndarray], float]:
    """The vectors of what can be read, and the processor time of the network in seconds."""
    started = time.process_time()
    with Decoder(Settings(decode_processes=1)) as decoder:
        answers = dict(embed_files(paths, decoder, encoder))
    vectors = {path: answer for path, answer in answers.items() if isinstance(answer, np.ndarray)}
    return vectors, time.process_time() - started


def examined(exam: dict[Path, str | None], vectors: dict[Path, np.ndarray]) -> tuple[np.ndarray, list[str | None]]:
    paths = [path for path in exam if path in vectors]
    return np.array([vectors[path] for path in paths]), [exam[path] for path in paths]


def other_shaped(exam: dict[Path, str | None], vectors: dict[Path, np.ndarray]) -> list[float]:
    """Average precision of each query most of whose right answers have another aspect."""
    seen = [path for path in exam if path in vectors]
    aspects = np.array([aspect(path) if exam[path] else 0 for path in seen])
    names = np.array([exam[path] or "" for path in seen])
    _, found = score(*examined(exam, vectors))
    kin = {query.row: np.flatnonzero(names == names[query.row]) for query in found}  # the query is one of them
    equal = {row: np.isclose(aspects[rows], aspects[row], rtol=SAME_ASPECT).sum() - 1 for row, rows in kin.items()}
    return [query.average_precision for query in found if 2 * equal[query.row] <= len(kin[query.row]) - 1]


def aspect(path: Path) -> float:
    with PIL.Image.open(path) as image:
        return image.width / image.height


def worst_within(vectors: np.ndarray, names: Sequence[str]) -> float:
    """The lowest cosine between two of one family."""
    families = np.array(names)
    return float((vectors @ vectors.T)[families[:, None] == families].min())


def show(row: Row, first: Row) -> None:
    """One line; speed against the first mode's."""
    if row is first:
        columns = f"{'near_dup':>9} {'instances':>9} {'other shape':>11} {'worst turned':>12} {'photos/cpu s':>12}"
        print(f"{'preprocessing':14} {columns}")
    maps = " ".join(f"{value:9.4f}" for value in row.maps)
    speed = f"{row.photos_per_cpu_s:6.2f} {row.photos_per_cpu_s / first.photos_per_cpu_s:4.2f} x"
    print(f"{row.preprocessing:14} {maps} {row.other_shape:11.4f} {row.worst_turned:12.4f} {speed}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except AppError as refusal:
        sys.exit(str(refusal))
