"""Learn in which 64 signs keypoints are told apart: one linear map, and a background of other pictures' keypoints.

    python -m training.keypoints PHOTOS --into app/patches/keypoints.npz

PHOTOS has a subfolder per source. Each photo is looked at once as it is and once under a known affine map, in another
light. Where a keypoint of one lies on one of the other, the two should differ little: directions are those in which all
keypoints differ most, measured by how much such pairs do (linear discriminants). About two minutes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import PIL.Image

from app.detection import Detected, detect
from app.patches.basis import DIM
from app.patches.code import Code
from app.vision.preprocessing import DETAILED, get_preprocessing
from training.places import photos
from training.sights import toned

SEED = 8
MOST = 400  # keypoints of a sight
SIZES, TURN_DEGREES, SQUEEZE, SHEAR = (0.35, 1.1), 90.0, (0.8, 1.0), 0.08
NEAR_PX, SAME_TURN, SAME_SIZE = 2.0, 0.35, 0.35  # radians, and the natural logarithm of a ratio
EVENED = 0.25  # power of a direction's worth that is taken from its spread: 0 leaves all, 0.5 makes them equal
LEAST_VARIANCE = 1e-3  # of the mean one: noise that no pair happened to have
BACKGROUND, BACKGROUND_SHARE = 4000, 4


class Pairs(NamedTuple):
    ones: np.ndarray  # float32 (P, W)
    others: np.ndarray
    all: np.ndarray  # float32 (K, W): whether they met or not


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.keypoints", description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="a subfolder per source")
    parser.add_argument("--into", type=Path, required=True, help="the .npz")
    parser.add_argument("--most", type=int, default=1500, help="photos")
    arguments = parser.parse_args()
    rng = np.random.default_rng(SEED)
    paths = list(dict.fromkeys(photos(arguments.photos, rng)))[: arguments.most]
    save(arguments.into, learn(Pairs(*map(np.concatenate, zip(*look(paths, rng), strict=True))), rng))


def look(paths: list[Path], rng: np.random.Generator) -> Iterator[Pairs]:
    for path in paths:
        with PIL.Image.open(path) as opened:
            picture = opened.convert("RGB")
        affine = drawn(rng)
        seen = sights(picture, affine, rng)
        one, other = (detect(pixels, MOST) for pixels in seen)
        mine, theirs = met(one, other, middle(seen[0]), affine)
        yield Pairs(one.descriptors[mine], other.descriptors[theirs], one.descriptors[::BACKGROUND_SHARE])


def drawn(rng: np.random.Generator) -> np.ndarray:
    """A linear map (2, 2)."""
    turn = np.deg2rad(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    size = np.exp(rng.uniform(*np.log(SIZES)))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return size * turned @ np.array([[rng.uniform(*SQUEEZE), rng.normal(0, SHEAR)], [rng.normal(0, SHEAR), 1]])


def sights(picture: PIL.Image.Image, affine: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """As a worker sees it, and under the map about its middle, toned: uint8 (H, W, 3)."""
    height, width = get_preprocessing(DETAILED).place((picture.height, picture.width)).resized
    one = np.asarray(picture.resize((width, height), PIL.Image.Resampling.BICUBIC, reducing_gap=3.0))
    large = np.asarray(picture.resize((2 * width, 2 * height), PIL.Image.Resampling.BICUBIC, reducing_gap=3.0))
    size = np.sqrt(abs(np.linalg.det(affine)))
    smooth = cv2.GaussianBlur(large, (0, 0), 0.5 * max(0.02, 2 / size - 1))
    shift = middle(one) - affine @ middle(one)
    other = cv2.warpAffine(smooth, np.column_stack([affine / 2, shift]), (width, height), borderMode=cv2.BORDER_REFLECT)
    return one, toned(other, rng)


def middle(pixels: np.ndarray) -> np.ndarray:
    return np.array(pixels.shape[1::-1]) / 2


def met(one: Detected, other: Detected, centre: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which lie upon each other, as large and turned as the map about the centre says."""
    there = (one.places - centre) @ affine.T + centre
    apart = np.linalg.norm(there[:, None] - other.places[None], axis=2)
    first = affine @ (1, 0)
    turn = np.sqrt(abs(np.linalg.det(affine))) * np.exp(1j * np.angle(complex(*first)))
    relative = other.turns[None] / np.where(one.turns == 0, 1, one.turns)[:, None] / turn
    alike = (np.abs(np.angle(relative)) < SAME_TURN) & (np.abs(np.log(np.abs(relative))) < SAME_SIZE)
    return np.nonzero((apart < NEAR_PX) & alike)


def learn(pairs: Pairs, rng: np.random.Generator) -> Code:
    mean = pairs.all.mean(axis=0)
    between = np.cov(pairs.all, rowvar=False)
    apart = pairs.ones - pairs.others
    within = apart.T @ apart / (2 * len(apart))
    variances, axes = np.linalg.eigh(within + LEAST_VARIANCE * np.trace(within) / len(within) * np.eye(len(within)))
    even = axes / np.sqrt(variances)
    told, directions = np.linalg.eigh(even.T @ between @ even)
    directions = even @ directions[:, ::-1][:, :DIM] / told[::-1][:DIM] ** EVENED
    code = Code(mean.astype(np.float32), directions.astype(np.float32), np.empty((0, DIM), bool))
    chosen = rng.choice(len(pairs.all), min(BACKGROUND, len(pairs.all)), replace=False)
    return replace(code, background=code.encode(pairs.all[np.sort(chosen)]) > 0)


def save(path: Path, code: Code) -> None:
    """In sixteen bits: keypoints of one process are compared with those of another, and both read these."""
    halves = {"mean": code.mean.astype(np.float16), "directions": code.directions.astype(np.float16)}
    np.savez_compressed(path, **halves, background=np.packbits(code.background, axis=1))


if __name__ == "__main__":
    main()
