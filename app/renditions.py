"""Large copies for the screen: of any format, in one that browsers show, made in a decode child on first sight."""

from pathlib import Path

from app import library, whereabouts
from app.errors import NotFound
from app.resources import Resources
from app.storage import write_atomic
from app.vision.decoder import Decoder

LONG_SIDE_PX = 2048  # sharp on a large screen, a few hundred kB
KEPT = 1000  # they can all be made again; the ones made longest ago go first
SWEEP_EVERY = 100


class Renditions:
    """Kept by content digest in the home folder. Safe to share between threads."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._folder = resources.storage.home / "renditions"
        changes = {"thumbnail_px": LONG_SIDE_PX, "decode_processes": 1}
        self._decoder = Decoder(resources.settings.model_copy(update=changes))
        self._made = 0

    def of_image(self, image_id: int) -> Path:
        """Raises NotFound when the picture or its file is gone, UnreadableImage."""
        digest = library.picture(self._resources, image_id).digest
        return self._find(digest) or self._make(digest, whereabouts.original(self._resources, image_id))

    def of_query(self, digest: str) -> Path:
        """Of a picture kept by `SearchDesk.prepare_query`. Raises NotFound, UnreadableImage."""
        source = self._resources.storage.query(digest)
        if not source.is_file():
            raise NotFound(f"the query picture {digest[:12]} is not kept here any more: drop it again")
        return self._find(digest) or self._make(digest, source)

    def close(self) -> None:
        self._decoder.close()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.webp"

    def _find(self, digest: str) -> Path | None:
        path = self._path(digest)
        return path if path.is_file() else None

    def _make(self, digest: str, source: Path | bytes) -> Path:
        if self._made % SWEEP_EVERY == 0:
            sweep(self._folder, KEPT)
        self._made += 1
        webp = self._decoder.submit(source, thumbnail=True).result().thumbnail
        write_atomic(self._path(digest), webp, durable=False)
        return self._path(digest)


def sweep(folder: Path, kept: int) -> None:
    """Remove all but the newest `kept` files."""
    for path in sorted(folder.glob("*/*.webp"), key=_made_at, reverse=True)[kept:]:
        path.unlink(missing_ok=True)


def _made_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # swept by another process meanwhile
        return 0.0
