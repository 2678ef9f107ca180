"""Pairs are asked about where it matters, answers are kept, and the threshold that follows is used."""

import numpy as np
import pytest
from sqlalchemy import func, select, update

from app.alignment import DEFAULT_THRESHOLD, METHOD
from app.audits import labels, thresholds
from app.catalog.audit_models import Audit, Label, Pair, Threshold
from app.catalog.models import Collection, Image
from app.catalog.states import AuditStatus, ImageStatus, Tier
from app.errors import InvalidInput, NotFound
from tests.audits.pairs import SCENE, Audited, audit_of, fill
from tests.catalog.rows import make_collection


def world(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Scores and truth: copies lie high, others low, and they meet around 0.7."""
    rng = np.random.default_rng(5)
    copies = np.arange(count) % 2 == 0
    return np.where(copies, rng.uniform(0.66, 1, count), rng.uniform(0, 0.72, count)), copies


@pytest.fixture
def audited(resources_on_both) -> Audited:
    return fill(resources_on_both, *world())


def answer(resources, audited: Audited, times: int) -> list[tuple[int, int]]:
    """As somebody would who sees what is true."""
    keys = []
    for _ in range(times):
        asked = labels.next_pair(resources, audited.audit_id)
        if asked is None:
            break
        key = (asked.first.image_id, asked.second.image_id)
        labels.label(resources, audited.audit_id, *key, audited.truth[key])
        keys.append(key)
    return keys


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


def test_labels_say_how_many_pairs_they_stand_for_and_survive_the_audit(resources_on_both, audited):
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


def test_too_few_labels_set_no_threshold_and_say_how_many_more_it_takes(resources_on_both, audited):
    answer(resources_on_both, audited, 20)
    with pytest.raises(InvalidInput, match=r"too few labels to be sure of 99\.0%.*about \d+ more"):
        thresholds.choose(resources_on_both, audited.audit_id, 0.99)
    with pytest.raises(InvalidInput, match=r"a precision of 1\.0 can't be aimed at"):
        thresholds.choose(resources_on_both, audited.audit_id, 1.0)
    assert thresholds.evidence(resources_on_both, audited.audit_id).threshold == DEFAULT_THRESHOLD


def test_a_threshold_from_labels_moves_pairs_and_asks_for_new_groups(resources_on_both, audited):
    answer(resources_on_both, audited, 90)
    with resources_on_both.catalog.begin() as session:
        named = {"relations": ["resized"], "relations_back": ["resized"]}
        session.execute(update(Pair).where(Pair.score >= 0.8).values(**named))
    found = thresholds.choose(resources_on_both, audited.audit_id, 0.8)
    assert 0.55 < found.point.score < 0.75
    with resources_on_both.catalog.read() as session:
        tiers = dict(session.execute(select(Pair.tier, func.count()).group_by(Pair.tier)).all())
        above = session.scalar(select(func.count()).select_from(Pair).where(Pair.score >= found.point.score))
        row, status = session.scalars(select(Threshold)).one(), session.scalars(select(Audit.status)).one()
    assert tiers[Tier.EDITED] == int((world()[0] >= 0.8).sum())
    assert tiers[None] == above - tiers[Tier.EDITED]  # how one became the other, the check has to say
    assert (row.score, row.target_precision, status) == (found.point.score, 0.8, AuditStatus.WAITING)
    assert row.evidence["precision_low"] >= 0.8


def test_going_back_to_the_own_threshold_of_the_check_names_what_is_known_without_a_look(resources_on_both, audited):
    with resources_on_both.catalog.begin() as session:
        audit = session.scalars(select(Audit)).one()
        session.add(_threshold(audit, 0.5))
        session.execute(update(Pair).where(Pair.score >= 0.5).values(tier=Tier.EDITED, relations=[], relations_back=[]))
    thresholds.clear(resources_on_both, audited.audit_id)
    with resources_on_both.catalog.read() as session:
        rows = session.execute(select(Pair.tier, Pair.score)).all()
        assert session.scalars(select(Threshold)).all() == []
    assert {row.tier for row in rows if row.score >= DEFAULT_THRESHOLD} == {Tier.EDITED}
    assert {row.tier for row in rows if SCENE <= row.score < DEFAULT_THRESHOLD} == {Tier.SAME_SCENE}
    assert {row.tier for row in rows if row.score < SCENE} == {Tier.DIFFERENT}


def test_a_threshold_is_set_for_every_audit_of_the_collection_or_for_none(resources_on_both, audited):
    answer(resources_on_both, audited, 90)
    with resources_on_both.catalog.begin() as session:
        own = session.scalars(select(Audit)).one()
        other = make_collection(session, "other")
        beside = audit_of(session, _collection(session, own), other, status=AuditStatus.RUNNING)
    with pytest.raises(InvalidInput, match=f"audit {beside.id} of this collection runs"):
        thresholds.choose(resources_on_both, audited.audit_id, 0.8)
    with resources_on_both.catalog.begin() as session:
        assert session.scalars(select(Threshold)).all() == []
        session.execute(update(Audit).values(status=AuditStatus.DONE))
    thresholds.choose(resources_on_both, audited.audit_id, 0.8)
    with resources_on_both.catalog.read() as session:
        assert set(session.scalars(select(Audit.status))) == {AuditStatus.WAITING}


def _threshold(audit: Audit, score: float) -> Threshold:
    key = {"collection_id": audit.collection_id, "model_key_id": audit.model_key_id}
    return Threshold(**key, method=METHOD, score=score, target_precision=0.9, evidence={})


def _collection(session, audit: Audit):
    return session.get(Collection, audit.collection_id)
