"""By what a keeper is chosen: an ordered list that a person sees and changes."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from app.errors import InvalidInput

# format -> how much of a picture it keeps: what was never compressed with loss is nearer to the camera
FORMATS = {"TIFF": 4, "PNG": 4, "BMP": 4, "HEIF": 3, "JPEG": 3, "MPO": 3, "AVIF": 2, "WEBP": 2, "GIF": 1}


@dataclass(frozen=True)
class File:
    """One place where a picture lies."""

    location_id: int
    path: str
    mtime_ns: int
    size_bytes: int


@dataclass(frozen=True)
class Candidate:
    """A picture that may be kept, and all its files."""

    image_id: int
    digest: str
    height_px: int
    width_px: int
    size_bytes: int
    format: str
    taken_at: datetime | None
    camera: str
    located: bool
    files: tuple[File, ...]
    ours: bool = True  # False: of the collection that is compared against, which is never touched

    @property
    def pixels(self) -> int:
        return self.height_px * self.width_px

    @property
    def oldest_ns(self) -> int:
        return min((file.mtime_ns for file in self.files), default=0)


@dataclass(frozen=True)
class Rules:
    """`order` names rules, the first decides. Folders are absolute; those named first are preferred."""

    order: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()  # nothing below them is ever marked or moved

    def __post_init__(self) -> None:
        unknown = [name for name in self.order if name not in RULES]
        if unknown:
            raise InvalidInput(f"{unknown[0]!r} is no keeper rule: use {', '.join(RULES)}")
        for name, values in (("order", self.order), ("folders", self.folders), ("protected", self.protected)):
            object.__setattr__(self, name, tuple(values))

    @classmethod
    def of(cls, stored: dict) -> "Rules":
        return cls(**{name: tuple(stored.get(name, ())) for name in ("order", "folders", "protected")})

    def stored(self) -> dict:
        return {name: list(values) for name, values in asdict(self).items()}

    def protects(self, path: str) -> bool:
        return _rank(path, self.protected) is not None


@dataclass(frozen=True)
class Rule:
    """`worth`: the higher is kept. `says`: why one is kept rather than another, for a person."""

    meaning: str
    worth: Callable[[Candidate, Rules], Any]
    says: Callable[[Candidate, Candidate], str]


def _rank(path: str, folders: Sequence[str]) -> int | None:
    """Place of the first of these folders that the path is below."""
    parents = {str(parent) for parent in PurePath(path).parents}
    return next((number for number, folder in enumerate(folders) if folder.rstrip("/") in parents), None)


def _protected(one: Candidate, rules: Rules) -> bool:
    return not one.ours or any(rules.protects(file.path) for file in one.files)


def _folder(one: Candidate, rules: Rules) -> int:
    ranks = [_rank(file.path, rules.folders) for file in one.files]
    return -min((rank for rank in ranks if rank is not None), default=len(rules.folders))


def _taken(one: Candidate) -> float:
    return -one.taken_at.timestamp() if one.taken_at else float("-inf")


def _sides(one: Candidate) -> str:
    return f"{one.width_px} × {one.height_px} px"


def _bytes(one: Candidate) -> str:
    return f"{one.size_bytes:,} bytes"


RULES = {
    "protected": Rule(
        "in a protected folder, or in the collection compared against",
        lambda one, rules: _protected(one, rules),
        lambda one, other: "protected",
    ),
    "folder": Rule(
        "in a folder that is preferred",
        lambda one, rules: _folder(one, rules),
        lambda one, other: "in a preferred folder",
    ),
    "resolution": Rule(
        "more pixels",
        lambda one, rules: one.pixels,
        lambda one, other: f"larger: {_sides(one)} instead of {_sides(other)}",
    ),
    "camera": Rule(
        "camera, capture time and place are in the file",
        lambda one, rules: (bool(one.camera), one.taken_at is not None, one.located),
        lambda one, other: "has the camera's own data",
    ),
    "format": Rule(
        "a format that keeps more",
        lambda one, rules: FORMATS.get(one.format, 0),
        lambda one, other: f"{one.format} keeps more than {other.format}",
    ),
    "bytes": Rule(
        "more bytes",
        lambda one, rules: one.size_bytes,
        lambda one, other: f"{_bytes(one)} instead of {_bytes(other)}",
    ),
    "oldest": Rule(
        "taken first, then written first",
        lambda one, rules: (_taken(one), -one.oldest_ns),
        lambda one, other: "the older file",
    ),
}
DEFAULT = Rules(order=tuple(RULES))
