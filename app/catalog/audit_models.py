"""The tables of duplicate audits: what was compared, what a person decided, what was moved and how to move it back."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.clock import db_now
from app.catalog.models import DIGEST_CHARS, NEVER_REUSED, Base, Id, by_value
from app.catalog.states import ActKind, AuditStage, AuditStatus, BatchStatus, MoveState, Role, Tier, Word

ALONE, BESIDE = text("against_id IS NULL"), text("against_id IS NOT NULL")


class Audit(Base):
    """One collection, alone or against another, under one model key. To run it again examines what is new."""

    __tablename__ = "audits"
    __table_args__ = (
        Index(
            "uq_audits_alone",
            "collection_id",
            "model_key_id",
            unique=True,
            sqlite_where=ALONE,
            postgresql_where=ALONE,
        ),
        Index(
            "uq_audits_against",
            "collection_id",
            "against_id",
            "model_key_id",
            unique=True,
            sqlite_where=BESIDE,
            postgresql_where=BESIDE,
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    against_id: Mapped[int | None] = mapped_column(ForeignKey("collections.id"))
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"))
    status: Mapped[AuditStatus] = mapped_column(by_value(AuditStatus), default=AuditStatus.WAITING)
    stage: Mapped[AuditStage | None] = mapped_column(by_value(AuditStage))
    done: Mapped[int] = mapped_column(BigInteger, default=0)  # of `total`, within the stage
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    cosine: Mapped[float] = mapped_column(Double)  # from which neighbours are candidates
    method: Mapped[str] = mapped_column(String(50))  # of hash and alignment check; another one looks at all again
    rules: Mapped[dict] = mapped_column(JSON)  # how a keeper is chosen, in order; protected folders
    seq: Mapped[int] = mapped_column(BigInteger, default=0)  # the collection's change number examined up to
    against_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    until_seq: Mapped[int] = mapped_column(BigInteger, default=0)  # what the run under way examines up to
    against_until_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    blocks: Mapped[int] = mapped_column(BigInteger, default=0)  # of the run's join that are done, their pairs stored
    mark: Mapped[str | None] = mapped_column(String(DIGEST_CHARS))  # of the rows the blocks are cut from
    images: Mapped[int] = mapped_column(BigInteger, default=0)
    pairs_checked: Mapped[int] = mapped_column(BigInteger, default=0)
    reclaimable_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    seconds: Mapped[float] = mapped_column(Double, default=0.0)  # of all runs so far, of the last one
    reason: Mapped[str | None] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(String(100))
    fence: Mapped[int] = mapped_column(BigInteger, default=0)  # grows with each claim; a late owner's is too low
    lease_until: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[float] = mapped_column(Double, default=db_now())
    done_at: Mapped[float | None] = mapped_column(Double)


class Look(Base):
    """What a picture's own pixels say, whatever collection it is in. Derived: it can be made again from the bytes."""

    __tablename__ = "looks"

    digest: Mapped[str] = mapped_column(String(DIGEST_CHARS), primary_key=True)
    method: Mapped[str] = mapped_column(String(50), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    pixels_sha256: Mapped[str | None] = mapped_column(String(DIGEST_CHARS))  # of the upright RGB, decoded in full
    facts: Mapped[dict | None] = mapped_column(JSON)  # camera, located, content; none: not read yet


class Unseen(Base):
    """A picture that an audit could not look at. The next run tries again."""

    __tablename__ = "unseen"

    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.id"), primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)


class Pair(Base):
    """Two images that may be copies, and what the check said. `first_id` is the lower, or the collection's own."""

    __tablename__ = "pairs"
    __table_args__ = (Index("ix_pairs_tier", "audit_id", "tier", "first_id"), Index("ix_pairs_second", "second_id"))

    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.id"), primary_key=True)
    first_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    second_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    cosine: Mapped[float | None] = mapped_column(Double)  # none where only the hashes are near
    tier: Mapped[Tier | None] = mapped_column(by_value(Tier))  # none: not checked yet
    score: Mapped[float | None] = mapped_column(Double)  # 0..1, how far the aligned pictures agree
    area: Mapped[float | None] = mapped_column(Double)  # 0..1, share of the smaller picture that is in the other
    scene: Mapped[bool | None] = mapped_column(Boolean)  # the same thing or place, whether copies or not
    relations: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # what the second is to the first
    relations_back: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # what the first is to the second
    warp: Mapped[list[float] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # 2 x 3, from shares of the first to shares of the second
    reason: Mapped[str | None] = mapped_column(Text)


class Group(Base):
    """Pictures that all match one of them, its keeper. The same keeper's group keeps its id from run to run."""

    __tablename__ = "groups"
    __table_args__ = (
        UniqueConstraint("audit_id", "keeper_id", "scene"),
        Index("ix_groups_bytes", "audit_id", "settled", "reclaimable_bytes", "id"),
        Index("ix_groups_doubt", "audit_id", "settled", "weakest", "id"),
        Index("ix_groups_tier", "audit_id", "tier", "settled", "reclaimable_bytes"),  # the tallies, from it alone
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.id"))
    keeper_id: Mapped[int] = mapped_column(ForeignKey("images.id"))  # the image, which every member matches
    scene: Mapped[bool] = mapped_column(Boolean)  # of the same_scene tier, which is no group of copies
    tier: Mapped[Tier] = mapped_column(by_value(Tier))  # of its loosest member
    weakest: Mapped[float] = mapped_column(Double)  # score of its loosest edge, 0..1
    members: Mapped[int] = mapped_column(Integer)
    reclaimable_bytes: Mapped[int] = mapped_column(BigInteger)
    settled: Mapped[bool] = mapped_column(Boolean, default=False)  # a person is done with it


class Member(Base):
    """One file of a group. An image that lies at several places is there as often."""

    __tablename__ = "members"
    __table_args__ = (Index("ix_members_image", "image_id"),)

    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)  # 0: the keeper
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    location_id: Mapped[int] = mapped_column(Id)  # of the file; its row goes when the file does
    role: Mapped[Role] = mapped_column(by_value(Role))
    tier: Mapped[Tier | None] = mapped_column(by_value(Tier))  # what it is to the keeper; none for the keeper
    score: Mapped[float] = mapped_column(Double)
    relations: Mapped[list[str]] = mapped_column(JSON)  # what it is to the keeper
    reason: Mapped[str] = mapped_column(Text)  # why it is the keeper, or is not
    loses: Mapped[list[str]] = mapped_column(JSON)  # what it has that the keeper lacks, in words
    marked: Mapped[bool] = mapped_column(Boolean, default=False)  # chosen for quarantine
    linked: Mapped[bool] = mapped_column(
        Boolean, default=False, server_default=false()
    )  # one file with the keeper's, under another name: it frees nothing


class Decision(Base):
    """A person's word on two pictures, by their digests: it outlives scans, models and moves."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("first_digest", "second_digest"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    first_digest: Mapped[str] = mapped_column(String(DIGEST_CHARS))  # the lower of the two
    second_digest: Mapped[str] = mapped_column(String(DIGEST_CHARS), index=True)
    word: Mapped[Word] = mapped_column(by_value(Word))
    decided_at: Mapped[float] = mapped_column(Double, default=db_now())


class Act(Base):
    """What a person did with groups on the page, and what it takes to take it back. The newest of an audit are kept."""

    __tablename__ = "acts"
    __table_args__ = (Index("ix_acts_audit", "audit_id", "id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.id"))
    kind: Mapped[ActKind] = mapped_column(by_value(ActKind))
    text: Mapped[str] = mapped_column(Text)  # what was done, in words
    before: Mapped[dict] = mapped_column(JSON)  # what the kind's way back asks for
    done_at: Mapped[float] = mapped_column(Double, default=db_now())


class Label(Base):
    """A person's answer to "are these copies?", asked where the threshold is in doubt."""

    __tablename__ = "labels"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"), primary_key=True)
    first_digest: Mapped[str] = mapped_column(String(DIGEST_CHARS), primary_key=True)
    second_digest: Mapped[str] = mapped_column(String(DIGEST_CHARS), primary_key=True)
    score: Mapped[float] = mapped_column(Double)  # of the check, as of the asking
    weight: Mapped[float] = mapped_column(Double)  # how many pairs of the collection it stands for
    copies: Mapped[bool | None] = mapped_column(Boolean)  # none: the person could not tell
    labelled_at: Mapped[float] = mapped_column(Double, default=db_now())


class Threshold(Base):
    """From which score on two pictures of a collection are called copies."""

    __tablename__ = "thresholds"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    model_key_id: Mapped[int] = mapped_column(ForeignKey("model_keys.id"), primary_key=True)
    method: Mapped[str] = mapped_column(String(50))  # of the check whose scores these are; another's are others
    score: Mapped[float] = mapped_column(Double)
    target_precision: Mapped[float] = mapped_column(Double)
    evidence: Mapped[dict] = mapped_column(JSON)  # precision and recall with their intervals, and of how many labels
    set_at: Mapped[float] = mapped_column(Double, default=db_now())


class Batch(Base):
    """Files that were moved, or are to be, by one word of a person. Undone as one."""

    __tablename__ = "batches"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.id"), index=True)
    status: Mapped[BatchStatus] = mapped_column(by_value(BatchStatus), default=BatchStatus.PLANNED)
    link: Mapped[bool] = mapped_column(Boolean, default=False)  # a hard link to the keeper takes the file's place
    created_at: Mapped[float] = mapped_column(Double, default=db_now())


class Move(Base):
    """The ledger: one file, from where to where. Written before the file is touched, kept for good."""

    __tablename__ = "moves"
    __table_args__ = (Index("ix_moves_state", "batch_id", "state"), Index("ix_moves_path", "path_bytes"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    group_id: Mapped[int] = mapped_column(Id)
    host: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))  # as of a location
    path_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    path: Mapped[str] = mapped_column(Text)
    quarantine_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    kept_path_bytes: Mapped[bytes] = mapped_column(LargeBinary)  # the copy that stays, hashed again just before
    kept_digest: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    state: Mapped[MoveState] = mapped_column(by_value(MoveState), default=MoveState.PLANNED)
    reason: Mapped[str | None] = mapped_column(Text)
    moved_at: Mapped[float | None] = mapped_column(Double)
    restored_at: Mapped[float | None] = mapped_column(Double)
