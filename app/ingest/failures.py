"""Pictures that were refused or set aside, with their reasons, and another try for them."""

from dataclasses import dataclass

from app.catalog import collections, images
from app.catalog import failures as rows
from app.errors import NotFound
from app.jobs import Job, enqueue
from app.resources import Resources


@dataclass(frozen=True)
class Failure:
    image_id: int
    digest: str
    path: str
    error: str  # a short word, stable
    reason: str  # a sentence for a person
    attempts: int


def counts(resources: Resources, collection_name: str) -> dict[str, int]:
    """How many failed with each short word, the most frequent first."""
    with resources.catalog.read() as session:
        return rows.counts(session, collections.get(session, collection_name).id)


def failures(
    resources: Resources, collection_name: str, code: str | None = None, offset: int = 0, limit: int = 100
) -> list[Failure]:
    """In the order they came; with a code, those alone."""
    with resources.catalog.read() as session:
        collection_id = collections.get(session, collection_name).id
        failed = rows.page(session, collection_id, code, offset, limit)
        paths = images.shown_paths(session, [row.id for row in failed])
    return [
        Failure(row.id, row.digest, paths.get(row.id, ""), row.code or "", row.reason or "", row.attempts)
        for row in failed
    ]


def retry(resources: Resources, collection_name: str, code: str | None = None) -> int:
    """Give failed pictures their attempts back, with a code those alone; how many there were."""
    with resources.catalog.begin() as session:
        collection_id = collections.get(session, collection_name).id
        collections.lock(session, collection_id)  # before any image, as all do: a scan may be at the same rows
        retried = rows.retry(session, collection_id, code)
    if retried:
        enqueue(resources.settings, Job.EMBED_PENDING, collection_id=collection_id)
    return retried


def check_code(code: str, known: dict[str, int]) -> None:
    """Raises NotFound, which lists the codes there are."""
    if code not in known:
        there = ", ".join(known) or "no failure"
        raise NotFound(f"no failed picture has the code {code!r} (there are: {there}): choose one of these")
