"""A threshold follows from labels, holds for the check it was made for, and is used by the next run."""

from math import floor

import pytest
from sqlalchemy import func, select, update

from app.alignment import DEFAULT_THRESHOLD, METHOD
from app.audits.evidence import labels, thresholds
from app.audits.evidence.strata import STEPS
from app.audits.finding.verification import threshold_of
from app.catalog import audits
from app.catalog.audit_models import Audit, Pair, Threshold
from app.catalog.models import Collection
from app.catalog.states import AuditStatus, Tier
from app.errors import InvalidInput
from app.ingest.workshop import Workshop
from tests.audits.album import noisy, picture, write
from tests.audits.pairs import SCENE, Audited, answer, audit_of, fill, world
from tests.catalog.rows import make_collection
from tests.workshop import fill as ingest


@pytest.fixture
def audited(resources_on_both) -> Audited:
    return fill(resources_on_both, *world())


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


def test_a_threshold_holds_for_the_check_that_it_was_made_for_alone(resources_on_both, audited):
    with resources_on_both.catalog.begin() as session:
        session.add(_threshold(session.scalars(select(Audit)).one(), 0.5))
    assert _in_force(resources_on_both, audited) == 0.5
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Threshold).values(method="align-0"))
    assert _in_force(resources_on_both, audited) == DEFAULT_THRESHOLD
    assert thresholds.evidence(resources_on_both, audited.audit_id).target is None


def test_the_next_run_calls_copies_what_the_labels_say_and_they_outlive_a_move(shop, audit, tmp_path):
    for number in range(1, 6):
        made = picture(number)
        for name, copy in (("a", made), ("b", noisy(made, 20)), ("c", noisy(made, 150))):
            write(tmp_path / "photos" / f"{number}{name}.jpg", copy)
    ingest(shop, tmp_path / "photos")
    before = audit()
    edge = _call_copies_the_closest(shop, before["audit_id"])
    found = thresholds.choose(shop.resources, before["audit_id"], 0.95)
    assert found.point.score == pytest.approx(edge) and edge > DEFAULT_THRESHOLD
    after = audit()
    assert _sizes(after) == [2] * 5 < _sizes(before)
    assert _weakest_copy(shop) >= edge > min(group["weakest"] for group in before["groups"])

    answered = labels.count(shop.resources, before["audit_id"])
    thresholds.clear(shop.resources, before["audit_id"])
    assert _sizes(audit()) == _sizes(before)
    (tmp_path / "photos").rename(tmp_path / "moved")
    ingest(shop, tmp_path / "moved")
    audit()
    assert labels.count(shop.resources, before["audit_id"]) == answered > 0


def _sizes(document: dict) -> list[int]:
    return [len(group["members"]) for group in document["groups"] if group["tier"] == "edited"]


def _call_copies_the_closest(shop: Workshop, audit_id: int) -> float:
    """Answer about every pair; the score from which on the answer was yes, the highest step that leaves some out."""
    with shop.resources.catalog.read() as session:
        scores = {(row.first_id, row.second_id): row.score for row in session.scalars(select(Pair))}
    edge = sorted({floor(score * STEPS) for score in scores.values()})[-1] / STEPS
    while (asked := labels.next_pair(shop.resources, audit_id)) is not None:
        key = (asked.first.image_id, asked.second.image_id)
        labels.label(shop.resources, audit_id, *key, scores[key] >= edge)
    return edge


def _weakest_copy(shop: Workshop) -> float:
    with shop.resources.catalog.read() as session:
        return session.scalar(select(func.min(Pair.score)).where(Pair.tier == Tier.EDITED))


def _in_force(resources, audited: Audited) -> float:
    with resources.catalog.read() as session:
        return threshold_of(session, audits.get(session, audited.audit_id))


def _threshold(audit: Audit, score: float) -> Threshold:
    key = {"collection_id": audit.collection_id, "model_key_id": audit.model_key_id}
    return Threshold(**key, method=METHOD, score=score, target_precision=0.9, evidence={})


def _collection(session, audit: Audit):
    return session.get(Collection, audit.collection_id)
