"""Audits as they are run, in the test's own process."""

from collections.abc import Callable

import pytest

from app.audits import runs
from app.audits.showing import answers
from app.ingest.workshop import Workshop
from app.search.refresh import Readers
from tests.audits.tree import Tree
from tests.workshop import COLLECTION

Run = Callable[..., dict]


@pytest.fixture
def audit(shop: Workshop) -> Run:
    """Run the collection's audit, alone or against another; what `audit show --json` would answer."""

    def run(against: str | None = None, rules=None) -> dict:
        audit_id = runs.open_audit(shop.resources, COLLECTION, against, rules)
        assert runs.run_now(shop.resources, audit_id, shop.decoder, Readers(shop.resources))
        return answers.document(shop.resources, audit_id)

    return run


@pytest.fixture
def tree(resources, tmp_path) -> Tree:
    return Tree(resources, tmp_path / "photos")


@pytest.fixture
def tree_on_both(resources_on_both, tmp_path) -> Tree:
    return Tree(resources_on_both, tmp_path / "photos")
