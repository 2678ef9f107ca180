"""The third stage: every candidate pair is looked at, and what the two are to each other is written down."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy.orm import Session
from threadpoolctl import threadpool_limits

from app.alignment import DEFAULT_THRESHOLD, METHOD, Evidence, Facts, compare, relations, turned_round
from app.audits.finding.gaze import Gaze
from app.audits.finding.lease import Hold
from app.audits.finding.order import Key, neighbours_together
from app.audits.grouping.forming import Forming
from app.audits.grouping.stars import components
from app.catalog import audits, images, looks, pairs, thresholds
from app.catalog.audit_models import Audit
from app.catalog.models import Image
from app.catalog.pairs import Candidate
from app.catalog.states import COPIES, AuditStage, ImageStatus, Tier
from app.errors import UnreadableImage
from app.faults import Point, reach

AT_ONCE = 2**17  # pairs put in order: 30 MB, and a second
BATCH = 100  # pictures of two batches, four hundred at most, are at hand: the next are decoded meanwhile
NEARLY_EQUAL = 0.985  # from this score on, pictures of one size may have the very same pixels: only then it is asked
MOST_CLOSED = 400  # pictures of a component whose missing pairs are all checked; a larger one is a flood of frames


@dataclass(frozen=True)
class Known:
    """What the catalogue says of a picture."""

    digest: str
    facts: Facts


def verify(hold: Hold, gaze: Gaze) -> None:
    """Check what is unchecked, batch by batch; then the pairs that hang together and were no candidates, likewise."""
    with hold.resources.catalog.read() as session:
        audit = audits.get(session, hold.audit_id)
        threshold = threshold_of(session, audit)
    with (
        threadpool_limits(1, user_api="blas"),  # a product on all cores waits for those that compare other pairs
        ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="compare") as threads,
    ):
        checker, forming = Checker(hold, gaze, threshold, threads), Forming(hold)
        _check_all(hold, checker, forming)
        while audit.against_id is None and _close(hold):
            _check_all(hold, checker, forming)


def threshold_of(session: Session, audit: Audit) -> float:
    """From which score on its pairs are copies: as a person set it, else as the check comes."""
    found = thresholds.find(session, audit, METHOD)
    return DEFAULT_THRESHOLD if found is None else found.score


def _check_all(hold: Hold, checker: "Checker", forming: Forming) -> None:
    with hold.resources.catalog.read() as session:
        counts = pairs.counts(session, hold.audit_id)
    done, total = 0, counts.pop(None, 0)
    checked = sum(counts.values())
    with hold.resources.catalog.begin() as session:
        hold.write(session, stage=AuditStage.VERIFY, done=0, total=total)  # the first batch may take half a minute
    forming.form()
    for keys, following in batches(hold):
        hold.go_on()
        verdicts = checker.verdicts(keys, following)
        done += len(keys)
        _settle(hold, verdicts, done=done, total=max(done, total), pairs_checked=checked + done)
        forming.note(verdicts)
        forming.form()


def _settle(hold: Hold, verdicts: list[dict], **progress: int) -> None:
    with hold.resources.catalog.begin() as session:
        hold.write(session, stage=AuditStage.VERIFY, **progress)
        pairs.settle(session, verdicts)
    reach(Point.AFTER_SETTLED)


def batches(hold: Hold) -> Iterator[tuple[Sequence[Key], Sequence[Key]]]:
    """All that is unchecked, those together that share pictures; with each batch the one after it."""
    while True:
        with hold.resources.catalog.read() as session:
            keys = neighbours_together(pairs.unchecked(session, hold.audit_id, AT_ONCE))
        if not keys:
            return
        batches = [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]
        yield from zip(batches, [*batches[1:], ()], strict=True)


def _close(hold: Hold) -> bool:
    """Note pairs between pictures that are copies of a common third: a group asks each member about its keeper."""
    with hold.resources.catalog.read() as session:
        copies = [edge[:2] for edge in pairs.edges(session, hold.audit_id) if edge.tier in COPIES]
    missing = list(_missing(copies))
    with hold.resources.catalog.begin() as session:
        hold.write(session, stage=AuditStage.VERIFY)
        return bool(pairs.add(session, hold.audit_id, [Candidate(*key, None) for key in missing]))


def _missing(copies: Sequence[Key]) -> Iterable[Key]:
    known = set(copies)
    for component in components(copies):
        if 2 < len(component) <= MOST_CLOSED:
            yield from (pair for pair in combinations(component, 2) if pair not in known)


class Checker:
    """Verdicts on pairs, on all cores: the comparison runs outside of Python's lock."""

    def __init__(self, hold: Hold, gaze: Gaze, threshold: float, threads: ThreadPoolExecutor) -> None:
        self._hold, self._gaze, self._threshold, self._threads = hold, gaze, threshold, threads

    def verdicts(self, keys: Sequence[Key], following: Sequence[Key] = ()) -> list[dict]:
        """Of the pairs, in their order, while the pictures of those that follow are decoded."""
        self._gaze.prepare(_involved(keys))
        self._gaze.prepare(_involved(following))
        known = self._known(_involved(keys))
        return list(self._threads.map(lambda key: self._verdict(key, known), keys))

    def _known(self, image_ids: Sequence[int]) -> dict[int, Known]:
        with self._hold.resources.catalog.read() as session:
            rows = [row for chosen in images.portions(image_ids) for row in images.all_of(session, chosen)]
        return {row.id: Known(row.digest, _facts(row)) for row in rows if row.status is ImageStatus.READY}

    def _verdict(self, key: Key, known: dict[int, Known]) -> dict:
        """Values for the pair's row."""
        named = {"audit_id": self._hold.audit_id, "first_id": key[0], "second_id": key[1]}
        try:
            first, second = (known[image_id] for image_id in key)
            views = [self._gaze.view(image_id) for image_id in key]
        except KeyError:
            return named | {"tier": Tier.UNREADABLE, "reason": "one of the two is not in the collection any more"}
        except UnreadableImage as refusal:
            return named | {"tier": Tier.UNREADABLE, "reason": str(refusal)}
        evidence = compare(*views)
        told = {name: getattr(evidence, name) for name in ("score", "area", "scene")}
        told["warp"] = evidence.warp and list(evidence.warp)
        return named | told | self._tiered(key, evidence, views, first, second)

    def _tiered(self, key: Key, evidence: Evidence, views: list, first: Known, second: Known) -> dict:
        if evidence.score < self._threshold:
            return {"tier": Tier.SAME_SCENE if evidence.scene else Tier.DIFFERENT}
        if self._same_pixels(key, evidence, first, second):
            return {"tier": Tier.SAME_PIXELS, "relations": [], "relations_back": []}
        there = relations(evidence, first.facts, second.facts)
        back = relations(turned_round(evidence, *views), second.facts, first.facts)
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
            looks.note_pixels(session, METHOD, {known.digest: made})
        return made


def _involved(keys: Iterable[Key]) -> list[int]:
    """Each picture once, as they are needed."""
    return list(dict.fromkeys(image_id for key in keys for image_id in key))


def _facts(row: Image) -> Facts:
    return Facts(row.height_px or 1, row.width_px or 1, row.format or "", row.size_bytes)
