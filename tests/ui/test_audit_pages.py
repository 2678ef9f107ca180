"""The page of audits as Streamlit runs it, without a browser: what it says, what it sends, where it leads."""

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from app import library
from app.api import face
from app.audits import runs
from app.audits.showing import pages
from app.catalog.audit_models import Audit, Decision, Group, Member
from app.catalog.states import AuditStage, AuditStatus, Role, Word
from app.ui.audits import acts
from app.ui.audits.address import Look, Tab, from_address, to_address
from tests.audits.many import fill
from tests.program import PATIENCE_S
from tests.ui.test_pages import MAIN, sent

GROUPS = 100
VIEW = "views/audits.py"


@pytest.fixture
def page(resources):
    face.install(resources)
    yield AppTest.from_file(str(MAIN), default_timeout=PATIENCE_S)
    face.close()


@pytest.fixture
def audit_id(resources) -> int:
    return fill(resources, GROUPS)


def look(page: AppTest, audit_id: int, **parts) -> AppTest:
    """At this audit."""
    page.switch_page(VIEW)
    for name, value in to_address(Look(audit_id, **parts)).items():
        page.query_params[name] = value
    return page.run()


def groups(page: AppTest) -> list[int]:
    return [group["id"] for group in sent(page, "groups 1")["groups"]]


def click(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def test_an_empty_home_says_what_to_do_first(page):
    page.switch_page(VIEW).run()
    assert not page.exception
    assert "First make a collection" in page.markdown[1].value


def test_a_collection_without_audits_is_offered(page, resources):
    library.create_collection(resources, "Holidays")
    page.switch_page(VIEW).run()
    assert "nothing is ever deleted" in page.markdown[1].value
    click(page, "Find copies")
    assert page.query_params["audit"] == "1"
    assert runs.facts(resources, 1).status is AuditStatus.WAITING
    assert "No worker is alive" in page.warning[0].value


def test_pages_lead_on_and_back(page, resources, audit_id):
    look(page, audit_id)
    first = groups(page)
    assert len(first) == pages.GROUPS_PER_PAGE
    click(page, "Later")
    second = groups(page)
    assert not set(first) & set(second)
    assert "21–40 of 94" in [text.value for text in page.markdown]
    click(page, "Earlier")
    assert groups(page) == first
    click(page, "Last")
    assert "81–94 of 94" in [text.value for text in page.markdown]
    click(page, "First")
    assert groups(page) == first


def test_a_kind_and_an_order_are_chosen(page, audit_id):
    look(page, audit_id)
    click(page, "Same scene 2")
    assert page.query_params["tier"] == "same_scene"
    assert {group["tier"] for group in sent(page, "groups 1")["groups"]} == {"same_scene"}
    click(page, "All copies 94")
    click(page, "Doubtful first")
    doubts = [group["doubt"] for group in sent(page, "groups 1")["groups"]]
    assert doubts[0] < doubts[-1]
    click(page, "Done")
    assert page.query_params["done"] == "yes"
    assert len(groups(page)) == 4


def test_a_member_says_what_it_is_and_why(page, audit_id, resources):
    with resources.catalog.begin() as session:
        session.execute(update(Member).where(Member.role == Role.DUPLICATE).values(loses=["GPS position"]))
    look(page, audit_id, sort=pages.Sort.DOUBT)
    group = sent(page, "groups 1")["groups"][0]
    keeper, copy = group["members"][:2]
    assert (keeper["keeper"], keeper["relation"], copy["keeper"]) == (True, "", False)
    assert copy["relation"] == "Cropped, compressed anew"
    assert copy["score"]["word"].endswith("% alike")
    assert copy["loses"] == ["GPS position"]
    assert copy["onto"] == pytest.approx([1.25, 0, -0.125, 0, 1.25, -0.125])
    assert copy["thumb"].startswith("/api/thumbs/")


def test_a_page_whose_groups_are_all_done_begins_anew(page, resources, audit_id):
    look(page, audit_id)
    first = groups(page)
    click(page, "Last")
    with resources.catalog.begin() as session:
        session.execute(update(Group).where(Group.id.not_in(first)).values(settled=True))
    page.run()
    assert groups(page) == first


def test_a_large_group_has_pages_of_its_own(page, resources, audit_id):
    with resources.catalog.begin() as session:
        session.get(Group, 1).members = 400
    look(page, audit_id, group_id=1)
    assert groups(page) == [1]
    assert "copies 1–120 of 399" in [text.value for text in page.markdown]
    click(page, "Later")
    assert page.query_params["place"] == "121"
    click(page, "All groups")
    assert len(groups(page)) == pages.GROUPS_PER_PAGE


def test_decisions_have_pages_and_the_last_one_taken_back_leads_to_the_first(page, resources, audit_id):
    with resources.catalog.begin() as session:
        for number in range(1, 22):
            pair = {"first_digest": f"{number:064x}", "second_digest": f"{number + 1:064x}"}
            session.add(Decision(**pair, word=Word.KEEP_BOTH, decided_at=1_700_000_000.25 + number))
    look(page, audit_id, tab=Tab.SAID)
    assert any("21 decisions, the newest first" in text.value for text in page.markdown)
    assert len(take_back_buttons(page)) == 20
    click(page, "Older")
    (only,) = take_back_buttons(page)
    only.click().run()
    assert not page.exception
    assert len(take_back_buttons(page)) == 20  # the page that it was on has none left
    assert all(button.label != "Older" for button in page.button)
    click(page, "Undo")
    assert any("21 decisions" in text.value for text in page.markdown)


def take_back_buttons(page: AppTest) -> list:
    return [button for button in page.button if button.label == "Take back"]


def test_a_running_audit_shows_its_stage_and_the_groups_there_are(page, resources, audit_id):
    running = {"status": AuditStatus.RUNNING, "stage": AuditStage.VERIFY, "done": 30, "total": 120}
    with resources.catalog.begin() as session:
        session.execute(update(Audit).values(**running))
    look(page, audit_id)
    (card,) = [html.proto.body for html in page.get("html") if "Checking pairs" in html.proto.body]
    assert "Checking pairs: 30 of 120" in card
    assert "98 groups so far" in card
    assert len(groups(page)) == pages.GROUPS_PER_PAGE


def test_one_that_stopped_says_why_and_goes_on(page, resources, audit_id):
    with resources.catalog.begin() as session:
        session.execute(update(Audit).values(status=AuditStatus.FAILED, reason="the disk is full"))
    look(page, audit_id)
    assert "the disk is full" in page.error[0].value
    click(page, "Go on")
    assert runs.facts(resources, audit_id).status is AuditStatus.WAITING


def test_an_address_that_cannot_be_read_says_so(page, audit_id):
    look(page, audit_id)
    page.query_params["tier"] = "nonsense"
    page.run()
    assert "tier='nonsense'" in page.error[0].value.replace("\\", "")


@pytest.mark.parametrize(
    "seen",
    [
        Look(),
        Look(3, Tab.QUARANTINE),
        Look(3, sort=pages.Sort.DOUBT, cursor=pages.Cursor((0.1 + 0.2, 7))),
        Look(3, cursor=pages.Cursor((12_345_678_901, 7), backwards=True), settled=True),
        Look(3, cursor=pages.LAST),
        Look(3, Tab.SAID, cursor=pages.Cursor((1_700_000_000.25, 7))),
        Look(3, group_id=9, place=121),
    ],
    ids=str,
)
def test_what_is_seen_is_in_the_address_and_back(seen):
    assert from_address(to_address(seen)) == seen


def test_what_the_browser_sends_twice_is_done_once(page, resources, audit_id):
    look(page, audit_id)
    group = sent(page, "groups 1")["groups"][0]
    twice = {"from": "browser", "acts": [{"n": 1, "act": "settle", "group": group["id"]}]}

    def script(twice):
        from app.api import face
        from app.ui.audits import acts

        acts.hear(face.current(), 1, twice)
        acts.hear(face.current(), 1, twice)
        acts.undo(face.current(), 1)
        acts.undo(face.current(), 1)

    alone = AppTest.from_function(script, args=(twice,)).run()
    assert not alone.exception
    assert alone.session_state["said 1"].text == acts.NOTHING
    assert alone.session_state["heard 1"] == {"from": "browser", "n": 1}
    assert pages.tallies(resources, audit_id).of(None).number == 94


def test_a_refusal_is_said_and_nothing_is_done(page, resources, audit_id):
    look(page, audit_id)
    keeper = sent(page, "groups 1")["groups"][0]["members"][0]
    act = {"n": 1, "act": "mark", "group": keeper["group"], "location": keeper["location"], "marked": True}

    def script(act):
        from app.api import face
        from app.ui.audits import acts

        acts.hear(face.current(), 1, {"from": "browser", "acts": [act]})

    alone = AppTest.from_function(script, args=(act,)).run()
    said = alone.session_state["said 1"]
    assert said.refused
    assert "the copy that is kept can't be marked" in said.text
