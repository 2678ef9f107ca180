"""Which way of laying a picture before the network finds most: every preprocessing on photos whose truth is known.

    python -m benchmarks.preprocessing PHOTOS --model untrained_vits14

PHOTOS has `near_dup` and `instances` (a subfolder per class), `distractors`, and `orientation` (each subfolder one
picture in several orientations). Each mode embeds all of them once; mAP as `dinoseek eval folders` gives it, with
the distractors; "worst turned" is the lowest cosine between two files of one orientation family; speed is that of the
network alone, by this process's own processor time, so that other work on the machine counts little.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from app.errors import AppError
from app.evaluation.folders import find_exam, score_by_name
from app.settings import Settings, get_settings
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from app.vision.pipeline import embed_files
from app.vision.preprocessing import DEFAULT, PREPROCESSINGS

EXAMS = ("near_dup", "instances")
OTHER_SHOTS = "phone_desk"  # four shots of one desk, not one shot turned


@dataclass(frozen=True)
class Row:
    preprocessing: str
    maps: list[float]  # in the order of EXAMS
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
    maps = [score_by_name(*examined(exams[name], vectors))[0].map for name in EXAMS]
    return Row(encoder.key.preprocessing, maps, worst_within(*examined(turned, vectors)), len(vectors) / cpu_s)


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


def worst_within(vectors: np.ndarray, names: Sequence[str]) -> float:
    """The lowest cosine between two of one family."""
    families = np.array(names)
    return float((vectors @ vectors.T)[families[:, None] == families].min())


def show(row: Row, first: Row) -> None:
    """One line; speed against the first mode's."""
    if row is first:
        columns = f"{'near_dup':>9} {'instances':>9} {'worst turned':>12} {'photos/cpu s':>12} {'ratio':>5}"
        print(f"{'preprocessing':14} {columns}")
    maps = " ".join(f"{value:9.4f}" for value in row.maps)
    speed = f"{row.photos_per_cpu_s:12.2f} {row.photos_per_cpu_s / first.photos_per_cpu_s:5.2f}"
    print(f"{row.preprocessing:14} {maps} {row.worst_turned:12.4f} {speed}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except AppError as refusal:
        sys.exit(str(refusal))
