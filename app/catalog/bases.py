"""Bases as rows: the first one stored under a model key is everybody's."""

import zlib

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.catalog.inserting import add_new
from app.catalog.models import Basis
from app.errors import BadVector


def find(session: Session, model_key_id: int) -> bytes | None:
    """Raises BadVector for a row whose checksum is wrong."""
    row = session.get(Basis, model_key_id)
    if row is not None and zlib.crc32(row.basis) != row.crc32:
        raise BadVector(f"the basis of model key {model_key_id} is damaged: run `dinoseek index verify`")
    return None if row is None else row.basis


def add(session: Session, model_key_id: int, basis: bytes) -> None:
    """One that is there stays."""
    add_new(session, Basis, [{"model_key_id": model_key_id, "crc32": zlib.crc32(basis), "basis": basis}])


def drop(session: Session, model_key_id: int) -> None:
    """Whoever needs it next makes it anew. What was described in it has to be, too."""
    session.execute(delete(Basis).where(Basis.model_key_id == model_key_id))
