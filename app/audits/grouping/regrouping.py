"""Groups made again from the rows: all of an audit's, or those that one decision touches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from math import inf

from sqlalchemy.orm import Session

from app.audits.grouping.planning import Material, PlannedGroup, planned
from app.audits.grouping.rules import File, Rules
from app.catalog import audits, decisions, files, groups, pairs
from app.catalog.audit_models import Audit
from app.catalog.audits import Tenure
from app.catalog.decisions import Digests
from app.catalog.images import portions
from app.catalog.pairs import Edge
from app.catalog.states import Word
from app.resources import Resources

GROUPS_AT_ONCE = 200  # stored in one transaction: a tenth of a second
JOINING = (Word.COPIES, Word.SAME_SCENE)
Advance = Callable[[int, int], None]  # done, total


def regroup_all(resources: Resources, tenure: Tenure, advance: Advance = lambda done, total: None) -> bool:
    """Make every group of an audit again, a few in each transaction. False: the audit is not ours any more.

    A decision that comes meanwhile is not lost: it makes all of them again.
    """
    while True:
        with resources.catalog.read() as session:
            audit = audits.get(session, tenure.audit_id)
            said = decisions.all_said(session)
            material = _material_of_all(session, audit, said)
        plans = planned(material, Rules.of(audit.rules))
        if not _store_all(resources, tenure, plans, advance):
            return False
        with resources.catalog.read() as session:
            same = decisions.all_said(session) == said
        if same:
            return True


class Flood(Exception):
    """More images hang together than are to be grouped in one go."""

    def __init__(self, image_ids: set[int]) -> None:
        super().__init__(f"{len(image_ids):,} images")
        self.image_ids = image_ids  # as far as they were reached


def regroup_around(session: Session, audit: Audit, image_ids: Iterable[int], most: float = inf) -> list[int]:
    """Make the groups again that these images may be in; their ids. Within the caller's write transaction.

    Groups follow from what hangs together, so those of all else stay as they are. Raises Flood for over `most` images.
    """
    audits.lock(session, audit.id)
    seeds = groups.images_beside(session, audit.id, sorted(image_ids))
    whole, edges, said = _component(session, audit, seeds, most)
    found = _files(session, audit, whole)
    plans = planned(Material(edges, said, found, audit.against_id is not None), Rules.of(audit.rules))
    before = groups.keys(session, audit.id, sorted(whole))
    ids = _store(session, audit.id, plans)
    groups.remove(session, set(before.values()) - set(ids))
    _note_totals(session, audit)
    return ids


def _store_all(resources: Resources, tenure: Tenure, plans: Sequence[PlannedGroup], advance: Advance) -> bool:
    for start in range(0, len(plans), GROUPS_AT_ONCE):
        advance(start, len(plans))
        with resources.catalog.begin() as session:
            if not audits.write(session, tenure, done=start, total=len(plans)):
                return False
            _store(session, tenure.audit_id, plans[start : start + GROUPS_AT_ONCE])
    return _remove_others(resources, tenure, {(plan.keeper_id, plan.scene) for plan in plans})


def _remove_others(resources: Resources, tenure: Tenure, wanted: set[groups.Key]) -> bool:
    with resources.catalog.read() as session:
        gone = [group_id for key, group_id in groups.keys(session, tenure.audit_id).items() if key not in wanted]
    for chosen in portions(sorted(gone)):
        with resources.catalog.begin() as session:
            if not audits.write(session, tenure):
                return False
            groups.remove(session, chosen)
    return True


def _store(session: Session, audit_id: int, plans: Sequence[PlannedGroup]) -> list[int]:
    return groups.store(session, audit_id, [_rows(plan) for plan in plans])


def _rows(plan: PlannedGroup) -> tuple[dict, list[dict]]:
    group = {name: getattr(plan, name) for name in ("keeper_id", "scene", "tier", "weakest", "reclaimable_bytes")}
    return group | {"members": len(plan.members)}, [asdict(member) for member in plan.members]


def _note_totals(session: Session, audit: Audit) -> None:
    _, audit.reclaimable_bytes = groups.totals(session, audit.id)


def _material_of_all(session: Session, audit: Audit, said: dict[Digests, Word]) -> Material:
    edges = list(pairs.edges(session, audit.id))
    images = {image_id for edge in edges for image_id in edge[:2]}
    edges += _spoken_of(session, audit, said)
    images |= {image_id for edge in edges for image_id in edge[:2]}
    if audit.against_id is None:
        images |= set(files.at_several_places(session, audit.collection_id))
    return Material(edges, said, _files(session, audit, images), audit.against_id is not None)


def _component(
    session: Session, audit: Audit, seeds: set[int], most: float
) -> tuple[set[int], list[Edge], dict[Digests, Word]]:
    """All that hangs together with these images: ids, edges, and what was said of them."""
    whole: set[int] = set()
    edges: dict[tuple[int, int], Edge] = {}
    said: dict[Digests, Word] = {}
    frontier = set(seeds)
    while frontier:
        whole |= frontier
        if len(whole) > most:
            raise Flood(whole)
        words = decisions.said_of(session, _digests(session, audit, frontier))
        said |= words
        reached = [*pairs.edges(session, audit.id, sorted(frontier)), *_spoken_of(session, audit, words)]
        edges |= {edge[:2]: edge for edge in reached}
        frontier = {image_id for edge in reached for image_id in edge[:2]} - whole
    return whole, list(edges.values()), said


def _spoken_of(session: Session, audit: Audit, said: dict[Digests, Word]) -> Iterator[Edge]:
    """The pairs of this audit that a person called copies or one scene, whatever the check says of them."""
    spoken = [pair for pair, word in said.items() if word in JOINING and pair[0] != pair[1]]
    return pairs.edges_of(session, audit.id, pairs_of_digests(session, audit, spoken))


def pairs_of_digests(session: Session, audit: Audit, spoken: Sequence[Digests]) -> list[tuple[int, int]]:
    """(first_id, second_id), as this audit's pairs are kept, of the visible images with these bytes."""
    theirs_id = audit.collection_id if audit.against_id is None else audit.against_id
    digests = {digest for pair in spoken for digest in pair}
    ours = decisions.images_of(session, digests, [audit.collection_id])
    theirs = ours if audit.against_id is None else decisions.images_of(session, digests, [theirs_id])
    either = [*spoken, *((other, one) for one, other in spoken)]
    found = {
        (first, second) for one, other in either for first in ours.get(one, ()) for second in theirs.get(other, ())
    }
    if audit.against_id is None:
        found = {(min(pair), max(pair)) for pair in found}
    return sorted(found)


def _digests(session: Session, audit: Audit, image_ids: Iterable[int]) -> set[str]:
    return {row.digest for row in files.of_images(session, image_ids, audit.method)}


def _files(session: Session, audit: Audit, image_ids: Iterable[int]) -> list[File]:
    return [_file(row, audit) for row in files.of_images(session, image_ids, audit.method)]


def _file(row, audit: Audit) -> File:
    told = row.facts or {}
    return File(
        location_id=row.id,
        image_id=row.image_id,
        digest=row.digest,
        path=row.path,
        folder=row.folder,
        size_bytes=row.size_bytes,
        mtime_ns=row.mtime_ns,
        kind=row.kind,
        format=row.format,
        height_px=row.height_px or 0,
        width_px=row.width_px or 0,
        taken_at=row.taken_at,
        camera=told.get("camera"),
        located=bool(told.get("located")),
        content=told.get("content", 1.0),
        theirs=row.collection_id == audit.against_id,
        inode=None if row.inode is None else (row.host, row.inode),
    )
