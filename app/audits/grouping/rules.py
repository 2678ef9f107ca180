"""By what the copy to keep is chosen: an ordered list that a person sees and may change, one rule after the other."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.catalog.states import PlaceKind
from app.errors import InvalidInput

# What a format says of its bytes: raw and lossless ones were not made from the others, and lose nothing when saved
# again. HEIF is what phones take, and the JPEG beside it an export. WebP, AVIF and GIF are made for the web.
FORMAT_WORTH = {
    "TIFF": 5,
    "PNG": 4,
    "BMP": 4,
    "JPEG2000": 3,
    "HEIF": 3,
    "JPEG": 2,
    "MPO": 2,
    "AVIF": 1,
    "WEBP": 1,
    "GIF": 0,
}
UNKNOWN_FORMAT = 1
CLEARLY_MORE = 1.5  # times the bytes
BORDER_SLACK = 0.98  # a border is measured on a small view, by a pixel more or less at each side
PLACES = ("folders", "protected")


@dataclass(frozen=True)
class File:
    """One file of a picture, as the rules look at it."""

    location_id: int
    image_id: int
    digest: str
    path: str
    folder: str
    size_bytes: int
    mtime_ns: int
    kind: PlaceKind = PlaceKind.FILE
    format: str | None = None
    height_px: int = 0
    width_px: int = 0
    taken_at: datetime | None = None
    camera: str | None = None
    located: bool = False  # its EXIF says where it was taken
    content: float = 1.0  # share of it that is no plain border
    theirs: bool = False  # of the collection that is compared against: it is kept, and never touched
    inode: tuple[str, str] | None = None  # host, and the file there; none: not looked at

    @property
    def body(self) -> tuple:
        """The same for two names of one file, hard links as they are."""
        return self.digest, self.inode or self.location_id

    @property
    def pixels(self) -> int:
        """A border is no part of the picture: who adds one adds nothing, and seems to add no hair either."""
        surely = 1 if self.content == 1 else self.content * BORDER_SLACK
        return round(self.height_px * self.width_px * surely)

    @property
    def size_words(self) -> str:
        border = "" if self.content == 1 else f" with {1 - self.content:.0%} of border"
        return f"{self.width_px} × {self.height_px} px{border}"


@dataclass(frozen=True)
class Rules:
    """`order` names rules, the most important first. Before them all comes what a person has `chosen`, by digest."""

    order: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()  # whose files are kept rather than others', the first before the second
    protected: tuple[str, ...] = ()  # whose files are kept, and never marked
    chosen: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, stored: dict) -> "Rules":
        """As an audit's row has them. Raises InvalidInput for a rule nobody knows."""
        order = tuple(stored.get("order") or DEFAULT_ORDER)
        unknown = [name for name in order if name not in RULES]
        if unknown:
            raise InvalidInput(f"{unknown[0]!r} is no rule for keepers: choose from {', '.join(RULES)}")
        places = {name: tuple(map(_folder, stored.get(name, ()))) for name in PLACES}
        return cls(order, **places, chosen=frozenset(stored.get("chosen", ())))

    def stored(self) -> dict:
        return {
            "order": list(self.order),
            "folders": list(self.folders),
            "protected": list(self.protected),
            "chosen": sorted(self.chosen),
        }

    def changed(self, **parts: Sequence[str] | None) -> "Rules":
        """The same with other parts; None leaves one as it is. Raises InvalidInput, also for a folder from nowhere."""
        for path in (path for name in PLACES for path in parts.get(name) or ()):
            if not path.startswith("/"):
                raise InvalidInput(f"{path!r} is no folder from the root on: write it as /home/me/photos")
        return Rules.of(self.stored() | {name: list(value) for name, value in parts.items() if value is not None})

    def protects(self, file: File) -> bool:
        return any(file.path == folder or _is_below(file.folder, folder) for folder in self.protected)


@dataclass(frozen=True)
class Rule:
    """`worth`: more is better. `better` and `worse` say so of one file beside another, for the side that has it."""

    means: str
    worth: Callable[[File, Rules], object]
    better: Callable[[File, File], str]
    worse: Callable[[File, File], str]


def _place_in(folders: Sequence[str], file: File) -> int:
    """More for an earlier folder, 0 for none of them."""
    places = [len(folders) - number for number, folder in enumerate(folders) if _is_below(file.folder, folder)]
    return max(places, default=0)


def _has_camera(file: File, rules: Rules) -> int:
    return (file.camera is not None) + (file.taken_at is not None)


def _camera_words(file: File, other: File) -> str:
    if file.camera and not other.camera:
        return f"it has the camera's own data ({file.camera})"
    return "it says when it was taken"


def _bytes_step(file: File) -> int:
    """More by a few per cent is no better: to turn a picture, or to write on it, adds as much."""
    return round(math.log(max(file.size_bytes, 1), CLEARLY_MORE))


def _size(file: File) -> str:
    return f"{file.size_bytes:,} bytes"


def _written(file: File, other: File) -> str:
    """When each was, to as many digits of a second as tell them apart: copies made in one go share the second."""
    digits = next((n for n in (0, 3, 6) if file.mtime_ns // 10 ** (9 - n) != other.mtime_ns // 10 ** (9 - n)), 9)
    return f"written {_when(file, digits)}, the other {_when(other, digits)}"


def _when(file: File, digits: int) -> str:
    seconds, rest = divmod(file.mtime_ns, 10**9)
    fraction = f".{rest:09d}"[: digits + 1] if digits else ""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S") + fraction


FIRST = {
    "theirs": Rule(
        "in the collection that is compared against",
        lambda file, rules: file.theirs,
        lambda file, other: "it is in the collection that is compared against",
        lambda file, other: "the other is in the collection that is compared against",
    ),
    "chosen": Rule(
        "chosen by you",
        lambda file, rules: file.digest in rules.chosen,
        lambda file, other: "you chose it",
        lambda file, other: "you chose the other",
    ),
}
RULES = {
    "protected": Rule(
        "in a protected folder",
        lambda file, rules: rules.protects(file),
        lambda file, other: f"in a protected folder: {file.folder}",
        lambda file, other: f"the other is in a protected folder: {other.folder}",
    ),
    "folder": Rule(
        "in the folder you prefer",
        lambda file, rules: _place_in(rules.folders, file),
        lambda file, other: f"in a folder you prefer: {file.folder}",
        lambda file, other: f"the other is in a folder you prefer: {other.folder}",
    ),
    "resolution": Rule(
        "the largest in pixels, plain borders left out",
        lambda file, rules: file.pixels,
        lambda file, other: f"larger: {file.size_words} instead of {other.size_words}",
        lambda file, other: f"smaller: {file.size_words} instead of {other.size_words}",
    ),
    "camera": Rule(
        "with the camera's own data",
        _has_camera,
        _camera_words,
        lambda file, other: _camera_words(other, file).replace("it ", "the other ", 1),
    ),
    "format": Rule(
        "lossless or raw before lossy",
        lambda file, rules: FORMAT_WORTH.get(file.format or "", UNKNOWN_FORMAT),
        lambda file, other: f"the better format: {file.format} instead of {other.format}",
        lambda file, other: f"the lesser format: {file.format} instead of {other.format}",
    ),
    "bytes": Rule(
        "clearly more bytes",
        lambda file, rules: _bytes_step(file),
        lambda file, other: f"more bytes: {_size(file)} instead of {_size(other)}",
        lambda file, other: f"fewer bytes: {_size(file)} instead of {_size(other)}",
    ),
    "oldest": Rule(
        "the oldest file",
        lambda file, rules: -file.mtime_ns,
        lambda file, other: f"older: {_written(file, other)}",
        lambda file, other: f"newer: {_written(file, other)}",
    ),
}
DEFAULT_ORDER = tuple(RULES)


def default() -> Rules:
    return Rules(DEFAULT_ORDER)


def _folder(given: object) -> str:
    return str(given).rstrip("/") or "/"


def _is_below(folder: str, root: str) -> bool:
    return folder == root or folder.startswith(root.rstrip("/") + "/")
