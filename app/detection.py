"""Keypoints: corners and blobs that any camera finds again, in whatever size and turn. SIFT, as OpenCV has it.

A network's patches tell what a place is of, and lose count of what is smaller than a few of them; keypoints know
nothing of what they are on, and find a thing again that covers a twentieth of a picture.
"""

from typing import NamedTuple

import cv2
import numpy as np

CONTRAST = 0.02  # half of OpenCV's: prints in the shade have keypoints too
WIDTH = 128  # numbers of a descriptor


class Detected(NamedTuple):
    places: np.ndarray  # float32 (K, 2), pixels
    turns: np.ndarray  # complex64 (K): as long as the keypoint is wide in pixels, and pointing the way it points
    descriptors: np.ndarray  # float32 (K, WIDTH), unit: roots, in which cosines compare as Hellinger has it


NOTHING = Detected(np.empty((0, 2), np.float32), np.empty(0, np.complex64), np.empty((0, WIDTH), np.float32))


def detect(pixels: np.ndarray, most: int) -> Detected:
    """The `most` that stand out most of a picture, uint8 (H, W, 3), those that do so most first."""
    if not most:  # to OpenCV no number is no limit
        return NOTHING
    sift = cv2.SIFT_create(most, contrastThreshold=CONTRAST)
    found, descriptors = sift.detectAndCompute(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None)
    order = np.argsort([-point.response for point in found], kind="stable")[:most]  # ties are all given
    if not len(order):
        return NOTHING
    places = np.array([found[row].pt for row in order], np.float32)
    turns = np.array([found[row].size * np.exp(1j * np.deg2rad(found[row].angle)) for row in order], np.complex64)
    return Detected(places, turns, _rooted(descriptors[order]))


def _rooted(descriptors: np.ndarray) -> np.ndarray:
    """Arandjelovic and Zisserman, Three things everyone should know to improve object retrieval, 2012."""
    return np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
