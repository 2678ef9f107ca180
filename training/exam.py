"""How good the network is meanwhile, on photos with truth. Scores are only logged: nothing is chosen by them here."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.errors import UnreadableImage
from app.evaluation.folders import find_exam
from app.evaluation.ranking import score
from app.settings import Settings
from app.vision.architectures import Architecture
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from app.vision.models import ModelKey
from app.vision.served import serve
from app.vision.vit import VisionTransformer

EXAMS = ("near_dup", "instances")
PRECISION = 0.99


class Exam:
    """The pictures of one folder of examinations as one preprocessing shows them, decoded once."""

    def __init__(self, folder: Path, preprocessing: str) -> None:
        self.preprocessing = preprocessing
        self.exams = {name: find_exam(folder / name, [folder / "distractors"]) for name in EXAMS}
        paths = list(dict.fromkeys(path for exam in self.exams.values() for path in exam))
        self.pixels = dict(_decoded(paths, preprocessing))

    def scores(self, architecture: Architecture, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """mAP of each examination with the distractors, and the recall of copies at 99 % precision."""
        vectors = dict(zip(self.pixels, _embed(architecture, tensors, list(self.pixels.values())), strict=True))
        answers = {}
        for name, exam in self.exams.items():
            paths = [path for path in exam if path in vectors]
            rows, classes = np.array([vectors[path] for path in paths]), [exam[path] for path in paths]
            answers[name] = round(score(rows, classes)[0].map, 4)
            if name == "near_dup":
                answers["recall_at_p99"] = round(pair_recall(rows, classes)[0], 4)
        return answers


def pair_recall(vectors: np.ndarray, classes: list[str | None], precision: float = PRECISION) -> tuple[float, float]:
    """Most true pairs that one threshold finds at this precision, 0 to 1, and that threshold."""
    first, second = np.triu_indices(len(vectors), 1)
    cosines = (vectors @ vectors.T)[first, second]
    numbers = {name: number for number, name in enumerate(sorted({c for c in classes if c is not None}))}
    codes = np.array([numbers.get(name, -1 - row) for row, name in enumerate(classes)])
    order = np.argsort(-cosines, kind="stable")
    right = (codes[first] == codes[second])[order]
    found = np.cumsum(right)
    good = np.flatnonzero(found / np.arange(1, len(found) + 1) >= precision)
    if not len(good):
        return 0.0, 1.0
    return float(found[good[-1]] / found[-1]), float(cosines[order[good[-1]]])


def _decoded(paths: list[Path], preprocessing: str) -> Iterator[tuple[Path, np.ndarray]]:
    with Decoder(Settings(decode_processes=2)) as decoder:
        futures = {path: decoder.submit(path, preprocessing=preprocessing) for path in paths}
        for path, future in futures.items():
            if not isinstance(future.exception(), UnreadableImage):
                yield path, future.result().pixels


def _embed(architecture: Architecture, tensors: Mapping[str, Tensor], pixels: list[np.ndarray]) -> np.ndarray:
    network = serve(VisionTransformer.with_weights(architecture, dict(tensors)))
    key = ModelKey(architecture.name, "", "", "float32", architecture.dim, True)
    return Encoder(network, key, torch.device("cpu")).embed(pixels)
