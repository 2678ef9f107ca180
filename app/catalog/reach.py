"""Which collections know files that move: the same folder may have been read into several."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.catalog.audit_models import Move
from app.catalog.images import portions
from app.catalog.models import Collection, Image, Location, Source
from app.catalog.states import SourceKind

LOCAL = (SourceKind.FOLDER, SourceKind.FILES)


class Reach:
    """As rows have it when this is made."""

    def __init__(self, session: Session, moves: Sequence[Move]) -> None:
        sources = select(Source.collection_id, Source.host, Source.address_bytes).where(Source.kind.in_(LOCAL))
        self._sources = session.execute(sources).all()
        self._places = _places(session, moves)
        self._known = _known(session, {row.collection_id for row in self._sources}, {move.digest for move in moves})

    def places(self, moves: Iterable[Move]) -> list[Row]:
        """(id, collection_id, image_id, host, path_bytes) of these files in each collection that knows them."""
        return [place for move in moves for place in self._places.get((move.host, move.path_bytes), ())]

    def of(self, move: Move) -> set[int]:
        """Its own collection, those that know the file, and those that read its folder and know its bytes."""
        reading = (row.collection_id for row in self._sources if _covers(row, move))
        knowing = {collection_id for collection_id in reading if (collection_id, move.digest) in self._known}
        return {move.collection_id, *knowing, *(place.collection_id for place in self.places([move]))}


def _places(session: Session, moves: Sequence[Move]) -> dict[tuple[str, bytes], list[Row]]:
    """By host and path."""
    found: dict[tuple[str, bytes], list[Row]] = defaultdict(list)
    columns = select(Location.id, Location.collection_id, Location.image_id, Location.host, Location.path_bytes)
    everywhere = session.scalars(select(Collection.id)).all()  # the index on paths begins with it
    for chosen in portions(sorted({move.path_bytes for move in moves})):
        here = (Location.collection_id.in_(everywhere), Location.host.in_({move.host for move in moves}))
        for row in session.execute(columns.where(*here, Location.path_bytes.in_(chosen)).order_by(Location.id)):
            found[row.host, row.path_bytes].append(row)
    return found


def _known(session: Session, collection_ids: set[int], digests: set[str]) -> set[tuple[int, str]]:
    """(collection id, digest) of the bytes that these collections have an image of."""
    columns = select(Image.collection_id, Image.digest).where(Image.collection_id.in_(collection_ids))
    rows = (
        row for chosen in portions(sorted(digests)) for row in session.execute(columns.where(Image.digest.in_(chosen)))
    )
    return {tuple(row) for row in rows}


def _covers(source: Row, move: Move) -> bool:
    return source.host == move.host and move.path_bytes.startswith(source.address_bytes.rstrip(b"/") + b"/")
