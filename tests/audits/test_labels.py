"""Pairs are asked about where it matters, and answers are kept whatever becomes of scans and models."""

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from app.audits.evidence import labels, thresholds
from app.catalog import collections
from app.catalog.audit_models import Audit, Label, Pair
from app.catalog.models import Collection, Image
from app.catalog.states import AuditStatus, ImageStatus
from app.errors import InvalidInput, NotFound
from tests.audits.pairs import Audited, answer, audit_of, fill, world
from tests.catalog.rows import KEY


@pytest.fixture
def audited(resources_on_both) -> Audited:
    return fill(resources_on_both, *world())


def test_questions_are_the_same_until_answered_and_never_come_twice(resources_on_both, audited):
    first = labels.next_pair(resources_on_both, audited.audit_id)
    assert first == labels.next_pair(resources_on_both, audited.audit_id)
    assert (first.number, first.of) == (1, labels.ASKED)
    keys = answer(resources_on_both, audited, 30)
    assert len(set(keys)) == 30
    assert labels.next_pair(resources_on_both, audited.audit_id).number == 31


def test_an_answer_taken_back_is_asked_for_again_and_the_rest_goes_on_as_before(resources_on_both, audited):
    keys = answer(resources_on_both, audited, 12)
    assert labels.undo(resources_on_both, audited.audit_id) == keys[-1]
    assert answer(resources_on_both, audited, 1) == keys[-1:]
    for _ in range(12):
        labels.undo(resources_on_both, audited.audit_id)
    assert labels.undo(resources_on_both, audited.audit_id) is None
    assert answer(resources_on_both, audited, 12) == keys


def test_small_collections_are_asked_about_to_the_end_and_then_known(resources_on_both):
    scores, copies = world(40)
    audited = fill(resources_on_both, scores, copies)
    assert len(answer(resources_on_both, audited, 100)) == 40
    found = thresholds.evidence(resources_on_both, audited.audit_id)
    assert (found.labels, found.copies, found.pairs) == (40, 20, 40)
    point = next(point for point in found.curve if point.score >= 0.66)
    above = scores >= point.score
    right, all_found = copies[above].mean(), copies[above].sum() / 20
    assert [point.precision_low, point.precision, point.precision_high] == pytest.approx([right] * 3)
    assert [point.recall_low, point.recall, point.recall_high] == pytest.approx([all_found] * 3)


def test_more_is_asked_around_the_threshold_and_something_everywhere(resources_on_both, audited):
    keys = answer(resources_on_both, audited, 60)
    with resources_on_both.catalog.read() as session:
        rows = {(row.first_id, row.second_id): row.score for row in session.scalars(select(Pair))}
    asked = np.array([rows[key] for key in keys])
    share = ((asked > 0.6) & (asked < 0.8)).mean()
    assert share > ((world()[0] > 0.6) & (world()[0] < 0.8)).mean() * 1.2
    assert (asked < 0.3).sum() >= 3
    assert (asked > 0.95).sum() >= 3


def test_labels_say_how_many_pairs_they_stand_for(resources_on_both, audited):
    weight = labels.next_pair(resources_on_both, audited.audit_id).weight
    answer(resources_on_both, audited, 1)
    with resources_on_both.catalog.read() as session:
        (row,) = session.scalars(select(Label))
    assert (row.weight, row.first_digest < row.second_digest) == (weight, True)
    assert 1 <= weight <= 60


def test_a_picture_that_is_gone_is_not_asked_about(resources_on_both, audited):
    asked = labels.next_pair(resources_on_both, audited.audit_id)
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Image).where(Image.id == asked.first.image_id).values(status=ImageStatus.GONE))
        session.execute(update(Audit).values(fence=Audit.fence + 1))
    assert labels.next_pair(resources_on_both, audited.audit_id).first.image_id != asked.first.image_id


def test_what_is_no_pair_of_the_audit_and_an_audit_that_runs_are_refused(resources_on_both, audited):
    with pytest.raises(NotFound, match="has no pair 1, 999"):
        labels.label(resources_on_both, audited.audit_id, 1, 999, True)
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Audit).values(status=AuditStatus.RUNNING))
    for act in (labels.next_pair, thresholds.evidence):
        with pytest.raises(InvalidInput, match="is running: pairs can be labelled when it is done"):
            act(resources_on_both, audited.audit_id)


def test_who_can_not_tell_is_not_asked_again_and_nothing_follows_from_it(resources_on_both):
    audited = fill(resources_on_both, *world(40))
    answer(resources_on_both, audited, 10)
    asked = labels.next_pair(resources_on_both, audited.audit_id)
    key = (asked.first.image_id, asked.second.image_id)
    before = thresholds.evidence(resources_on_both, audited.audit_id)
    labels.label(resources_on_both, audited.audit_id, *key, None)
    after = thresholds.evidence(resources_on_both, audited.audit_id)
    assert (after.labels, after.unsure, after.curve) == (before.labels, 1, before.curve)
    assert key not in answer(resources_on_both, audited, 100)
    assert labels.count(resources_on_both, audited.audit_id) == len(audited.truth)


def test_a_second_answer_replaces_the_first(resources_on_both, audited):
    ((first, second),) = answer(resources_on_both, audited, 1)
    for copies in (True, None, False):
        labels.label(resources_on_both, audited.audit_id, first, second, copies)
    with resources_on_both.catalog.read() as session:
        assert [row.copies for row in session.scalars(select(Label))] == [False]


def test_answers_hold_for_another_model_of_the_collection(resources_on_both, audited):
    keys = answer(resources_on_both, audited, 20)
    with resources_on_both.catalog.begin() as session:
        own = session.scalars(select(Audit)).one()
        collection = session.get(Collection, own.collection_id)
        collection.model_key_id = collections.register_model(session, **KEY | {"model": "another"}).id
        later = audit_of(session, collection)
        rows = session.scalars(select(Pair)).all()
        named = ("first_id", "second_id", "score", "tier", "scene")
        again = [{name: getattr(row, name) for name in named} for row in rows]
        session.execute(insert(Pair), [row | {"audit_id": later.id} for row in again])
    assert labels.count(resources_on_both, later.id) == 20
    assert labels.undo(resources_on_both, later.id) == keys[-1]
    assert labels.count(resources_on_both, audited.audit_id) == 19


def test_an_audit_of_an_earlier_check_is_to_be_run_again_first(resources_on_both, audited):
    assert labels.obstacle(resources_on_both, audited.audit_id) is None
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Audit).values(method="align-0"))
    assert "run it again" in labels.obstacle(resources_on_both, audited.audit_id)
    with pytest.raises(InvalidInput, match="was checked by align-0, which is replaced by"):
        labels.next_pair(resources_on_both, audited.audit_id)
