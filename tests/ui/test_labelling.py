"""The labelling panel as Streamlit runs it: what it asks, keeps and offers."""

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from app.alignment import DEFAULT_THRESHOLD
from app.api import face
from app.audits.evidence import labels
from app.audits.evidence.calibration import Point
from app.catalog.audit_models import Audit, Pair, Threshold
from app.catalog.states import AuditStatus
from app.ui import curves
from tests.audits.pairs import answer, fill
from tests.program import PATIENCE_S

VIEW = Path(__file__).with_name("labelling_view.py")


@pytest.fixture
def audited(resources):
    """Eighty pairs: copies lie high, others low."""
    rng = np.random.default_rng(5)
    copies = np.arange(80) % 2 == 0
    return fill(resources, np.where(copies, rng.uniform(0.7, 1, 80), rng.uniform(0, 0.65, 80)), copies)


@pytest.fixture
def page(resources, audited):
    face.install(resources)
    opened = AppTest.from_file(str(VIEW), default_timeout=PATIENCE_S)
    opened.query_params["audit"] = str(audited.audit_id)
    yield opened.run()
    face.close()


def sent(page: AppTest) -> dict:
    """What our part was given to draw."""
    return json.loads(page.get("bidi_component")[0].proto.json)


def drawn(page: AppTest) -> str:
    return "".join(json.loads(part.proto.json)["svg"] for part in page.get("bidi_component")[1:])


def test_the_first_question_has_two_signed_pictures_and_no_word_of_the_check(page):
    assert not page.exception
    data = sent(page)
    assert (len(data["pair"]), data["answered"], data["wanted"]) == (2, 0, labels.ASKED)
    assert all("sig=" in side[name] for side in data["pair"] for name in ("thumb", "picture"))
    assert "score" not in json.dumps(data)
    assert "After 5 more labels" in page.caption[-1].value
    assert drawn(page) == ""


def test_answers_bring_a_curve_a_suggestion_and_what_is_in_use(page, resources, audited):
    answer(resources, audited, 60)
    page.run()
    assert not page.exception
    assert (sent(page)["answered"], sent(page)["wanted"]) == (60, 60)
    assert 'class="precision band"' in drawn(page)
    assert any(line.value.startswith("**From 0.") and "precision 9" in line.value for line in page.markdown)
    assert any(f"In use now: {DEFAULT_THRESHOLD:.3f}, the check's own" in line.value for line in page.caption)


def test_too_few_labels_for_a_target_say_so_and_offer_nothing(page, resources, audited):
    answer(resources, audited, 10)
    page.run()
    assert "Too few labels to be sure of 90.0%" in page.info[0].value
    assert page.button(key=f"use threshold of {audited.audit_id}").disabled


def test_a_threshold_is_used_and_taken_back(page, resources, audited):
    answer(resources, audited, 70)
    page.run()
    page.button(key=f"use threshold of {audited.audit_id}").click().run()
    assert page.toast[0].value.startswith("Copies from 0.")
    assert f"Audit {audited.audit_id} is waiting" in page.info[0].value  # the groups follow
    with resources.catalog.begin() as session:
        row = session.scalars(select(Threshold)).one()
        session.execute(update(Audit).values(status=AuditStatus.DONE))
        session.execute(update(Pair).values(tier="edited"))
    assert row.target_precision == 0.9
    page.run()
    assert any(f"In use now: {row.score:.3f}, set for a precision of 90%" in line.value for line in page.caption)
    page.button(key=f"clear threshold of {audited.audit_id}").click().run()
    with resources.catalog.read() as session:
        assert session.scalars(select(Threshold)).all() == []


def test_all_labelled_says_so_and_asks_nothing(page, resources, audited):
    answer(resources, audited, 80)
    page.run()
    assert sent(page)["pair"] == []
    assert "Every pair that there is to ask about is labelled" in page.success[0].value


def test_the_curve_stays_within_its_frame():
    points = tuple(Point(score, score, score - 0.1, 1.0, 1 - score, 0.0, 1.0, 9) for score in (0.2, 0.5, 0.9))
    picture = curves.svg(points, 0.86, 0.5)
    assert picture.count('class="mark') == 4
    assert curves.svg(points, 0.5, 0.5).count('class="mark') == 2
    assert "nan" not in picture
