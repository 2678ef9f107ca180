"""A quarantine as tests run it, and what a refused one must leave."""

from app.audits.acting import quarantine
from app.audits.acting.quarantine import Outcome
from tests.audits.tree import Tree, held, shelved


def run(tree: Tree, **how) -> Outcome:
    return quarantine.quarantine(tree.resources, tree.audit_id, **how)


def assert_untouched(tree: Tree, before: dict) -> None:
    assert held(tree.root) == before
    assert shelved(tree.root) == {}


def refused_untouched(tree: Tree, why: str, **how) -> None:
    """The dry run says so too."""
    before = held(tree.root)
    plan = quarantine.plan(tree.resources, tree.audit_id, **how)
    assert [why in move.refusal for move in plan.moves] == [True]
    outcome = run(tree, **how)
    assert (outcome.moved, outcome.bytes) == (0, 0)
    (refusal,) = outcome.refused
    assert why in refusal.reason
    assert "\n" not in refusal.reason
    assert_untouched(tree, before)
