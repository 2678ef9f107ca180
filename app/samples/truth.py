"""The truth beside the pictures: what each shows and where, and which are copies of which."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "truth.json"

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sighting:
    """An object in a picture. The box holds what is visible of it; `visible_share` is that part of the whole."""

    name: str
    box: Box
    visible_share: float
    turn_degrees: float


@dataclass(frozen=True)
class PictureTruth:
    """One file; sizes and boxes are of the upright picture. `original`, `edit` and `tier` are None but for copies."""

    path: str  # relative to the folder, with /
    recipe: str
    scene: str
    light: str
    weather: str
    taken_at: str  # ISO 8601, local
    height_px: int
    width_px: int
    objects: tuple[Sighting, ...]
    original: str | None = None
    edit: str | None = None
    tier: str | None = None


@dataclass(frozen=True)
class Truth:
    seed: int
    pictures: tuple[PictureTruth, ...]

    def of(self, path: str) -> PictureTruth:
        """Raises KeyError for a file that is no sample."""
        return {picture.path: picture for picture in self.pictures}[path]

    @property
    def objects(self) -> dict[str, list[str]]:
        """Every object and the paths of the pictures that show it, copies included."""
        seen: dict[str, list[str]] = {}
        for picture in self.pictures:
            for sighting in picture.objects:
                seen.setdefault(sighting.name, []).append(picture.path)
        return seen


def load(folder: Path) -> Truth | None:
    """The truth of a folder, None where there is none yet."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Truth(stored["seed"], tuple(_picture(row) for row in stored["pictures"]))


def _picture(row: dict) -> PictureTruth:
    objects = tuple(Sighting(**{**sighting, "box": tuple(sighting["box"])}) for sighting in row["objects"])
    return PictureTruth(**{**row, "objects": objects})


def save(folder: Path, seed: int, pictures: Iterable[PictureTruth]) -> Truth:
    """Write the truth, sorted by path, so that a reader sees the old file or the new one."""
    truth = Truth(seed, tuple(sorted(pictures, key=lambda picture: picture.path)))
    write_beside(folder / FILE_NAME, (json.dumps(asdict(truth), indent=1) + "\n").encode())
    return truth


def write_beside(path: Path, data: bytes) -> None:
    """Write to a neighbour, then rename: half a file is never seen under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
