"""Pictures that were refused or set aside, with their reasons, and another try for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.catalog import collections, images
from app.catalog.models import ImageStatus
from app.jobs import Job, enqueue
from app.resources import Resources


@dataclass(frozen=True)
class Failure:
    image_id: int
    path: str
    error: str  # a short word, stable
    reason: str  # a sentence for a person
    attempts: int


def failures(resources: Resources, collection_name: str, offset: int = 0, limit: int = 100) -> list[Failure]:
    with resources.catalog.read() as session:
        collection_id = collections.get(session, collection_name).id
        rows = images.page(session, collection_id, ImageStatus.FAILED, offset, limit)
        paths = images.shown_paths(session, [row.id for row in rows])
    return [Failure(row.id, paths.get(row.id, ""), row.code or "", row.reason or "", row.attempts) for row in rows]


def retry(resources: Resources, image_ids: Sequence[int]) -> int:
    """Give failed pictures their attempts back; how many there were."""
    if not image_ids:
        return 0
    with resources.catalog.begin() as session:
        retried = images.retry(session, image_ids)
        collection_ids = {images.get(session, image_id).collection_id for image_id in image_ids}
    for collection_id in collection_ids:
        enqueue(resources.settings, Job.EMBED_PENDING, collection_id=collection_id)
    return retried
