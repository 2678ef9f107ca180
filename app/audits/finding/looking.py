"""The first stage of an audit: each picture is looked at once, whatever collections it is in."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from app.alignment import METHOD, View, content_share, hashes_of
from app.audits.finding.gaze import Gaze
from app.audits.finding.lease import Hold
from app.audits.finding.scope import Scopes
from app.catalog import images, looks, scopes
from app.catalog.models import Image
from app.catalog.states import AuditStage
from app.errors import UnreadableImage
from app.vision.answers import Seen
from app.whereabouts import sources

CHUNK = 64


def look(hold: Hold, gaze: Gaze, within: Scopes) -> None:
    """Note the hashes, the borders and the EXIF of every picture that has no look of this METHOD, a chunk at a time."""
    with hold.resources.catalog.read() as session:
        missing = [image_id for scope in within.both for image_id in scopes.unlooked(session, scope, METHOD)]
    for done, chunk in _chunks(missing):
        with hold.resources.catalog.begin() as session:
            hold.write(session, stage=AuditStage.LOOK, done=done, total=len(missing))
        hold.go_on()
        _note(hold, gaze, chunk)


def _chunks(image_ids: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for start in range(0, len(image_ids), CHUNK):
        yield start, image_ids[start : start + CHUNK]


def _note(hold: Hold, gaze: Gaze, image_ids: Sequence[int]) -> None:
    """What can't be looked at now is noted with its reason: its vector may still bring it into a pair."""
    with hold.resources.catalog.read() as session:
        rows = images.all_of(session, image_ids)
        found = sources(hold.resources, session, rows)
    told, refused = _told(rows, gaze.seen(found))
    with hold.resources.catalog.begin() as session:
        hold.write(session)
        looks.add(session, METHOD, told)
        looks.note_unseen(session, hold.audit_id, refused)


def _told(rows: Sequence[Image], seen: dict[int, Future[Seen]]) -> tuple[dict[str, tuple[bytes, dict]], dict[int, str]]:
    told, refused = {}, {}
    for row in rows:
        try:
            one = seen[row.id].result()
        except UnreadableImage as refusal:
            refused[row.id] = str(refusal)
            continue
        view = View(one.pixels)
        facts = {"camera": one.camera or None, "located": one.located, "content": content_share(view)}
        told[row.digest] = hashes_of(view), facts
    return told, refused
