"""What a decode child answers, as our own types. It may have been taken over: nothing it says is believed unseen."""

import json
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.errors import AppError, InvalidInput, UnreadableImage
from app.vision.preprocessing import get_preprocessing


@dataclass(frozen=True)
class Prepared:
    """One picture, ready for the network and the catalogue. Small, and safe to pickle."""

    digest: str  # SHA-256 of the very bytes that were decoded
    pixels: np.ndarray  # uint8 (H, W, 3), as its preprocessing allows
    height_px: int  # upright
    width_px: int
    size_bytes: int
    format: str
    frames: int
    taken_at: datetime | None
    notes: tuple[str, ...]
    thumbnail: bytes | None  # WebP


@dataclass(frozen=True)
class Seen:
    """One picture, ready to be compared with others."""

    digest: str  # SHA-256 of the very bytes that were decoded
    pixels: np.ndarray  # uint8 (H, W, 3), upright
    pixels_sha256: str | None  # of the upright picture in full, its size included
    camera: str
    located: bool


@dataclass(frozen=True)
class Views:
    """One picture, or a part of it, in several sizes or ways."""

    digest: str  # SHA-256 of the very bytes that were decoded
    pixels: tuple[np.ndarray, ...]  # uint8 (H, W, 3), one for each preprocessing, in the order asked for


Answered = Prepared | Seen | Views


def understood(request: dict, header: bytes, pixels: bytes, thumbnail: bytes) -> Answered | AppError:
    """Raises ValueError, KeyError or TypeError for an answer that is none."""
    facts = json.loads(header)
    if "refusal" in facts:
        return UnreadableImage(facts["refusal"], facts["code"])
    if "invalid" in facts:
        return InvalidInput(facts["invalid"])
    return READERS[request["job"]](request, facts, pixels, thumbnail)


def _prepared(request: dict, facts: dict, pixels: bytes, thumbnail: bytes) -> Prepared:
    preprocessing = get_preprocessing(request["preprocessing"])
    facts["taken_at"] = datetime.fromisoformat(facts["taken_at"]) if facts["taken_at"] else None
    facts["notes"] = tuple(facts["notes"])
    height, width = facts.pop("shape")
    if not preprocessing.allows((height, width)):
        raise ValueError(f"{preprocessing.name} gives no {height} x {width} px")
    seen = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    return Prepared(**facts, pixels=seen, thumbnail=thumbnail or None)


def _seen(request: dict, facts: dict, pixels: bytes, _thumbnail: bytes) -> Seen:
    height, width = facts.pop("shape")
    if max(height, width) > request["long_side_px"]:
        raise ValueError(f"{height} x {width} px is more than was asked for")
    return Seen(**facts, pixels=np.frombuffer(pixels, np.uint8).reshape(height, width, 3))


def _views(request: dict, facts: dict, pixels: bytes, _thumbnail: bytes) -> Views:
    allowed = [get_preprocessing(name).allows for name in request["preprocessings"]]
    shapes = [(height, width) for height, width in facts["shapes"]]
    if not all(allows(shape) for allows, shape in zip(allowed, shapes, strict=True)):
        raise ValueError(f"{shapes} px are not what was asked for")
    ends = np.cumsum([3 * height * width for height, width in shapes])
    parts = np.split(np.frombuffer(pixels, np.uint8), ends)
    if parts.pop().size:
        raise ValueError("there are more pixels than shapes")
    return Views(facts["digest"], tuple(part.reshape(*shape, 3) for part, shape in zip(parts, shapes, strict=True)))


READERS = {"prepare": _prepared, "view": _seen, "views": _views}
