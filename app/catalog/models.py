"""The tables. An instant is seconds since 1970 UTC by the database's own clock: hosts' clocks can't steal a lease."""

import enum
from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, synonym

from app.catalog.clock import db_now
from app.catalog.states import ImageStatus, Kind, PlaceKind, Priority, SnapshotStatus, SourceKind, SourceState

Id = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER takes AUTOINCREMENT there
NEVER_REUSED = {"sqlite_autoincrement": True}  # else a deleted top id goes to the next row, with the old vector
DIGEST_CHARS = 64  # SHA-256 in hex


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def by_value(kind: type[enum.StrEnum]) -> Enum:
    """An enum column that stores the value: SQLAlchemy stores names by default."""
    return Enum(kind, native_enum=False, length=16, values_callable=lambda members: [m.value for m in members])


class ModelKey(Base):
    """What makes two vectors comparable: same weights, same preprocessing, same precision, same detail."""

    __tablename__ = "model_keys"
    __table_args__ = (
        UniqueConstraint(
            "model", "weights_sha256", "preprocessing", "precision", "detail", name="uq_model_keys_identity"
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    model: Mapped[str] = mapped_column(String(100))
    weights_sha256: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    preprocessing: Mapped[str] = mapped_column(String(50))
    precision: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(String(20), default="off", server_default=text("'off'"))  # kept of each place
    dim: Mapped[int] = mapped_column(Integer)
    trained: Mapped[bool] = mapped_column(Boolean)

    @property
    def folder(self) -> str:
        """What files made under it lie in: the same for the same key in any database."""
        return "-".join((self.weights_sha256[:12], self.preprocessing, self.precision, self.detail))


class Basis(Base):
    """What places of pictures are described in under a model key, made once: two hosts must never differ in it."""

    __tablename__ = "bases"

    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"), primary_key=True)
    crc32: Mapped[int] = mapped_column(BigInteger)  # of `basis`; checked on every read
    basis: Mapped[bytes] = mapped_column(LargeBinary)


class Collection(Base):
    """Images and one model. `seq` counts every visible change; it is handed out under this row's lock."""

    __tablename__ = "collections"
    __table_args__ = (
        Index(
            "uq_collections_live_name",
            "name",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"))
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    snapshot_id: Mapped[int | None] = mapped_column(Id)  # the published one; a key both ways is a knot
    regions_snapshot_id: Mapped[int | None] = mapped_column(Id)  # the same of regions
    created_at: Mapped[float] = mapped_column(Double, default=db_now())
    deleted_at: Mapped[float | None] = mapped_column(Double)  # hidden, and brought back by `restore`
    worked_at: Mapped[float | None] = mapped_column(Double)  # when a batch of it was last stored; outlives its worker


class Change(Base):
    """A collection's change to another model key, under way. Its row goes when the change is done or cancelled."""

    __tablename__ = "changes"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"))
    add_only: Mapped[bool] = mapped_column(Boolean)  # make the embeddings and switch nothing
    leave_behind: Mapped[bool] = mapped_column(Boolean)  # pictures it can't have hold nothing up: they become failures
    started_at: Mapped[float] = mapped_column(Double, default=db_now())


class Work:
    """What remains to be done on a row's picture, and who is at it."""

    status: Mapped[ImageStatus] = mapped_column(by_value(ImageStatus), default=ImageStatus.PENDING)
    priority: Mapped[int] = mapped_column(SmallInteger, default=Priority.BULK, server_default="1")
    attempts: Mapped[int] = mapped_column(Integer, default=0)  # counted before work starts
    fence: Mapped[int] = mapped_column(BigInteger, default=0)  # grows with each claim; a late worker's is too low
    owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[float | None] = mapped_column(Double)
    not_before: Mapped[float] = mapped_column(Double, default=0.0)  # a retry waits; delays are rows, not messages
    away_since: Mapped[float | None] = mapped_column(Double)  # the first time that no worker found a file of it
    code: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)


class Image(Work, Base):
    """A picture, identified by the digest of its bytes. Its row carries the work that remains on it."""

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("collection_id", "digest"),
        Index("ix_images_work", "status", "collection_id", "priority", "attempts", "id"),
        Index("ix_images_changed", "collection_id", "changed_seq"),
        Index("ix_images_owner", "owner"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    digest: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    stored: Mapped[bool] = mapped_column(Boolean, default=False)  # the original is in our storage, not only at a path
    format: Mapped[str | None] = mapped_column(String(20))
    width_px: Mapped[int | None] = mapped_column(Integer)
    height_px: Mapped[int | None] = mapped_column(Integer)
    frames: Mapped[int | None] = mapped_column(Integer)
    taken_at: Mapped[datetime | None] = mapped_column(DateTime)  # the camera's local time: it knows no zone
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[float] = mapped_column(Double, default=db_now())
    changed_seq: Mapped[int] = mapped_column(BigInteger, default=0)  # collection.seq of the last change of visibility
    image_id = synonym("id")  # as other work calls it


class Reembedding(Work, Base):
    """A searchable picture that a change still has to embed, or whose details under the key there is were lost.

    Its row goes when that is done, or the picture is GONE.
    """

    __tablename__ = "reembeddings"
    __table_args__ = (
        UniqueConstraint("image_id", "model_key_id"),
        Index("ix_reembeddings_work", "status", "collection_id", "priority", "attempts", "id"),
        Index("ix_reembeddings_owner", "owner"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"))


class Location(Base):
    """An address where an image's bytes were seen. Names are bytes on disk; `path` is the text we show."""

    __tablename__ = "locations"
    __table_args__ = (UniqueConstraint("collection_id", "host", "path_bytes"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    host: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))  # whose disk; empty: of all
    kind: Mapped[PlaceKind] = mapped_column(by_value(PlaceKind), default=PlaceKind.FILE, server_default="file")
    path_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    path: Mapped[str] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    inode: Mapped[str | None] = mapped_column(String(50))  # as an audit last saw it: names of one file have the same


class Source(Base):
    """What was given to `ingest`: a root under which pictures were seen, and whether it is there."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("collection_id", "host", "kind", "address_bytes"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    host: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))  # as of a location
    kind: Mapped[SourceKind] = mapped_column(by_value(SourceKind))
    address_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    address: Mapped[str] = mapped_column(Text)  # the same as text that we show
    copied: Mapped[bool] = mapped_column(Boolean, default=False)  # bytes went into our storage: it may vanish
    state: Mapped[SourceState] = mapped_column(by_value(SourceState), default=SourceState.HERE)
    reason: Mapped[str | None] = mapped_column(Text)  # why it is away
    last_scan: Mapped[float | None] = mapped_column(Double)  # when it was last read to the end
    files: Mapped[int] = mapped_column(BigInteger, default=0)  # known below it at that time


class Embedding(Base):
    """A unit vector, little-endian, one per image and model key."""

    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_seq", "collection_id", "model_key_id", "seq"),)

    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"), primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    dtype: Mapped[str] = mapped_column(String(8))  # numpy's name, byte order included: "<f4"
    dim: Mapped[int] = mapped_column(Integer)
    crc32: Mapped[int] = mapped_column(BigInteger)  # of `vector`; checked on every read
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class Regions(Base):
    """Unit vectors of parts of a picture and where they lie, one row per image and model key that has detail."""

    __tablename__ = "regions"
    __table_args__ = (Index("ix_regions_seq", "collection_id", "model_key_id", "seq"),)

    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"), primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    seq: Mapped[int] = mapped_column(BigInteger)  # the embedding's
    count: Mapped[int] = mapped_column(Integer)
    dim: Mapped[int] = mapped_column(Integer)
    crc32: Mapped[int] = mapped_column(BigInteger)  # of `vectors` and `boxes`; checked on every read
    vectors: Mapped[bytes] = mapped_column(LargeBinary)  # int8 (count, dim), each over its own largest number
    boxes: Mapped[bytes] = mapped_column(LargeBinary)  # "<u2" (count, 4), shares times 65535


class Snapshot(Base):
    """A built index of one collection, model key and kind: BUILDING → VERIFIED → PUBLISHED → RETIRED."""

    __tablename__ = "snapshots"
    __table_args__ = (Index("ix_snapshots_collection", "collection_id", "status"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"))
    kind: Mapped[Kind] = mapped_column(by_value(Kind), default=Kind.WHOLE, server_default="whole")
    status: Mapped[SnapshotStatus] = mapped_column(by_value(SnapshotStatus), default=SnapshotStatus.BUILDING)
    owner: Mapped[str] = mapped_column(String(100))
    lease_until: Mapped[float | None] = mapped_column(Double)
    watermark: Mapped[int] = mapped_column(BigInteger, default=0)  # every embedding with seq up to here is inside
    recipe: Mapped[str | None] = mapped_column(String(50))
    vectors: Mapped[int | None] = mapped_column(BigInteger)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    recall_at_10: Mapped[float | None] = mapped_column(Double)
    build_s: Mapped[float | None] = mapped_column(Double)
    checksum: Mapped[str | None] = mapped_column(String(DIGEST_CHARS))  # SHA-256 of the manifest
    created_at: Mapped[float] = mapped_column(Double, default=db_now())
    built_at: Mapped[float | None] = mapped_column(Double)


class Worker(Base):
    """A worker's last sign of life."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    host: Mapped[str] = mapped_column(String(100))
    pid: Mapped[int] = mapped_column(Integer)
    device: Mapped[str] = mapped_column(String(50))
    model: Mapped[str | None] = mapped_column(String(100))
    started_at: Mapped[float] = mapped_column(Double, default=db_now())
    heartbeat_at: Mapped[float] = mapped_column(Double, default=db_now())
    images_done: Mapped[int] = mapped_column(BigInteger, default=0)
    images_per_s: Mapped[float | None] = mapped_column(Double)  # as of its last batch; None until one is done
    stage_s: Mapped[dict[str, float] | None] = mapped_column(JSON)  # per image, by stage of the work
    claimed_at: Mapped[float | None] = mapped_column(Double)
    batch_at: Mapped[float | None] = mapped_column(Double)  # when it last stored a batch
    trouble: Mapped[str | None] = mapped_column(Text)  # why its last task could not be done
