"""The ledger of moves: what is marked, what was written down before a file was touched, where each file is now."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import Row, func, insert, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.catalog import collections, images, sightings
from app.catalog.audit_models import Batch, Group, Member, Move
from app.catalog.clock import db_now
from app.catalog.images import portions
from app.catalog.models import Image, Location
from app.catalog.reach import Reach
from app.catalog.sightings import Sighting
from app.catalog.states import BatchStatus, MoveState, Role
from app.errors import NotFound

UNFINISHED = (BatchStatus.PLANNED, BatchStatus.RESTORING)
FILE = (Member.group_id, Member.location_id)
AWAY = (MoveState.MOVED, MoveState.PLANNED)
UNMOVED = (MoveState.PLANNED, MoveState.REFUSED)


@dataclass(frozen=True)
class Gone:
    """A file that is at its place no more, or back there."""

    move: Move
    at: bytes  # the place; another than the row's where its root has moved
    size_bytes: int
    mtime_ns: int


def get_batch(session: Session, batch_id: int) -> Batch:
    found = session.get(Batch, batch_id)
    if found is None:
        raise NotFound(f"there is no batch {batch_id}: see `dinoseek audit history ID`, with the audit's number")
    return found


def count_batches(session: Session, audit_id: int) -> int:
    return session.scalar(select(func.count()).select_from(Batch).where(Batch.audit_id == audit_id))


def members(session: Session, audit_id: int, group_ids: Sequence[int] | None = None) -> Sequence[Row]:
    """(Member, Image, Location or None) of every group with a marked duplicate, in order of group and place."""
    duplicate = aliased(Member)
    marked = select(duplicate.group_id).where(duplicate.marked, duplicate.role == Role.DUPLICATE)
    statement = (
        select(Member, Image, Location)
        .join(Group, Group.id == Member.group_id)
        .join(Image, Image.id == Member.image_id)
        .outerjoin(Location, Location.id == Member.location_id)
        .where(Group.audit_id == audit_id, Member.group_id.in_(marked))
        .order_by(Member.group_id, Member.place)
    )
    if group_ids is None:
        return session.execute(statement).all()
    parts = (statement.where(Member.group_id.in_(chosen)) for chosen in portions(sorted(set(group_ids))))
    return [row for part in parts for row in session.execute(part)]


def marked_paths(session: Session, audit_id: int) -> set[tuple[str, bytes]]:
    """(host, path) of every file of an audit that is chosen for quarantine, in whatever group."""
    marked = select(Location.host, Location.path_bytes).join(Member, Member.location_id == Location.id)
    mine = (Group.audit_id == audit_id, Member.marked, Member.role == Role.DUPLICATE)
    return {tuple(row) for row in session.execute(marked.join(Group, Group.id == Member.group_id).where(*mine))}


def write(session: Session, audit_id: int, moves: Sequence[dict], *, link: bool) -> int:
    """A batch with its moves, as planned or refused; its id."""
    batch = Batch(audit_id=audit_id, link=link)
    session.add(batch)
    session.flush()
    session.execute(insert(Move), [move | {"batch_id": batch.id} for move in moves])
    return batch.id


def moves_of(session: Session, batch_id: int, *states: MoveState) -> Sequence[Move]:
    chosen = (Move.batch_id == batch_id, Move.state.in_(states))
    return session.scalars(select(Move).where(*chosen).order_by(Move.id)).all()


def unfinished(session: Session, host: str) -> Sequence[Batch]:
    """Batches that a process of this host left half done."""
    ours = select(Move.batch_id).where(Move.batch_id == Batch.id, Move.host == host)
    return session.scalars(select(Batch).where(Batch.status.in_(UNFINISHED), ours.exists()).order_by(Batch.id)).all()


def in_quarantine(
    session: Session, *, batch_id: int | None = None, audit_id: int | None = None
) -> list[tuple[Move, Batch]]:
    """Moves of these, or of all, whose files are away or may be, the last moved first."""
    statement = select(Move, Batch).join(Batch, Batch.id == Move.batch_id).where(Move.state.in_(AWAY))
    if batch_id is not None:
        statement = statement.where(Move.batch_id == batch_id)
    if audit_id is not None:
        statement = statement.where(Batch.audit_id == audit_id)
    return [tuple(row) for row in session.execute(statement.order_by(Move.id.desc()))]


def set_moved(session: Session, gone: Sequence[Gone], *, linked: bool) -> None:
    """Moves that are done. Their places go, and with its last place an image goes out of every search.

    Who moved a file has the last word: another may have found it at its place still, and refused it in its name.
    """
    done = {"state": MoveState.MOVED, "reason": None, "moved_at": db_now()}
    moves = _change(session, [one.move for one in gone], UNMOVED, **done)
    if not moves:
        return
    session.execute(update(Move), [{"id": move.id, "digest": move.digest} for move in moves])
    places = Reach(session, moves).places(moves)
    _mark(session, moves, places, False)  # what is in quarantine is not to be chosen again
    if not linked:
        _leave(session, places)


def set_refused(session: Session, reasons: dict[int, str]) -> None:
    """Planned moves that nothing was done about, by id, with why."""
    for reason in set(reasons.values()):
        for chosen in portions([move_id for move_id, why in reasons.items() if why == reason]):
            planned = update(Move).where(Move.id.in_(chosen), Move.state == MoveState.PLANNED)
            refused = planned.values(state=MoveState.REFUSED, reason=reason)
            session.execute(refused.execution_options(synchronize_session=False))


def set_restored(session: Session, back: Sequence[Gone], *, linked: bool) -> None:
    """The inverse of `set_moved`: the places are known again, and their images are found again."""
    at = {one.move.id: one for one in back}
    moves = [one.move for one in back]
    moves = _change(session, moves, (MoveState.MOVED,), state=MoveState.RESTORED, restored_at=db_now())
    if not moves:
        return
    reach = Reach(session, moves)
    seen: dict[tuple[int, str], list[Sighting]] = defaultdict(list)
    for move in moves:
        for collection_id in reach.of(move):
            seen[collection_id, move.host].append(_sighting(at[move.id]))
    for (collection_id, _), sightings_there in sorted(seen.items(), key=itemgetter(0)):
        sightings.record(session, collection_id, sightings_there)
    if linked:
        _mark(session, moves, reach.places(moves), True)  # its place never went, and so nobody else marks it again


def set_status(session: Session, batch_id: int, status: BatchStatus) -> None:
    session.execute(update(Batch).where(Batch.id == batch_id).values(status=status))


def finish(session: Session, batch_id: int) -> None:
    """Nobody is at work on this batch: done, or restored where nothing of it is in quarantine any more."""
    counted = select(Move.state, func.count()).where(Move.batch_id == batch_id).group_by(Move.state)
    states = dict(session.execute(counted).all())
    back = MoveState.RESTORED in states and MoveState.MOVED not in states
    if MoveState.PLANNED not in states:
        set_status(session, batch_id, BatchStatus.RESTORED if back else BatchStatus.DONE)


def lock_collections(session: Session, moves: Sequence[Move]) -> None:
    """Of all that know these files, lowest first: two that lock in one order never wait in a ring."""
    reach = Reach(session, moves)
    for collection_id in sorted({found for move in moves for found in reach.of(move)}):
        collections.lock(session, collection_id)


def facts(session: Session, audit_id: int | None = None) -> Sequence[Row]:
    """(Batch, state, moves, bytes) of each state of each batch, the newest batch first."""
    columns = select(Batch, Move.state, func.count(), func.sum(Move.size_bytes)).join(Move, Move.batch_id == Batch.id)
    if audit_id is not None:
        columns = columns.where(Batch.audit_id == audit_id)
    return session.execute(columns.group_by(Batch.id, Move.state).order_by(Batch.id.desc(), Move.state)).all()


def _change(session: Session, moves: Sequence[Move], before: Sequence[MoveState], **values) -> list[Move]:
    """Those whose rows were still as we saw them: of two that settle a move one does."""
    changed: set[int] = set()
    for chosen in portions([move.id for move in moves]):
        mine = update(Move).where(Move.id.in_(chosen), Move.state.in_(before)).values(**values).returning(Move.id)
        changed.update(session.scalars(mine.execution_options(synchronize_session=False)))
    return [move for move in moves if move.id in changed]


def _mark(session: Session, moves: Sequence[Move], places: Sequence[Row], marked: bool) -> None:
    """In the groups that the moves were chosen in."""
    groups = {(move.host, move.path_bytes): move.group_id for move in moves}
    for some in portions(places):
        files = [(groups[place.host, place.path_bytes], place.id) for place in some]
        mine = (Member.group_id.in_({group_id for group_id, _ in files}), tuple_(*FILE).in_(files))
        session.execute(update(Member).where(*mine).values(marked=marked).execution_options(synchronize_session=False))


def _leave(session: Session, places: Sequence[Row]) -> None:
    by_collection: dict[int, list[Row]] = defaultdict(list)
    for place in places:
        by_collection[place.collection_id].append(place)
    for collection_id, mine in sorted(by_collection.items()):
        sightings.forget(session, collection_id, [place.id for place in mine])
        _hide_only_stored(session, sorted({place.image_id for place in mine}))


def _hide_only_stored(session: Session, image_ids: Sequence[int]) -> None:
    """A copy that we keep is no reason to show what a person put away."""
    somewhere = select(Location.id).where(Location.image_id == Image.id).exists()
    for chosen in portions(image_ids):
        kept = select(Image).where(Image.id.in_(chosen), Image.stored.is_(True), ~somewhere)
        for image in session.scalars(kept).all():
            images.hide_gone(session, image)


def _sighting(back: Gone) -> Sighting:
    return Sighting(back.at, back.move.digest, back.size_bytes, back.mtime_ns, host=back.move.host)
