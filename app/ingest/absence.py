"""Files that are missing: were they deleted, or is their disk or server away? A source that is away loses nothing.

Away is a source whose root can't be read, or is empty, or more than a tenth of whose files are missing. Then its
pictures stay as they are and those that wait go on waiting, until it is back.
"""

import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.catalog import collections, images, sightings, sources
from app.catalog.images import Place
from app.catalog.models import Source
from app.catalog.states import PlaceKind, SourceKind, SourceState
from app.ingest import roots
from app.ingest.report import Seen
from app.ingest.walk import is_missing
from app.resources import Resources

MISSING_SHARE = 0.1  # of the files known below a root: more are no tidying up
HANDFUL = 10  # files that anyone may delete, however few there are
BACK_SHARE = MISSING_SHARE / 2  # of a sample, to believe that a root is back: by chance it may look better than it is
SAMPLE = 200
ROWS_AT_ONCE = 2000
VERDICT_S = 10.0  # a worker looks at a root this often
LOOK_AGAIN_S = 30.0  # and so often at those that are away
FORGET = "put them back, or say that they are gone for good: `dinoseek ingest … --forget-missing`"
LOCAL = (SourceKind.FOLDER, SourceKind.FILES)


@dataclass(frozen=True)
class SourceFacts:
    collection: str
    kind: str
    address: str
    copied: bool
    state: str  # here, away
    reason: str | None  # why it is away
    files: int  # when it was last read
    last_scan: float | None  # seconds since 1970 UTC


def too_many(missing: int, known: int, share: float = MISSING_SHARE) -> str | None:
    if missing <= HANDFUL or missing <= known * share:
        return None
    return f"{missing:,} of {known:,} known files are missing: {FORGET}"


def judge(resources: Resources, source: Source) -> str | None:
    """Why a source is away, by its root and a sample of its files; None while it is there. Slow disks make it slow."""
    if source.copied:
        return None
    reason = roots.look(source, resources.settings.remote_timeout_s)
    with resources.catalog.read() as session:
        some = sources.sample_below(session, source, SAMPLE)
    if reason is not None:
        return reason if some or reason != roots.EMPTY else None
    if source.kind not in LOCAL:
        return None
    share = BACK_SHARE if source.state is SourceState.AWAY else MISSING_SHARE
    return too_many(sum(map(is_missing, some)), len(some), share)


def note(resources: Resources, source: Source, reason: str | None) -> None:
    """Remember what was judged."""
    if (source.state, source.reason) == (SourceState.AWAY if reason else SourceState.HERE, reason):
        return
    with resources.catalog.begin() as session:
        collections.lock(session, source.collection_id)
        if reason is None:
            sources.set_here(session, source.id)
        else:
            sources.set_away(session, source.id, reason)


def forget_missing(resources: Resources, source: Source, seen: Seen, *, although_many: bool) -> str | None:
    """After a source was read to its end: addresses not seen are forgotten, unless they are too many: then, why."""
    missing, known = _missing(resources, source, seen)
    reason = too_many(len(missing), known)
    if reason and not although_many:
        return reason
    for start in range(0, len(missing), ROWS_AT_ONCE):
        with resources.catalog.begin() as session:
            collections.lock(session, source.collection_id)
            sightings.forget(session, source.collection_id, missing[start : start + ROWS_AT_ONCE])
    return None


def forget_gone(resources: Resources, source: Source, gone: Sequence[bytes]) -> None:
    """Files and folders that were seen to go. Where they are too many, the next reading of the whole source decides."""
    with resources.catalog.read() as session:
        rows = [
            row for address in gone for row in sources.files_at(session, source.collection_id, address, source.host)
        ]
    missing = {row.id for row in rows if is_missing(row.path_bytes)}
    if too_many(len(missing), source.files):
        return
    with resources.catalog.begin() as session:
        collections.lock(session, source.collection_id)
        sightings.forget(session, source.collection_id, sorted(missing))


def _missing(resources: Resources, source: Source, seen: Seen) -> tuple[Sequence[int], int]:
    """Ids of locations below a source that are not there any more, and how many there are in all."""
    missing, known, after = array("q"), 0, b""
    while True:
        with resources.catalog.read() as session:
            rows = sources.page_below(session, source, after, ROWS_AT_ONCE)
        if not rows:
            return missing, known
        unseen = ~seen.holds([row.path_bytes for row in rows])
        candidates = (row for row, is_unseen in zip(rows, unseen, strict=True) if is_unseen)
        missing.extend(row.id for row in candidates if source.kind not in LOCAL or is_missing(row.path_bytes))
        known, after = known + len(rows), rows[-1].path_bytes


class Absences:
    """What a worker knows of the roots of what it works on. It looks at each once in a while."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._verdicts: dict[int, tuple[float, str | None]] = {}  # source: when it was judged, and how
        self._look_again_at = 0.0

    def reasons(self, collection_id: int, image_ids: Sequence[int]) -> dict[int, str]:
        """Of those of these images, whose bytes could not be had, that lie below a source that is away: why."""
        if not image_ids:
            return {}
        with self._resources.catalog.read() as session:
            places = images.places_of(session, image_ids)
            known = sources.all_of(session, collection_id, self._resources.storage.host)
        told = {image_id: self._reason(known, found) for image_id, found in places.items()}
        return {image_id: reason for image_id, reason in told.items() if reason}

    def look_again(self, collection_id: int) -> None:
        """Let go on what waits for a source that is back."""
        if time.monotonic() < self._look_again_at:
            return
        self._look_again_at = time.monotonic() + LOOK_AGAIN_S
        with self._resources.catalog.read() as session:
            known = sources.all_of(session, collection_id, self._resources.storage.host)
        away = [row for row in known if row.state is SourceState.AWAY]
        for source in away:
            self._verdict(source)

    def _reason(self, known: Iterable[Source], places: Iterable[Place]) -> str | None:
        hosts = ("", self._resources.storage.host)
        ours = [place for place in places if place.host in hosts]
        addresses = [place.address for place in ours if place.kind in (PlaceKind.FILE, PlaceKind.REMOTE)]
        above = [source for source in known if any(map(roots.root_of(source).covers, addresses))]
        reasons = ((source, self._verdict(source)) for source in above)
        return next((f"{source.address} is away: {reason}" for source, reason in reasons if reason), None)

    def _verdict(self, source: Source) -> str | None:
        at, reason = self._verdicts.get(source.id, (0.0, None))
        if time.monotonic() - at > VERDICT_S or not at:
            reason = judge(self._resources, source)
            self._verdicts[source.id] = (time.monotonic(), reason)
            note(self._resources, source, reason)
        return reason


def survey(resources: Resources, *, judged: bool = False) -> list[SourceFacts]:
    """Every source of every collection; `judged`: looked at now, which may wait for slow disks and servers."""
    with resources.catalog.read() as session:
        rows = sources.all_live(session)
    if judged:
        for source, _ in rows:
            if source.host == roots.host_of(resources, source.kind):  # another host's disks are not ours to judge
                note(resources, source, judge(resources, source))
        return survey(resources)
    return [_facts(source, name) for source, name in rows]


def away(resources: Resources, collection: str) -> list[SourceFacts]:
    """Sources of a collection that are away and matter: their bytes are not copied."""
    found = (facts for facts in survey(resources) if facts.collection == collection)
    return [facts for facts in found if facts.state == SourceState.AWAY and not facts.copied]


def _facts(source: Source, collection: str) -> SourceFacts:
    told = (source.kind.value, source.address, source.copied, source.state.value, source.reason)
    return SourceFacts(collection, *told, source.files, source.last_scan)
