"""The labelling panel in a real browser: keys answer, undo asks again, the curve is drawn."""

import signal
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.audits.evidence import labels
from app.catalog.audit_models import Label
from tests import servers
from tests.audits.pairs import fill, world
from tests.ui.browser import STOP_S, browser, chromium, wait_until_live


@pytest.fixture
def audited(resources):
    return fill(resources, *world())


@pytest.fixture
def address(resources, audited, tmp_path):
    chromium()
    port = servers.free_port()
    command = [sys.executable, "-m", "tests.ui.labelling_server", str(resources.storage.home), str(port)]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield f"{wait_until_live(f'http://127.0.0.1:{port}', process)}/?audit={audited.audit_id}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)


def said(resources) -> list[bool | None]:
    with resources.catalog.read() as session:
        return list(session.scalars(select(Label.copies).order_by(Label.labelled_at)))


def press(page: Page, key: str, then: str) -> None:
    page.keyboard.press(key)
    expect(page.locator(".asker .count")).to_have_text(then)


def test_keys_answer_undo_asks_again_and_the_curve_is_drawn(address, resources):
    with browser() as page:
        page.goto(address)
        expect(page.locator(".asker .count")).to_have_text("1 of 60")
        assert page.locator(".asker figcaption .name").count() == 2
        for number, key in enumerate("ynu", start=2):
            press(page, key, f"{number} of 60")
        assert said(resources) == [True, False, None]
        press(page, "z", "3 of 60")
        assert said(resources) == [True, False]
        page.get_by_role("button", name="Can't tell").click()
        expect(page.locator(".asker .count")).to_have_text("4 of 60")
        for number in range(5, 9):
            press(page, "y", f"{number} of 60")
        expect(page.locator(".curve svg path.precision").first).to_be_visible()
        expect(page.get_by_text("1 pair that you could not tell")).to_be_visible()
    assert labels.count(resources, 1) == 7
