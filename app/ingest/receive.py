"""One file becomes an image row: what it is by content and name, its digest, where it was seen."""

import enum
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from app.catalog import collections, images
from app.catalog.images import Sighting
from app.catalog.models import Image, ImageStatus
from app.errors import InvalidInput
from app.jobs import Job, Queue, enqueue
from app.resources import Resources
from app.vision.contents import HEAD_BYTES, Contents, sniff

UPLOAD_FOLDER = "uploads"


class Outcome(enum.StrEnum):
    ADDED = "added"
    KNOWN = "known"  # the same bytes are already there
    FAILED = "failed"  # meant to be a picture and refused
    SKIPPED = "skipped"  # no picture by name and content


@dataclass(frozen=True)
class Receipt:
    """What became of one file. Failed ones have an image row too: bad input is recorded with its reason."""

    path: str
    outcome: Outcome
    image_id: int | None = None
    error: str | None = None
    reason: str | None = None


def upload(resources: Resources, collection_name: str, filename: str, data: bytes) -> Receipt:
    """Keep an uploaded file and ask for its embedding. On return its bytes and its row are on disk."""
    limit = resources.settings.upload_max_bytes
    if len(data) > limit:
        raise InvalidInput(f"{filename} has {len(data):,} bytes, over the {limit:,} of an upload: ingest its folder")
    contents = sniff(data[:HEAD_BYTES], filename)
    if contents.kind == "skipped":
        return Receipt(filename, Outcome.SKIPPED, error=contents.code, reason=contents.reason)
    digest = resources.storage.keep_original(data)
    # the name is the client's text and only shown; a path of the person's is never made of it
    folder = resources.settings.home / UPLOAD_FOLDER
    shown = folder / digest[:8] / (Path(filename).name or "unnamed")
    seen = Sighting(shown, digest, len(data), time.time_ns(), group=folder, host=resources.storage.host)
    with resources.catalog.begin() as session:
        collection_id = collections.get(session, collection_name).id
        collections.lock(session, collection_id)
        receipt = record(session, collection_id, seen, contents, stored=True)
        images.hurry(session, images.get(session, receipt.image_id))
    enqueue(resources.settings, Job.EMBED_PENDING, Queue.QUERIES, collection_id=collection_id)
    return receipt


def record(
    session: Session, collection_id: int, seen: Sighting, contents: Contents, *, stored: bool = False
) -> Receipt:
    """The row of a file that is, or was meant to be, a picture."""
    refusal = _refusal(contents)
    image, new = images.add(session, collection_id, seen.digest, seen.size_bytes, stored=stored, **refusal)
    image.stored = image.stored or stored
    if not new:
        _forget_moved(session, image, seen.host)
    images.locate(session, image, seen)
    return receipt_of(image, seen.shown, Outcome.ADDED if new else Outcome.KNOWN)


def _forget_moved(session: Session, image: Image, host: str) -> None:
    """Bytes that are seen again may have moved: paths of this host that lead nowhere now are not shown any more."""
    for path in images.paths_of(session, [image.id], host).get(image.id, []):
        if not path.exists():
            images.forget_path(session, image.collection_id, path, host)


def receipt_of(image: Image, shown: str, otherwise: Outcome) -> Receipt:
    """FAILED with its reason when the image is, else the outcome given."""
    if image.status is ImageStatus.FAILED:
        return Receipt(shown, Outcome.FAILED, image.id, image.code, image.reason)
    return Receipt(shown, otherwise, image.id)


def _refusal(contents: Contents) -> dict:
    if contents.kind == "picture":
        return {}
    return {"status": ImageStatus.FAILED, "code": contents.code, "reason": contents.reason}


def count(receipts: Sequence[Receipt]) -> dict[str, int]:
    """How many of each outcome."""
    return {outcome.value: sum(r.outcome is outcome for r in receipts) for outcome in Outcome}
