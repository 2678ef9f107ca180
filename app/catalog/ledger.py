"""The ledger of moves: what is marked, what was written down before a file was touched, where each file is now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from app.catalog import collections, images, sightings
from app.catalog.audit_models import Batch, Group, Member, Move
from app.catalog.clock import db_now
from app.catalog.images import portions
from app.catalog.models import Collection, Image, Location, Source
from app.catalog.sightings import Sighting
from app.catalog.states import BatchStatus, MoveState, Role, SourceKind
from app.errors import NotFound

UNFINISHED = (BatchStatus.PLANNED, BatchStatus.RESTORING)
AWAY = (MoveState.MOVED, MoveState.PLANNED)


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
    """Planned moves that are done. Their places go, and with its last place an image goes out of every search."""
    reach = _Reach(session)
    for one in gone:
        change = {"state": MoveState.MOVED, "moved_at": db_now(), "digest": one.move.digest, "reason": one.move.reason}
        if _change(session, one.move.id, MoveState.PLANNED, **change):
            _mark(session, one.move, False)  # what is in quarantine is not to be chosen again
            if not linked:
                _leave(session, reach.places(one.move))


def set_refused(session: Session, reasons: dict[int, str]) -> None:
    """Planned moves that nothing was done about, by id, with why."""
    for move_id, reason in reasons.items():
        _change(session, move_id, MoveState.PLANNED, state=MoveState.REFUSED, reason=reason)


def set_restored(session: Session, back: Sequence[Gone], *, linked: bool) -> None:
    """The inverse of `set_moved`: the places are known again, and their images are found again."""
    reach = _Reach(session)
    for one in back:
        if _change(session, one.move.id, MoveState.MOVED, state=MoveState.RESTORED, restored_at=db_now()):
            seen = Sighting(one.at, one.move.digest, one.size_bytes, one.mtime_ns, host=one.move.host)
            for collection_id in sorted(reach.of(one.move)):
                sightings.record(session, collection_id, [seen])
            if linked:
                _mark(session, one.move, True)  # its place never went, and so nobody else marks it again


def set_status(session: Session, batch_id: int, status: BatchStatus) -> None:
    session.execute(update(Batch).where(Batch.id == batch_id).values(status=status))


def finish(session: Session, batch_id: int) -> None:
    """Nobody is at work on this batch: done, or restored where nothing of it is in quarantine any more."""
    counted = select(Move.state, func.count()).where(Move.batch_id == batch_id).group_by(Move.state)
    states = dict(session.execute(counted).all())
    back = MoveState.RESTORED in states and MoveState.MOVED not in states
    if MoveState.PLANNED not in states:
        set_status(session, batch_id, BatchStatus.RESTORED if back else BatchStatus.DONE)


def lock_collections(session: Session, moves: Iterable[Move]) -> None:
    """Of all that know these files, lowest first: two that lock in one order never wait in a ring."""
    reach = _Reach(session)
    for collection_id in sorted({found for move in moves for found in reach.of(move)}):
        collections.lock(session, collection_id)


def facts(session: Session, audit_id: int | None = None) -> Sequence[Row]:
    """(Batch, state, moves, bytes) of each state of each batch, the newest batch first."""
    columns = select(Batch, Move.state, func.count(), func.sum(Move.size_bytes)).join(Move, Move.batch_id == Batch.id)
    if audit_id is not None:
        columns = columns.where(Batch.audit_id == audit_id)
    return session.execute(columns.group_by(Batch.id, Move.state).order_by(Batch.id.desc(), Move.state)).all()


def _change(session: Session, move_id: int, before: MoveState, **values) -> bool:
    """Whether the row was still as we saw it: of two that settle a move one does."""
    one = update(Move).where(Move.id == move_id, Move.state == before).values(**values)
    return session.execute(one.execution_options(synchronize_session=False)).rowcount == 1


def _mark(session: Session, move: Move, marked: bool) -> None:
    here = select(Location.id).where(Location.collection_id == move.collection_id, *_at(move))
    member = (Member.group_id == move.group_id, Member.image_id == move.image_id, Member.location_id.in_(here))
    session.execute(update(Member).where(*member).values(marked=marked).execution_options(synchronize_session=False))


def _at(move: Move) -> tuple:
    return Location.host == move.host, Location.path_bytes == move.path_bytes


def _leave(session: Session, places: Sequence[Row]) -> None:
    for location_id, collection_id, image_id in places:
        sightings.forget(session, collection_id, [location_id])
        _hide_if_only_stored(session, image_id)


def _hide_if_only_stored(session: Session, image_id: int) -> None:
    """A copy that we keep is no reason to show what a person put away."""
    somewhere = select(Location.id).where(Location.image_id == Image.id).exists()
    kept = select(Image).where(Image.id == image_id, Image.stored.is_(True), ~somewhere)
    for image in session.scalars(kept).all():
        images.hide_gone(session, image)


class _Reach:
    """Which collections a move concerns: the same folder may have been read into several."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ids = session.scalars(select(Collection.id)).all()
        local = Source.kind.in_((SourceKind.FOLDER, SourceKind.FILES))
        self._sources = session.execute(
            select(Source.collection_id, Source.host, Source.address_bytes).where(local)
        ).all()

    def places(self, move: Move) -> Sequence[Row]:
        """(location id, collection id, image id) of the file in each collection that knows it."""
        columns = select(Location.id, Location.collection_id, Location.image_id)
        return self._session.execute(columns.where(Location.collection_id.in_(self._ids), *_at(move))).all()

    def of(self, move: Move) -> set[int]:
        """Its own, those that know the file, and those that read its folder and know its bytes."""
        above = {
            collection_id
            for collection_id, host, address in self._sources
            if host == move.host and move.path_bytes.startswith(address.rstrip(b"/") + b"/")
        }
        bytes_known = (Image.collection_id.in_(above), Image.digest == move.digest)
        knowing = self._session.scalars(select(Image.collection_id).where(*bytes_known)).all()
        return {move.collection_id, *knowing, *(place.collection_id for place in self.places(move))}
