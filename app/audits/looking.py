"""The first stage of an audit: each picture is looked at once, whatever collections it is in."""

from collections.abc import Sequence
from concurrent.futures import Future

from app.alignment import METHOD, hash_of
from app.audits.gaze import Gaze
from app.audits.lease import Hold
from app.catalog import looks
from app.catalog.models import Image
from app.catalog.states import AuditStage
from app.errors import UnreadableImage
from app.vision.decoder import Seen
from app.whereabouts import sources

CHUNK = 64


def look(hold: Hold, gaze: Gaze, collection_ids: Sequence[int]) -> None:
    """Note the hash and the EXIF of every visible picture that has no look of this METHOD, a chunk at a time."""
    total, done = _missing(hold, collection_ids), 0
    _tell(hold, done, total)
    for collection_id in collection_ids:
        after_id = 0
        while rows := _next(hold, collection_id, after_id):
            hold.go_on()
            after_id, done = rows[-1].id, done + len(rows)
            _note(hold, gaze, rows, done, total)


def _missing(hold: Hold, collection_ids: Sequence[int]) -> int:
    with hold.resources.catalog.read() as session:
        return sum(looks.count_missing(session, collection_id, METHOD) for collection_id in collection_ids)


def _next(hold: Hold, collection_id: int, after_id: int) -> Sequence[Image]:
    with hold.resources.catalog.read() as session:
        return looks.missing(session, collection_id, METHOD, after_id, CHUNK)


def _note(hold: Hold, gaze: Gaze, rows: Sequence[Image], done: int, total: int) -> None:
    with hold.resources.catalog.read() as session:
        found = sources(hold.resources, session, rows)
    seen = gaze.seen(found)
    noted = [_facts(row.digest, seen[row.id]) for row in rows]
    with hold.resources.catalog.begin() as session:
        looks.add(session, METHOD, noted)
        hold.write(session, stage=AuditStage.LOOK, done=done, total=total)


def _tell(hold: Hold, done: int, total: int) -> None:
    with hold.resources.catalog.begin() as session:
        hold.write(session, stage=AuditStage.LOOK, done=done, total=total)


def _facts(digest: str, future: Future[Seen]) -> dict:
    """A picture that can't be looked at now has no hash; its vector may still bring it into a pair."""
    try:
        seen = future.result()
    except UnreadableImage as refusal:
        return {"digest": digest, "hash": None, "reason": str(refusal), "camera": None, "located": False}
    return {
        "digest": digest,
        "hash": hash_of(seen.pixels),
        "reason": None,
        "camera": seen.camera or None,
        "located": seen.located,
    }
