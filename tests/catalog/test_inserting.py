"""Rows that may be there already: how many were not is the same number on both databases."""

from app.catalog.audit_models import Look
from app.catalog.inserting import add_new


def look(digest: str) -> dict:
    return {"digest": digest, "method": "m", "hash": b"x"}


def test_only_what_was_not_there_is_counted(resources_on_both):
    def add(*digests: str) -> int:
        with resources_on_both.catalog.begin() as session:
            return add_new(session, Look, [look(digest) for digest in digests])

    assert [add("a", "b"), add("a", "b"), add("b", "c"), add()] == [2, 0, 1, 0]
