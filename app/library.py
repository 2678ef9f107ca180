"""Collections and pictures as a person sees them."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.catalog import changes, images, overview
from app.catalog import collections as shelf
from app.catalog.models import Collection, Image, ModelKey
from app.catalog.states import ImageStatus
from app.encoders import Encoders
from app.errors import AlreadyExists, InvalidInput
from app.patches import get_detail
from app.resources import Resources

NAME_RULE = re.compile(r"[^\W_][\w .+-]{0,63}")  # letters of any language; no slash, no leading dot


@dataclass(frozen=True)
class ChangeFacts:
    """A change to another model, or to other preprocessing or precision of the same, that is under way."""

    model: str
    preprocessing: str
    precision: str
    instances: str  # what is kept of pictures' places: off, light or full
    add_only: bool  # nothing is switched at its end
    leave_behind: bool  # pictures that can't be embedded hold nothing up
    total: int  # searchable pictures
    done: int
    waiting: int
    failed: int
    label: str  # what is new about it, as a sentence names it

    @property
    def done_share(self) -> float:
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True)
class CollectionFacts:
    id: int
    name: str
    model: str
    trained: bool  # False: the network knows nothing, and every answer says so
    images: int  # all but those whose bytes are gone
    ready: int
    pending: int
    failed: int
    bytes: int
    created_at: float  # seconds since 1970 UTC
    preprocessing: str
    precision: str
    instances: str  # what is kept of pictures' places: off, light or full
    change: ChangeFacts | None


@dataclass(frozen=True)
class PictureFacts:
    image_id: int
    digest: str
    name: str
    path: str
    height_px: int | None
    width_px: int | None
    size_bytes: int
    format: str | None
    taken_at: datetime | None
    status: str
    reason: str | None
    frames: int | None


@dataclass(frozen=True)
class Facets:
    """What a collection's filters can offer."""

    formats: list[str]
    folders: list[str]
    taken_from: datetime | None
    taken_to: datetime | None
    min_bytes: int | None
    max_bytes: int | None


def collections(resources: Resources) -> list[CollectionFacts]:
    with resources.catalog.read() as session:
        return [_facts(session, row) for row in shelf.all_live(session)]


def collection(resources: Resources, name: str) -> CollectionFacts:
    with resources.catalog.read() as session:
        return _facts(session, shelf.get(session, name))


def create_collection(
    resources: Resources, name: str, model: str | None = None, encoders: Encoders | None = None, **kind: str | None
) -> CollectionFacts:
    """An empty collection bound to one model; `kind`, its `preprocessing`, `precision` and `detail`, as by `Encoders`.

    Raises InvalidInput, AlreadyExists, WeightsUnavailable, NotFound for a name in no table.
    """
    if not NAME_RULE.fullmatch(name):
        raise InvalidInput(f"{name!r} can't name a collection: use 1 to 64 letters, digits, spaces or . _ + -")
    with resources.catalog.read() as session:
        if shelf.find(session, name) is not None:
            raise AlreadyExists(f"a collection called {name!r} is already there: choose another name")
    key = (encoders or Encoders(resources.settings)).named(model, **kind).key
    with resources.catalog.begin() as session:
        row = shelf.register_model(session, **asdict(key))
        return _facts(session, shelf.add(session, name, row.id))


def open_collection(resources: Resources, name: str, model: str | None = None, **kind: str | None) -> CollectionFacts:
    """The collection of this name, made when there is none, by us or by another process that tries the same."""
    with contextlib.suppress(AlreadyExists):
        return create_collection(resources, name, model, **kind)
    return collection(resources, name)


def delete_collection(resources: Resources, name: str) -> None:
    """Hide a collection. Undone by `restore_collection`; rows and files stay."""
    with resources.catalog.begin() as session:
        shelf.hide(session, name)


def restore_collection(resources: Resources, name: str) -> CollectionFacts:
    """Bring back the collection that `delete_collection` hid."""
    with resources.catalog.begin() as session:
        return _facts(session, shelf.restore(session, name))


def picture(resources: Resources, image_id: int) -> PictureFacts:
    with resources.catalog.read() as session:
        return _picture_facts(session, [images.get(session, image_id)])[0]


def pictures(resources: Resources, name: str, offset: int = 0, limit: int = 100) -> list[PictureFacts]:
    """Searchable pictures, in the order they came."""
    with resources.catalog.read() as session:
        rows = images.page(session, shelf.get(session, name).id, ImageStatus.READY, offset, limit)
        return _picture_facts(session, rows)


def facets(resources: Resources, name: str) -> Facets:
    with resources.catalog.read() as session:
        return Facets(**overview.facets(session, shelf.get(session, name).id))


def _facts(session: Session, row: Collection) -> CollectionFacts:
    key = shelf.model_of(session, row)
    totals = overview.totals(session, row.id)
    return CollectionFacts(
        id=row.id,
        name=row.name,
        model=key.model,
        trained=key.trained,
        created_at=row.created_at,
        preprocessing=key.preprocessing,
        precision=key.precision,
        instances=get_detail(key.detail).word,
        change=change_facts(session, row),
        **totals,
    )


def change_facts(session: Session, row: Collection) -> ChangeFacts | None:
    change = changes.find(session, row.id)
    if change is None:
        return None
    now, new = shelf.model_of(session, row), shelf.get_model(session, change.model_key_id)
    total, left = images.count_visible(session, row.id), changes.remaining(session, change)
    return ChangeFacts(
        model=new.model,
        preprocessing=new.preprocessing,
        precision=new.precision,
        instances=get_detail(new.detail).word,
        add_only=change.add_only,
        leave_behind=change.leave_behind,
        total=total,
        done=max(0, total - left.waiting - left.failed),
        waiting=left.waiting,
        failed=left.failed,
        label=_label(now, new),
    )


def _label(now: ModelKey, new: ModelKey) -> str:
    """The model where it is another one, and how it sees and counts where that is another way."""
    parts = ("preprocessing", "precision", "detail")
    ways = [_way(name, getattr(new, name)) for name in parts if getattr(new, name) != getattr(now, name)]
    weights = [] if ways or new.model != now.model else [f"weights {new.weights_sha256[:12]}"]
    return ", ".join([new.model, *ways, *weights])


def _way(part: str, value: str) -> str:
    return f"instances {get_detail(value).word}" if part == "detail" else value


def _picture_facts(session: Session, rows: Sequence[Image]) -> list[PictureFacts]:
    paths = images.shown_paths(session, [row.id for row in rows])
    return [
        PictureFacts(
            image_id=row.id,
            digest=row.digest,
            name=Path(paths.get(row.id, "")).name,
            path=paths.get(row.id, ""),
            height_px=row.height_px,
            width_px=row.width_px,
            size_bytes=row.size_bytes,
            format=row.format,
            taken_at=row.taken_at,
            status=row.status.value,
            reason=row.reason,
            frames=row.frames,
        )
        for row in rows
    ]
