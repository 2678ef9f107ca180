"""Uploads become image rows; and what is said of each file that was received."""

import enum
import os
import time
from dataclasses import dataclass
from pathlib import Path

from app.catalog import collections, images, sightings
from app.catalog.images import displayable
from app.catalog.sightings import Recorded, Sighting
from app.catalog.states import PlaceKind
from app.errors import InvalidInput
from app.faults import Point, reach
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
    reach(Point.AFTER_STORE)
    seen = _sighting(resources, digest, len(data), filename, contents)
    with resources.catalog.begin() as session:
        collection_id = collections.get(session, collection_name).id
        collections.lock(session, collection_id)
        (recorded,) = sightings.record(session, collection_id, [seen])
        images.hurry(session, images.get(session, recorded.image_id))
        reach(Point.AFTER_RECORD)
    enqueue(resources.settings, Job.EMBED_PENDING, Queue.QUERIES, collection_id=collection_id)
    return receipt_of(displayable(seen.address), recorded)


def receipt_of(shown: str, recorded: Recorded) -> Receipt:
    """FAILED with its reason when the image is, else whether it is new."""
    if recorded.refusal is not None:
        return Receipt(shown, Outcome.FAILED, recorded.image_id, *recorded.refusal)
    return Receipt(shown, Outcome.ADDED if recorded.new else Outcome.KNOWN, recorded.image_id)


def _sighting(resources: Resources, digest: str, size_bytes: int, filename: str, contents: Contents) -> Sighting:
    """The name is the client's text and only shown: a path of the person's is never made of it."""
    folder = resources.settings.home / UPLOAD_FOLDER
    return Sighting(
        os.fsencode(folder / digest[:8] / (Path(filename).name or "unnamed")),
        digest,
        size_bytes,
        time.time_ns(),
        PlaceKind.UPLOAD,
        resources.storage.host,
        group=os.fsencode(folder),
        stored=True,
        refused=None if contents.kind == "picture" else (contents.code, contents.reason),
    )
