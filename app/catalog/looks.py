"""What pictures' own pixels say, by digest. All of it can be made again from the bytes."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.catalog.audit_models import Look, Unseen
from app.catalog.images import portions
from app.catalog.inserting import add_new, put
from app.catalog.models import Image


def add(session: Session, method: str, told: Mapping[str, tuple[bytes, dict]]) -> None:
    """Perceptual hashes, and facts of pixels and EXIF, by digest; those that are there stay."""
    rows = [
        {"digest": digest, "method": method, "hash": packed, "facts": facts}
        for digest, (packed, facts) in sorted(told.items())
    ]
    add_new(session, Look, rows)


def of(session: Session, method: str, digests: Iterable[str]) -> dict[str, Look]:
    chosen = (Look.digest, Look.method, Look.pixels_sha256, Look.facts)
    rows: dict[str, Look] = {}
    for portion in portions(sorted(digests)):
        statement = select(*chosen).where(Look.method == method, Look.digest.in_(portion))
        rows |= {row.digest: row for row in session.execute(statement)}
    return rows


def note_pixels(session: Session, method: str, digests: Mapping[str, str]) -> None:
    """SHA-256 of the pixels, by digest of the bytes. Who has no look gets none."""
    for digest, pixels_sha256 in sorted(digests.items()):
        mine = update(Look).where(Look.digest == digest, Look.method == method)
        session.execute(mine.values(pixels_sha256=pixels_sha256).execution_options(synchronize_session=False))


def note_unseen(session: Session, audit_id: int, reasons: dict[int, str]) -> None:
    """Images that could not be looked at, by id."""
    rows = [{"audit_id": audit_id, "image_id": image_id, "reason": why} for image_id, why in sorted(reasons.items())]
    put(session, Unseen, rows, ("audit_id", "image_id"))


def seen_late(session: Session, audit_id: int, method: str) -> Sequence[int]:
    """Ids of images that an earlier run could not look at, and that were looked at since."""
    looked = select(Look.digest).join(Image, Image.digest == Look.digest).where(Image.id == Unseen.image_id)
    seen = looked.where(Look.method == method).exists()
    return session.scalars(
        select(Unseen.image_id).where(Unseen.audit_id == audit_id, seen).order_by(Unseen.image_id)
    ).all()


def forget_unseen(session: Session, audit_id: int, image_ids: Sequence[int]) -> None:
    for chosen in portions(image_ids):
        session.execute(delete(Unseen).where(Unseen.audit_id == audit_id, Unseen.image_id.in_(chosen)))


def count_unseen(session: Session, audit_id: int) -> int:
    return session.scalar(select(func.count()).select_from(Unseen).where(Unseen.audit_id == audit_id))
