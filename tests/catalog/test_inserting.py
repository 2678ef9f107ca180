"""Rows that are there already stay, and those that came are counted, on both databases."""

import pytest

from app.catalog import pairs
from app.catalog.pairs import Candidate
from tests.audits.pairs import fill, world


@pytest.mark.parametrize("portion", [20_000, 8])
def test_new_rows_are_counted_and_known_ones_are_not(resources_on_both, monkeypatch, portion):
    monkeypatch.setattr("app.catalog.inserting.VALUES_PER_STATEMENT", portion)
    audited = fill(resources_on_both, *world(6))
    known = [Candidate(*key, None) for key in audited.truth]
    new = [Candidate(1, 4, 0.5), Candidate(1, 6, None)]
    with resources_on_both.catalog.begin() as session:
        counts = [pairs.add(session, audited.audit_id, rows) for rows in (known, [*known, *new], new, [])]
    assert counts == [0, 2, 0, 0]
