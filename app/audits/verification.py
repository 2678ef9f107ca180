"""The third stage: every candidate pair is looked at, and what the two are to each other is written down."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from app.alignment import DEFAULT_THRESHOLD, METHOD, Evidence, Facts, compare, relations
from app.audits.gaze import Gaze
from app.audits.grouping import Matches, components
from app.audits.lease import Hold
from app.catalog import groups, looks, pairs, thresholds
from app.catalog.audit_models import Audit
from app.catalog.pairs import COPIES, Key
from app.catalog.states import AuditStage, Tier
from app.errors import UnreadableImage

BATCH = 256
NEARLY_EQUAL = 0.985  # from this score on, pictures of one size may have the very same pixels: only then it is asked
MOST_CLOSED = 400  # pictures of a component whose missing pairs are all checked; a larger one is a flood of frames


@dataclass(frozen=True)
class Known:
    """What the catalogue says of a picture."""

    digest: str
    facts: Facts


def verify(hold: Hold, gaze: Gaze, audit: Audit) -> None:
    """Check what is unchecked, batch by batch; then the pairs that hang together and were no candidates, likewise."""
    while True:
        _check_all(hold, gaze, audit)
        if not _close(hold, audit):
            return


def threshold_of(session, audit: Audit) -> float:
    return thresholds.find(session, audit.collection_id, audit.model_key_id) or DEFAULT_THRESHOLD


def _check_all(hold: Hold, gaze: Gaze, audit: Audit) -> None:
    with hold.resources.catalog.read() as session:
        left, threshold = pairs.count_unchecked(session, audit.id), threshold_of(session, audit)
    done, total = 0, left
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="compare") as threads:
        checker = Checker(hold, gaze, threshold, threads)
        while keys := _next(hold, audit.id):
            hold.go_on()
            verdicts = checker.verdicts(keys)
            done += len(keys)
            _write(hold, verdicts, done, total)


def _next(hold: Hold, audit_id: int) -> list[Key]:
    with hold.resources.catalog.read() as session:
        return pairs.unchecked(session, audit_id, BATCH)


def _write(hold: Hold, verdicts: Sequence[dict], done: int, total: int) -> None:
    with hold.resources.catalog.begin() as session:
        pairs.settle(session, hold.audit_id, verdicts)
        hold.write(session, stage=AuditStage.VERIFY, done=done, total=total)


def _close(hold: Hold, audit: Audit) -> bool:
    """Note pairs between pictures that are copies of a common third: a group asks each member about its keeper."""
    with hold.resources.catalog.begin() as session:
        matches = Matches.of(pairs.edges(session, audit.id, COPIES))
        against = audit.against_id is not None
        missing = [] if against else list(_missing(matches))
        before = pairs.known(session, audit.id, missing)
        news = [key for key in missing if key not in before]
        if news:
            pairs.add(session, audit.id, *_columns(news), None)
        hold.write(session, stage=AuditStage.VERIFY)
    return bool(news)


def _missing(matches: Matches) -> Iterable[Key]:
    for component in components(matches):
        if 2 < len(component) <= MOST_CLOSED:
            yield from (pair for pair in combinations(component, 2) if pair[1] not in matches.edges[pair[0]])


def _columns(keys: Sequence[Key]) -> np.ndarray:
    return np.array(keys, np.int64).T


class Checker:
    """Verdicts on pairs, on all cores: the comparison runs outside of Python's lock."""

    def __init__(self, hold: Hold, gaze: Gaze, threshold: float, threads: ThreadPoolExecutor) -> None:
        self._hold, self._gaze, self._threshold, self._threads = hold, gaze, threshold, threads

    def verdicts(self, keys: Sequence[Key]) -> list[dict]:
        involved = sorted({image_id for key in keys for image_id in key})
        self._gaze.prepare(involved)
        known = self._known(involved)
        return list(self._threads.map(lambda key: self._verdict(key, known), keys))

    def _known(self, image_ids: Sequence[int]) -> dict[int, Known]:
        with self._hold.resources.catalog.read() as session:
            rows = groups.facts_of(session, METHOD, image_ids)
        return {row.id: Known(row.digest, _facts(row)) for row in rows}

    def _verdict(self, key: Key, known: dict[int, Known]) -> dict:
        """Values for the pair's row."""
        named = dict(zip(("first_id", "second_id"), key, strict=True))
        try:
            first, second = (known[image_id] for image_id in key)
            views = [self._gaze.view(image_id) for image_id in key]
        except KeyError:
            return named | {"tier": Tier.UNREADABLE, "reason": "one of the two is not in the collection any more"}
        except UnreadableImage as refusal:
            return named | {"tier": Tier.UNREADABLE, "reason": str(refusal)}
        evidence = compare(*views)
        told = {"score": evidence.score, "area": evidence.area, "warp": evidence.warp and list(evidence.warp)}
        return named | told | self._tiered(key, evidence, views, first, second)

    def _tiered(self, key: Key, evidence: Evidence, views: list, first: Known, second: Known) -> dict:
        if evidence.score < self._threshold:
            return {"tier": Tier.SAME_SCENE if evidence.scene else Tier.DIFFERENT}
        if self._same_pixels(key, evidence, first, second):
            return {"tier": Tier.SAME_PIXELS, "relations": [], "relations_back": []}
        there = relations(evidence, first.facts, second.facts)
        back = relations(compare(*reversed(views)), second.facts, first.facts)
        return {"tier": Tier.EDITED, "relations": list(there), "relations_back": list(back)}

    def _same_pixels(self, key: Key, evidence: Evidence, first: Known, second: Known) -> bool:
        sizes = {(known.facts.height_px, known.facts.width_px) for known in (first, second)}
        if evidence.score < NEARLY_EQUAL or len(sizes) > 1:
            return False
        try:
            return len({self._pixels(*one) for one in zip(key, (first, second), strict=True)}) == 1
        except UnreadableImage:
            return False

    def _pixels(self, image_id: int, known: Known) -> str:
        """The digest of a picture's pixels, made once."""
        catalog = self._hold.resources.catalog
        with catalog.read() as session:
            look = looks.of(session, METHOD, [known.digest]).get(known.digest)
        if look is not None and look.pixels_sha256:
            return look.pixels_sha256
        (seen,) = self._gaze.seen(self._gaze.sources([image_id]), whole=True).values()
        made = seen.result().pixels_sha256
        with catalog.begin() as session:
            looks.note_pixels(session, METHOD, known.digest, made)
        return made


def _facts(row) -> Facts:
    return Facts(row.height_px or 1, row.width_px or 1, row.format or "", row.size_bytes)
