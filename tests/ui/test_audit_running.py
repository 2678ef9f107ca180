"""The page of an audit that still runs, in a real browser: new groups come by themselves, or when asked for."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from app.catalog.audit_models import Audit, Group
from app.catalog.clock import db_now
from app.catalog.states import AuditStage, AuditStatus, Tier
from app.resources import Resources, open_resources
from tests import servers
from tests.audits.many import fill
from tests.conftest import make_settings
from tests.ui.browser import browser, chromium, server

SLOW_MS = 60_000  # a loaded machine with two cores still gets there
SETTLE_MS = 2000  # a page may be drawn twice as it opens
ELSEWHERE = {"owner": "another host:1:x", "lease_until": db_now() + 3600, "status": AuditStatus.RUNNING}
CHECKING = {"stage": AuditStage.VERIFY, "done": 30, "total": 120}


@pytest.fixture
def opened(tmp_path) -> Iterator[Resources]:
    chromium()
    resources = open_resources(make_settings(tmp_path / "home"))
    yield resources
    resources.catalog.dispose()


@pytest.fixture
def address(opened, tmp_path) -> Iterator[str]:
    """With a broker no worker starts beside the page: this audit is another host's."""
    with servers.redis(tmp_path) as broker, server(tmp_path / "home", DINOSEEK_BROKER_URL=broker) as address:
        yield address


def run_elsewhere(resources: Resources, groups: int) -> None:
    """An audit that another host checks pairs of; half of its groups are not made yet."""
    fill(resources, groups)
    with resources.catalog.begin() as session:
        session.execute(update(Audit).values(**ELSEWHERE, **CHECKING))
        session.execute(update(Group).where(Group.id > groups // 2).values(tier=Tier.SAME_SCENE))


def make_the_others(resources: Resources) -> None:
    with resources.catalog.begin() as session:
        session.execute(update(Group).values(tier=Tier.EDITED, scene=False))


def test_groups_come_by_themselves_while_the_page_has_room(opened, address):
    run_elsewhere(opened, 10)
    with browser() as page:
        page.goto(f"{address}/audits?audit=1")
        expect(page.get_by_text("5 groups so far")).to_be_visible(timeout=SLOW_MS)
        make_the_others(opened)
        expect(page.get_by_text("10 groups so far")).to_be_visible(timeout=SLOW_MS)
        expect(page.locator(".group")).to_have_count(9, timeout=SLOW_MS)  # one is settled


def test_on_a_full_page_new_groups_wait_to_be_asked_for(opened, address):
    run_elsewhere(opened, 60)
    with browser() as page:
        page.goto(f"{address}/audits?audit=1")
        expect(page.get_by_text("All copies 29")).to_be_visible(timeout=SLOW_MS)
        expect(page.locator(".group")).to_have_count(20, timeout=SLOW_MS)
        expect(page.get_by_role("button", name="Show the groups as they are now")).to_be_disabled(timeout=SLOW_MS)
        page.wait_for_timeout(SETTLE_MS)
        make_the_others(opened)
        page.get_by_role("button", name="Show 29 new groups").click(timeout=SLOW_MS)
        expect(page.get_by_text("All copies 58")).to_be_visible(timeout=SLOW_MS)
        expect(page.get_by_role("button", name="new groups")).to_have_count(0, timeout=SLOW_MS)
