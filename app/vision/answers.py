"""What a decode child answers: facts as JSON, pixels as plain bytes, and nothing that it says is believed unseen."""

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
class Viewed:
    """One picture as an audit looks at it, and what its own metadata says of where it comes from."""

    digest: str  # SHA-256 of the very bytes that were decoded
    pixels: np.ndarray  # uint8 (H, W, 3), upright, of its own aspect
    height_px: int  # of the file, upright
    width_px: int
    camera: str | None
    located: bool
    pixels_sha256: str | None  # of the upright RGB in full, where it was asked for


def told_by(header: bytes) -> dict | AppError:
    """The facts, or why there are none. Raises ValueError or TypeError for an answer that is none."""
    facts = json.loads(header)
    if "refusal" in facts:
        return UnreadableImage(facts["refusal"], facts["code"])
    return InvalidInput(facts["invalid"]) if "invalid" in facts else facts


def _prepared(request: dict, facts: dict, pixels: bytes, thumbnail: bytes) -> Prepared:
    """Raises ValueError, KeyError or TypeError for an answer that is none."""
    preprocessing = get_preprocessing(request["preprocessing"])
    facts["taken_at"] = datetime.fromisoformat(facts["taken_at"]) if facts["taken_at"] else None
    facts["notes"] = tuple(facts["notes"])
    height, width = facts.pop("shape")
    if not preprocessing.allows((height, width)):
        raise ValueError(f"{preprocessing.name} gives no {height} x {width} px")
    seen = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    return Prepared(**facts, pixels=seen, thumbnail=thumbnail or None)


def _viewed(request: dict, facts: dict, pixels: bytes, nothing: bytes) -> Viewed:
    """Raises ValueError, KeyError or TypeError for an answer that is none."""
    height, width = facts.pop("shape")
    if max(height, width) > request["long_side_px"]:
        raise ValueError(f"a view of {request['long_side_px']} px has no {height} x {width} px")
    return Viewed(**facts, pixels=np.frombuffer(pixels, np.uint8).reshape(height, width, 3))


UNDERSTOOD = {"prepare": _prepared, "view": _viewed}
