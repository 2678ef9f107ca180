"""Searchable pictures whose details were lost: described anew under the key they have, and searched meanwhile."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.orm import Session

from app.catalog.images import fresh_attempts, portions
from app.catalog.models import Collection, Image, Reembedding, Regions
from app.catalog.states import ImageStatus


def note(session: Session, collection: Collection, image_ids: Sequence[int]) -> None:
    """For workers to find. What failed before gets another try."""
    for chosen in portions(image_ids):
        noted = (Reembedding.image_id.in_(chosen), Reembedding.model_key_id == collection.model_key_id)
        failed = (*noted, Reembedding.status == ImageStatus.FAILED)
        session.execute(update(Reembedding).where(*failed).values(**fresh_attempts()))
        lost = select(literal(collection.id), Image.id, literal(collection.model_key_id)).where(
            Image.id.in_(chosen),
            Image.status == ImageStatus.READY,
            Image.id.not_in(select(Reembedding.image_id).where(*noted)),
        )
        names = ["collection_id", "image_id", "model_key_id"]
        session.execute(insert(Reembedding).from_select(names, lost.order_by(Image.id)))


def drop_regions(session: Session, collection: Collection, image_ids: Sequence[int]) -> None:
    """Those of the collection's key, to be made anew."""
    for chosen in portions(image_ids):
        mine = (Regions.image_id.in_(chosen), Regions.model_key_id == collection.model_key_id)
        session.execute(delete(Regions).where(*mine))
    note(session, collection, image_ids)
