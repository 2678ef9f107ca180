"""What a cosine means for each encoder: how many unrelated pairs reach it, and how many copies. Imports no torch.

The same number means other things to other weights, so each model is measured for itself by `python -m
training.calibrate` and bound to the digest of its weights and to its preprocessing.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.vision.models import BUNDLED

RECORDED = BUNDLED / "calibrations.json"
NEAREST = 1e-6  # cosines nearer to 1 than this are all the same
# (most unrelated pairs that reach it, word), the first that fits
WORDS = ((1e-5, "copy"), (1e-4, "very close"), (1e-2, "similar"))


@dataclass(frozen=True)
class Calibration:
    """Measured shares of pairs at rising cosines: of unrelated pictures, and of a picture and an edited copy of it.

    Between them, shares of unrelated pairs go by a power of 1 - cosine, as of points in a space of few directions.
    """

    model: str
    weights_sha256: str
    preprocessing: str
    pictures: int  # measured with
    counted_to: float  # the cosine up to which enough unrelated pairs were counted; their shares beyond are estimates
    cosines: Sequence[float]
    unrelated_shares: Sequence[float]  # with at least that cosine, 0 to 1
    copy_shares: Sequence[float]

    def unrelated_share(self, cosine: float) -> float:
        """Share of unrelated pairs with at least this cosine."""
        logs = np.log(self.unrelated_shares)
        return float(np.exp(np.interp(_nearness(cosine), _nearness(self.cosines), logs)))

    def copy_share(self, cosine: float) -> float:
        """Share of edited copies with at least this cosine."""
        return float(np.interp(_nearness(cosine), _nearness(self.cosines), self.copy_shares))

    def threshold(self, unrelated_share: float) -> float:
        """The least cosine that at most this share of unrelated pairs reaches; at most 1."""
        if unrelated_share < self.unrelated_shares[-1]:
            return 1.0
        logs = np.log(self.unrelated_shares)
        return float(1 - np.exp(-np.interp(-np.log(unrelated_share), -logs, _nearness(self.cosines))))

    def copy_threshold(self, pictures: int, false_pairs: float = 1.0) -> float:
        """From which cosine on to call two of so many pictures copies, if that may be wrong of so many pairs."""
        pairs = max(1, pictures * (pictures - 1) // 2)
        return self.threshold(min(1.0, false_pairs / pairs))

    def copy_probability(self, cosine: float, prior: float) -> float:
        """That a pair with at least this cosine is a copy, 0 to 1; `prior` is the share of copies among all pairs."""
        copies, others = prior * self.copy_share(cosine), (1 - prior) * self.unrelated_share(cosine)
        return copies / (copies + others) if copies + others else 0.0

    def word(self, cosine: float) -> str:
        """For people: copy, very close, similar or distant."""
        share = self.unrelated_share(cosine)
        return next((word for most, word in WORDS if share <= most), "distant")


def _nearness(cosine: float | Sequence[float]) -> np.ndarray:
    """-log of 1 - cosine: rises with the cosine, and makes a power of it a straight line."""
    return -np.log(np.maximum(1 - np.asarray(cosine, np.float64), NEAREST))


def find_calibration(model: str, weights_sha256: str | None = None) -> Calibration | None:
    """Of a model, if these are the weights it was measured with; none: those that come with dinoseek."""
    found = recorded().get(model)
    return found if found and weights_sha256 in (None, found.weights_sha256) else None


@functools.cache
def recorded(path: Path = RECORDED) -> dict[str, Calibration]:
    """Every calibration that comes with dinoseek, by model."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {row["model"]: Calibration(**row) for row in rows}
