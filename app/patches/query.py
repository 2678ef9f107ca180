"""What is asked for: a picture or a part of one, seen in several sizes and turns at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from app.patches.code import Code
from app.patches.keypoints import Keypoints
from app.patches.local import Local


@dataclass(frozen=True)
class Sight:
    """One way the asked part was looked at.

    `onto` takes a complex place x + iy of this sight to the place of the same in the asked part, in shares of its
    longer side: `onto[0] * place + onto[1]`.
    """

    local: Local
    onto: tuple[complex, complex]


@dataclass(frozen=True)
class Query:
    """Tokens of all its sights, in one frame: shares of the longer side of what was asked for."""

    features: np.ndarray  # float32 (Q, D)
    levels: np.ndarray  # float32 (Q)
    places: np.ndarray  # complex64 (Q), x + iy
    frames: np.ndarray  # complex64 (Q): from this frame to tokens of a picture that shows it as that sight did
    extent: tuple[float, float]  # width, height: the longer is 1
    keypoints: Keypoints  # places and turns in the frame
    keypoint_levels: np.ndarray  # float32: how like other pictures' the most alike of the background is to each
    part: bool = False  # a thing on a picture, all of which should be found; or else a whole picture

    @classmethod
    def of(cls, sights: Sequence[Sight], extent: tuple[float, float], part: bool = False) -> Self:
        """Keypoints of the first sight only: they know themselves how large and turned they are."""
        points = _in_frame(sights[0])
        places = [_complex(sight.local.places) * sight.onto[0] + sight.onto[1] for sight in sights]
        frames = [np.full(len(sight.local.levels), 1 / sight.onto[0]) for sight in sights]
        return cls(
            np.concatenate([sight.local.features for sight in sights]),
            np.concatenate([sight.local.levels for sight in sights]),
            np.concatenate(places).astype(np.complex64),
            np.concatenate(frames).astype(np.complex64),
            extent,
            points,
            Code.shipped().levels(points.features),
            part,
        )


def _in_frame(sight: Sight) -> Keypoints:
    points, (turn, shift) = sight.local.keypoints, sight.onto
    there = _complex(points.places) * turn + shift
    return replace(points, places=np.stack([there.real, there.imag], axis=-1), turns=points.turns * turn)


def _complex(places: np.ndarray) -> np.ndarray:
    return places[..., 0] + 1j * places[..., 1]
